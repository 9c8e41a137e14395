"""Relative strength: small caps while they have beaten large caps over the past months, else large caps.

From: Lewellen (2002), Momentum and autocorrelation in stock returns, Review of Financial Studies 15, who
    finds momentum in portfolios by size; Levis and Liodakis (1999), The profitability of style rotation
    strategies in the United Kingdom, Journal of Portfolio Management 26.
Needs: the sleeves small and large.
Refuted by: winners between the two that do no better than losers over the months that follow.
"""

from backtest import Market, Months, Percent, main, param, rotate, strategy


@strategy
def small_momentum(
    market: Market,
    months: Months = param(12, low=1, high=60, help="compare the returns of this many past months"),
    band: Percent = param(2, low=0, high=20, help="lead that is needed to switch, either way"),
):
    lead = market.relative("small", "large", months=months)
    return rotate(lead.above(band, until=-band), into="small", otherwise="large")


if __name__ == "__main__":
    main(small_momentum)
