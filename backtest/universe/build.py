"""Building: from a table of companies to classes, their members and their returns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from backtest.dates import to_days
from backtest.errors import DataError, UsageError, nearest
from backtest.numerals import number
from backtest.universe.borders import borders, reference
from backtest.universe.cleaning import WORDS, Delivered, Limits, cleaned, way_to_returns
from backtest.universe.drift import MEMBER, SUMS, Calendar, Rows, drift, series
from backtest.universe.intake import EXAMPLES, SECOND, Intake, SetAside
from backtest.universe.issuers import Doubles, find_doubles, second_lines, several
from backtest.universe.workshop import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from backtest.dates import Days, Floats, Ints
    from backtest.universe.drift import Table
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Relation, Spool, Workshop

BATCH = 1_000_000
_MOST_CARRIED, _MOST_GAINED = 10_000, 100.0  # bars; a return of 100 is a hundredfold gain

WHEN = ("monthly", "quarterly", "june", "daily")


@dataclass(frozen=True)
class Rules:
    """How portfolios are built.

    Parameters
    ----------
    reconstitute
        ``monthly``, ``quarterly`` (March, June, September, December), ``june`` or ``daily`` (every bar); at
        the close of the last bar of the month. Returns of the period begin with the next bar.
    band
        How far past a border, as a fraction of it, a company must be to change its class.
    carry
        For so many bars without a row a company is held at its last value; then it leaves its class.
    delisting
        The return at which a company leaves; NaN: at its last value, which goes to the rest of the class.
    limits
        What is not believed.
    """

    reconstitute: str = "monthly"
    band: float = 0.0
    carry: int = 0
    delisting: float = float("nan")
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.reconstitute not in WHEN:
            raise UsageError(
                f"there is no reconstitution '{self.reconstitute}'; {nearest(self.reconstitute, WHEN)}"
            )
        number(self.band, "--band", 0.0, 0.99)
        number(self.carry, "--carry", 0, _MOST_CARRIED, "bars", whole=True)
        if not math.isnan(self.delisting):
            number(self.delisting, "--delisting", -1.0, _MOST_GAINED)


@dataclass(frozen=True, eq=False)
class Portfolios:
    """Classes and their sums bar by bar; the relations last as long as their workshop.

    Parameters
    ----------
    dates
        (n_bars,) datetime64[D].
    formed
        (n_reconstitutions,) int64: the bars at whose close classes were formed.
    borders
        (n_reconstitutions, n_borders) float64, amounts.
    sums
        (n_bars, n_classes) of ``drift.SUMS``.
    members
        One row a line at each reconstitution and at each end of a month, of ``drift.MEMBER``.
    clean
        The cleaned rows, of ``drift.Rows``, in order; None unless asked for.
    doubles
        See ``issuers.Doubles``.
    findings
        What cleaning found: ``id, bar, what``.
    price_only
        Whether returns come from prices without dividends.
    set_aside
        What was left out or corrected on the way, after the intake's own list.
    """

    dates: Days
    formed: Ints
    borders: Floats
    sums: Table
    members: Relation
    clean: Relation | None
    doubles: Relation
    findings: Relation
    price_only: bool
    set_aside: list[SetAside]

    @property
    def monthly(self) -> bool:
        """Whether there is one bar a month."""
        return len(np.unique(self.dates.astype("datetime64[M]"))) == len(self.dates)


def reconstitutions(dates: Days, when: str) -> Ints:
    """Return the bars at whose close classes are formed anew."""
    if when == "daily":
        return np.arange(len(dates))
    month = dates.astype("datetime64[M]").astype(np.int64)
    ends = np.r_[month[1:] != month[:-1], True]
    number = month % 12 + 1
    wanted = {"monthly": number > 0, "quarterly": number % 3 == 0, "june": number == 6}[when]
    return np.flatnonzero(ends & wanted)


def build(
    shop: Workshop,
    table: Intake,
    scheme: Scheme,
    rules: Rules,
    index: Path | None = None,
    *,
    spool: bool = False,
) -> Portfolios:
    """Form classes and their returns from a table that was taken in; ``spool`` asks for the cleaned rows too.

    Raises
    ------
    DataError
        When there are fewer than two dates, or nothing to make returns of.
    """
    dates = to_days(shop.frame(f"SELECT date FROM {table.bars} ORDER BY bar")["date"].to_numpy())
    if len(dates) < 2:
        raise DataError(f"the table has the one date {dates[0]}; returns need two")
    at = reconstitutions(dates, rules.reconstitute)
    if len(at) == 0:
        raise DataError(f"no reconstitution ({rules.reconstitute}) falls between {dates[0]} and {dates[-1]}")
    # Issuers with several lines are cleaned twice: a size must be known before any row is passed on.
    few = _query(table, scheme, several(shop, table.lines))
    kept = _on_disk(shop, "several", _cleaned(shop, few, table, rules))
    whole = table.capitalisation_of == "company"
    doubles = find_doubles(shop, table.lines, kept, len(dates), whole=whole)
    found, clean = shop.spool("findings", _FOUND), None
    rows = _cleaned(shop, _query(table, scheme), table, rules, doubles, found)
    if scheme.across or spool:
        clean = _on_disk(shop, "clean", rows)
        rows = from_disk(shop, clean)
    known = borders(shop, scheme, clean, dates[at], at, index)
    members, sums = drifted(shop, rows, dates, at, known, rules)
    findings = found.done()
    return Portfolios(
        dates=dates,
        formed=at,
        borders=known,
        sums=sums,
        members=members,
        clean=clean,
        doubles=doubles.rows,
        findings=findings,
        price_only="price" in table.columns and not {"total_return", "dividend"} & table.columns.keys(),
        set_aside=[*_found(shop, table, findings), *second_lines(shop, table.lines, doubles.rows)],
    )


_FOUND = pa.schema(
    [("id", pa.int32()), ("bar", pa.int32()), ("code", pa.uint8())]
    + [(name, pa.float64()) for name in ("cap", "returns")]
)


def _found(shop: Workshop, table: Intake, findings: Relation) -> list[SetAside]:
    """Return what cleaning found; the largest companies, whose errors matter, are the examples."""
    told = []
    rows = shop.rows(
        f"""
        SELECT count(*) OVER (PARTITION BY code) AS n, code, date, company, name, f.cap, f.returns
        FROM {findings} f JOIN {table.lines} USING (id) JOIN {table.bars} USING (bar)
        QUALIFY row_number() OVER (PARTITION BY code ORDER BY f.cap DESC, id, bar) <= {EXAMPLES}
        ORDER BY n DESC, code, f.cap DESC, id, bar"""
    )
    for (count, code), examples in groupby(rows, lambda row: row[:2]):
        said = tuple(
            f"{date} {company}"
            + (f" {name}" if name else "")
            + f", capitalisation {cap:,.0f}"
            + (f", return {returned:+.1%}" if returned == returned else "")
            for *_, date, company, name, cap, returned in examples
        )
        told.append(SetAside(WORDS[code], count, said))
    return told


def listed(shop: Workshop, table: Intake, portfolios: Portfolios) -> pd.DataFrame:
    """Return everything that was set aside or corrected, by rule and company: rows, first and last date.

    Lines of a file that are ragged have no company; they are counted only.
    """
    words = " ".join(f"WHEN {code} THEN {text(said)}" for code, said in WORDS.items())
    where = f"JOIN {table.lines} USING (id) JOIN {table.bars} USING (bar)"
    return shop.frame(
        f"SELECT * FROM (SELECT reason, company, name, rows, first, last FROM {table.seen} "
        f"WHERE reason IS NOT NULL UNION ALL SELECT {text(SECOND)}, company, any_value(name), count(*), "
        f"min(date), max(date) FROM {portfolios.doubles} {where} WHERE NOT lead AND leaves GROUP BY company "
        f"UNION ALL SELECT CASE code {words} END AS what, company, any_value(name), count(*), min(date), "
        f"max(date) FROM {portfolios.findings} {where} GROUP BY what, company) "
        "ORDER BY reason, rows DESC, company"
    )


def _query(table: Intake, scheme: Scheme, only: str = "true") -> str:
    given = [
        f"r.{name}" if name in table.columns else "NULL::DOUBLE"
        for name in ("total_return", "split", "dividend")
    ]
    return (
        f"SELECT l.id, b.bar, r.price, r.cap, {', '.join(given)}, r.fx, {reference(scheme)} AS reference "
        f"FROM {table.raw} r JOIN {table.lines} l USING (company) JOIN {table.bars} b ON b.date = r.date "
        f"WHERE r.reason IS NULL AND {only} ORDER BY l.id, b.bar"
    )


def whole_lines(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Give the rows of a stream sorted by its first column again, cut only between lines."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows == 0:
            continue
        line = batch.column(0).to_numpy(zero_copy_only=False)
        cut = int(np.searchsorted(line, line[-1], "left"))
        if cut > 0:
            yield pa.Table.from_batches([*waiting, batch.slice(0, cut)])
            waiting = [batch.slice(cut)]
        elif waiting and waiting[-1].column(0)[-1].as_py() != line[0]:
            yield pa.Table.from_batches(waiting)
            waiting = [batch]
        else:
            waiting.append(batch)
    if waiting:
        yield pa.Table.from_batches(waiting)


def _cleaned(
    shop: Workshop,
    query: str,
    table: Intake,
    rules: Rules,
    doubles: Doubles | None = None,
    found: Spool | None = None,
) -> Iterator[Rows]:
    """Give the rows that are kept, piece by piece; what was found of any goes to ``found``."""
    way = way_to_returns(table.columns)
    for piece in whole_lines(shop.stream(query, BATCH)):
        given = Delivered._make(column.to_numpy() for column in piece.columns)
        code, returns, kept = cleaned(given, way, rules.limits)
        size, lead = (given.cap, np.ones_like(kept)) if doubles is None else doubles.of(given)
        if doubles is not None and doubles.whole:
            code[kept & ~lead] = 0  # it is set aside as a second line, and counted as that alone
            kept &= lead
        odd = code > 0
        if found is not None and odd.any():
            columns = (given.line, given.bar, code, given.cap, returns)
            found.write(dict(zip(_FOUND.names, (column[odd] for column in columns), strict=True)))
        rows = Rows(given.line, given.bar, given.cap, size, returns, lead, given.reference)
        yield rows if kept.all() else Rows._make(column[kept] for column in rows)


_ROWS = pa.schema(
    [("line", pa.int32()), ("bar", pa.int32())]
    + [(name, pa.float64()) for name in ("cap", "size", "returns")]
    + [(name, pa.bool_()) for name in ("lead", "reference")]
)


def _on_disk(shop: Workshop, word: str, rows: Iterator[Rows]) -> Relation:
    spool = shop.spool(word, _ROWS)
    for piece in rows:
        spool.write(piece._asdict())
    return spool.done()


def from_disk(shop: Workshop, clean: Relation) -> Iterator[Rows]:
    """Give cleaned rows again, piece by piece, whole lines in order."""
    for piece in whole_lines(shop.pieces(clean, BATCH)):
        yield Rows._make(column.to_numpy() for column in piece.columns)


_MEMBERS = pa.schema([(name, pa.from_numpy_dtype(MEMBER[name])) for name in MEMBER.names or ()])


def drifted(
    shop: Workshop, rows: Iterator[Rows], dates: Days, at: Ints, borders: Floats, rules: Rules
) -> tuple[Relation, Table]:
    """Return the members and the sums of the classes that are formed at the bars ``at``.

    Parameters
    ----------
    dates
        (n_bars,) datetime64[D].
    borders
        (n_reconstitutions, n_borders) float64, of the rows' sizes; one fewer than classes.
    """
    shown = np.zeros(len(dates), dtype=np.bool_)
    shown[reconstitutions(dates, "monthly")] = True
    calendar = Calendar.of(at, borders, shown)
    sums = np.zeros((len(dates), borders.shape[1] + 1), dtype=SUMS)
    spool = shop.spool("members", _MEMBERS)
    for piece in rows:
        members = np.empty(len(piece.line), dtype=MEMBER)
        used = drift(piece, calendar, rules.band, rules.carry, sums, members)
        spool.write(members[:used])
    return spool.done(), sums


def frame(
    portfolios: Portfolios, scheme: Scheme, delisting: float = math.nan, *, steep: bool = True
) -> pd.DataFrame:
    """Return the classes' returns by date: each class, ``market`` (all of them), and each ``_equal``.

    ``delisting`` and ``steep`` as ``drift.series`` takes them.
    """
    import pandas as pd

    columns = {}
    for name, which in scheme.sleeves.items():
        columns[name], columns[f"{name}_equal"] = series(portfolios.sums, which, delisting, steep=steep)
    return pd.DataFrame(columns, index=pd.DatetimeIndex(portfolios.dates, name="date"))
