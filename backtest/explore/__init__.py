"""Explore: a run redrawn while the hand moves, in a page served on this machine, with every try counted."""
