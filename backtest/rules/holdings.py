"""What to hold: what a script makes of signals, fractions or a function of its own, as an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtest.rules import expressions as rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from backtest.rules.market import Market


def rotate(signal: rules.Signal, *, into: str, otherwise: str) -> rules.Decision:
    """Hold ``into`` while the signal says yes and ``otherwise`` while it says no.

    Both are names of the market's sleeves, such as ``small``, ``large``, ``market`` and ``cash``.

    Examples
    --------
    >>> from backtest import Market, rotate, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     return rotate(market.relative("small", "large", months=12) > 0, into="small", otherwise="large")
    >>> sorted(set(run(mine).trades["hold"]))
    ['large', 'small']
    """
    return rules.Decision("rotated", rules.signals(signal), (into, otherwise))


def choose(*cases: tuple[rules.Signal, str], otherwise: str) -> rules.Decision:
    """Hold the sleeve of the first case whose signal says yes, else ``otherwise``.

    ``choose((rising & strong, "small"), (rising, "large"), otherwise="cash")``. Known when all signals are.

    Examples
    --------
    >>> from backtest import Market, choose, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     leads = market.relative("small", "large", months=12) > 0
    ...     return choose((leads, "small"), (market.policy.easing(at_least=0.25), "large"), otherwise="cash")
    >>> sorted(set(run(mine).trades["hold"]))
    ['cash', 'large', 'small']
    """
    names = tuple(sleeve for _, sleeve in cases)
    return rules.Decision("chosen", rules.signals(*(signal for signal, _ in cases)), (names, otherwise))


def blend(*signals: rules.Signal, into: str, otherwise: str) -> rules.Decision:
    """Hold ``into`` with the share of the signals that say yes, and ``otherwise`` with the rest.

    Examples
    --------
    >>> from backtest import Market, blend, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     leads = market.relative("small", "large", months=12) > 0
    ...     return blend(leads, market.policy.easing(at_least=0.25), into="small", otherwise="large")
    >>> sorted(set(run(mine).trades["hold"]))
    ['large', 'small', 'small 50%, large 50%']
    """
    return rules.Decision("blended", rules.signals(*signals), (into, otherwise))


def mix(
    market: Market, weights: Mapping[str, Any], *, every_months: Any = 0, band: Any = 0.0
) -> rules.Decision:
    """Hold fixed fractions of sleeves, the rest in cash.

    ``weights`` are fractions by sleeve, ``every_months`` and ``band`` (a fraction of the value) say when to
    trade back to them, 0 for never. Known from the first bar on.

    Examples
    --------
    >>> from backtest import Market, mix, run, strategy
    >>> @strategy
    ... def mine(market: Market):
    ...     return mix(market, {"small": 0.5, "large": 0.5}, every_months=12)
    >>> round(float(run(mine).weights["small"].mean()), 2)
    0.5
    """
    parts = [rules.number(weight, f"the weight of {name}") for name, weight in weights.items()]
    settings = (rules.number(every_months, "every_months"), rules.number(band, "band"))
    return rules.Decision("mixed", (*parts, *settings), (tuple(weights),), market._names)


def weigh(
    function: Callable[..., Any], *given: Any, months: Any = None, into: Sequence[str]
) -> rules.Decision:
    """Hold what a function of your own says: a whole strategy, asked at each fill after news.

    Parameters
    ----------
    function
        Called as ``function(a, b, limit)``: each level as a ``pandas.Series`` of what was known of it, by
        its dates, oldest first; each parameter as a number. Returns the fractions of ``into``, in their
        order; what is left is in cash.
    given
        Levels and parameters.
    months
        How far back the series go; by default all of the past.
    into
        The sleeves.

    Examples
    --------
    >>> from backtest import Market, run, strategy, weigh
    >>> @strategy
    ... def mine(market: Market):
    ...     def tilt(spread):
    ...         return [1.0 if spread.iloc[-1] > spread.mean() else 0.0]
    ...
    ...     return weigh(tilt, market.level("credit_spread"), months=36, into=("small",))
    >>> sorted(set(run(mine).trades["hold"]))
    ['cash', 'small']
    """
    parts = rules.past_of("weigh", function, given, months)
    return rules.Decision("weighed", parts, (tuple(into), function, months is not None))
