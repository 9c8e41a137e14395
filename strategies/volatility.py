"""Volatility rotation: large caps after VIX has risen above its own average, small caps after it has fallen.

From: Copeland and Copeland (1999), Market timing: style and size rotation using the VIX, Financial
    Analysts Journal 55. They compare VIX with its average of 75 trading days, about three and a half
    months.
Needs: the VIX.
Refuted by: small caps that do no worse than large caps after the VIX has risen above its average.
"""

from backtest import Market, Months, Percent, main, param, rotate, strategy


@strategy
def volatility(
    market: Market,
    average: Months = param(4, low=1, high=24, help="length of the average"),
    band: Percent = param(10, low=0, high=50, help="distance from the average that counts, either way"),
):
    vix = market.level("vix")
    fear = (vix / vix.average(average)).above(1 + band / 100, until=1 - band / 100)
    return rotate(~fear, into="small", otherwise="large")


if __name__ == "__main__":
    main(volatility)
