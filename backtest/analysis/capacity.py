"""Capacity: the return that is left after the price impact of trading, as the sum under management grows.

The impact of an order on its own price follows the square-root law (Torre 1997; Almgren et al. 2005;
Bouchaud, Farmer and Lillo 2009): a fraction ``Y * volatility * sqrt(order / daily volume)``, whatever the
time it is spread over. A sleeve held by capitalisation trades the same share of every company's volume, so
that the law applies to the sleeve as a whole, with the volatility of a typical company in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backtest.dates import Floats


@dataclass(frozen=True)
class Liquidity:
    """What is assumed about trading a sleeve.

    Parameters
    ----------
    capitalisation
        Of all its companies together, in dollars.
    turnover
        The share of it that changes hands on the exchange in a year.
    volatility
        A day's, of a typical company, decimal.
    impact
        The factor Y of the square-root law.
    """

    capitalisation: float
    turnover: float
    volatility: float
    impact: float

    @property
    def daily_volume(self) -> float:
        """Dollars traded a day, with 252 days a year."""
        return self.capitalisation * self.turnover / 252.0


def impact_cost(order: Floats | float, liquidity: Liquidity) -> Floats:
    """Return the cost of an order as a fraction of it; ``order`` in dollars, any shape."""
    part = np.asarray(order) / liquidity.daily_volume
    return liquidity.impact * liquidity.volatility * np.sqrt(part)


def return_left(gross: float, sums: Floats, traded: float, orders: float, liquidity: Liquidity) -> Floats:
    """Return the return a year that is left for each sum under management, the shape of ``sums``.

    ``traded`` is the fraction of the sum that one order buys or sells, ``orders`` how many such orders there
    are a year, purchases and sales counted each.
    """
    return gross - orders * traded * impact_cost(traded * sums, liquidity)


def break_even(
    gross: float,
    other: float,
    traded: float,
    orders: float,
    liquidity: Liquidity,
    other_liquidity: Liquidity | None = None,
) -> float:
    """Return the sum at which no more than the other return is left; 0 if at once, infinite if never.

    The other sleeve has an impact of its own where ``other_liquidity`` says which, and none otherwise.
    """
    if gross <= other:
        return 0.0
    # Both costs grow with the square root of the sum: what counts is their difference for one dollar.
    dollar = float(impact_cost(traded, liquidity))
    if other_liquidity is not None:
        dollar -= float(impact_cost(traded, other_liquidity))
    return math.inf if dollar <= 0.0 else ((gross - other) / (orders * traded * dollar)) ** 2
