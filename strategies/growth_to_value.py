"""Growth to value: the other half of the great rotation; value stocks when cheap or leading, else growth.

From: Asness, Friedman, Krail and Liew (2000), Style timing: value versus growth, Journal of Portfolio
    Management 26. Cheap is told by the five-year relative return with its sign reversed; leading by that
    of a year. Both sleeves hold small and large companies alike, so that this is not the size rotation
    once more.
Needs: the sleeves value and growth.
Refuted by: value that does no better than growth after five lean years (reversal), or a good year
    (momentum).
"""

from backtest import Choice, Market, Months, Percent, main, param, rotate, strategy


@strategy
def growth_to_value(
    market: Market,
    measure: Choice = param("reversal", choices=("reversal", "momentum"), help="cheap, or leading"),
    lean: Months = param(60, low=12, high=120, help="reversal: compare returns over this long"),
    cheap: Percent = param(80, low=0, high=100, help="reversal: percentile of the past that is cheap"),
    closed: Percent = param(50, low=0, high=100, help="reversal: percentile that is cheap no more"),
    history: Months = param(60, low=12, high=360, help="reversal: past that a percentile needs"),
    months: Months = param(12, low=1, high=60, help="momentum: compare returns over this long"),
    band: Percent = param(2, low=0, high=20, help="momentum: lead that is needed to switch"),
):
    if measure == "reversal":
        lag = -market.relative("value", "growth", months=lean)
        turn = lag.percentile(history=history).above(cheap, until=closed)
    else:
        turn = market.relative("value", "growth", months=months).above(band, until=-band)
    return rotate(turn, into="value", otherwise="growth")


if __name__ == "__main__":
    main(growth_to_value)
