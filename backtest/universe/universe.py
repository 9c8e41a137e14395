"""A universe: the classes made of a table of companies, with all that is said of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import UsageError, nearest
from backtest.files import require_regular
from backtest.universe.about import take_in_about
from backtest.universe.build import Portfolios, Rules, build, frame, listed
from backtest.universe.changes import cohorts
from backtest.universe.countries import ALL, home_of
from backtest.universe.fundamentals import known_accounts, read_accounts, take_in_accounts
from backtest.universe.hangs import hangs
from backtest.universe.intake import Intake, SetAside, take_in
from backtest.universe.kept import Kept, Selection, keep
from backtest.universe.mapping import load_mapping
from backtest.universe.schemes import TOTAL, Scheme, load_scheme
from backtest.universe.screen import screen
from backtest.universe.statistics import class_table, member_table, migration_table
from backtest.universe.valuation import LOSSES, discounts, valuation_table
from backtest.universe.workshop import MEMORY, Workshop

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from backtest.universe.countries import Home
    from backtest.universe.workshop import Relation

_LITTLE = 0.0005
"""A share in capitalisation that rounds to 0.0% is not worth a word."""


@dataclass(frozen=True)
class Inputs:
    """What a universe is made of.

    Parameters
    ----------
    companies, fundamentals
        The table of companies, and files of accounts.
    about
        Lists of companies: industries, and the numbers under which they file.
    scheme
        A name, or the path of a TOML file.
    mapping
        Names or paths of mappings, which add to each other; none where the columns bear our own names.
    rates, index
        Files of exchange rates, and of the series that borders move with.
    losses
        What ratios do with losses: ``keep``, ``drop`` or ``report``.
    country
        Whose companies, as the table writes it, or ``all``; by default the scheme's.
    memory
        What the queries may hold at once.
    """

    companies: Path
    scheme: str = "us"
    mapping: tuple[str, ...] = ()
    fundamentals: tuple[Path, ...] = ()
    about: tuple[Path, ...] = ()
    rates: Path | None = None
    index: Path | None = None
    losses: str = "report"
    country: str | None = None
    memory: str = MEMORY


@dataclass(frozen=True, eq=False)
class Universe:
    """Classes, their returns, statistics and valuations.

    Parameters
    ----------
    inputs, scheme, rules, table, portfolios
        What it was made of, and how.
    returns
        By date: each class, ``market``, and each ``_equal``; simple, decimal, NaN before the first period.
    hangs
        What the classes' returns hang on: see ``backtest.universe.hangs``.
    classes, migration
        See ``backtest.universe.statistics``.
    valuation, discounts
        See ``backtest.universe.valuation``; None without accounts.
    members
        Every line at each date shown; None unless asked for.
    kept
        What a screen keeps, as a portfolio; None unless asked for.
    set_aside
        What was left out or corrected, by rule, with counts and examples.
    listed
        The same by company: ``reason, company, name, rows, first, last``.
    files
        The files that were read, with their sha256.
    """

    inputs: Inputs
    scheme: Scheme
    rules: Rules
    table: Intake
    portfolios: Portfolios
    returns: pd.DataFrame
    hangs: pd.DataFrame
    classes: pd.DataFrame
    migration: pd.DataFrame
    valuation: pd.DataFrame | None
    discounts: pd.DataFrame | None
    members: pd.DataFrame | None
    kept: Kept | None
    set_aside: list[SetAside]
    listed: pd.DataFrame
    files: dict[str, str] = field(default_factory=dict)

    @property
    def has_returns(self) -> bool:
        """Whether the table had prices or returns to make the classes' returns of."""
        return bool(self.returns["market"].notna().any())


@dataclass(frozen=True)
class _Made:
    """What every answer begins with."""

    scheme: Scheme
    table: Intake
    portfolios: Portfolios
    accounts: Relation | None
    set_aside: list[SetAside]


def _made(shop: Workshop, inputs: Inputs, rules: Rules, *, spool: bool = False) -> _Made:
    """Take everything in, and form the classes."""
    scheme, mapping = load_scheme(inputs.scheme), load_mapping(*inputs.mapping)
    if inputs.index is not None and scheme.index in ("", TOTAL):
        raise UsageError(f"the borders of {scheme.name} move with no series of yours; leave --index out")
    home = home_of(scheme, inputs.country)
    about = take_in_about(shop, inputs.about, mapping)
    filed = accounts = None
    if inputs.fundamentals:
        filed = read_accounts(shop, inputs.fundamentals, mapping, scheme.currency or mapping.currency)
    table = take_in(
        shop,
        inputs.companies,
        mapping,
        scheme.currency,
        inputs.rates,
        home,
        about=about,
        outstanding=None if filed is None else filed.outstanding,
    )
    portfolios = build(shop, table, scheme, rules, inputs.index, spool=spool)
    aside = [*table.set_aside, *portfolios.set_aside]
    if filed is not None:
        accounts, passed_over = take_in_accounts(shop, filed.rows, table, about)
        aside += [*filed.set_aside, *passed_over]
    return _Made(scheme, table, portfolios, accounts, aside)


