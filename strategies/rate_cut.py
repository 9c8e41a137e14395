"""Rate-cut rotation: small caps for a while after the Fed starts cutting, large caps otherwise.

From: the adage that small companies, which borrow short and at floating rates, gain most from the first
    cut; the research behind it dates easing by the discount rate (Jensen, Johnson and Mercer 1998).
Needs: a policy rate.
Refuted by: small caps that do no better in the months after a first cut than in all other months.
"""

from backtest import Market, Months, PercentagePoints, main, param, rotate, strategy


@strategy
def rate_cut(
    market: Market,
    delay: Months = param(0, low=0, high=24, help="wait this long after the first cut"),
    hold: Months = param(24, low=1, high=60, help="then hold small caps this long"),
    quiet: Months = param(12, low=0, high=60, help="months without a cut before a cut counts as a first"),
    min_cut: PercentagePoints = param(0.25, low=0.0, high=1.0, help="smallest move that counts as a cut"),
):
    first_cuts = market.policy.first_cuts(quiet=quiet, at_least=min_cut)
    return rotate(first_cuts.within(delay, delay + hold), into="small", otherwise="large")


if __name__ == "__main__":
    main(rate_cut)
