"""Balanced: a fixed mix of small and large caps, brought back to its weights by the calendar or by bands.

From: Perold and Sharpe (1988), Dynamic strategies for asset allocation, Financial Analysts Journal 44: a
    constant mix sells what has risen. The baseline for a rotation that is in small caps part of the time.
Needs: the sleeves small and large.
Refuted by: nothing; a rotation that this mix matches has found nothing.
"""

from backtest import Market, Months, Percent, main, mix, param, strategy


@strategy
def balanced(
    market: Market,
    small: Percent = param(50, low=0, high=100, help="share of small caps; the rest is in large caps"),
    every: Months = param(12, low=0, high=120, help="bring back the weights every so often; 0 for never"),
    band: Percent = param(0, low=0, high=50, help="and when one has drifted this far; 0 for never"),
):
    weights = {"small": small / 100, "large": 1 - small / 100}
    return mix(market, weights, every_months=every, band=band / 100)


if __name__ == "__main__":
    main(balanced)
