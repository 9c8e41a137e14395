"""Easing rotation: small caps while monetary policy is expansive, from the first cut to the first rise.

From: Jensen, Mercer and Johnson (1996), Business conditions, monetary policy, and expected security
    returns, Journal of Financial Economics 40; Jensen, Johnson and Mercer (1998), The inconsistency of
    small-firm and value stock premiums, Journal of Portfolio Management 24: the small-firm premium is
    found only in expansive periods.
Needs: a policy rate (measure target), or the series TB3MS (bill_rate, from 1934), INTDSRUSM193N
    (discount_rate) or FEDFUNDS (funds_rate).
Refuted by: small caps that do no better than large caps while policy eases.
"""

from backtest import Choice, Market, Months, PercentagePoints, main, param, rotate, strategy

SERIES = {"bill_rate": "TB3MS", "discount_rate": "INTDSRUSM193N", "funds_rate": "FEDFUNDS"}


@strategy
def easing(
    market: Market,
    measure: Choice = param(
        "target", choices=("target", *SERIES), help="the rate whose cuts and rises tell the stance of policy"
    ),
    delay: Months = param(0, low=0, high=24, help="wait this long after the first cut"),
    min_move: PercentagePoints = param(0.25, low=0.0, high=1.0, help="smallest move that counts"),
):
    policy = market.policy if measure == "target" else market.policy_by(SERIES[measure])
    return rotate(policy.easing(at_least=min_move, after=delay), into="small", otherwise="large")


if __name__ == "__main__":
    main(easing)
