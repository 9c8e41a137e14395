"""What is to be said before any number of a run: foresight, what its script brings along, slips, haste."""
