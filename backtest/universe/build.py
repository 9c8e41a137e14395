"""Building: from a table of companies to classes, their members and their returns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backtest.dates import to_days
from backtest.errors import DataError, UsageError, nearest
from backtest.numerals import number
from backtest.universe.borders import borders, reference
from backtest.universe.cleaning import (
    ADJUSTED,
    GIVEN,
    GOOD,
    JUMP,
    NO_RETURN,
    RATIOS,
    RAW,
    SAME,
    WORDS,
    Limits,
    clean,
)
from backtest.universe.drift import SUMS, Calendar, drift, series
from backtest.universe.intake import EXAMPLES, Intake, SetAside
from backtest.universe.issuers import NO_DOUBLES, SEVERAL, Doubles, find_doubles, second_lines
from backtest.universe.workshop import parquet, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from backtest.dates import Bools, Days, Floats, Ints
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Workshop

BATCH = 1_000_000
NONE = -1
"""The table has neither prices nor returns: it makes classes without returns."""

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
    """Classes and their sums bar by bar.

    Parameters
    ----------
    dates
        (n_bars,) datetime64[D].
    monthly
        Whether there is one bar a month.
    formed
        (n_reconstitutions,) int64: the bars at whose close classes were formed.
    borders
        (n_reconstitutions, n_borders) float64, amounts.
    sums
        (n_bars, n_classes, SUMS) float64: see ``backtest.universe.drift``.
    price_only
        Whether returns come from prices without dividends.
    set_aside
        What was left out or corrected on the way, after the intake's own list.
    """

    dates: Days
    monthly: bool
    formed: Ints
    borders: Floats
    sums: Floats
    price_only: bool
    set_aside: list[SetAside]


@dataclass(frozen=True, eq=False)
class Rows:
    """Cleaned rows of whole lines, sorted by line and bar; arrays of one length."""

    line: Any
    bar: Any
    cap: Floats
    size: Floats
    returns: Floats
    lead: Bools
    reference: Bools


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
    """Form classes and their returns from the table that was taken into the workshop.

    It leaves in the workshop the table ``members``: one row a line at each reconstitution and at each end of
    a month, with ``bar, id, class, was, cap, size, drifted, drifted_equal, lead``. ``spool`` leaves the
    cleaned rows on disk as well, for ``spooled``.

    Raises
    ------
    DataError
        When there are fewer than two dates, or nothing to make returns of.
    """
    dates = to_days(shop.frame("SELECT date FROM bars ORDER BY bar")["date"].to_numpy())
    if len(dates) < 2:
        raise DataError(f"the table has the one date {dates[0]}; returns need two")
    at = reconstitutions(dates, rules.reconstitute)
    if len(at) == 0:
        raise DataError(f"no reconstitution ({rules.reconstitute}) falls between {dates[0]} and {dates[-1]}")
    mode = _mode(table)
    found = _Findings()
    doubles = _doubles(shop, table, scheme, rules, mode, len(dates))
    rows = _cleaned(shop, _query(table, scheme), rules, mode, found, doubles)
    if scheme.across or spool:
        rows = _spooled(shop, rows, "clean")
    known = borders(shop, scheme, dates[at], at, index)
    sums = drifted(shop, rows, Formed(dates, at, known, len(scheme.classes)), rules, "members")
    return Portfolios(
        dates=dates,
        monthly=_monthly(dates),
        formed=at,
        borders=known,
        sums=sums,
        price_only=mode == RAW or (mode == ADJUSTED and "dividend" not in table.columns),
        set_aside=[*found.told(shop), *second_lines(shop)],
    )


def _monthly(dates: Days) -> bool:
    return len(np.unique(dates.astype("datetime64[M]"))) == len(dates)


def _mode(table: Intake) -> int:
    if "total_return" in table.columns:
        return GIVEN
    if "price" not in table.columns:
        return NONE
    return ADJUSTED if {"split", "dividend"} & table.columns.keys() else RAW


class _Findings:
    """What cleaning found, counted and listed while the rows pass by."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.kept: dict[int, list[tuple[int, int, float, float]]] = {}
        self.rows: list[pa.Table] = []

    def add(self, code: Any, line: Any, bar: Any, cap: Floats, returns: Floats) -> None:
        odd = np.flatnonzero(code > 0)
        if len(odd):
            self.rows.append(pa.table({"id": line[odd], "bar": bar[odd], "code": code[odd]}))
        for kind in np.unique(code[code > 0]):
            rows = np.flatnonzero(code == kind)
            self.counts[int(kind)] = self.counts.get(int(kind), 0) + len(rows)
            # The largest companies are the ones whose errors matter.
            rows = rows[np.argsort(-cap[rows], kind="stable")[:EXAMPLES]]
            kept = self.kept.setdefault(int(kind), [])
            kept += [(int(line[r]), int(bar[r]), float(cap[r]), float(returns[r])) for r in rows]
            kept.sort(key=lambda row: -row[2])
            del kept[EXAMPLES:]

    def told(self, shop: Workshop) -> list[SetAside]:
        """Return what was found, and leave it in the workshop's table ``findings``: what, id, bar."""
        empty = pa.table(
            {
                "id": pa.array([], pa.int32()),
                "bar": pa.array([], pa.int32()),
                "code": pa.array([], pa.uint8()),
            }
        )
        shop.connection.register("found", pa.concat_tables([empty, *self.rows]))
        words = " ".join(f"WHEN {kind} THEN {text(said)}" for kind, said in WORDS.items())
        shop.run(f"CREATE TABLE findings AS SELECT id, bar, CASE code {words} END AS what FROM found")
        told = []
        for kind, count in sorted(self.counts.items(), key=lambda item: -item[1]):
            examples = []
            for line, bar, cap, returned in self.kept[kind]:
                name, company = shop.rows(f"SELECT name, company FROM lines WHERE id = {line}")[0]
                date = shop.value(f"SELECT date FROM bars WHERE bar = {bar}")
                said = f"{date} {company}" + (f" {name}" if name else "") + f", capitalisation {cap:,.0f}"
                examples.append(said + (f", return {returned:+.1%}" if returned == returned else ""))
            told.append(SetAside(WORDS[kind], count, tuple(examples)))
        return told


