"""Fundamentals: figures of companies' accounts, joined to dates by the day on which they were published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.errors import DataError
from backtest.universe.about import keys
from backtest.universe.facts import are_facts, read_facts
from backtest.universe.intake import EXAMPLES, Intake, SetAside
from backtest.universe.mapping import FIGURES, Mapping
from backtest.universe.workshop import as_day, as_number, as_text, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.universe.build import Portfolios
    from backtest.universe.workshop import Relation, Workshop

MAX_AGE = 550
"""Days after the end of its year that an annual account speaks for: a year and half of one, till the next."""

TIMES = 100
"""A figure of the accounts that is more than so many times the capitalisation is not believed."""


@dataclass(frozen=True)
class Accounts:
    """Accounts as files have them.

    Parameters
    ----------
    rows
        ``company, published, period_end, currency`` and ``FIGURES``, NULL where one is not given.
    outstanding
        ``company, published, as_of, shares``; None where no file has numbers of shares.
    set_aside
        What was left out.
    """

    rows: Relation
    outstanding: Relation | None
    set_aside: list[SetAside]


def read_accounts(shop: Workshop, paths: Sequence[Path], mapping: Mapping, currency: str) -> Accounts:
    """Read files of accounts, or of facts.

    Raises
    ------
    UsageError
        When a file or a column that is needed is missing.
    """
    read = [
        read_facts(shop, path, mapping, currency) if are_facts(path) else _one_file(shop, path, mapping)
        for path in paths
    ]
    rows = " UNION ALL BY NAME ".join(f"SELECT * FROM {accounts}" for accounts, _, _ in read)
    told = " UNION ALL ".join(f"SELECT * FROM {shares}" for _, shares, _ in read)
    there = f"({told}) WHERE shares > 0 AND published IS NOT NULL AND published >= as_of"
    outstanding = _as_known(shop, "outstanding", there, "company", "as_of")
    counted = shop.value(f"SELECT count(*) FROM {outstanding}")
    aside = [each for *_, found in read for each in found]
    return Accounts(shop.view("filed", rows), outstanding if counted else None, aside)


def _as_known(shop: Workshop, word: str, rows: str, who: str, day: str) -> Relation:
    """Return rows without those about an earlier day than was known of: they never replace a later one."""
    return shop.table(
        word,
        f"SELECT * EXCLUDE (newest) FROM (SELECT *, max({day}) OVER (PARTITION BY {who} ORDER BY "
        f"published, {day} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest FROM {rows}) "
        f"WHERE newest IS NULL OR {day} >= newest "
        f"QUALIFY row_number() OVER (PARTITION BY {who}, published ORDER BY {day} DESC) = 1",
    )


def take_in_accounts(
    shop: Workshop, filed: Relation, table: Intake, about: Relation
) -> tuple[Relation, list[SetAside]]:
    """Return the accounts of issuers, as they became known, and what was set aside.

    Several files (income, balance) are laid together by company, end of period and publication. Columns:
    ``issuer, published, period_end`` and ``FIGURES``, NULL where one is not given. Companies that the table
    of companies does not have are counted and passed over.

    Raises
    ------
    UsageError
        When the accounts are in several currencies.
    """
    figures = ", ".join(f"max({f}) AS {f}" for f in FIGURES)
    laid = shop.table(
        "laid",
        "SELECT company, published, period_end, any_value(currency) AS currency, "
        f"{figures}, CASE WHEN published IS NULL THEN 'accounts without a date of publication' "
        "WHEN published < period_end THEN 'accounts published before their year ended' "
        "WHEN company IS NULL THEN 'accounts without a company' END AS reason "
        f"FROM {filed} GROUP BY company, published, period_end",
    )
    _one_currency(shop, laid, table.currency)
    # By issuer: accounts filed under one share class speak for the company whichever line stands for it.
    issuers = shop.table(
        "issuers",
        f"SELECT DISTINCT k.key AS company, l.issuer FROM {keys(shop, table.lines, about)} k "
        f"JOIN {table.lines} l USING (company)",
    )
    # What was filed first about a year (its income) stands beside what came later (its balance).
    latest = ", ".join(
        f"last_value(any_value(f.{f}) IGNORE NULLS) OVER (PARTITION BY i.issuer, f.period_end "
        f"ORDER BY f.published ROWS UNBOUNDED PRECEDING) AS {f}"
        for f in FIGURES
    )
    known = shop.table(
        "known",
        f"SELECT i.issuer, f.published, f.period_end, {latest} FROM {laid} f JOIN {issuers} i "
        "USING (company) WHERE f.reason IS NULL GROUP BY i.issuer, f.published, f.period_end",
    )
    others = "'accounts of companies that the table of companies does not have'"
    unknown = f"{laid} WHERE reason IS NULL AND company NOT IN (SELECT company FROM {issuers})"
    return _as_known(shop, "accounts", str(known), "issuer", "period_end"), [
        *_told(shop, "reason", f"{laid} WHERE reason IS NOT NULL"),
        *_told(shop, others, unknown),
    ]


def _one_file(shop: Workshop, path: Path, mapping: Mapping) -> tuple[Relation, Relation, list[SetAside]]:
    filed, kind = shop.read(path)
    columns = mapping.accounts(list(filed.columns), path.name)
    company = mapping.renamed(as_text(quoted(columns["company"][0][0]), kind))
    published = as_day(quoted(columns["published"][0][0]))
    # Without an end of period the accounts are taken to be about the day they were published.
    ended = as_day(quoted(columns["period_end"][0][0])) if "period_end" in columns else published
    currency = f"{quoted(columns['currency'][0][0])}::VARCHAR" if "currency" in columns else "NULL::VARCHAR"
    shares = as_number(quoted(columns["shares"][0][0])) if "shares" in columns else "NULL::DOUBLE"
    figures = []
    for figure in FIGURES:
        terms = [f"{sign!r} * {as_number(quoted(theirs))}" for theirs, sign in columns.get(figure, [])]
        # A sum of what is there: a company without long-term debt leaves that column empty.
        figures.append(
            f"list_sum([{', '.join(terms)}]) AS {figure}" if terms else f"NULL::DOUBLE AS {figure}"
        )
    who = f"nullif({company}, '') AS company, {published} AS published"
    return (
        shop.view(
            "filed",
            f"SELECT {who}, {ended} AS period_end, {currency} AS currency, {', '.join(figures)} FROM {filed}",
        ),
        shop.view("shares", f"SELECT {who}, {ended} AS as_of, {shares} AS shares FROM {filed}"),
        [],
    )


def _one_currency(shop: Workshop, accounts: Relation, currency: str) -> None:
    there = [
        row[0] for row in shop.rows(f"SELECT DISTINCT currency FROM {accounts} WHERE currency IS NOT NULL")
    ]
    foreign = sorted(c for c in there if currency and c != currency)
    if foreign:
        raise DataError(
            f"the accounts are counted in {', '.join(foreign)}, capitalisations in {currency}; "
            f"convert the accounts to {currency} first"
        )


def _told(shop: Workshop, reason: str, rows: str) -> list[SetAside]:
    counted = shop.rows(
        f"SELECT {reason} AS why, count(*), list(coalesce(company, 'none') || ' ' || "
        f"coalesce(published::VARCHAR, 'no date') ORDER BY company)[1:{EXAMPLES}] FROM {rows} GROUP BY why"
    )
    return [SetAside(why, count, tuple(examples)) for why, count, examples in counted]


def known_accounts(
    shop: Workshop, accounts: Relation, table: Intake, portfolios: Portfolios, *, before: bool = False
) -> tuple[Relation, list[SetAside]]:
    """Return each company at each date shown, with what was known of it then, and what was set aside.

    Columns: ``date, id, issuer, class, size``; the ``FIGURES``, NULL where no account whose year ended at
    most ``MAX_AGE`` days before had been published by that date; ``earnings_before`` and ``size_before``, as
    they were known a year earlier (of an earlier year's account; NULL where no newer one has come since);
    ``fair``, the capitalisation at the user's fair value, NULL where there is none. A figure more than
    ``TIMES`` the capitalisation is set aside and counted: accounts in thousands, or in another currency than
    they say, are otherwise most of their class. ``before`` leaves out what was published on the date itself,
    for what is bought at its close.
    """
    fresh = ", ".join(
        f"CASE WHEN m.date - a.period_end <= {MAX_AGE} AND abs(a.{f}) <= {TIMES} * m.size "
        f"THEN a.{f} END AS {f}"
        for f in FIGURES
    )
    odd = " OR ".join(f"abs(a.{f}) > {TIMES} * m.size" for f in FIGURES)
    fair, prices = "NULL::DOUBLE", ""
    if "fair_value" in table.columns:
        fair = "m.size * r.fair_value * r.fx / r.price"
        prices = f"LEFT JOIN {table.raw} r ON r.date = b.date AND r.company = l.company AND r.reason IS NULL"
    companies = shop.table(
        "companies",
        f"SELECT b.date, m.id, l.issuer, m.class, m.size, {fair} AS fair FROM {portfolios.members} m "
        f"JOIN {table.bars} b USING (bar) JOIN {table.lines} l USING (id) {prices} WHERE m.lead "
        # A row that stands twice in the table is one company.
        "QUALIFY row_number() OVER (PARTITION BY b.bar, m.id) = 1",
    )
    now = shop.table(
        "now",
        f"SELECT m.*, a.period_end, {fresh}, coalesce({odd}, false) AS odd FROM {companies} m ASOF LEFT JOIN "
        f"{accounts} a ON m.issuer = a.issuer AND m.date {'>' if before else '>='} a.published",
    )
    # A year before is the latest date shown that lies a year back (a month's end may come some days late),
    # and nothing older than that by more than a quarter.
    valued = shop.table(
        "valued",
        "SELECT n.* EXCLUDE (odd, period_end), "
        "CASE WHEN n.date - y.date <= 456 AND y.period_end < n.period_end THEN y.earnings END "
        f"AS earnings_before, CASE WHEN n.date - y.date <= 456 THEN y.size END AS size_before FROM {now} n "
        "ASOF LEFT JOIN (SELECT issuer, date, size, earnings, period_end, date + 361 AS later "
        f"FROM {now}) y ON n.issuer = y.issuer AND n.date >= y.later",
    )
    count, examples = shop.rows(
        f"SELECT count(*), list(DISTINCT company || ' ' || coalesce(name, '')) FROM {now} "
        f"JOIN {table.lines} USING (id) WHERE odd"
    )[0]
    reason = f"a figure of the accounts more than {TIMES} times the capitalisation: that figure is not used"
    aside = [SetAside(reason, count, tuple(sorted(examples)[:EXAMPLES]))] if count else []
    return valued, aside
