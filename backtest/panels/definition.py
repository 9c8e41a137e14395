"""A panel file: which markets, or which countries' differences and policy rates, are asked together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np

from backtest.dates import last_business_day, to_days
from backtest.errors import DataError, RotationError, UsageError, nearest
from backtest.market.catalogue import entry
from backtest.market.formulas import Reference, Referred, Splice, changes
from backtest.market.load import load_market, read_written
from backtest.market.reading import absent, scale_of
from backtest.market.sources import commands, not_stored
from backtest.market.toml import Month, WrongError, at, declared, file_of, names_of, record
from backtest.panels.panel import NOT_HELD, Member, Panel
from backtest.studies.inputs import monthly

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.dates import Days, Floats
    from backtest.market.data import MarketData
    from backtest.series import Series


def _market(name: str, _: str) -> None:
    file_of("market", name)


@dataclass(frozen=True)
class MemberLines:
    """What a panel file says of a member: a market, or series by id, with a column in brackets.

    Parameters
    ----------
    market
        A market's name or file.
    difference, returns
        Small less large, and the market's excess return, which may be left out.
    policy, since
        The central bank's rate, or several one after another, without a move at the seams; and the first
        month in which it is the member's own, where the series begins earlier.
    region, size, currency
        Where it lies; what small and large are, and the currency, where not those of the panel.
    """

    market: Annotated[str, _market] = ""
    difference: Referred = ""
    returns: Referred = ""
    policy: str | tuple[str, ...] = ()
    since: Month = ""
    region: str = ""
    size: str = ""
    currency: str = ""

    def __post_init__(self) -> None:
        for text in self.rates:
            with at("policy"):
                Reference.parse(text)

    @property
    def rates(self) -> tuple[str, ...]:
        """The series of ``policy``."""
        return (self.policy,) if isinstance(self.policy, str) else self.policy

    @property
    def written(self) -> list[str]:
        """Every series that it names."""
        return [text for text in (self.difference, self.returns, *self.rates) if text]


@dataclass(frozen=True)
class PanelFile:
    """A panel file's content; its fields are the keys of the file.

    Parameters
    ----------
    title
        One line on what it is.
    start
        The first month, ``1990-07``.
    kind
        What its members are, in the plural.
    size, currency
        What small and large are of its members, and what their returns are counted in.
    members
        By name.
    get
        What gets the series of its members where they are missing, as a command; empty for what they say.
    """

    title: str
    start: Month
    size: str
    currency: str
    members: dict[str, MemberLines]
    kind: str = "markets"
    get: str = ""

    def __post_init__(self) -> None:
        for name, lines in self.members.items():
            if bool(lines.market) == bool(lines.difference):
                raise WrongError(("members", name), f"'{name}' must have either a market or a difference")
            if lines.market and (lines.returns or lines.policy):
                said = f"the market of '{name}' has returns and a policy rate of its own"
                raise WrongError(("members", name), said)
        if len(self.members) < 2:
            raise WrongError(("members",), "a panel has two members at least")


def market_of(named: str) -> str:
    """Return the market that ``PANEL:MEMBER`` stands for, and any other name as it is.

    Raises
    ------
    UsageError
        When there is no such panel or member, it is a panel, or it is a member of which only the difference
        is known; the sentence says what can be asked of it.
    """
    panels = names_of("panel")
    if named in names_of("market"):
        return named
    if named in panels:
        raise UsageError(f"'{named}' is a panel, many markets asked together; say --panel {named}")
    panel, _, member = named.rpartition(":")
    for each in [panel] if panel else panels:
        lines = read_panel(each).members
        if member in lines and lines[member].market:
            return lines[member].market
        if member in lines:
            raise UsageError(
                f"{member} of the panel '{each}' is no market: {NOT_HELD}; it can be studied with all of "
                f"them: rotation study first-cut --panel {each}"
            )
        if panel:
            raise UsageError(f"the panel '{each}' has no member '{member}'; {nearest(member, lines)}")
    return named


def read_panel(panel: str | Path) -> PanelFile:
    """Return the content of a panel file: a shipped name's, or a TOML file's.

    Raises
    ------
    UsageError
        When there is none; the nearest shipped name is given.
    DataError
        When the file is wrong; the sentence has the file, the line and the reason.
    """
    with declared(file_of("panel", str(panel))) as content:
        return record(PanelFile, content)


def _of_market(data: MarketData, ends: Days) -> tuple[Floats, Floats, Series | None]:
    """Return small less large and the market's excess return by month, NaN where unknown, and the rate."""
    found = monthly(data, "small", "large", data.benchmark, "cash")
    at = found.index_of(ends)
    there = (at >= 0) & (at < len(found.ends))

    def less(one: str, other: str) -> Floats:
        difference = found.returns[one] - found.returns[other]
        return np.where(there, difference[np.clip(at, 0, len(difference) - 1)], np.nan)

    policy = data.observations[data.policy] if data.policy else None
    return less("small", "large"), less(data.benchmark, "cash"), policy