def make_universe(
    inputs: Inputs, rules: Rules, *, members: bool = False, selection: Selection | None = None
) -> Universe:
    """Return the universe of a table of companies; with a selection what a screen keeps, as a portfolio.

    Raises
    ------
    UsageError, DataError
        When a file, a column or a name is missing, or nothing can be made of the table.
    """
    if inputs.losses not in LOSSES:
        raise UsageError(f"there is no policy '{inputs.losses}' for losses; {nearest(inputs.losses, LOSSES)}")
    if selection is not None:
        _require_accounts(inputs)
    with Workshop(inputs.memory) as shop:
        made = _made(shop, inputs, rules, spool=selection is not None)
        scheme, table, portfolios = made.scheme, made.table, made.portfolios
        valuation, kept, aside = None, None, made.set_aside
        if made.accounts is not None:
            valued, odd = known_accounts(shop, made.accounts, table, portfolios)
            valuation, aside = valuation_table(shop, scheme, valued, inputs.losses), [*aside, *odd]
        if made.accounts is not None and selection is not None:
            before, _ = known_accounts(shop, made.accounts, table, portfolios, before=True)
            kept = keep(shop, scheme, table, portfolios, before, rules, selection)
        paths = [inputs.companies, *inputs.fundamentals, *inputs.about, inputs.rates, inputs.index]
        return Universe(
            inputs=inputs,
            scheme=scheme,
            rules=rules,
            table=table,
            portfolios=portfolios,
            returns=frame(portfolios, scheme, rules.delisting),
            hangs=hangs(portfolios, scheme, rules.delisting),
            classes=class_table(shop, scheme, table, portfolios),
            migration=migration_table(shop, scheme, table, portfolios),
            valuation=valuation,
            discounts=None if valuation is None else discounts(valuation, scheme),
            members=member_table(shop, scheme, table, portfolios) if members else None,
            kept=kept,
            set_aside=aside,
            listed=listed(shop, table, portfolios),
            files={name: digest for path in paths if path for name, digest in _checksums(path)},
        )


def _require_accounts(inputs: Inputs) -> None:
    if not inputs.fundamentals:
        raise UsageError("a screen needs accounts; name their file with --fundamentals FILE")


def make_screen(inputs: Inputs, rules: Rules, date: str | None) -> tuple[pd.DataFrame, np.datetime64]:
    """Return the screen of one date (by default the last), and the date.

    Raises
    ------
    UsageError
        When there are no accounts, or no companies at that date.
    """
    from backtest.dates import parse_day

    _require_accounts(inputs)
    with Workshop(inputs.memory) as shop:
        made = _made(shop, inputs, rules)
        assert made.accounts is not None  # noqa: S101 - they are required
        valued, _ = known_accounts(shop, made.accounts, made.table, made.portfolios)
        last = np.datetime64(shop.value(f"SELECT max(date) FROM {valued}"), "D")
        day = last if date is None else parse_day(date, "--date")
        return screen(shop, made.scheme, made.table.lines, valued, day), day


def make_changes(
    inputs: Inputs, rules: Rules, near: float, months: tuple[int, int]
) -> tuple[pd.DataFrame, Scheme]:
    """Return the cohorts of companies that changed their class, and the scheme: see ``changes.cohorts``.

    Raises
    ------
    UsageError, DataError
        When a file, a column or a name is missing, the table has no returns, or nobody changed his class.
    """
    with Workshop(inputs.memory) as shop:
        made = _made(shop, inputs, rules, spool=True)
        found = cohorts(shop, made.scheme, made.table, made.portfolios, rules.band, near, months)
        return found, made.scheme


def _checksums(path: Path) -> list[tuple[str, str]]:
    found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    digests = []
    for file in found:
        require_regular(file)
        with file.open("rb") as content:
            digests.append((file.name, hashlib.file_digest(content, "sha256").hexdigest()))
    return digests


def _whose(home: Home) -> str:
    if not home.names:
        return "any country; the table does not say which, or the scheme is for none"
    return (
        f"{home.names[0]} and of others" if home.keep else f"{home.names[0]}, and those of no known country"
    )


def foreign(universe: Universe) -> str:
    """Return in a sentence how much of the classes other countries' companies are; empty where it is nothing.

    At the last date that is shown.
    """
    if "foreign" not in universe.classes:
        return ""
    last = universe.classes[universe.classes["date"] == universe.classes["date"].max()].set_index("class")
    home = universe.table.home
    said = []
    if last["foreign"].max() > 0.0:
        parts = ", ".join(f"{row['foreign']:.1%} of {name}" for name, row in last.iloc[:-1].iterrows())
        said.append(
            f"Companies of other countries than {home.names[0]} are {last['foreign'].iloc[-1]:.1%} of the "
            f"capitalisation ({parts}); without --country {ALL} they are left out."
        )
    if last["unknown"].iloc[-1] >= _LITTLE:
        said.append(
            f"Of {last['unknown'].iloc[-1]:.1%} of the capitalisation the table does not say the country; "
            "it is kept."
        )
    return " ".join(said)


def settings(universe: Universe) -> dict[str, Any]:
    """Return the rules that a universe was built by, in words and numbers, for its record and its page."""
    rules, limits = universe.rules, universe.rules.limits
    leaves = "its last value" if np.isnan(rules.delisting) else f"a return of {rules.delisting:+.0%}"
    return {
        "scheme": f"{universe.scheme.name}: {universe.scheme.title}",
        "borders from": universe.scheme.source,
        "companies of": _whose(universe.table.home),
        "reconstitution": f"{rules.reconstitute}, on capitalisations at its close; returns begin a bar on",
        "weights": "capitalisation (and equal), drifting between reconstitutions",
        "band": f"{rules.band:.0%} of a border",
        "a company without a row": f"is held for {rules.carry} bars, then leaves at {leaves}; the rest of "
        "its class takes its weight",
        "industries": "as the list of companies has them today, with hindsight"
        if universe.inputs.about
        else "as the table has them",
        "returns": "prices without dividends" if universe.portfolios.price_only else "total returns",
        "not believed": f"a capitalisation {limits.times:,.0f} times its predecessor, or {limits.jump:g} "
        f"times without the price, until {limits.confirm} rows confirm it; a move of more than "
        f"{limits.move:g} times",
        "losses": universe.inputs.losses,
    }
