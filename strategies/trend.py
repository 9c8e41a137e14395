"""Trend: the stronger of small and large caps, but cash while that one is below its own average.

From: Faber (2007), A quantitative approach to tactical asset allocation, Journal of Wealth Management 9:
    an average of ten months keeps out of long falls; joined here to the relative strength of
    small_momentum.
Needs: the sleeves small and large.
Refuted by: falls that are as deep as those of the stronger sleeve held throughout, after costs.
"""

from backtest import Market, Months, Percent, choose, main, param, strategy


@strategy
def trend(
    market: Market,
    months: Months = param(12, low=1, high=60, help="compare the returns of this many past months"),
    band: Percent = param(2, low=0, high=20, help="lead that is needed to switch, either way"),
    average: Months = param(10, low=2, high=36, help="length of a sleeve's own average"),
):
    lead = market.relative("small", "large", months=months).above(band, until=-band)
    small, large = market.index("small"), market.index("large")
    small_rises = small.above(small.average(average))
    large_rises = large.above(large.average(average))
    return choose((lead & small_rises, "small"), (~lead & large_rises, "large"), otherwise="cash")


if __name__ == "__main__":
    main(trend)
