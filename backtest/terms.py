"""Terms: under which a run is made, said once for arguments, options, headers, documents and manifests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args, get_type_hints

import msgspec
from msgspec import Meta

from backtest.arguments import once
from backtest.composed import composition
from backtest.dates import EVERY_FILL, calendar_of, parse_day
from backtest.errors import UsageError, nearest
from backtest.flows import flow_of
from backtest.numerals import count, number

if TYPE_CHECKING:
    import numpy as np

DEFAULT_BPS, HIGHEST_BPS = 10.0, 1000.0
"""Basis points a side where nothing is said of a sleeve, and the most that can be said."""

FIFO, DEAREST = "fifo", "highest"
"""Which lots are sold first: the oldest, or those that cost most."""

HIGHEST_TAX = 95.0
"""The highest rate of tax that can be said, percent."""

HIGHEST_DELAY = 260
"""The most bars by which a fill may be delayed: a year of days."""


class Term(NamedTuple):
    """What else a term is, beside its type and its words as an option.

    Parameters
    ----------
    read
        Makes the value of what a caller gives; UsageError where it cannot be used.
    differ
        What differs between runs under different ones; empty for the window, of which more is to be said.
    no_sweep
        Why no sweep is made under it; empty where one can be.
    of_market
        Whether what it comes to hangs on the market, so that a manifest keeps that instead.
    of_investor
        Whether it is of one who holds a portfolio of one market: no panel and no explorer has it.
    of_returns
        Whether it changes what is held or earned: flows change what an investor has, and no return.
    """

    read: Callable[[Any], Any]
    differ: str = ""
    no_sweep: str = ""
    of_market: bool = False
    of_investor: bool = False
    of_returns: bool = True


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Under which terms a run is made; an option of the command line is a field, its help the description."""

    start: Annotated[
        str | None,
        Meta(title="D", description="first fill on or after this date, 1990-01-31"),
        Term(partial(_day, what="the start"), of_market=True),
    ] = None
    end: Annotated[
        str | None,
        Meta(title="D", description="last bar on or before this date"),
        Term(partial(_day, what="the end"), of_market=True),
    ] = None
    cost_bps: Annotated[
        float | dict[str, float],
        Meta(title="X", description="basis points of the notional traded, a side; or small=25,large=5"),
        Term(_cost, "costs (basis points a side)", of_market=True),
    ] = DEFAULT_BPS
    benchmark: Annotated[
        str | None,
        Meta(
            title="B",
            description="a sleeve, a mix as '60%% large, 40%% small', or a series (default: the market's)",
        ),
        Term(str, "benchmarks", of_market=True),
    ] = None
    same_close: Annotated[
        bool,
        Meta(description="use news of the fill's own day, which nobody could; only to reproduce papers"),
        Term(bool, "rules of filling (same close)"),
    ] = False
    delay_fill: Annotated[
        int,
        Meta(title="N", description="fill N bars later than decided"),
        Term(
            _delay,
            "delays of the fills (bars)",
            no_sweep="a sweep fills when it decides; delay_fill is a term of a single run",
        ),
    ] = 0
    decide: Annotated[
        str,
        Meta(title="WHEN", description="every-fill, week-end, month-end or quarter-end: when it decides"),
        Term(calendar_of, "calendars of decision"),
    ] = EVERY_FILL
    real: Annotated[
        bool,
        Meta(description="in money of one date: less the rise of consumer prices, as known then"),
        Term(bool, "money (real)"),
    ] = False
    tax: Annotated[
        float | dict[str, float],
        Meta(title="R", description="percent of realised gains; or short=37,long=20 (long: over 12 months)"),
        Term(
            _tax,
            "taxes (percent of gains)",
            no_sweep="a tax hangs on when each lot was bought, which a sweep does not follow; search without "
            "it, and run what was chosen with tax",
            of_investor=True,
        ),
    ] = 0.0
    lots: Annotated[
        str,
        Meta(title="L", description="which lots are sold first: fifo, the oldest, or highest, the dearest"),
        Term(
            _lots,
            "orders of lots",
            no_sweep="which lots are sold matters to a tax, and a sweep follows none; search without lots",
            of_investor=True,
        ),
    ] = FIFO
    flows: Annotated[
        str | None,
        Meta(
            title="F",
            description="money in or out: '500 a month on 10000', '-4%% a year' (of the first sum)",
        ),
        Term(
            _flows,
            "flows of money",
            no_sweep="flows change no return of a portfolio, so that a sweep has no use for them",
            of_investor=True,
            of_returns=False,
        ),
    ] = None

    def costs(self, sleeves: Sequence[str]) -> list[float]:
        """Return the cost a side of each sleeve as a fraction; cash is free, others cost as their parts."""
        bps = self.cost_bps if isinstance(self.cost_bps, dict) else dict.fromkeys(sleeves, self.cost_bps)
        each = {sleeve: 0.0 if sleeve == "cash" else bps.get(sleeve, DEFAULT_BPS) / 1e4 for sleeve in sleeves}
        return [
            sum(abs(part) * each[name] for name, part in composition(sleeve, sleeves).items()) or each[sleeve]
            for sleeve in sleeves
        ]

    @property
    def rates(self) -> tuple[float, float] | None:
        """The rates of tax on short and long gains, as fractions; None where there are none."""
        rates = self.tax if isinstance(self.tax, dict) else dict.fromkeys(_KINDS, self.tax)
        short, long = (rates.get(kind, 0.0) / 100.0 for kind in _KINDS)
        return (short, long) if short or long else None

    def on(self, sleeves: Sequence[str], benchmark: str) -> Terms:
        """Return the terms on a market of these sleeves, with its benchmark where they name none.

        Raises
        ------
        UsageError
            When they name a sleeve that the market has not; the nearest one is named.
        """
        for sleeve in self.cost_bps if isinstance(self.cost_bps, dict) else ():
            if sleeve not in sleeves:
                raise UsageError(f"a cost names the sleeve '{sleeve}'; {nearest(sleeve, sleeves)}")
        versus = benchmark if self.benchmark is None else self.benchmark
        if versus not in sleeves:
            raise UsageError(f"there is no benchmark '{versus}'; {nearest(versus, sleeves)}")
        return msgspec.structs.replace(self, benchmark=versus)

    def within(self, first: np.datetime64, last: np.datetime64) -> Terms:
        """Return the same terms over another window."""
        return msgspec.structs.replace(self, start=str(first), end=str(last))


