"""Backtests of rotating between large and small companies, on index and FRED data.

The public names stand in ``__init__.pyi``, once; each is imported when it is first used, so that a
command that needs little starts fast.
"""

from typing import Any

import lazy_loader

from backtest import shown


def _view(result: object) -> Any:
    from backtest.reporting.views import view  # heavy, and needed when the first result shows itself

    return view(result)


shown.view = _view  # only here is both known: who shows itself, and who draws it

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
