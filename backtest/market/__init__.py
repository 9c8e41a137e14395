"""The market: which series there are, where they come from, and what was known of them when."""
