"""Published figures, and the same figures from the stored series."""
