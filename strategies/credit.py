"""Credit rotation: out of small caps while the credit spread is wide or widening, back when it narrows.

From: Perez-Quiros and Timmermann (2000), Firm size and cyclical variations in stock returns, Journal of
    Finance 55: small firms, with little collateral, lose most when credit tightens; Gertler and Gilchrist
    (1994), Quarterly Journal of Economics 109.
Needs: a credit spread.
Refuted by: small caps that do no worse than large caps while the spread is wide.
"""

from backtest import Choice, Market, Months, Percent, PercentagePoints, main, param, rotate, strategy


@strategy
def credit(
    market: Market,
    measure: Choice = param(
        "percentile", choices=("percentile", "level", "change"), help="how to tell wide or widening"
    ),
    wide: Percent = param(80, low=0, high=100, help="percentile of the past at which to leave"),
    narrow: Percent = param(60, low=0, high=100, help="percentile of the past below which to return"),
    history: Months = param(60, low=12, high=360, help="past that a percentile needs"),
    wide_level: PercentagePoints = param(1.2, low=0, high=10, help="measure level: spread to leave at"),
    narrow_level: PercentagePoints = param(1.0, low=0, high=10, help="measure level: spread to return below"),
    months: Months = param(3, low=1, high=36, help="measure change: over this long"),
    widening: PercentagePoints = param(0.2, low=0, high=5, help="measure change: rise to leave at"),
):
    spread = market.level("credit_spread")
    if measure == "percentile":
        tight = spread.percentile(history=history).above(wide, until=narrow)
    elif measure == "level":
        tight = spread.above(wide_level, until=narrow_level)
    else:
        tight = spread.change(months).above(widening, until=0.0)
    return rotate(~tight, into="small", otherwise="large")


if __name__ == "__main__":
    main(credit)
