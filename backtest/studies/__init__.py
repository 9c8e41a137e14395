"""Studies: what the data say about claims, by rules that were written down before the numbers."""
