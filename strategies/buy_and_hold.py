"""Buy and hold: one sleeve from the first day to the last; the baseline that a rotation must beat.

From: Sharpe (1991), The arithmetic of active management, Financial Analysts Journal 47.
Needs: the sleeve.
Refuted by: nothing; it is what everything else is held against.
"""

from backtest import Choice, Market, main, mix, param, strategy


@strategy
def buy_and_hold(
    market: Market,
    sleeve: Choice = param(
        "small",
        choices=("small", "large", "market", "value", "growth", "cash", "kept", "peers"),
        help="what to hold; kept and peers are of a screen",
    ),
):
    return mix(market, {sleeve: 1.0})


if __name__ == "__main__":
    main(buy_and_hold)
