"""Issuers: what a company with several lines is in size, from the rows that cleaning keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.universe.intake import EXAMPLES, SECOND, SetAside

if TYPE_CHECKING:
    from backtest.dates import Bools, Floats, Ints
    from backtest.universe.cleaning import Delivered
    from backtest.universe.drift import Rows
    from backtest.universe.workshop import Relation, Workshop


def several(shop: Workshop, lines: Relation) -> str:
    """Return in SQL whether a line ``l`` has others of its issuer beside it, on whatever dates."""
    found = f"SELECT issuer FROM {lines} GROUP BY issuer HAVING count(*) > 1"
    return f"l.issuer IN ({found})" if shop.rows(f"{found} LIMIT 1") else "false"


@dataclass(frozen=True, eq=False)
class Doubles:
    """The line-dates of issuers with several lines on one date.

    Parameters
    ----------
    rows
        Each: ``bar, id, lead, size``, and ``leaves``, whether it is set aside where it does not lead.
    key
        (n,) int64, rising: the line's number times ``n_bars`` plus the bar.
    size, lead
        (n,) the size of the whole issuer, and whether this line stands for it.
    n_bars
        How many bars there are.
    whole
        Whether each line carries the capitalisation of the whole issuer, so that only one counts.
    """

    rows: Relation
    key: Ints
    size: Floats
    lead: Bools
    n_bars: int
    whole: bool

    def of(self, rows: Delivered) -> tuple[Floats, Bools]:
        """Return size and lead of rows; a row that is not in the table is all of its company."""
        size, lead = rows.cap.copy(), np.ones(len(rows.cap), dtype=np.bool_)
        if len(self.key):
            at, there = places(self.key, rows, self.n_bars)
            size[there], lead[there] = self.size[at[there]], self.lead[at[there]]
        return size, lead


def places(key: Ints, rows: Delivered | Rows, n_bars: int) -> tuple[Ints, Bools]:
    """Return where rows stand among rising keys (see ``Doubles``), and whether they stand there at all."""
    wanted = rows.line.astype(np.int64) * n_bars + rows.bar
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return at, key[at] == wanted


def find_doubles(shop: Workshop, lines: Relation, kept: Relation, n_bars: int, *, whole: bool) -> Doubles:
    """Return the doubles among the rows that cleaning keeps, at most one a line and bar.

    The line that leads is the one that was seen first; of several the first by name. A line that comes
    later never replaces it, so that nothing that lies ahead decides. ``n_bars, whole``: see ``Doubles``.
    """
    size = "v.cap" if whole else "sum(v.cap) OVER together"
    rows = shop.table(
        "doubles",
        f"SELECT bar, id, lead, size, {whole} AS leaves FROM ("
        f"SELECT v.bar, l.id, {size} AS size, count(*) OVER together AS n, "
        "row_number() OVER (PARTITION BY v.bar, l.issuer ORDER BY l.first, l.company) = 1 AS lead "
        f"FROM {kept} v JOIN {lines} l ON l.id = v.line "
        "WINDOW together AS (PARTITION BY v.bar, l.issuer)) WHERE n > 1",
    )
    found = shop.run(
        f"SELECT id::BIGINT * {n_bars} + bar AS key, size, lead FROM {rows} ORDER BY key"
    ).fetchnumpy()
    key, size_of, lead = (np.asarray(found[name]) for name in ("key", "size", "lead"))
    return Doubles(rows, key, size_of, lead, n_bars, whole)


def second_lines(shop: Workshop, lines: Relation, doubles: Relation) -> list[SetAside]:
    """Return the rows that were set aside because another line stands for their company."""
    count = shop.value(f"SELECT count(*) FROM {doubles} WHERE leaves AND NOT lead")
    if not count:
        return []
    rows = shop.rows(
        "SELECT l.company, any_value(l.name), any_value(m.company) "
        f"FROM {doubles} d JOIN {lines} l USING (id) JOIN {lines} m ON m.issuer = l.issuer AND m.id <> l.id "
        f"WHERE NOT d.lead GROUP BY l.company ORDER BY max(l.largest) DESC, 1 LIMIT {EXAMPLES}"
    )
    told = tuple(f"{company} {name or ''} (beside {other})" for company, name, other in rows)
    return [SetAside(SECOND, count, told)]
