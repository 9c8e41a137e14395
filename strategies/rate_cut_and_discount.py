"""The perfect storm: small caps when the Fed has started to cut and they are cheap, or either of the two.

From: the theses of rate_cut and valuation_discount together. Cheapness says what there is to gain, the
    first cut says when: a discount alone can stay wide for years.
Needs: a policy rate and a discount.
Refuted by: the two together doing no better than each alone, at the same number of months in small caps.
"""

from backtest import Choice, Market, Months, Percent, PercentagePoints, main, param, rotate, strategy


@strategy
def rate_cut_and_discount(
    market: Market,
    when: Choice = param("both", choices=("both", "either"), help="which of the two must hold"),
    hold: Months = param(24, low=1, high=60, help="hold this long after a first cut"),
    quiet: Months = param(12, low=0, high=60, help="months without a cut before a cut counts as a first"),
    min_cut: PercentagePoints = param(0.25, low=0.0, high=1.0, help="smallest move that counts as a cut"),
    wide: Percent = param(60, low=0, high=100, help="percentile at which the discount is wide"),
    closed: Percent = param(40, low=0, high=100, help="percentile below which it has closed"),
    history: Months = param(60, low=12, high=360, help="past that a percentile needs"),
):
    cutting = market.policy.first_cuts(quiet=quiet, at_least=min_cut).within(0, hold)
    cheap = market.level("discount").percentile(history=history).above(wide, until=closed)
    storm = cutting & cheap if when == "both" else cutting | cheap
    return rotate(storm, into="small", otherwise="large")


if __name__ == "__main__":
    main(rate_cut_and_discount)
