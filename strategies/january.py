"""January: small caps in January only, the size effect as the literature found it; a check of the tool.

From: Keim (1983), Size-related anomalies and stock return seasonality, Journal of Financial Economics 12:
    half of the size effect falls into January. Zakamulin (2014), table 1, has its size since 1927.
Needs: the sleeves small and large.
Refuted by: small caps that do no better than large caps in the Januaries since Keim wrote.
"""

from backtest import Market, main, rotate, strategy


@strategy
def january(market: Market):
    return rotate(market.months_of_year(1), into="small", otherwise="large")


if __name__ == "__main__":
    main(january)
