"""Panels: many markets asked the same thing, and what their answers are worth together."""
