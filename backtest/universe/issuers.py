"""Issuers: what a company with several lines is in size, from the rows that cleaning keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.universe.intake import EXAMPLES, SECOND, SetAside

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats, Ints
    from backtest.universe.workshop import Workshop

SEVERAL = "l.issuer IN (SELECT issuer FROM lines GROUP BY issuer HAVING count(*) > 1)"
"""In SQL, whether a line ``l`` has others of its issuer beside it, on whatever dates."""


@dataclass(frozen=True, eq=False)
class Doubles:
    """The line-dates of issuers with several lines on one date.

    Parameters
    ----------
    key
        (n,) int64, rising: the line's number times ``n_bars`` plus the bar.
    size, lead
        (n,) the size of the whole issuer, and whether this line stands for it.
    n_bars
        How many bars there are.
    whole
        Whether each line carries the capitalisation of the whole issuer, so that only one counts.
    """

    key: Ints
    size: Floats
    lead: Bools
    n_bars: int
    whole: bool

    def of(self, line: Any, bar: Any, cap: Floats) -> tuple[Floats, Bools]:
        """Return size and lead of rows; a row that is not in the table is all of its company."""
        size, lead = cap.copy(), np.ones(len(cap), dtype=np.bool_)
        if len(self.key):
            wanted = line.astype(np.int64) * self.n_bars + bar
            at = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
            there = self.key[at] == wanted
            size[there], lead[there] = self.size[at[there]], self.lead[at[there]]
        return size, lead


NO_DOUBLES = Doubles(np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_), 1, whole=False)
"""Every row is all of its company."""


def find_doubles(shop: Workshop, kept: str, n_bars: int, *, whole: bool) -> Doubles:
    """Make the workshop's table ``doubles`` of the rows that cleaning keeps; return it.

    The line that leads is the one that was seen first; of several the first by name. A line that comes
    later never replaces it, so that nothing that lies ahead decides.

    Parameters
    ----------
    kept
        The view of rows kept, at most one a line and bar: ``line, bar, cap``.
    n_bars, whole
        See ``Doubles``.
    """
    size = "v.cap" if whole else "sum(v.cap) OVER together"
    shop.run(
        f"CREATE TABLE doubles AS SELECT bar, id, lead, size, {whole} AS leaves FROM ("
        f"SELECT v.bar, l.id, {size} AS size, count(*) OVER together AS n, "
        "row_number() OVER (PARTITION BY v.bar, l.issuer ORDER BY l.first, l.company) = 1 AS lead "
        f"FROM {kept} v JOIN lines l ON l.id = v.line "
        "WINDOW together AS (PARTITION BY v.bar, l.issuer)) WHERE n > 1"
    )
    found = shop.run(
        f"SELECT id::BIGINT * {n_bars} + bar AS key, size, lead FROM doubles ORDER BY key"
    ).fetchnumpy()
    key, size_of, lead = (np.asarray(found[name]) for name in ("key", "size", "lead"))
    return Doubles(key, size_of, lead, n_bars, whole)


def second_lines(shop: Workshop) -> list[SetAside]:
    """Return the rows that were set aside because another line stands for their company."""
    count = shop.value("SELECT count(*) FROM doubles WHERE leaves AND NOT lead")
    if not count:
        return []
    rows = shop.rows(
        "SELECT l.company, any_value(l.name), any_value(m.company) FROM doubles d JOIN lines l USING (id) "
        "JOIN lines m ON m.issuer = l.issuer AND m.id <> l.id WHERE NOT d.lead GROUP BY l.company "
        f"ORDER BY max(l.largest) DESC, 1 LIMIT {EXAMPLES}"
    )
    told = tuple(f"{company} {name or ''} (beside {other})" for company, name, other in rows)
    return [SetAside(SECOND, count, told)]
