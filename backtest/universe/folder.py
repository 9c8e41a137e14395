"""The market folder of a universe: a market file and Parquet, which every other command takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from backtest.dates import last_business_day, to_days
from backtest.errors import DataError, UsageError
from backtest.market.sources.file import write_local
from backtest.spreadsheets import csv_of
from backtest.universe.intake import SetAside
from backtest.universe.kept import sums_of
from backtest.universe.universe import settings

if TYPE_CHECKING:
    import pandas as pd

    from backtest.universe.universe import Universe

LATEST = np.timedelta64(5, "D")
"""A month whose last row lies further than this before its last business day is not over yet."""


class UniverseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a market folder was made of and by which rules: its ``universe.json``, and ``build --json``.

    ``out`` and ``report`` are the folder and its page, which only the command says.
    """

    market: str
    settings: dict[str, Any]
    mapping: tuple[str, ...]
    currency: str
    rows: int
    first: str
    last: str
    files: dict[str, str]
    kept: dict[str, Any] | None
    hangs_on: list[dict[str, Any]]
    set_aside: tuple[SetAside, ...]
    out: Path | UnsetType = UNSET
    report: Path | UnsetType = UNSET

    @classmethod
    def of(cls, universe: Universe, name: str) -> UniverseRecord:
        """Return the record of the market of this name."""
        return cls(
            market=name,
            settings=settings(universe),
            mapping=tuple(universe.inputs.mapping),
            currency=universe.table.currency,
            rows=universe.table.rows,
            first=str(universe.portfolios.dates[0]),
            last=str(universe.portfolios.dates[-1]),
            files=universe.files,
            kept=None if universe.kept is None else sums_of(universe.kept, universe.portfolios),
            hangs_on=json.loads(universe.hangs.to_json(orient="records", double_precision=15)),
            set_aside=tuple(universe.set_aside),
        )


def _returns(universe: Universe) -> tuple[pd.DataFrame, str]:
    """Return the returns from the first period on, whole months only; and what was left out, in words.

    A class that never had a member with a return is no column.
    """
    returns = universe.returns
    if universe.kept is not None:
        returns = returns.join(universe.kept.returns)
    returns = returns[returns["market"].notna()].dropna(axis="columns", how="all")
    last = to_days(returns.index.to_numpy()[-1:])
    if universe.portfolios.monthly and last_business_day(last)[0] - last[0] > LATEST:
        return returns.iloc[:-1], f"the month of {last[0]} was not over and is left out; "
    return returns, ""


def measures(universe: Universe) -> pd.DataFrame:
    """Return what strategies may ask for, by date: concentration and discounts.

    ``concentration`` is the share of the large class (and those above it) in total capitalisation;
    ``top_share`` and ``herfindahl`` are those of all companies.
    """
    names = universe.scheme.classes
    above = names[names.index(universe.scheme.ends[1]) :]
    shares = universe.classes.pivot_table(index="date", columns="class", values="share").fillna(0.0)
    whole = universe.classes[universe.classes["class"] == "market"].set_index("date")
    table = whole[["top_share", "herfindahl"]].copy()
    table.insert(0, "concentration", shares[[name for name in above if name in shares]].sum(axis=1))
    return table if universe.discounts is None else table.join(universe.discounts)


