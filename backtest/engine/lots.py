"""Lots: what was bought when and for how much, and the tax on what sales realise, withheld at the sale.

A lot is bought with its costs, and sold less its costs; the difference is its gain, short or long by how long
it was held. At a trade the gains and losses of a kind are added up; a loss of one kind goes against gains
of the other; what is left of losses is carried forward without end, and goes against later gains, short ones
first. What is due is withheld from the proceeds; a loss pays nothing back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from backtest.dates import add_months

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from backtest.dates import Ints
    from backtest.market.data import Bars

LONG_MONTHS = 12
"""A lot is long when it was held for more than so many months."""

NEAR = 1e-15
"""How near, in parts of the value, what is left after a trade is found."""


class Tax(NamedTuple):
    """How gains are taxed.

    Parameters
    ----------
    short, long
        The rates, as fractions of the gain, from 0 to below 1.
    highest
        Whether the lots that cost most are sold first, else the oldest.
    long_from
        (n_bars,) int64: the first bar at which what was bought at each bar is held for more than 12 months.
    """

    short: float
    long: float
    highest: bool
    long_from: Ints

    @classmethod
    def over(cls, bars: Bars, frequency: str, rates: tuple[float, float], *, highest: bool) -> Tax:
        """Return it on bars; monthly ones count months, whatever day a month ends on."""
        if frequency == "monthly":
            months = bars.dates.astype("datetime64[M]")
            long_from = np.searchsorted(months, months + LONG_MONTHS, "right")
        else:
            long_from = np.searchsorted(bars.dates, add_months(bars.dates, LONG_MONTHS), "right")
        return cls(*rates, highest, long_from)


class Taxes(NamedTuple):
    """What taxes came to over a path; sums are parts of the starting value.

    Parameters
    ----------
    paid
        All that was withheld.
    short_gains, long_gains
        What was realised, gains less losses, before losses of other trades.
    losses
        What is carried forward at the end.
    sold
        What is left when all is sold at the last close, after costs and tax.
    """

    paid: float
    short_gains: float
    long_gains: float
    losses: float
    sold: float


class Sold(msgspec.Struct, frozen=True):
    """A portfolio that is sold at the last close; sums are parts of the starting value.

    Parameters
    ----------
    before, after
        Its value before the sale, and what is left after costs and tax.
    cagr
        The growth a year to what is left.
    """

    before: float
    after: float
    cagr: float

    @classmethod
    def of(cls, before: float, after: float, n_years: float) -> Sold:
        """Return it of what grew from 1 in so many years."""
        return cls(before, after, max(after, 0.0) ** (1.0 / n_years) - 1.0)


def due(short: float, long: float, carried: float, tax: Tax) -> tuple[float, float]:
    """Return the tax on what a trade realises, and the losses that are carried forward after it."""
    if short < 0.0 < long:
        short, long = min(short + long, 0.0), max(short + long, 0.0)
    elif long < 0.0 < short:
        short, long = max(short + long, 0.0), min(short + long, 0.0)
    left = carried - min(short, 0.0) - min(long, 0.0)
    against_short = min(carried, max(short, 0.0))
    against_long = min(carried - against_short, max(long, 0.0))
    taxed = tax.short * (max(short, 0.0) - against_short) + tax.long * (max(long, 0.0) - against_long)
    return taxed, left - against_short - against_long


class Account:
    """The lots of a portfolio, one list a sleeve, each lot as bar, amount and cost; and what was paid."""

    def __init__(self, tax: Tax, sleeves: Sequence[str]) -> None:
        self.tax = tax
        self.lots: list[list[tuple[int, float, float]]] = [
            [(0, 1.0, 1.0)] if sleeve == "cash" else [] for sleeve in sleeves
        ]
        self.paid, self.short_gains, self.long_gains, self.losses = 0.0, 0.0, 0.0, 0.0

    def grow(self, returns: Sequence[float]) -> None:
        """Let the lots grow by a bar's returns."""
        for lots, earned in zip(self.lots, returns, strict=True):
            lots[:] = [(bar, amount * (1.0 + earned), cost) for bar, amount, cost in lots]

    def _sold(self, sleeve: int, amount: float, *, whole: bool) -> Iterator[tuple[int, float, float]]:
        """Give the parts of lots of which a sale consists, in the order in which they are sold."""
        lots = self.lots[sleeve]
        lots = [lot for lot in lots if lot[1] > 0.0]  # of a total loss nothing is left to sell
        ordered = sorted(lots, key=lambda lot: -lot[2] / lot[1]) if self.tax.highest else lots
        for bar, held, cost in ordered:
            part = held if whole else min(held, amount)
            yield bar, part, cost * (part / held)
            amount -= part
            if amount <= 0.0 and not whole:
                return

    def _realised(
        self,
        after: float,
        holdings: Sequence[float],
        wanted: Sequence[float],
        costs: Sequence[float],
        bar: int,
    ) -> tuple[float, float]:
        """Return the short and the long gains of a trade that leaves ``after``."""
        short, long = 0.0, 0.0
        for sleeve, (held, weight, cost) in enumerate(zip(holdings, wanted, costs, strict=True)):
            if held <= weight * after:
                continue
            for bought, part, paid in self._sold(sleeve, held - weight * after, whole=weight == 0.0):
                gain = part * (1.0 - cost) - paid
                if self.tax.long_from[bought] <= bar:
                    long += gain
                else:
                    short += gain
        return short, long

    def trade(
        self, holdings: Sequence[float], wanted: Sequence[float], costs: Sequence[float], bar: int
    ) -> tuple[float, float]:
        """Trade holdings to weights of what is left after costs and tax; return that, and the tax."""
        value = sum(holdings)

        def gap(after: float) -> float:
            moved = [c * abs(w * after - h) for c, w, h in zip(costs, wanted, holdings, strict=True)]
            taxed, _ = due(*self._realised(after, holdings, wanted, costs, bar), self.losses, self.tax)
            return value - sum(moved) - taxed - after

        after = root(gap, value)
        short, long = self._realised(after, holdings, wanted, costs, bar)
        taxed, self.losses = due(short, long, self.losses, self.tax)
        self.paid, self.short_gains = self.paid + taxed, self.short_gains + short
        self.long_gains += long
        for sleeve, (held, weight, cost) in enumerate(zip(holdings, wanted, costs, strict=True)):
            self._move(sleeve, weight * after - held, cost, bar, whole=weight == 0.0)
        return after, taxed

    def _move(self, sleeve: int, amount: float, cost: float, bar: int, *, whole: bool) -> None:
        """Enter a purchase, or take what is sold out of the lots."""
        lots = self.lots[sleeve]
        if amount > 0.0:
            lots.append((bar, amount, amount * (1.0 + cost)))
        elif amount < 0.0:
            gone = {bought: part for bought, part, _ in self._sold(sleeve, -amount, whole=whole)}
            lots[:] = [
                (bought, held - gone[bought], paid * (1.0 - gone[bought] / held)) if bought in gone else lot
                for lot in lots
                for bought, held, paid in [lot]
                if gone.get(bought, -1.0) < held and not whole
            ]

    def taxes(self, holdings: Sequence[float], costs: Sequence[float], bar: int) -> Taxes:
        """Return what taxes came to, all being sold at a close."""
        none = [0.0] * len(holdings)
        realised = self._realised(0.0, holdings, none, costs, bar)
        taxed, _ = due(*realised, self.losses, self.tax)
        kept = sum(h * (1.0 - c) for h, c in zip(holdings, costs, strict=True))
        return Taxes(self.paid, self.short_gains, self.long_gains, self.losses, kept - taxed)


def root(gap: Callable[[float], float], value: float) -> float:
    """Return where a gap that falls from 0 to a value, piece by straight piece, is nothing.

    The chord between the ends (Illinois), which is exact once both lie on one piece.
    """
    low, high = 0.0, value
    above, below = gap(low), gap(high)
    if below >= 0.0:
        return high
    side = 0
    for _ in range(200):
        middle = low + (high - low) * (above / (above - below))
        found = gap(middle)
        if abs(found) <= NEAR * value or not low < middle < high:
            return middle
        if found > 0.0:
            low, above = middle, found
            below = 0.5 * below if side > 0 else below
            side = 1
        else:
            high, below = middle, found
            above = 0.5 * above if side < 0 else above
            side = -1
    return middle
