"""The page of a universe: classes, migration, valuation and concentration, block by block."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from backtest.reporting import blocks as b
from backtest.reporting import universe_figures as figures
from backtest.universe.cleaning import LATE, WORDS
from backtest.universe.drift import STEEP
from backtest.universe.hangs import too_good
from backtest.universe.kept import in_words
from backtest.universe.statistics import latest, migration_shares, return_table
from backtest.universe.universe import foreign, settings
from backtest.universe.valuation import RATIOS, latest_told
from backtest.wording import amount, number, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd

    from backtest.universe.universe import Universe

_Column: TypeAlias = "tuple[str, str, Callable[[Any], str]]"

HANGS = (
    "Returns a year. Companies that vanish from the table were bought, renamed or struck off, and it does "
    "not say which: at their last value is too good, at -100% too bad; -30% is what was found of companies "
    f"that were struck off for what they did (Shumway 1997). A gain above {STEEP:.0%} in one bar is seldom "
    "earned; in raw prices it is often a split."
)

_LOSSES = {
    "keep": "A ratio is total capitalisation over the total of the figure, losses included.",
    "drop": "A ratio is total capitalisation over the total of the figure, of companies whose figure is "
    "above zero.",
    "report": "A ratio is total capitalisation over the total of the figure, losses included; beside it "
    "without the "
    "companies whose figure is not above zero.",
}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _last(table: pd.DataFrame) -> list[dict[str, Any]]:
    return _records(table[table["date"] == table["date"].max()])


def _by_class(rows: Iterable[dict[str, Any]], columns: Iterable[_Column]) -> b.Table:
    """Return a row for each class; a column has its heading, what of the row it shows, and how."""
    shown = list(columns)
    cells = [(row["class"], *(form(row[key]) for _, key, form in shown)) for row in rows]
    return b.table(["", *(head for head, _, _ in shown)], cells)


def _counted(value: float) -> str:
    return f"{value:,}"


def _border(value: float) -> str:
    return amount(value) if np.isfinite(value) else ""


_one, _tenths = partial(number, digits=1), partial(percent, digits=1)

_CLASSES: tuple[_Column, ...] = (
    ("from", "border", _border),
    ("companies", "companies", _counted),
    ("capitalisation", "capitalisation", amount),
    ("share", "share", percent),
    ("ten largest", "top_share", _tenths),
    ("turnover", "turnover", _tenths),
)

_RETURNS: tuple[_Column, ...] = (
    ("a year, by capitalisation", "a_year", _tenths),
    ("volatility", "volatility", _tenths),
    ("a year, equal weights", "a_year_equal", _tenths),
    ("volatility", "volatility_equal", _tenths),
)

_LOSS_MAKERS: tuple[_Column, ...] = (
    ("capitalisation with accounts", "covered", _tenths),
    ("companies", "pe_companies", _counted),
    ("make a loss", "pe_losses", _counted),
    ("of companies", "pe_losses_part", _tenths),
    ("of capitalisation", "pe_losses_share", _tenths),
)

_DEBT: tuple[_Column, ...] = (
    ("earnings", "earnings_growth", _tenths),
    ("capitalisation", "capitalisation_growth", _tenths),
    ("companies", "growth_companies", _counted),
    ("debt to EBIT", "debt_to_ebit", _one),
    ("interest cover", "interest_cover", _one),
    ("below fair value", "fair_discount", _tenths),
)


def _classes(universe: Universe) -> b.Table:
    last = latest(universe.classes, universe.scheme, universe.portfolios.borders[-1])
    return _by_class(_records(last), _CLASSES)


def _returns(universe: Universe) -> b.Table:
    return _by_class(_records(return_table(universe.returns, universe.scheme)), _RETURNS)


def _hangs(universe: Universe) -> b.Table:
    built = () if np.isnan(universe.rules.delisting) else (("as built", "built", _tenths),)
    columns: tuple[_Column, ...] = (
        ("weights", "weights", str),
        *built,
        ("leave at their last value", "last_value", _tenths),
        ("at -30%", "at_30", _tenths),
        ("at -100%", "at_100", _tenths),
        (f"without gains above {STEEP:.0%}", "without_steep", _tenths),
        ("such gains", "steep", _counted),
        ("vanish each year", "vanished", _tenths),
    )
    return _by_class(_records(universe.hangs), columns)


def _migration(universe: Universe) -> b.Table:
    moved = migration_shares(universe.migration, universe.scheme)
    rows: list[list[b.Said | b.Cell]] = []
    for name, shares in zip(moved.index, moved.to_numpy().tolist(), strict=True):
        cells = [
            b.Cell(percent(share, 2), "" if name == to or share < 5e-4 else f"u{min(5, 1 + int(40 * share))}")
            for to, share in zip(moved.columns, shares, strict=True)
        ]
        rows.append([name, *cells])
    return b.table(["from", *(f"to {name}" for name in moved.columns)], rows)


def _valued(universe: Universe) -> list[dict[str, Any]]:
    assert universe.valuation is not None  # noqa: S101 - the page has this part only where there is one
    return _records(latest_told(universe.valuation))


def _valuation(universe: Universe) -> b.Table:
    columns: list[_Column] = []
    for ratio, (name, _) in RATIOS.items():
        columns.append((name, ratio, _one))
        if ratio == "pe" and universe.inputs.losses == "report":
            columns.append(("of profits", "pe_without_losses", _one))
        columns.append(("median", f"{ratio}_median", _one))
    return _by_class(_valued(universe), columns)


def _losses(universe: Universe) -> b.Table:
    return _by_class(_valued(universe), _LOSS_MAKERS)


def _discounts(universe: Universe) -> list[list[str]]:
    assert universe.discounts is not None  # noqa: S101 - the page has this part only where there is one
    small, large = universe.scheme.ends
    rows = []
    for ratio, (name, _) in RATIOS.items():
        column = f"discount_{ratio}"
        if column not in universe.discounts:
            continue
        known = universe.discounts[universe.discounts[column].notna()]
        last = known.iloc[-1]
        cells = [f"{small} to {large} on {name}", f"{known.index[-1]:%Y-%m-%d}", percent(last[column], 1)]
        rows.append([*cells, percent(last[f"{column}_percentile"], 0), f"{len(known):,}"])
    return rows


def _debt(universe: Universe) -> b.Table:
    rows = _valued(universe)
    fair = any(np.isfinite(row["fair_discount"]) for row in rows)
    return _by_class(rows, _DEBT if fair else _DEBT[:-1])


def _summary(universe: Universe) -> list[str]:
    small, large = universe.scheme.ends
    rows = {row["class"]: row for row in _last(universe.classes)}
    said = []
    if small in rows and large in rows:
        said.append(
            f"{large.capitalize()} companies are {rows[large]['companies']:,} of "
            f"{rows['market']['companies']:,} and {rows[large]['share']:.1%} of capitalisation; {small} "
            f"companies are {rows[small]['companies']:,} and {rows[small]['share']:.1%}."
        )
    if universe.discounts is not None:
        said += [
            f"Discount of {what}: {value} on {date}, at percentile {place} of its own past ({dates} dates)."
            for what, date, value, place, dates in _discounts(universe)[-1:]
        ]
    return said


def _warnings(universe: Universe) -> list[str]:
    found = [said for said in (foreign(universe), *too_good(universe.hangs)) if said]
    if universe.portfolios.price_only:
        found.append("Prices without dividends: every return here is too low by the dividends.")
    late = [a for a in universe.set_aside if a.reason == WORDS[LATE]]
    if late:
        found.append(
            f"{late[0].rows:,} returns were corrected for a split by the share count of the bar after it. No "
            "class depends on it: members and weights come from what was delivered by then."
        )
    return found


def _kept(universe: Universe) -> Iterator[b.Block]:
    """Give what a screen keeps, as a portfolio."""
    if universe.kept is None:
        return
    table = universe.kept.companies
    last = _last(table) if len(table) else []
    yield b.Heading("The screen as a portfolio")
    yield b.Text(in_words(universe.kept, universe.portfolios))
    yield b.Text(
        f"Who was kept on {last[0]['date']:%Y-%m-%d}, and why; kept.parquet has every reconstitution.", "note"
    )
    rows = [(row["company"], row["name"] or "", row["class"], row["reason"]) for row in last]
    yield b.table(["Company", "", "Class", "Reason"], rows, "wwww", first=10)


def _accounts(universe: Universe) -> Iterator[b.Block]:
    """Give what only accounts can tell."""
    if universe.valuation is None:
        return
    said = _LOSSES[universe.inputs.losses]
    yield b.Heading(f"Valuation on {_valued(universe)[0]['date']:%Y-%m-%d}")
    yield b.Text(f"{said} The median is that of companies whose figure is above zero.", "note")
    yield _valuation(universe)
    yield _losses(universe)
    yield figures.valuation(universe)
    yield b.table(["Discount", "on", "is", "percentile of its own past", "dates"], _discounts(universe))
    yield b.Heading("Growth and debt")
    yield b.Text(
        "Growth over a year of companies with earnings known at both its ends. Interest cover is earnings "
        "before interest and taxes over interest: below 1 the class as a whole does not earn its interest.",
        "note",
    )
    yield _debt(universe)


def _set_aside(universe: Universe) -> Iterator[b.Block]:
    yield b.Heading("Set aside or corrected")
    yield b.Text(f"{universe.table.rows:,} rows were read. Each rule counts what earlier rules left.", "note")
    rows = [(a.reason, f"{a.rows:,}", "; ".join(a.examples[:3])) for a in universe.set_aside]
    yield b.table(["Rule", "Rows", "For example"], rows, "wrw", first=10)


def universe_page(universe: Universe, name: str) -> b.Page:
    """Return the page of a universe."""
    dates, scheme = universe.portfolios.dates, universe.scheme
    formed = max(len(universe.portfolios.formed) - 1, 0)
    blocks: list[b.Block] = [
        b.Heading(name, 1),
        b.Text(
            f"{scheme.title}. Companies of {universe.inputs.companies.name}, {dates[0]} to {dates[-1]}, "
            f"counted in {universe.table.currency or 'their own currency'}.",
            "lead",
        ),
        b.Conclusion(tuple(_summary(universe))),
        *(b.Text(said, "warning") for said in _warnings(universe)),
        b.Heading(f"Classes on {universe.classes['date'].max():%Y-%m-%d}"),
        _classes(universe),
        *(b.Heading("Shares of the market"), figures.shares(universe)),
    ]
    if universe.has_returns:
        blocks += [
            *(b.Heading("Growth"), figures.growth(universe), _returns(universe)),
            b.Heading("What these returns hang on"),
            b.Text(HANGS, "note"),
            _hangs(universe),
        ]
    blocks += [
        b.Heading("Migration"),
        b.Text(
            "Of a hundred lines that were in a class before a reconstitution, so many were in each class "
            f"after it, on average over {formed:,} reconstitutions. Lines that vanished in between are not "
            "counted.",
            "note",
        ),
        _migration(universe),
        figures.migration(universe),
        *(b.Heading("Concentration"), figures.concentration(universe)),
        *_accounts(universe),
        *_kept(universe),
        *_set_aside(universe),
        *(b.Heading("Terms"), b.Definitions(tuple(settings(universe).items()))),
        b.Heading("Files"),
        b.Definitions(tuple((file, b.Code(f"sha256 {digest}")) for file, digest in universe.files.items())),
    ]
    return b.Page(f"{name}: {scheme.title}", tuple(blocks))
