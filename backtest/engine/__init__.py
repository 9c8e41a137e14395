"""Engines: from decisions to a portfolio's path through the bars."""
