"""Tests of the universe: from companies to size portfolios."""
