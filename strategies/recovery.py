"""Recovery rotation: small caps in recovery and expansion, large caps in downturns, as known in real time.

From: Switzer (2010), The behaviour of small cap vs. large cap stocks in recessions and recoveries, North
    American Journal of Economics and Finance 21. The downturn is told by the rule of Sahm (2019): the
    three-month average of unemployment half a point above its low of twelve months; by production below
    its past high; by a term spread that has been negative; or by two of the three. The NBER announces its
    dates too late to use.
Needs: unemployment, production or a term spread, or all of them, as the measure says.
Refuted by: small caps that do no worse than large caps in the downturns so told.
"""

from backtest import (
    Choice,
    Market,
    Months,
    Percent,
    PercentagePoints,
    Signal,
    main,
    param,
    rotate,
    strategy,
    vote,
)


@strategy
def recovery(
    market: Market,
    measure: Choice = param(
        "unemployment", choices=("unemployment", "production", "term_spread", "vote"), help="what tells"
    ),
    sahm: PercentagePoints = param(0.5, low=0.1, high=2.0, help="rise of unemployment that tells a downturn"),
    fall: Percent = param(2.0, low=0.5, high=10.0, help="fall of production from its high that tells one"),
    high: Months = param(60, low=12, high=120, help="how far back that high may lie"),
    after: Months = param(12, low=1, high=36, help="a downturn for this long after an inverted term spread"),
):
    def unemployment() -> Signal:
        average = market.level("unemployment").average(3)
        return (average - average.lowest(12)).above(sahm, until=sahm / 2)

    def production() -> Signal:
        output = market.level("production")
        return (output / output.highest(high)).below(1 - fall / 100)

    def term_spread() -> Signal:
        return market.level("term_spread").below(0.0).at_least(after)

    tells = {"unemployment": unemployment, "production": production, "term_spread": term_spread}
    downturn = tells[measure]() if measure in tells else vote(*(tell() for tell in tells.values()), needed=2)
    return rotate(~downturn, into="small", otherwise="large")


if __name__ == "__main__":
    main(recovery)
