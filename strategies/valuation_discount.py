"""Valuation rotation: into small caps when their discount to large caps is wide, out when it has closed.

From: Asness, Friedman, Krail and Liew (2000), Style timing: value versus growth, Journal of Portfolio
    Management 26: the spread of valuations tells what a style has to offer. Where there is no book value,
    the five-year relative return with its sign reversed stands for the discount (Asness, Moskowitz and
    Pedersen 2013, Value and momentum everywhere, Journal of Finance 68).
Needs: a discount. A percentile is one of its own past, never of the whole sample.
Refuted by: small caps that do no better from a wide discount on than from a narrow one.
"""

from backtest import Choice, Market, Months, Percent, main, param, rotate, strategy


@strategy
def valuation_discount(
    market: Market,
    measure: Choice = param("percentile", choices=("percentile", "level"), help="how to tell wide"),
    wide: Percent = param(80, low=0, high=100, help="percentile of the past at which to buy small caps"),
    closed: Percent = param(50, low=0, high=100, help="percentile of the past below which to sell them"),
    history: Months = param(60, low=12, high=360, help="past that a percentile needs"),
    wide_level: Percent = param(17, low=-300, high=100, help="measure level: discount at which to buy"),
    closed_level: Percent = param(0, low=-300, high=100, help="measure level: discount below which to sell"),
    limit: Months = param(60, low=1, high=240, help="sell after this long, until it has closed once"),
):
    discount = market.level("discount")
    if measure == "percentile":
        cheap = discount.percentile(history=history).above(wide, until=closed)
    else:
        cheap = discount.in_percent().above(wide_level, until=closed_level)
    return rotate(cheap.at_most(limit), into="small", otherwise="large")


if __name__ == "__main__":
    main(valuation_discount)
