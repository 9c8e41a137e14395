"""Backtests of rotating between large and small companies, on index and FRED data.

The public names stand in ``__init__.pyi``, once; each is imported when it is first used, so that a
command that needs little starts fast.
"""

import lazy_loader

from backtest import shown

shown.artist = "backtest.reporting.views"  # the roof alone knows both who shows itself and who draws it

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
