"""What the compiled engines do to holdings at a bar: let them grow, see how far they drift, trade them.

``holdings`` and ``wanted`` are (n_sleeves,) float64: the value in each sleeve, and fractions of the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.compiling import compiled, higher, inlined

if TYPE_CHECKING:
    from backtest.dates import Floats


@compiled
def value_after_costs(holdings: Floats, wanted: Floats, costs: Floats) -> float:
    """Return the value left when holdings are traded to weights; see the function in ``reference``."""
    value = 0.0
    for sleeve in range(len(holdings)):
        value += holdings[sleeve]
    after = value
    while True:
        fixed, slope = value, 1.0
        for sleeve in range(len(holdings)):
            amount = wanted[sleeve] * after
            direction = float(int(amount > holdings[sleeve]) - int(amount < holdings[sleeve]))
            fixed += costs[sleeve] * direction * holdings[sleeve]
            slope += costs[sleeve] * direction * wanted[sleeve]
        if not fixed / slope < after:  # or there is a NaN, which the caller finds
            return after
        after = fixed / slope


@compiled
def only_sleeve(holdings: Floats) -> int:
    """Return the sleeve that holds everything, -1 where several do."""
    found = -1
    for sleeve in range(len(holdings)):
        if holdings[sleeve] != 0.0:
            if found >= 0:
                return -1
            found = sleeve
    return found


@inlined
def furthest(holdings: Floats, value: float, wanted: Floats) -> float:
    """Return how far the weight that has drifted most is from its target."""
    found = 0.0
    for sleeve in range(len(holdings)):
        found = higher(abs(holdings[sleeve] / value - wanted[sleeve]), found)
    return found


@inlined
def earn(columns: Floats, bar: int, holdings: Floats, value: float) -> tuple[float, float]:
    """Let the holdings grow by a bar's returns; return the portfolio's return and its new value."""
    gross, grown = 0.0, 0.0
    for sleeve in range(len(holdings)):
        if holdings[sleeve] != 0.0:
            gross += holdings[sleeve] / value * columns[sleeve, bar]
            holdings[sleeve] *= 1.0 + columns[sleeve, bar]
        grown += holdings[sleeve]
    return gross, grown


@compiled
def net_of(gross: float, kept: float) -> float:
    """Return a bar's return after costs that left so much of the value."""
    return gross if kept == 1.0 else (1.0 + gross) * kept - 1.0
