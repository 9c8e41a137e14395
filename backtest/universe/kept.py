"""What a screen keeps, held as a portfolio: chosen anew at each reconstitution, after costs.

"Undervalued against its peers" is a claim about what comes after. So the companies that a screen keeps are
bought at the close of the reconstitution at which it keeps them, and stand beside their peers: all companies
that the same screen could have kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import DAYS_A_YEAR
from backtest.errors import DataError, UsageError, nearest
from backtest.numerals import number
from backtest.universe.build import drifted, from_disk
from backtest.universe.drift import series
from backtest.universe.issuers import places
from backtest.universe.screen import FLAGS, NEEDS, judged

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from backtest.dates import Ints
    from backtest.universe.build import Portfolios, Rules
    from backtest.universe.drift import Rows, Table
    from backtest.universe.intake import Intake
    from backtest.universe.schemes import Scheme
    from backtest.universe.workshop import Relation, Workshop

OUTSIDE, PEER, KEPT = range(3)
_MOST_COSTS = 1000.0  # basis points a side


@dataclass(frozen=True)
class Selection:
    """What companies are kept for, and what it costs to hold them.

    Parameters
    ----------
    keep
        Of ``screen.FLAGS``.
    least
        How many of them a company must have; 0: all.
    cost_bps
        Of each amount bought or sold at a reconstitution.
    """

    keep: tuple[str, ...]
    least: int = 0
    cost_bps: float = 10.0

    def __post_init__(self) -> None:
        if len(set(self.keep)) < len(self.keep):
            raise UsageError(f"--keep names a flag twice: {', '.join(self.keep)}; name each once")
        for flag in self.keep:
            if flag not in FLAGS:
                raise UsageError(f"--keep takes {', '.join(FLAGS)}, not '{flag}'; {nearest(flag, FLAGS)}")
        number(self.least, "--least", 0, len(self.keep), whole=True)
        number(self.cost_bps, "--cost-bps", 0.0, _MOST_COSTS, "basis points")

    @property
    def needed(self) -> int:
        """How many flags a company must have."""
        return self.least or len(self.keep)

    def said(self) -> str:
        """Return in words what is kept."""
        flags = [FLAGS[flag] for flag in self.keep]
        if self.needed == len(flags):
            return " and ".join(flags)
        return f"at least {self.needed} of: {', '.join(flags)}"


@dataclass(frozen=True, eq=False)
class Kept:
    """A screen's portfolio and that of its peers.

    Parameters
    ----------
    selection
        What is kept.
    returns
        By date: ``kept``, ``peers``, each also ``_equal``; ``kept_gross``, ``kept_equal_gross`` before costs;
        simple, decimal. NaN before the first reconstitution at which anybody could be judged; 0 where
        nobody is held later.
    trades
        By date of the reconstitution: ``companies`` kept, ``peers`` (the kept among them), ``turnover`` and
        ``turnover_equal``: one-way, half of what is bought and sold, as a share of value.
    companies
        Who was kept: ``date, company, name, class, industry, capitalisation, flags, reason``.
    """

    selection: Selection
    returns: pd.DataFrame
    trades: pd.DataFrame
    companies: pd.DataFrame

    @property
    def empty(self) -> int:
        """How many reconstitutions after the first at which anybody could be judged kept nobody."""
        counts = self.trades["companies"].to_numpy()
        return int((counts[(self.trades["peers"] > 0).to_numpy().argmax() :] == 0).sum())


def keep(
    shop: Workshop,
    scheme: Scheme,
    table: Intake,
    portfolios: Portfolios,
    valued: Relation,
    rules: Rules,
    selection: Selection,
) -> Kept:
    """Return what a screen keeps at each reconstitution, as a portfolio.

    Parameters
    ----------
    portfolios
        The classes, with the cleaned rows that they were made of.
    valued
        By accounts that were published before each date: see ``fundamentals.known_accounts``.

    Raises
    ------
    DataError
        When nobody is kept at any reconstitution.
    """
    import pandas as pd

    assert portfolios.clean is not None  # noqa: S101 - whoever wants a screen's portfolio asks for it
    n_bars, at = len(portfolios.dates), portfolios.formed
    statuses, parts = [], []
    for bar in at.tolist():
        frame = judged(shop, scheme, table.lines, valued, portfolios.dates[bar])
        if frame.empty:
            continue
        able = frame[[NEEDS[flag] for flag in selection.keep]].notna().all(axis=1)
        count = sum(frame["flags"].str.contains(FLAGS[flag], regex=False) for flag in selection.keep)
        chosen = able & (count >= selection.needed)
        status = np.where(chosen, KEPT, np.where(able, PEER, OUTSIDE))
        statuses.append((frame["id"].to_numpy(dtype=np.int64) * n_bars + bar, status))
        parts.append(frame[chosen].assign(date=portfolios.dates[bar]))
    if not parts or all(part.empty for part in parts):
        raise DataError(
            f"nobody is kept at any reconstitution ({selection.said()}); ask for fewer with --least, or see "
            "with rotation universe screen who has which flags"
        )
    key = np.concatenate([k for k, _ in statuses])
    order = np.argsort(key, kind="stable")
    status = np.concatenate([s for _, s in statuses])[order]
    rows = _judged_rows(from_disk(shop, portfolios.clean), n_bars, key[order], status)
    borders = np.tile(np.array([PEER, KEPT], dtype=np.float64), (len(at), 1))
    # Who is kept is what the screen says now: no band lets a company stay where it was.
    held, sums = drifted(shop, rows, portfolios.dates, at, borders, replace(rules, band=0.0))
    trades = _trades(shop, held, portfolios)
    shown = ["date", "company", "name", "class", "industry", "capitalisation", "flags", "reason"]
    returns = _returns(sums, trades, portfolios, rules.delisting, selection)
    trades = trades.drop(columns=["traded", "traded_equal"])
    return Kept(selection, returns, trades, pd.concat(parts, ignore_index=True)[shown])


def _judged_rows(rows: Iterator[Rows], n_bars: int, key: Ints, status: Ints) -> Iterator[Rows]:
    """Give rows whose ``size`` is what the screen said of the company on that bar."""
    for piece in rows:
        at, there = places(key, piece, n_bars)
        yield piece._replace(size=np.where(there, status[at], OUTSIDE).astype(np.float64))


def _trades(shop: Workshop, held: Relation, portfolios: Portfolios) -> pd.DataFrame:
    """Return for each reconstitution how many are held and what is bought and sold, as shares of value.

    What a company that has vanished was worth goes to the rest, as it does between reconstitutions.
    """
    import pandas as pd

    found = shop.frame(
        f"""
        WITH formed AS (SELECT * FROM {held} WHERE bar IN ({", ".join(map(str, portfolios.formed))})),
        total AS (SELECT bar, sum(cap) FILTER (class = {KEPT}) AS now,
            count(*) FILTER (class = {KEPT}) AS n, count(*) FILTER (class >= {PEER}) AS peers,
            sum(drifted) FILTER (was = {KEPT}) AS old, sum(drifted_equal) FILTER (was = {KEPT}) AS old_equal
            FROM formed GROUP BY bar)
        SELECT bar, n AS companies, t.peers,
            sum(abs(CASE WHEN class = {KEPT} THEN cap / now ELSE 0 END
                - CASE WHEN was = {KEPT} THEN drifted / old ELSE 0 END)) AS traded,
            sum(abs(CASE WHEN class = {KEPT} THEN 1.0 / n ELSE 0 END
                - CASE WHEN was = {KEPT} THEN drifted_equal / old_equal ELSE 0 END)) AS traded_equal
        FROM formed JOIN total t USING (bar) GROUP BY bar, n, t.peers ORDER BY bar"""
    )
    table = pd.DataFrame({"bar": portfolios.formed}).merge(found, on="bar", how="left")
    table[["companies", "peers"]] = table[["companies", "peers"]].fillna(0).astype(np.int64)
    table[["traded", "traded_equal"]] = table[["traded", "traded_equal"]].fillna(0.0)
    table["turnover"], table["turnover_equal"] = table["traded"] / 2.0, table["traded_equal"] / 2.0
    table.index = pd.DatetimeIndex(portfolios.dates[table.pop("bar").to_numpy()], name="date")
    return table


def _returns(
    sums: Table, trades: pd.DataFrame, portfolios: Portfolios, delisting: float, selection: Selection
) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {}
    for name, classes in (("kept", [KEPT]), ("peers", [PEER, KEPT])):
        columns[name], columns[f"{name}_equal"] = series(sums, classes, delisting)
    judged_at = np.flatnonzero(trades["peers"].to_numpy() > 0)
    first = int(portfolios.formed[judged_at[0]]) + 1
    held = np.arange(len(portfolios.dates)) >= first
    for name, values in columns.items():
        columns[name] = np.where(held, np.nan_to_num(values), np.nan)
    cost = selection.cost_bps / 1e4
    for name, traded in (("kept", "traded"), ("kept_equal", "traded_equal")):
        columns[f"{name}_gross"] = columns[name]
        net = columns[name].copy()
        for bar, amount in zip(portfolios.formed.tolist(), trades[traded].tolist(), strict=True):
            # What the first purchase costs falls into the first return; later trades into their bar's own.
            into = max(bar, first)
            if amount > 0.0 and into < len(net):
                net[into] = (1.0 + net[into]) * (1.0 - cost * amount) - 1.0
        columns[name] = net
    return pd.DataFrame(columns, index=pd.DatetimeIndex(portfolios.dates, name="date"))


def sums_of(kept: Kept, portfolios: Portfolios) -> dict[str, Any]:
    """Return what holding it came to: who, how many, how often, at what cost, beside the peers.

    Returns a year and turnover a year are decimal, each by capitalisation and, ``_equal``, by equal weights;
    the first purchase is no turnover.
    """
    returns = kept.returns.dropna(how="all")
    days = (returns.index[-1] - portfolios.dates[len(portfolios.dates) - len(returns) - 1]).days
    years = days / DAYS_A_YEAR
    counts = kept.trades["companies"].to_numpy()
    begun = int(np.flatnonzero(counts > 0)[0])
    told: dict[str, Any] = {
        "keeps": kept.selection.said(),
        "cost_bps": kept.selection.cost_bps,
        "first": f"{returns.index[0]:%Y-%m-%d}",
        "last": f"{returns.index[-1]:%Y-%m-%d}",
        "companies": {
            "mean": float(counts[begun:].mean()),
            "fewest": int(counts[begun:].min()),
            "most": int(counts[begun:].max()),
        },
        "peers": float(kept.trades["peers"].to_numpy()[begun:].mean()),
        "nobody": kept.empty,
    }
    for weights in ("", "_equal"):
        for name in ("kept", "kept_gross", "peers"):
            column = f"kept{weights}_gross" if name == "kept_gross" else f"{name}{weights}"
            grown = float(np.prod(1.0 + returns[column].to_numpy()))
            told[f"{name}{weights}_a_year"] = grown ** (1.0 / years) - 1.0
        turned = kept.trades[f"turnover{weights}"].to_numpy()[begun + 1 :].sum()
        told[f"turnover{weights}"] = float(turned / years)
    return told


def in_words(kept: Kept, portfolios: Portfolios) -> str:
    """Return what holding a screen came to, in sentences."""
    told = sums_of(kept, portfolios)
    count = told["companies"]
    said = (
        f"The screen keeps {told['keeps']}: {count['mean']:,.0f} companies on average ({count['fewest']:,} "
        f"to {count['most']:,}), of {told['peers']:,.0f} peers that it could have kept; {told['first']} to "
        f"{told['last']}."
    )
    for suffix, words in (("", "capitalisation"), ("_equal", "equal weights")):
        net, gross = told[f"kept{suffix}_a_year"], told[f"kept_gross{suffix}_a_year"]
        said += (
            f" By {words} it gained {net:.1%} a year after {told['cost_bps']:g} bp of what it traded "
            f"({gross:.1%} before, turnover {told[f'turnover{suffix}']:.0%} a year), its peers "
            f"{told[f'peers{suffix}_a_year']:.1%} before costs."
        )
    if kept.empty:
        said += f" At {kept.empty} reconstitutions it kept nobody; it earned nothing until the next."
    return said
