"""Fundamentals: figures of companies' accounts, joined to dates by the day on which they were published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.errors import DataError
from backtest.universe.about import keys
from backtest.universe.facts import are_facts, read_facts
from backtest.universe.intake import EXAMPLES, SetAside
from backtest.universe.mapping import FIGURES, Mapping
from backtest.universe.workshop import as_day, as_number, as_text, files, names, parquet, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.universe.workshop import Workshop

MAX_AGE = 550
"""Days after the end of its year that an annual account speaks for: a year and half of one, till the next."""

TIMES = 100
"""A figure of the accounts that is more than so many times the capitalisation is not believed."""


def read_accounts(
    shop: Workshop, paths: Sequence[Path], mapping: Mapping, currency: str
) -> tuple[bool, list[SetAside]]:
    """Read files of accounts into the workshop's tables ``accounts_N`` and ``outstanding``.

    Returns whether any of them has numbers of shares, and what was set aside. Columns of ``outstanding``:
    ``company, published, as_of, shares``; what is published later of an earlier day never replaces what is
    known of a later one.

    Raises
    ------
    UsageError
        When a file or a column that is needed is missing.
    """
    aside: list[SetAside] = []
    for number, path in enumerate(paths):
        if are_facts(path):
            aside += read_facts(shop, number, path, mapping, currency)
        else:
            _one_file(shop, number, path, mapping)
    told = " UNION ALL ".join(f"SELECT * FROM outstanding_{n}" for n in range(len(paths)))
    shop.run(
        "CREATE TABLE outstanding AS SELECT * EXCLUDE (newest) FROM (SELECT *, max(as_of) OVER (PARTITION BY "
        "company ORDER BY published, as_of ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest FROM "
        f"({told}) WHERE shares > 0 AND published IS NOT NULL AND published >= as_of) "
        "WHERE newest IS NULL OR as_of >= newest "
        "QUALIFY row_number() OVER (PARTITION BY company, published ORDER BY as_of DESC) = 1"
    )
    return bool(shop.value("SELECT count(*) FROM outstanding")), aside


def take_in_accounts(shop: Workshop, n_files: int, currency: str) -> list[SetAside]:
    """Settle what was read into the workshop's table ``accounts``; returns what was set aside.

    Several files (income, balance) are laid together by company, end of period and publication. Columns of
    the table: ``issuer, published, period_end`` and ``FIGURES``, NULL where one is not given. Companies that
    the table of companies does not have are counted and passed over.

    Raises
    ------
    UsageError
        When the accounts are in several currencies.
    """
    together = " UNION ALL BY NAME ".join(f"SELECT * FROM accounts_{n}" for n in range(n_files))
    figures = ", ".join(f"max({f}) AS {f}" for f in FIGURES)
    shop.run(
        "CREATE TABLE filed AS SELECT company, published, period_end, any_value(currency) AS currency, "
        f"{figures}, CASE WHEN published IS NULL THEN 'accounts without a date of publication' "
        "WHEN published < period_end THEN 'accounts published before their year ended' "
        "WHEN company IS NULL THEN 'accounts without a company' END AS reason "
        f"FROM ({together}) GROUP BY company, published, period_end"
    )
    _one_currency(shop, currency)
    # By issuer: accounts filed under one share class speak for the company whichever line stands for it.
    keys(shop, "lines")
    shop.run(
        "CREATE TABLE issuers AS SELECT DISTINCT k.key AS company, l.issuer FROM keys k "
        "JOIN lines l USING (company)"
    )
    shop.run(
        "CREATE TABLE known AS SELECT i.issuer, f.published, f.period_end, "
        # What was filed first about a year (its income) stands beside what came later (its balance).
        + ", ".join(
            f"last_value(any_value(f.{f}) IGNORE NULLS) OVER (PARTITION BY i.issuer, f.period_end "
            f"ORDER BY f.published ROWS UNBOUNDED PRECEDING) AS {f}"
            for f in FIGURES
        )
        + " FROM filed f JOIN issuers i USING (company) WHERE f.reason IS NULL "
        "GROUP BY i.issuer, f.published, f.period_end"
    )
    # What is published later about an earlier year never replaces what is known of a later one.
    shop.run(
        "CREATE TABLE accounts AS SELECT * EXCLUDE (newest) FROM (SELECT *, max(period_end) OVER (PARTITION "
        "BY issuer ORDER BY published, period_end ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) "
        "AS newest "
        "FROM known) WHERE newest IS NULL OR period_end >= newest "
        "QUALIFY row_number() OVER (PARTITION BY issuer, published ORDER BY period_end DESC) = 1"
    )
    aside = _told(shop, "reason", "filed WHERE reason IS NOT NULL")
    aside += _told(
        shop,
        "'accounts of companies that the table of companies does not have'",
        "filed WHERE reason IS NULL AND company NOT IN (SELECT company FROM issuers)",
    )
    return aside


def _one_file(shop: Workshop, number: int, path: Path, mapping: Mapping) -> None:
    kind, found = files(path, shop.folder)
    unread = "all_varchar = true, header = true, union_by_name = true"
    reader = f"read_csv({names(found)}, {unread})" if kind == "csv" else parquet(found)
    shop.run(f"CREATE TABLE filed_{number} AS SELECT * FROM {reader}")
    present = [row[0] for row in shop.rows(f"DESCRIBE filed_{number}")]
    columns = mapping.accounts(present, path.name)
    company = mapping.renamed(as_text(quoted(columns["company"][0][0]), kind))
    published = as_day(quoted(columns["published"][0][0]))
    ended = columns.get("period_end")
    parts = [
        f"nullif({company}, '') AS company",
        f"{published} AS published",
        # Without an end of period the accounts are taken to be about the day they were published.
        (as_day(quoted(ended[0][0])) if ended else published) + " AS period_end",
        (f"{quoted(columns['currency'][0][0])}::VARCHAR" if "currency" in columns else "NULL::VARCHAR")
        + " AS currency",
    ]
    for figure in FIGURES:
        terms = [f"{sign!r} * {as_number(quoted(theirs))}" for theirs, sign in columns.get(figure, [])]
        # A sum of what is there: a company without long-term debt leaves that column empty.
        parts.append(f"list_sum([{', '.join(terms)}]) AS {figure}" if terms else f"NULL::DOUBLE AS {figure}")
    shop.run(f"CREATE TABLE accounts_{number} AS SELECT {', '.join(parts)} FROM filed_{number}")
    shares = as_number(quoted(columns["shares"][0][0])) if "shares" in columns else "NULL::DOUBLE"
    of = as_day(quoted(ended[0][0])) if ended else published
    shop.run(
        f"CREATE TABLE outstanding_{number} AS SELECT {parts[0]}, {published} AS published, {of} AS as_of, "
        f"{shares} AS shares FROM filed_{number}"
    )


def _one_currency(shop: Workshop, currency: str) -> None:
    there = [row[0] for row in shop.rows("SELECT DISTINCT currency FROM filed WHERE currency IS NOT NULL")]
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
    shop: Workshop, max_age: int = MAX_AGE, *, fair_values: bool = False, before: bool = False
) -> list[SetAside]:
    """Make the workshop's table ``valued``: each company at each date shown, with what was known of it then.

    Columns: ``date, id, issuer, class, size``; the ``FIGURES``, NULL where no account whose year ended at
    most ``max_age`` days before had been published by that date; ``earnings_before`` and ``size_before``, as
    they were known a year earlier (of an earlier year's account; NULL where no newer one has come since);
    ``fair``, the capitalisation at the user's fair value, NULL where there is none. A figure more than
    ``TIMES`` the capitalisation is set aside and counted: accounts in thousands, or in another currency than
    they say, are otherwise most of their class. ``before`` leaves out what was published on the date itself,
    for what is bought at its close.
    """
    fresh = ", ".join(
        f"CASE WHEN m.date - a.period_end <= {max_age} AND abs(a.{f}) <= {TIMES} * m.size "
        f"THEN a.{f} END AS {f}"
        for f in FIGURES
    )
    odd = " OR ".join(f"abs(a.{f}) > {TIMES} * m.size" for f in FIGURES)
    fair = "m.size * r.fair_value * r.fx / r.price" if fair_values else "NULL::DOUBLE"
    prices = (
        "LEFT JOIN raw r ON r.date = b.date AND r.company = l.company AND r.reason IS NULL"
        if fair_values
        else ""
    )
    until = ">" if before else ">="
    shop.run(
        "CREATE OR REPLACE TABLE companies AS SELECT b.date, m.id, l.issuer, m.class, m.size, "
        f"{fair} AS fair FROM members m JOIN bars b USING (bar) JOIN lines l USING (id) {prices} "
        "WHERE m.lead "
        # A row that stands twice in the table is one company.
        "QUALIFY row_number() OVER (PARTITION BY b.bar, m.id) = 1"
    )
    shop.run(
        f"CREATE OR REPLACE TABLE now AS SELECT m.*, a.period_end, {fresh}, coalesce({odd}, false) AS odd "
        f"FROM companies m ASOF LEFT JOIN accounts a ON m.issuer = a.issuer AND m.date {until} a.published"
    )
    # A year before is the latest date shown that lies a year back (a month's end may come some days late),
    # and nothing older than that by more than a quarter.
    shop.run(
        "CREATE OR REPLACE TABLE valued AS SELECT n.* EXCLUDE (odd, period_end), "
        "CASE WHEN n.date - y.date <= 456 AND y.period_end < n.period_end THEN y.earnings END "
        "AS earnings_before, "
        "CASE WHEN n.date - y.date <= 456 THEN y.size END AS size_before FROM now n ASOF LEFT JOIN "
        "(SELECT issuer, date, size, earnings, period_end, date + 361 AS later FROM now) y "
        "ON n.issuer = y.issuer AND n.date >= y.later"
    )
    count, examples = shop.rows(
        "SELECT count(*), list(DISTINCT company || ' ' || coalesce(name, '')) FROM now "
        "JOIN lines USING (id) WHERE odd"
    )[0]
    if not count:
        return []
    reason = f"a figure of the accounts more than {TIMES} times the capitalisation: that figure is not used"
    return [SetAside(reason, count, tuple(sorted(examples)[:EXAMPLES]))]
