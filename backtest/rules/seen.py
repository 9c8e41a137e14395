"""What a run saw: every level that its rule held against a threshold, and every event, at each fill."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backtest.rules.operation import about
from backtest.rules.reading import nodes

if TYPE_CHECKING:
    from backtest.dates import Days, Floats
    from backtest.rules.expressions import Expr
    from backtest.rules.ruling import Ruling


@dataclass(frozen=True, eq=False)
class Seen:
    """One thing that a rule looked at.

    Parameters
    ----------
    label, unit
        What it is and what it counts in, for people.
    values
        (n_fills,) float64: what each fill of the run could know of it; NaN before it was known, and
        throughout for events that are no series' own.
    thresholds
        The numbers that it was held against.
    against
        Labels and values, (n_fills,), of the levels that it was held against.
    events
        The days on which an event of it became known, within the run.
    """

    label: str
    unit: str
    values: Floats
    thresholds: tuple[float, ...] = ()
    against: tuple[tuple[str, Floats], ...] = ()
    events: Days | None = None


class Reader:
    """Evaluates parts of a rule at the fills of some days."""

    def __init__(self, ruling: Ruling, days: Days) -> None:
        self.ruling = ruling
        first = int(np.searchsorted(ruling.market.bars.dates, days[0]))
        self.fills = slice(first, first + len(days))
        self.days = (days[0], days[-1])

    def level(self, node: Expr) -> Seen:
        """Return a level at each fill."""
        level = self.ruling.value(node)
        return Seen(level.label, level.unit, level.at_fills[0][self.fills])

    def days_of(self, events: Expr) -> Days:
        """Return the days of events, within the run."""
        days: Days = self.ruling.value(events).dates()
        return days[(days >= self.days[0]) & (days <= self.days[1])]

    def rate(self, id: str) -> Seen:
        """Return a series at each fill."""
        series = self.ruling.known.observed(id)
        return Seen(series.id, "percent", series.as_of(self.ruling.known.fills)[self.fills])


def level_seen(reader: Reader, node: Expr) -> list[Seen]:
    """Return the level of a comparison with what it was compared to."""
    seen, thresholds, against = reader.level(node.inputs[0]), [], []
    for bound in node.inputs[1:]:
        if bound.takes_lines:
            other = reader.level(bound)
            against.append((other.label, other.values))
        else:
            thresholds.append(float(reader.ruling.value(bound)))
    return [replace(seen, thresholds=tuple(dict.fromkeys(thresholds)), against=tuple(against))]


def rate_seen(reader: Reader, node: Expr) -> list[Seen]:
    """Return the rate that an operation of policy looks at."""
    return [reader.rate(node.args[0])]


def cuts_seen(reader: Reader, node: Expr) -> list[Seen]:
    """Return the rate, and the days of its events."""
    return [replace(reader.rate(node.args[0]), events=reader.days_of(node))]


def days_seen(reader: Reader, node: Expr) -> list[Seen]:
    """Return days that are no series' own."""
    nothing = np.full(reader.fills.stop - reader.fills.start, np.nan)
    return [Seen("days chosen by hand, with hindsight", "", nothing, events=reader.days_of(node))]


def inputs_seen(reader: Reader, node: Expr) -> list[Seen]:
    """Return every level that an operation takes."""
    return [reader.level(each) for each in node.inputs if each.takes_lines]


def _joined(a: Seen, b: Seen) -> Seen:
    events = a.events if b.events is None else b.events
    thresholds = tuple(dict.fromkeys((*a.thresholds, *b.thresholds)))
    return replace(a, thresholds=thresholds, against=(*a.against, *b.against), events=events)


def seen(ruling: Ruling, dates: Days) -> list[Seen]:
    """Return what a rule looked at, each level or rate once, in the order of the rule.

    ``dates`` are bars of the ruling's market, from the first fill on. A rule that looks at nothing, such as
    buying and holding or a calendar, gives nothing.
    """
    reader = Reader(ruling, dates)
    found: dict[tuple[str, str], Seen] = {}
    for node in nodes(ruling.rule):
        sees = about(node).sees
        for one in sees(reader, node) if sees else ():
            key = (one.label, one.unit)
            found[key] = _joined(found[key], one) if key in found else one
    return list(found.values())
