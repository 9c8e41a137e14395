"""The ledger: the same trades replayed in a vectorbt Portfolio, as orders in amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import RotationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.dates import Floats
    from backtest.engine.reference import Path
    from backtest.market.data import Bars

AGREEMENT = 1e-9
"""How closely the ledger's value must follow the engine's, relative."""

RUIN = 1e-6
"""The part of its highest value below which a portfolio is not followed: vectorbt drops such orders."""

ROUNDING = 1e-13
"""An order of less than this part of the value is what rounding leaves of a sleeve that keeps its weight."""


def followed(equity: Floats) -> int:
    """Return how many bars of a portfolio's value the ledger follows: those before its ruin, 2 at least."""
    ruined = equity < RUIN * np.maximum.accumulate(equity)
    return max(int(ruined.argmax()), 2) if ruined.any() else len(equity)


def replay(bars: Bars, path: Path, costs: Sequence[float], ppy: float) -> Any:
    """Return a ``vectorbt.Portfolio`` that made the same trades, after comparing its value bar by bar.

    Every sleeve, ``cash`` too, is an asset with a price of 1 at the first bar. The portfolio starts with
    1 in vectorbt's own, idle cash (with more where costs will leave next to nothing of it); each trade
    becomes orders in amounts with cash shared between the sleeves and sales filled first. Its fees, cash
    and value are vectorbt's own arithmetic. vectorbt takes for nothing prices and amounts below about 1e-9,
    and what an order leaves of a position or of the cash if that is a billionth of it: it cannot follow a
    sleeve that is next to nothing, and the portfolio ends before it has lost all but a millionth of its
    highest value.

    Its statistics a year are ours with a risk-free rate of 0, ``ppy`` being the number of bars a year.
    vectorbt counts the day of the first purchase as a bar too, and its year is the same for every
    portfolio: so a bar lasts what lets all n + 1 of them take the years of our n. The growth a year is
    then ours to rounding. The volatility and the Sharpe ratio are ours but for about S^2 / 2n of
    themselves, S being the Sharpe ratio of a bar, and for what follows from the cost of the first purchase
    being a return of its own: together 2e-5 to 5e-5 at 10 basis points over some decades.

    Raises
    ------
    RotationError
        When the two values differ by more than 1e-9 at any bar: one of the two engines is wrong.
    """
    import pandas as pd

    from backtest.compiling import caches_that_may_fail

    with caches_that_may_fail():
        import vectorbt as vbt  # two seconds, and not every use of the package needs it
        from vectorbt._settings import settings

    n_bars = followed(path.equity)
    equity = path.equity[:n_bars]
    start = max(1.0, RUIN**0.5 / float(equity.min()))
    growth = 1.0 + np.nan_to_num(bars.returns[:n_bars])
    growth[0] = 1.0
    prices = growth.cumprod(axis=0)

    # An order's amount is the change in units; units change at trades only.
    trades = path.trades
    made = slice(0, int(np.searchsorted(trades.bars, n_bars)))
    at, left = trades.bars[made], trades.value[made] * (1.0 - trades.cost[made] - trades.tax[made])
    held = start * trades.after[made] * left[:, None] / prices[at]
    sizes = np.full(prices.shape, np.nan)
    sizes[at] = np.diff(held, axis=0, prepend=np.zeros((1, held.shape[1])))
    sizes[np.abs(sizes * prices) <= ROUNDING * start * equity[:, None]] = np.nan

    # A tax is withheld from what is sold; the ledger checks that money, and knows nothing of lots.
    withheld = np.zeros(prices.shape)
    sales = np.where(np.isnan(sizes[at]), 0.0, sizes[at] * prices[at]).argmin(axis=1)
    withheld[at, sales] = start * trades.value[made] * trades.tax[made]

    year = pd.Timedelta(settings["returns"]["year_freq"])
    index = pd.DatetimeIndex(bars.dates[:n_bars])
    columns = pd.Index(bars.sleeves, name="sleeve")
    portfolio = vbt.Portfolio.from_orders(
        pd.DataFrame(prices, index, columns),
        size=pd.DataFrame(sizes, index, columns),
        size_type="amount",
        fees=np.asarray(costs),
        fixed_fees=withheld,
        init_cash=start,
        cash_sharing=True,
        group_by=True,
        call_seq="auto",
        freq=year / (ppy * n_bars / (n_bars - 1)),
    )
    value = portfolio.value().to_numpy() / start
    # The engine counts the first purchase's cost into the first return, the ledger into the first day.
    apart = np.abs(value[1:] / equity[1:] - 1.0)
    # Idle cash is nothing but what rounding leaves of each trade: it may be below 0 by that much.
    short = (portfolio.cash().to_numpy() / start / value).min()
    if apart.max(initial=0.0) > AGREEMENT or short < -AGREEMENT:
        raise RotationError(
            f"the ledger disagrees with the engine by {apart.max():.1e} on "
            f"{bars.dates[1 + apart.argmax()]}; please report this with the command you ran"
        )
    return portfolio
