"""Ensemble: as much in small caps as theses speak for them: easing, a wide discount, calm credit, the lead.

From: Rapach, Strauss and Zhou (2010), Out-of-sample equity premium prediction: combination forecasts and
    links to the real economy, Review of Financial Studies 23: forecasts that fail alone do better
    averaged.
Needs: a policy rate, a discount and a credit spread.
Refuted by: a mix that does no better than the same average weight held throughout.
"""

from backtest import Market, Months, Percent, PercentagePoints, blend, main, param, strategy


@strategy
def ensemble(
    market: Market,
    min_move: PercentagePoints = param(0.25, low=0.0, high=1.0, help="smallest move of the policy rate"),
    cheap: Percent = param(60, low=0, high=100, help="percentile at which the discount is wide"),
    wide: Percent = param(80, low=0, high=100, help="percentile at which the credit spread is wide"),
    months: Months = param(12, low=1, high=60, help="months of relative strength"),
    history: Months = param(60, low=12, high=360, help="past that a percentile needs"),
):
    eases = market.policy.easing(at_least=min_move)
    discount = market.level("discount").percentile(history=history).above(cheap)
    calm = ~market.level("credit_spread").percentile(history=history).above(wide)
    leads = market.relative("small", "large", months=months).above(0.0)
    return blend(eases, discount, calm, leads, into="small", otherwise="large")


if __name__ == "__main__":
    main(ensemble)