def _of_series(
    line: MemberLines, series: dict[str, Series], months: np.ndarray
) -> tuple[Floats, Floats, Series | None]:
    """Return the same as ``_of_market`` of a member that names series."""

    def returns(text: str) -> Floats:
        return series[text].in_months(months) * scale_of(series[text])

    market = returns(line.returns) if line.returns else np.full(len(months), np.nan)
    return returns(line.difference), market, _policy(line, series)


def _policy(line: MemberLines, series: dict[str, Series]) -> Series | None:
    """Return what the member's central bank did, as it became known; None where nobody says."""
    names = line.rates
    if not names:
        return None
    made = series[names[0]]
    if names[1:]:
        made = Splice(names, frozenset(names[:-1])).evaluate(lambda reference: series[str(reference)])
    return changes(made.only(made.known_at >= np.datetime64(line.since or "0001-01", "M")))


def _all(name: str, about: PanelFile, lines: dict[str, MemberLines]) -> dict[str, Series]:
    """Return every series that members name, by how it is written; DataError where one is not there."""
    written = [text for each in lines.values() for text in each.written]
    try:
        ids = dict.fromkeys(Reference.parse(text).id for text in written)
        entries = [each for each in map(entry, ids) if absent(each)]
        series = {} if entries else {text: read_written(text) for text in written}
    except RotationError as error:
        get = f"; get them with: {about.get}" if about.get else ""
        raise DataError(f"the panel '{name}' lacks a series: {error}{get}") from None
    if entries:
        cures = [about.get] if about.get else commands(entries)
        raise not_stored(f"the panel '{name}'", entries, cures)
    return series


def load_panel(name: str) -> Panel:
    """Return a panel's data.

    Parameters
    ----------
    name
        A shipped panel's name, or the path of a panel file.

    Raises
    ------
    UsageError
        When there is no such panel; the nearest one is named.
    DataError
        When its file is wrong, or a series is not stored yet; the sentence has the command that gets it.
    """
    own, about = file_of("panel", name).stem, read_panel(name)
    lines = about.members
    markets = {each: load_market(line.market) for each, line in lines.items() if line.market}
    series = _all(own, about, lines)
    lasts = [
        *(market.bars.dates[-1] for market in markets.values()),
        *(series[line.difference].dates[-1] for line in lines.values() if line.difference),
    ]
    months = np.arange(np.datetime64(about.start, "M"), max(lasts).astype("datetime64[M]") + 1)
    if not len(months):
        raise DataError(f"the panel '{own}' starts in {about.start}, after its last return, of {max(lasts)}")
    ends = last_business_day(to_days(months))
    members = []
    for each, line in lines.items():
        data = markets.get(each)
        found = _of_market(data, ends) if data else _of_series(line, series, months)
        said = (line.size or about.size, line.currency or about.currency)
        members.append(Member(each, line.region, *found, *said, data))
    sources = {found.id if text == found.id else text: found for text, found in series.items()}
    for market in markets.values():
        sources |= market.sources
    notes = tuple(_unlike(members, what) for what in ("size", "currency", "frequency"))
    proxy = "; ".join(dict.fromkeys(market.proxy for market in markets.values() if market.proxy))
    return Panel(own, about.title, proxy, ends, tuple(members), sources, about.kind, notes)


def _unlike(members: Sequence[Member], what: str) -> str:
    """Say in what members differ, or what they have in common."""
    values: dict[str, list[str]] = {}
    for member in members:
        values.setdefault(getattr(member, what), []).append(member.name)
    called = {"size": "Small and large:", "currency": "Returns are in", "frequency": "Returns are"}[what]
    if len(values) == 1:
        return f"{called} {next(iter(values))}."
    each = "; ".join(f"{value} ({', '.join(names)})" for value, names in values.items())
    return f"Members differ. {called.removesuffix(':')}: {each}."
