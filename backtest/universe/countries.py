"""Countries: whose companies a scheme is for, and how much of a table belongs to others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.errors import UsageError, nearest
from backtest.universe.workshop import text

if TYPE_CHECKING:
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Relation, Workshop

ALL = "all"
"""What stands for every country where one can be asked for."""


@dataclass(frozen=True)
class Home:
    """Whose companies are meant.

    Parameters
    ----------
    names
        The country, in each of the words that stand for it; empty where any will do.
    keep
        Whether companies of others stay in, to be counted.
    asked
        Whether the user asked for it, so that a table without countries cannot do.
    """

    names: tuple[str, ...] = ()
    keep: bool = False
    asked: bool = False

    @property
    def inside(self) -> str:
        """In SQL, whether a country is this one; NULL where the country is not known."""
        return f"lower(country) IN ({', '.join(text(name.lower()) for name in self.names)})"

    @property
    def reason(self) -> str:
        """Why a row of another country is set aside."""
        return f"left out: of another country than {self.names[0]}"


def home_of(scheme: Scheme, asked: str | None) -> Home:
    """Return whose companies are meant: the scheme's country, unless one, or ``all``, was asked for."""
    if asked is None:
        return Home(scheme.country)
    if asked.lower() == ALL:
        return Home(scheme.country, keep=True)
    same = any(asked.lower() == name.lower() for name in scheme.country)
    return Home(scheme.country if same else (asked,), asked=True)


def check_home(shop: Workshop, rows: Relation, home: Home, where: str, columns: dict[str, str]) -> Home:
    """Return whose companies can be told apart by the rows' ``country``; no one's without a column for it.

    Raises
    ------
    UsageError
        When a country was asked for and no column has one, or no row is of the country that is meant.
    """
    if "country" not in columns:
        if home.asked:
            raise UsageError(
                f"{where} has no column 'country', so companies of {home.names[0]} cannot be told; a mapping "
                'names yours: --mapping FILE with [columns] and a line such as country = "nation"'
            )
        return Home()
    if not home.names or home.keep or shop.value(f"SELECT count(*) FROM {rows} WHERE {home.inside}"):
        return home
    counts = shop.rows(
        f"SELECT country FROM {rows} WHERE country IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1"
    )
    there = [name for (name,) in counts]
    raise UsageError(
        f"no company of {where} is of {home.names[0]}; {nearest(home.names[0], there)}; "
        "name the country as the table does with --country, or take them all with --country all"
    )
