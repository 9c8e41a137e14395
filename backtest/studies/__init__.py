"""Studies: what the data say about claims, by rules written down before the numbers, two exceptions named."""