def _query(table: Intake, scheme: Scheme, only: str = "true") -> str:
    given = [
        f"r.{name}" if name in table.columns else "NULL::DOUBLE"
        for name in ("total_return", "split", "dividend")
    ]
    return (
        f"SELECT l.id, b.bar, r.price, r.cap, {', '.join(given)}, r.fx, {reference(scheme)} AS reference "
        "FROM raw r JOIN lines l USING (company) JOIN bars b ON b.date = r.date "
        f"WHERE r.reason IS NULL AND {only} ORDER BY l.id, b.bar"
    )


def _doubles(shop: Workshop, table: Intake, scheme: Scheme, rules: Rules, mode: int, n_bars: int) -> Doubles:
    # Issuers with several lines are cleaned twice: a size must be known before any row is passed on.
    few = _cleaned(
        shop,
        _query(table, scheme, SEVERAL if table.doubled else "false"),
        rules,
        mode,
        _Findings(),
        NO_DOUBLES,
    )
    _spooled(shop, few, "several")
    return find_doubles(shop, "several", n_bars, whole=table.capitalisation_of == "company")


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
    shop: Workshop, query: str, rules: Rules, mode: int, found: _Findings, doubles: Doubles
) -> Iterator[Rows]:
    limits = (rules.limits.times, rules.limits.jump, rules.limits.confirm, rules.limits.move)
    for piece in whole_lines(shop.stream(query, BATCH)):
        line, bar, price, cap, given, split, dividend, fx, ref = (c.to_numpy() for c in piece.columns)
        code = np.zeros(len(line), dtype=np.uint8)
        returns = np.full(len(line), np.nan)
        how = GIVEN if mode == NONE else mode
        clean(line, bar, price, cap, given, split, dividend, fx, RATIOS, how, limits, code, returns)
        if mode == NONE:
            code[code == NO_RETURN] = GOOD  # nothing was promised
        kept = (code < SAME) | (code > JUMP)
        size, lead = doubles.of(line, bar, cap)
        if doubles.whole:
            code[kept & ~lead] = GOOD  # it is set aside as a second line, and counted as that alone
            kept &= lead
        found.add(code, line, bar, cap, returns)
        if kept.all():
            yield Rows(line, bar, cap, size, returns, lead, ref)
        else:
            yield Rows(line[kept], bar[kept], cap[kept], size[kept], returns[kept], lead[kept], ref[kept])


