"""Studies: what the data say about claims, by rules that say what of them was changed after the numbers."""
