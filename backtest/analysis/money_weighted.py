"""Money-weighted: what an investor has who pays in or takes out, and the rate at which it grew."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Days, Floats, Ints


class MoneyWeighted(msgspec.Struct, frozen=True):
    """What an investor has whose money flows; sums are parts of the first one.

    Parameters
    ----------
    irr
        The internal rate of return a year: at it the present value of all that was paid in is that of all
        that was taken out and of what is left. -1 where nothing came back.
    paid_in, taken_out
        All that was paid in, the first sum included, and all that was taken out.
    costs
        What the flows paid for trading.
    value
        What is left at the last bar.
    exhausted
        The day, ``YYYY-MM-DD``, on which all was taken out, before the last bar; None where it was not.
    """

    irr: float
    paid_in: float
    taken_out: float
    costs: float
    value: float
    exhausted: str | None


def money_weighted(
    growth: Floats, costs: Floats, times: Floats, dates: Days, flow: tuple[float, Ints]
) -> MoneyWeighted:
    """Return what an investor has who holds a portfolio and pays in, or takes out, at some closes.

    Money buys what is held after the close's own trade, in its proportions, and pays the costs of that
    itself; so the portfolio's own returns, which weigh all times alike, are what they are without it. Where
    less is left than is to be taken out, all of it is taken, and nothing flows from then on.

    Parameters
    ----------
    growth
        (n + 1,) float64: the value of the portfolio without flows, from 1 at the first bar.
    costs
        (n + 1,) float64: what a trade of what is held after each close costs a side, a fraction.
    times
        (n + 1,) float64: years since the first bar.
    dates
        (n + 1,) datetime64[D].
    flow
        The sum, of the first one, below 0 to take it out; and (n_flows,) int64 bars at whose close it flows.
    """
    part, at = flow
    units, paid_in, taken_out, paid_costs, exhausted = 1.0, 1.0, 0.0, 0.0, None
    sums, when = [-1.0], [0.0]
    for bar in at.tolist():
        cost = float(costs[bar])
        if part > 0.0:
            traded = part / (1.0 + cost)
            flows, paid_in = part, paid_in + part
        else:
            held = units * float(growth[bar])
            traded = -min(-part / (1.0 - cost), held)
            flows = traded * (1.0 - cost)
            taken_out -= flows
            exhausted = str(dates[bar]) if -traded >= held else None
        units = 0.0 if exhausted is not None else units + traded / float(growth[bar])
        paid_costs += abs(traded) * cost
        sums.append(-flows)
        when.append(float(times[bar]))
        if exhausted is not None:
            break
    value = units * float(growth[-1])
    rate = internal_rate(np.array([*sums, value]), np.array([*when, float(times[-1])]))
    return MoneyWeighted(rate, paid_in, taken_out, paid_costs, value, exhausted)


def internal_rate(sums: Floats, times: Floats) -> float:
    """Return the rate a year at which (n,) sums at (n,) times, in years, are worth nothing together.

    What is paid in counts below 0. The sums change their sign once, as those of an investor do who only pays
    in or only takes out, so that there is one such rate. -1 where nothing comes back.
    """
    if not (sums > 0.0).any():
        return -1.0

    def worth(log_rate: float) -> float:
        discounted = -log_rate * times
        highest = discounted.max()  # the sign is what counts: nothing overflows
        return float((sums * np.exp(discounted - highest)).sum())

    low, high = -1.0, 1.0
    while worth(low) <= 0.0:
        low *= 2.0
    while worth(high) >= 0.0:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if worth(middle) > 0.0 else (low, middle)
    return math.expm1(0.5 * (low + high))