def write_market(
    draft: Path,
    universe: Universe,
    name: str,
    *,
    cash: str = "",
    policy: str = "",
    weights: str = "capitalisation",
) -> UniverseRecord:
    """Write a market into the folder ``draft``; returns its record.

    Parameters
    ----------
    name
        What the market is called: the name that the folder will have.
    cash, policy
        Series of the catalogue: a yearly rate that cash earns, and the policy rate; none where empty, and
        cash earns nothing then.
    weights
        ``capitalisation`` or ``equal``: what the sleeves are weighted by. Both are in the file.

    Raises
    ------
    UsageError
        When ``weights`` is neither.
    DataError
        When the table had neither prices nor returns.
    """
    if weights not in ("capitalisation", "equal"):
        raise UsageError(f"--weights is 'capitalisation' or 'equal', not '{weights}'")
    if not universe.has_returns:
        raise DataError(
            "the table has neither price nor total_return, so its classes have no returns; "
            "rotation universe classify needs none"
        )
    returns, left_out = _returns(universe)
    frequency = "monthly" if universe.portfolios.monthly else "daily"
    about = {
        "title": f"{universe.scheme.title}: companies of {universe.inputs.companies.name}",
        "unit": "decimal",
        "frequency": frequency,
        "known_at": "the last business day of the month" if universe.portfolios.monthly else "the day itself",
        "kind": "price" if universe.portfolios.price_only else "total-return",
    }
    dates = to_days(returns.index.to_numpy())
    write_local(draft / "returns.parquet", dates, _columns(returns), about)
    said = measures(universe)
    told = {"unit": "ratio", "kind": "other", "known_at": "the day itself", "frequency": "irregular"}
    write_local(draft / "measures.parquet", to_days(said.index.to_numpy()), _columns(said), {**about, **told})
    if not cash:
        nothing = {
            "unit": "percent",
            "kind": "rate",
            "known_at": "the day itself",
            "title": "cash that earns nothing",
        }
        write_local(
            draft / "cash.parquet",
            dates[:1],
            {"rate": np.zeros(1)},
            {**about, **nothing, "frequency": "irregular"},
        )
    text = _market_file(universe, returns, list(said.columns), left_out, cash, policy, weights)
    (draft / "market.toml").write_text(text, encoding="utf-8")
    for table in ("classes", "migration", "valuation", "members"):
        content = getattr(universe, table)
        if content is not None:
            content.to_parquet(draft / f"{table}.parquet", index=False)
    if universe.kept is not None:
        universe.kept.companies.to_parquet(draft / "kept.parquet", index=False)
        universe.kept.trades.reset_index().to_parquet(draft / "kept_trades.parquet", index=False)
    (draft / "set_aside.csv").write_bytes(csv_of(universe.listed))
    record = UniverseRecord.of(universe, name)
    text = json.dumps(msgspec.json.decode(msgspec.json.encode(record)), indent=2)
    (draft / "universe.json").write_text(text + "\n", encoding="utf-8")
    return record


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    return {str(name): column.to_numpy(dtype=np.float64) for name, column in table.items()}


def _market_file(
    universe: Universe,
    returns: pd.DataFrame,
    measured: list[str],
    left_out: str,
    cash: str,
    policy: str,
    weights: str,
) -> str:
    suffix, dates = "_equal" if weights == "equal" else "", to_days(returns.index.to_numpy())
    names = [name for name in (*universe.scheme.classes, "market", "kept", "peers") if name in returns]
    sleeves = {name: f"returns.parquet[{name}{suffix}]" for name in names}
    for sleeve, end in zip(("small", "large"), universe.scheme.ends, strict=True):
        if end in sleeves:
            sleeves.setdefault(sleeve, sleeves[end])
    sleeves["cash"] = cash or "cash.parquet"
    proxy = left_out + _costs(universe) + ("" if cash else "cash earns nothing here, for no rate was given; ")
    series = {n: f"measures.parquet[{n}]" for n in measured if not n.endswith("_percentile")}
    discount = next((n for n in ("discount_pb", "discount_ps", "discount_pe") if n in series), None)
    if discount:
        series = {"discount": series[discount], **series}
    lines = [
        "# Made by rotation universe build; universe.json says from which files and by which rules.",
        f"title = {_toml(universe.scheme.title + f', {len(dates)} bars, {dates[0]} to {dates[-1]}')}",
        f"frequency = {_toml('monthly' if universe.portfolios.monthly else 'daily')}",
        'benchmark = "market"',
    ]
    if proxy:
        lines.append(f"proxy = {_toml(proxy.rstrip('; '))}")
    if policy:
        lines.append(f"policy = {_toml(policy)}")
    lines += [
        "",
        f"# By {weights}. The other weights are columns of the same file, such as small_equal and small.",
        "[sleeves]",
    ]
    lines += [f"{name} = {_toml(value)}" for name, value in sleeves.items()]
    lines += [
        "",
        "# The discount is 1 - (P/B small) / (P/B large); on P/S or P/E where no book is known.",
        "[series]",
    ]
    lines += [f"{name} = {_toml(value)}" for name, value in series.items()]
    return "\n".join(lines) + "\n"


def _costs(universe: Universe) -> str:
    if universe.kept is None:
        return ""
    chosen = universe.kept.selection
    return (
        f"kept ({chosen.said()}) is after {chosen.cost_bps:g} bp of what it buys and sells at each "
        "reconstitution, peers and classes are before costs; "
    )


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string
