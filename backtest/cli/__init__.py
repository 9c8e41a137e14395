"""The ``rotation`` command: a verb a file, each a thin skin over the public functions."""

from backtest.cli.command import entry, main

__all__ = ["entry", "main"]