_SPOOL = pa.schema(
    [("line", pa.int32()), ("bar", pa.int32())]
    + [(name, pa.float64()) for name in ("cap", "size", "returns")]
    + [(name, pa.bool_()) for name in ("lead", "reference")]
)


def _spooled(shop: Workshop, rows: Iterator[Rows], name: str) -> Iterator[Rows]:
    """Put the rows on disk, as the workshop's view of that name, and give them again."""
    place = shop.folder / f"{name}.parquet"
    with pq.ParquetWriter(place, _SPOOL, compression="lz4") as writer:
        for piece in rows:
            writer.write_table(pa.table([getattr(piece, column) for column in _SPOOL.names], schema=_SPOOL))
    shop.run(f"CREATE VIEW {name} AS SELECT * FROM {parquet([place])}")

    return spooled(shop, name)


def spooled(shop: Workshop, name: str = "clean") -> Iterator[Rows]:
    """Give the rows that were put on disk under a name."""
    with pq.ParquetFile(shop.folder / f"{name}.parquet") as file:
        for piece in whole_lines(file.iter_batches(BATCH)):
            yield Rows(*(column.to_numpy() for column in piece.columns))


_MEMBERS = pa.schema(
    [("bar", pa.int32()), ("id", pa.int32()), ("class", pa.int8()), ("was", pa.int8())]
    + [(name, pa.float64()) for name in ("cap", "size", "drifted", "drifted_equal")]
    + [("lead", pa.bool_())]
)


@dataclass(frozen=True, eq=False)
class Formed:
    """When classes are formed, and by which borders of the rows' sizes.

    Parameters
    ----------
    dates
        (n_bars,) datetime64[D].
    at
        (n_reconstitutions,) int64: the bars.
    borders
        (n_reconstitutions, n_borders) float64.
    classes
        How many there are.
    """

    dates: Days
    at: Ints
    borders: Floats
    classes: int


def drifted(shop: Workshop, rows: Iterator[Rows], formed: Formed, rules: Rules, name: str) -> Floats:
    """Return the sums of classes; leave the workshop's view of their members under a name."""
    calendar = Calendar.of(len(formed.dates), formed.at)
    sums = np.zeros((len(formed.dates), formed.classes, SUMS))
    shown = np.zeros(len(formed.dates), dtype=np.bool_)
    shown[reconstitutions(formed.dates, "monthly")] = True
    place = shop.folder / f"{name}.parquet"
    with pq.ParquetWriter(place, _MEMBERS, compression="lz4") as writer:
        for piece in rows:
            members = np.empty((len(piece.line), 5), dtype=np.int64)
            values = np.empty((len(piece.line), 4))
            used = drift(
                piece.line, piece.bar, piece.cap, piece.size, piece.returns,
                calendar.reconstitution, calendar.period, calendar.last, shown, formed.borders,
                rules.band, rules.carry, sums, members, values,
            )  # fmt: skip
            columns: list[Any] = [members[:used, k] for k in range(4)] + [values[:used, k] for k in range(4)]
            columns.append(piece.lead[members[:used, 4]])
            arrays = [pa.array(c).cast(f.type) for c, f in zip(columns, _MEMBERS, strict=True)]
            writer.write_table(pa.table(arrays, schema=_MEMBERS))
    shop.run(f"CREATE VIEW {name} AS SELECT * FROM {parquet([place])}")
    return sums


def frame(
    portfolios: Portfolios, scheme: Scheme, delisting: float = math.nan, *, steep: bool = True
) -> pd.DataFrame:
    """Return the classes' returns by date: each class, ``market`` (all of them), and each ``_equal``.

    ``delisting`` and ``steep`` as ``drift.series`` takes them.
    """
    import pandas as pd

    columns = {}
    names = np.array(scheme.classes)
    for name in (*scheme.classes, "market"):
        which = np.ones(len(names), dtype=np.bool_) if name == "market" else names == name
        columns[name], columns[f"{name}_equal"] = series(portfolios.sums, which, delisting, steep=steep)
    return pd.DataFrame(columns, index=pd.DatetimeIndex(portfolios.dates, name="date"))
