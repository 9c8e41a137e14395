"""Scripting: what a strategy script declares, and how a script is found and loaded."""
