"""Rules: what a script holds (expressions without values), and the one door from them to values."""
