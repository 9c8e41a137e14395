"""A new strategy's script: commented, and running as it is."""

from __future__ import annotations

import ast
import keyword
from typing import TYPE_CHECKING

from backtest.errors import UsageError
from backtest.files import whole_file
from backtest.folders import expanded
from backtest.scripting.loading import strategy_names

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = '''"""{title}: say here in a sentence what you expect, and why.

From: who found it, and where.
Needs: the sleeves small and large. What else a market may have: rotation data list --markets.
Refuted by: what the numbers would have to show for you to give it up.
"""

from backtest import Market, Months, Percent, main, param, rotate, strategy


@strategy
def {name}(
    market: Market,
    # Each parameter has a unit, a default, a range and a line of help. From the command line: --months 6.
    months: Months = param(12, low=1, high=60, help="compare the returns of this many past months"),
    band: Percent = param(2, low=0, high=20, help="lead that is needed to switch, either way"),
):
    # A level is a number as it became known. Others: market.level("credit_spread"), market.index("small"),
    # and what is made of them: .change(3), .average(12), .percentile(history=60), np.log(...), + - * /.
    # It has no values in a script; a function of your own is .apply(f, months=12).
    lead = market.relative("small", "large", months=months)

    # A signal is yes or no at each fill, and joined by &, | and ~. Others: market.level("credit_spread") > 1,
    # market.months_of_year(1), market.policy.first_cuts(quiet=12, at_least=0.25).within(0, 24).
    leads = lead.above(band, until=-band)

    # Fractions of several sleeves: choose(...), blend(...) and mix(...).
    return rotate(leads, into="small", otherwise="large")


if __name__ == "__main__":
    main({name})
'''


def _imported() -> set[str]:
    """Return the names that a new script imports, which its strategy must not take from it."""
    tree = ast.parse(TEMPLATE.format(title="", name="new"))
    return {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


def write_script(place: str) -> Path:
    """Write a new script, ``my_idea`` to ``my_idea.py``, and return its path.

    The file appears whole or not at all.

    Raises
    ------
    UsageError
        When the name cannot be a Python name or is that of a shipped strategy, or the file exists.
    RotationError
        When it cannot be written.
    """
    named = expanded(place)
    # The empty name, the root and .. have no last part that a suffix could be added to.
    path = named.with_suffix(".py") if named.name else named
    name = path.stem
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(
            f"a strategy's name is made of letters, digits and underscores, such as my_idea, not '{name}'"
        )
    if name in _imported():
        raise UsageError(
            f"'{name}' is a name that the script itself imports; choose another, such as my_{name}"
        )
    if name in strategy_names():
        raise UsageError(
            f"'{name}' is the name of a strategy that comes with the installation; choose another name, such "
            f"as my_{name}"
        )
    title = name.replace("_", " ").strip().capitalize() or name
    with whole_file(path, "the script", "choose another place", new=True) as file:
        file.write(TEMPLATE.format(title=title, name=name).encode())
    return path
