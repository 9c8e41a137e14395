"""Tuning: every combination of parameters, and what the best of them is worth."""
