"""Intake: reads a table of companies, and sets aside, by stated rules, what cannot be used.

The table becomes, inside the workshop,

    raw       one row a row of the files, typed; ``reason`` says why it is set aside, or is null
    seen      one row a reason and company: how many rows, from when to when
    lines     one row a listed line: its number, issuer, first and last date
    bars      the dates, numbered
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backtest.errors import DataError, UsageError, nearest
from backtest.universe.about import keys
from backtest.universe.countries import Home, check_home
from backtest.universe.mapping import NUMBERS, TEXTS, Mapping
from backtest.universe.workshop import as_day, as_number, as_text, files, names, parquet, quoted, text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from backtest.universe.workshop import Workshop

EXAMPLES = 5
_NUMERIC = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$|FLOAT|DOUBLE|DECIMAL")
GARBLED = "text where a number belongs"
SECOND = "a second line of its company"


@dataclass(frozen=True)
class SetAside:
    """Rows that a rule left out: the rule in words, how many, and a few of them."""

    reason: str
    rows: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Intake:
    """A table of companies that was taken in.

    Parameters
    ----------
    rows, used
        Rows in the files, and those of them that no rule of this module set aside.
    columns
        Our columns that are there, to the user's.
    currency
        What prices and capitalisations are counted in.
    doubled
        Whether issuers have several lines.
    capitalisation_of
        As the mapping says: ``line`` or ``company``.
    home
        Whose companies are meant, as far as the table tells.
    set_aside
        What was left out, the largest count first.
    """

    rows: int
    used: int
    columns: dict[str, str]
    currency: str
    doubled: bool
    capitalisation_of: str
    home: Home = field(default_factory=Home)
    set_aside: list[SetAside] = field(default_factory=list)


def take_in(
    shop: Workshop,
    path: Path,
    mapping: Mapping,
    currency: str = "",
    rates: Path | None = None,
    home: Home | None = None,
    *,
    shares: bool = False,
) -> Intake:
    """Read the table at ``path`` (CSV, Parquet, zip, or a folder of them) into the workshop.

    Parameters
    ----------
    currency
        What to count in; by default the currency of the rows.
    rates
        A table of exchange rates, ``date, currency, rate``: units of ``currency`` for one of the other.
    home
        Whose companies are meant; by default any country's.
    shares
        Whether the workshop's table ``outstanding`` has numbers of shares; they stand in where the table
        has a price and no capitalisation.

    Raises
    ------
    UsageError
        When the file or a column that is needed is missing, or currencies are mixed without rates, or there
        is no company of the country that is meant.
    DataError
        When no row can be used.
    """
    kind, ragged = _read(shop, path)
    present = [row[0] for row in shop.rows("DESCRIBE source")]
    columns = mapping.resolve(present, path.name, shares=shares)
    _typed(shop, columns, mapping, kind)
    if not {"capitalisation", "shares"} & columns.keys():
        _borrow_shares(shop, split="split" in columns)
        columns["shares"] = "shares"
    home = check_home(shop, home or Home(), path.name, columns)
    money = _one_currency(shop, path, columns, mapping, currency, rates)
    _raw(shop, columns, mapping, home)
    shop.run(
        "CREATE TABLE seen AS SELECT reason, company, arg_max(issuer, date) AS issuer, "
        "arg_max(name, date) AS name, arg_max(industry, date) AS industry, "
        "arg_max(filer, date) AS filer, count(*) AS rows, "
        "min(date) AS first, max(date) AS last, "
        "max(cap) AS largest FROM raw GROUP BY reason, company"
    )
    counts = shop.rows("SELECT reason, sum(rows)::BIGINT FROM seen GROUP BY reason")
    used = sum(n for reason, n in counts if reason is None)
    if used == 0:
        why = (
            "; ".join(f"{n:,} row{'' if n == 1 else 's'}: {reason}" for reason, n in counts) or "it is empty"
        )
        raise DataError(f"{path.name} has no row that can be used: {why}")
    aside = [SetAside(reason, n, _examples(shop, reason)) for reason, n in counts if reason is not None]
    _lines(shop)
    doubled = bool(shop.value("SELECT count(*) > count(DISTINCT issuer) FROM lines"))
    aside += [ragged] if ragged else []
    return Intake(
        sum(n for _, n in counts) + (ragged.rows if ragged else 0),
        used,
        columns,
        money,
        doubled,
        mapping.capitalisation_of,
        home,
        sorted(aside, key=lambda a: -a.rows),
    )


def _read(shop: Workshop, path: Path) -> tuple[str, SetAside | None]:
    """Make the view or table ``source``; returns its kind, and the ragged lines of a CSV."""
    kind, found = files(path, shop.folder)
    if kind == "parquet":
        shop.run(f"CREATE VIEW source AS SELECT * FROM {parquet(found)}")
        return kind, None
    # As text: what is no number shall be counted, not guessed at. Stored once, for it is read several times.
    lines: dict[tuple[str, int], str] = {}
    for number, file in enumerate(found):
        shop.run(
            f"CREATE TABLE source_{number} AS SELECT * FROM read_csv({names([file])}, all_varchar = true, "
            "header = true, store_rejects = true, null_padding = false, strict_mode = true)"
        )
        for line, content in shop.rows("SELECT line, csv_line FROM reject_errors ORDER BY line"):
            lines[file.name, line] = content  # a line with two errors is one line
        shop.run("DROP TABLE reject_errors")
        shop.run("DROP TABLE reject_scans")
    together = " UNION ALL BY NAME ".join(f"SELECT * FROM source_{i}" for i in range(len(found)))
    shop.run(f"CREATE VIEW source AS {together}")
    if not lines:
        return kind, None
    examples = [
        f"{name}, line {n}: {(content or '')[:80]}" for (name, n), content in list(lines.items())[:EXAMPLES]
    ]
    return kind, SetAside(
        "a ragged line: too many or too few fields, broken quotes, or letters that are not UTF-8",
        len(lines),
        tuple(examples),
    )


def _typed(shop: Workshop, columns: dict[str, str], mapping: Mapping, kind: str) -> None:
    """Make the view ``typed``: our columns, numbers as doubles, and ``garbled``: a text that is no number."""
    types = {row[0]: row[1] for row in shop.rows("DESCRIBE source")}
    parts = [_date(columns["date"], types[columns["date"]])]
    garbled = []
    for ours in TEXTS:
        if ours in columns:
            parts.append(f"{as_text(quoted(columns[ours]), kind)} AS {ours}")
        elif ours != "issuer":
            parts.append(f"NULL::VARCHAR AS {ours}")
    for ours in NUMBERS:
        if ours not in columns:
            parts.append(f"NULL::DOUBLE AS {ours}")
            continue
        column = quoted(columns[ours])
        if _NUMERIC.match(types[columns[ours]]):
            number = f"{column}::DOUBLE"
        else:
            number = as_number(column)
            garbled.append(
                f"CASE WHEN trim({column}::VARCHAR) <> '' AND {number} IS NULL "
                f"THEN {text(ours + ': ')} || {column}::VARCHAR END"
            )
        parts.append(f"CASE WHEN isfinite({number}) THEN {number} END AS {ours}")
    if "issuer" not in columns:
        parts.append(f"{_issuer(columns, mapping)} AS issuer")
    parts.append((f"coalesce({', '.join(garbled)})" if garbled else "NULL::VARCHAR") + " AS garbled")
    shop.run(f"CREATE VIEW typed AS SELECT {', '.join(parts)} FROM source")


def _borrow_shares(shop: Workshop, *, split: bool) -> None:
    """Put numbers of shares as last published into ``typed``, at the splits that came since their day."""
    keys(shop, "typed")
    grown = (
        "exp(sum(CASE WHEN split > 0 THEN ln(split) ELSE 0 END) OVER (PARTITION BY company ORDER BY date))"
    )
    shop.run("ALTER VIEW typed RENAME TO unpriced")
    shop.run(
        f"CREATE TABLE grown AS SELECT company, date, {grown if split else '1.0'} AS grown FROM unpriced "
        "WHERE company IS NOT NULL AND date IS NOT NULL "
        "QUALIFY row_number() OVER (PARTITION BY company, date) = 1"
    )
    shop.run(
        "CREATE TABLE counted AS SELECT k.company, o.published, o.shares / coalesce(g.grown, 1.0) AS shares "
        "FROM outstanding o JOIN keys k ON k.key = o.company ASOF LEFT JOIN grown g "
        "ON g.company = k.company AND o.as_of >= g.date "
        "QUALIFY row_number() OVER (PARTITION BY k.company, o.published ORDER BY o.as_of DESC) = 1"
    )
    shop.run(
        "CREATE VIEW typed AS SELECT u.* REPLACE (c.shares * g.grown AS shares) FROM unpriced u "
        "LEFT JOIN grown g ON g.company = u.company AND g.date = u.date "
        "ASOF LEFT JOIN counted c ON c.company = u.company AND u.date >= c.published"
    )


def _date(column: str, kind: str) -> str:
    name = quoted(column)
    if kind in ("DATE", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"):
        return f"CASE WHEN year({name}) BETWEEN 1600 AND 2199 THEN {name}::DATE END AS date"
    return f"{as_day(name)} AS date"


def _made(columns: dict[str, str], mapping: Mapping) -> bool:
    return "issuer" not in columns and mapping.issuer.column in columns


def _issuer(columns: dict[str, str], mapping: Mapping) -> str:
    if not _made(columns, mapping):
        return "NULL::VARCHAR"
    made = quoted(columns[mapping.issuer.column])
    for pattern in mapping.issuer.strip:
        made = f"regexp_replace({made}, {text(pattern)}, ' ', 'g')"
    return f"nullif(lower(trim(regexp_replace({made}, '[^A-Za-z0-9&]+', ' ', 'g'))), '')"


def _one_currency(
    shop: Workshop, path: Path, columns: dict[str, str], mapping: Mapping, wanted: str, rates: Path | None
) -> str:
    """Make the view ``priced``: ``typed`` with ``fx``, the rate of each row; returns the currency."""
    if "currency" not in columns:
        own = mapping.currency or wanted
        if wanted and mapping.currency and wanted != mapping.currency and rates is None:
            raise UsageError(
                f"{path.name} is counted in {mapping.currency}, the borders in {wanted}; give exchange rates "
                "with --rates FILE (columns date, currency, rate)"
            )
    else:
        counts = shop.rows("SELECT currency, count(*) FROM typed GROUP BY currency ORDER BY 2 DESC")
        foreign = [(name, n) for name, n in counts if name != (wanted or counts[0][0])]
        if foreign and rates is None:
            mixed = ", ".join(f"{name or 'none'} ({n:,} rows)" for name, n in counts[:6])
            raise UsageError(
                f"{path.name} mixes currencies: {mixed}; give exchange rates to {wanted or counts[0][0]} "
                "with --rates FILE (columns date, currency, rate)"
            )
        own = counts[0][0] if not foreign and not wanted else ""
    money = wanted or own
    if rates is None:
        shop.run("CREATE VIEW priced AS SELECT *, 1.0::DOUBLE AS fx FROM typed")
        return money
    _rates(shop, rates)
    of = "t.currency" if "currency" in columns else text(own)
    shop.run(
        f"CREATE VIEW priced AS SELECT t.*, CASE WHEN {of} = {text(money)} THEN 1.0 ELSE r.rate END AS fx "
        f"FROM typed t ASOF LEFT JOIN rates r ON {of} = r.currency AND t.date >= r.date"
    )
    return money


def _rates(shop: Workshop, path: Path) -> None:
    """Make the table ``rates``: for each date and currency what one unit is worth."""
    kind, found = files(path, shop.folder)
    reader = f"read_csv({names(found)}, all_varchar = true)" if kind == "csv" else parquet(found)
    there = [row[0] for row in shop.rows(f"DESCRIBE SELECT * FROM {reader}")]
    for column in ("date", "currency", "rate"):
        if column not in there:
            raise UsageError(f"{path.name} has no column '{column}'; {nearest(column, there)}")
    day, rate = as_day("date"), as_number("rate")
    for column, read, example in (("date", day, "2024-06-28"), ("rate", rate, "31.25")):
        wrong = f"SELECT {column}::VARCHAR FROM {reader} WHERE {column} IS NOT NULL"
        odd = shop.rows(f"{wrong} AND {read} IS NULL LIMIT 1")
        if odd:
            raise DataError(f"{path.name} has '{odd[0][0]}' for a {column}; write it as {example}")
    shop.run(
        f"CREATE TABLE rates AS SELECT {day} AS date, currency::VARCHAR AS currency, "
        f"{rate} AS rate FROM {reader} WHERE isfinite({rate}) AND {rate} > 0"
    )


def _raw(shop: Workshop, columns: dict[str, str], mapping: Mapping, home: Home) -> None:
    """Make the view ``raw``: ``cap`` in one currency, and the ``reason`` for which a row is set aside."""
    cap = "capitalisation" if "capitalisation" in columns else "price * shares"
    cases = [
        "WHEN date IS NULL THEN 'no date, or one that cannot be read: written 2024-06-28 or 20240628 it can'",
        "WHEN company IS NULL THEN 'no company'",
    ]
    for rule in mapping.leave_out:
        found = f"regexp_matches(coalesce({rule.column}, ''), {text(rule.matches)})"
        if rule.unless:
            found += f" AND NOT regexp_matches(coalesce({rule.column}, ''), {text(rule.unless)})"
        cases.append(f"WHEN {found} THEN {text('left out by rule: ' + rule.reason)}")
    if home.names and not home.keep:
        cases.append(f"WHEN NOT ({home.inside}) THEN {text(home.reason)}")
    cases.append(f"WHEN garbled IS NOT NULL THEN {text(GARBLED)}")
    checked = [c for c in ("price", "shares", "capitalisation") if c in columns]
    cases += [f"WHEN {c} <= 0 THEN '{c} zero or below'" for c in checked]
    needed = [c for c in checked if c != "shares" or "capitalisation" not in columns]
    cases += [f"WHEN {c} IS NULL THEN 'no {c}'" for c in needed]
    cases.append("WHEN fx IS NULL THEN 'no exchange rate for its currency'")
    # Stored where the words of every row have been searched; numbers are quicker read again from Parquet.
    kind = "TABLE" if mapping.leave_out or home.names or _made(columns, mapping) else "VIEW"
    # Where a row does not say it, a company lives where its last row that did had it.
    lived = "last_value(country IGNORE NULLS) OVER (PARTITION BY company ORDER BY date)"
    rows = f"(SELECT * REPLACE ({lived} AS country) FROM priced)" if home.names else "priced"
    shop.run(
        f"CREATE {kind} raw AS SELECT * REPLACE (price * fx AS price), "
        f"({cap}) * fx AS cap, CASE {' '.join(cases)} END AS reason FROM {rows}"
    )


def _examples(shop: Workshop, reason: str) -> tuple[str, ...]:
    if reason == GARBLED:
        rows = shop.rows(
            f"SELECT date, company, name, garbled FROM raw WHERE reason = {text(reason)} "
            f"ORDER BY date, company LIMIT {EXAMPLES}"
        )
    else:
        rows = shop.rows(
            f"SELECT first, company, name FROM seen WHERE reason = {text(reason)} "
            f"ORDER BY largest DESC NULLS LAST, rows DESC, company LIMIT {EXAMPLES}"
        )
    return tuple(" ".join(str(part) for part in row if part is not None) for row in rows)


def _lines(shop: Workshop) -> None:
    shop.run(
        "CREATE TABLE lines AS SELECT (row_number() OVER (ORDER BY company) - 1)::INTEGER AS id, * FROM ("
        "SELECT company, coalesce(issuer, company) AS issuer, name, industry, filer, first, last, largest "
        "FROM seen WHERE reason IS NULL)"
    )
    shop.run(
        "CREATE TABLE bars AS SELECT date, (row_number() OVER (ORDER BY date) - 1)::INTEGER AS bar FROM "
        "(SELECT DISTINCT date FROM raw WHERE reason IS NULL)"
    )


def listed(shop: Workshop) -> pd.DataFrame:
    """Return everything that was set aside or corrected, by rule and company: rows, first and last date.

    Lines of a file that are ragged have no company; they are counted only.
    """
    return shop.frame(
        "SELECT * FROM (SELECT reason, company, name, rows, first, last FROM seen WHERE reason IS NOT NULL "
        f"UNION ALL SELECT {text(SECOND)}, company, any_value(name), count(*), min(date), max(date) "
        "FROM doubles JOIN lines USING (id) JOIN bars USING (bar) WHERE NOT lead AND leaves GROUP BY company "
        "UNION ALL SELECT what, company, any_value(name), count(*), min(date), max(date) "
        "FROM findings JOIN lines USING (id) JOIN bars USING (bar) GROUP BY what, company) "
        "ORDER BY reason, rows DESC, company"
    )
