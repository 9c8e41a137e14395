"""Concentration: small caps after the share of large companies in all capitalisation has peaked.

From: Fernholz, Garvy and Hannon (1998), Diversity-weighted indexing, Journal of Portfolio Management 24:
    when capital spreads out again, whoever holds less of the largest gains by it. Peaked means: lately
    high in its own past, and now below its own average.
Needs: the concentration, the large half's share of capitalisation.
Refuted by: small caps that do no better after such a peak than at other times.
"""

from backtest import Market, Months, Percent, main, param, rotate, strategy


@strategy
def concentration(
    market: Market,
    months: Months = param(24, low=6, high=120, help="length of the average, and how lately it was high"),
    high: Percent = param(70, low=0, high=100, help="percentile of its past that counts as high"),
    history: Months = param(60, low=12, high=360, help="past that a percentile needs"),
):
    share = market.level("concentration")
    falling = share.below(share.average(months))
    was_high = share.percentile(history=history).highest(months).above(high)
    return rotate(falling & was_high, into="small", otherwise="large")


if __name__ == "__main__":
    main(concentration)