def described() -> dict[str, dict[str, Any]]:
    """Return by name what each term is for people: title, description, type and default, as a JSON schema."""
    found: dict[str, dict[str, Any]] = msgspec.json.schema(Terms)["$defs"]["Terms"]["properties"]
    return found


_KINDS = ("short", "long")


def read_terms(given: Mapping[str, Any]) -> Terms:
    """Return terms from what a caller gives by name, which may be anything; None is as if left out.

    Raises
    ------
    UsageError
        When there is no such term, or a value cannot be used; the sentence names it.
    """
    for name in given:
        if name not in NAMES:
            raise UsageError(f"there is no term '{name}'; {nearest(name, NAMES)}")
    read = {name: TERMS[name].read(value) for name, value in given.items() if value is not None}
    terms = Terms(**read)
    if terms.rates and terms.real:
        raise UsageError("gains are taxed in the money that was paid, so --tax and --real do not go together")
    if terms.rates and terms.flows:
        raise UsageError("each flow would be a lot of its own, so --tax and --flows do not go together")
    return terms


def read_swept(given: Mapping[str, Any]) -> Terms:
    """Return the terms of a sweep; errors as ``read_terms``, and where no sweep is made under one of them."""
    terms = read_terms(given)
    for name, term in TERMS.items():
        value = getattr(terms, name)
        if term.no_sweep and (
            any(value.values()) if isinstance(value, dict) else value != getattr(Terms(), name)
        ):
            raise UsageError(term.no_sweep)
    return terms


def _day(given: Any, what: str) -> str:
    return str(parse_day(given, what))


def _delay(given: Any) -> int:
    return count(given, "delay_fill", 0, HIGHEST_DELAY, "bars")


def _flows(given: Any) -> str:
    return flow_of(given).written


def _by_name(given: Any) -> Any:
    """Return the values of ``a=1,b=2`` by name, and what is not written so as it is."""
    if not isinstance(given, str) or "=" not in given:
        return given
    parts = [part.partition("=") for part in given.split(",")]
    return once([(name.strip(), value) for name, _, value in parts])


def _cost(given: Any) -> float | dict[str, float]:
    given = _by_name(given)
    if not isinstance(given, Mapping):
        return _bps(given)
    return {str(sleeve): _bps(value) for sleeve, value in given.items()}


def _tax(given: Any) -> float | dict[str, float]:
    given = _by_name(given)
    if not isinstance(given, Mapping):
        return _rate(given, "tax")
    for kind in given:
        if kind not in _KINDS:
            raise UsageError(f"a tax is on short or on long gains, not '{kind}'; as in short=37,long=20")
    return {kind: _rate(rate, f"tax {kind}") for kind, rate in given.items()}


def _rate(given: Any, what: str) -> float:
    rate = number(given, what, 0.0, HIGHEST_TAX, "percent")
    if 0.0 < rate < 1.0:
        raise UsageError(
            f"{what} counts in percent, and {rate:g} is {rate:g}%: write {100 * rate:g} for {100 * rate:g}%"
        )
    return rate


def _lots(given: Any) -> str:
    if given not in (FIFO, DEAREST):
        raise UsageError(f"lots are sold by {FIFO} or {DEAREST}, not by '{given}'")
    return str(given)


def _bps(given: Any) -> float:
    return number(given, "cost_bps", 0.0, HIGHEST_BPS, "basis points")


TERMS: dict[str, Term] = {
    name: next(each for each in get_args(kind) if isinstance(each, Term))
    for name, kind in get_type_hints(Terms, include_extras=True).items()
}
"""What else each term is, by its name."""

NAMES = tuple(TERMS)
"""The names of the terms."""

OF_RETURNS = tuple(name for name, term in TERMS.items() if term.of_returns)
"""The names of those that change what is held or earned."""

OF_INVESTOR = tuple(name for name, term in TERMS.items() if term.of_investor)
"""The names of those that a panel has no use for."""

BY_HAND = tuple(name for name, term in TERMS.items() if not term.of_investor)
"""The names of those that the explorer has a field for."""

OF_SWEEP = tuple(name for name, term in TERMS.items() if not term.no_sweep)
"""The names of those under which a sweep is made."""

KEPT_OF_SWEEP = tuple(name for name in OF_SWEEP if not TERMS[name].of_market)
"""The names of those that the manifest of a sweep keeps as they are."""
