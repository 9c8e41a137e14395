"""Intake: reads a table of companies, and sets aside, by stated rules, what cannot be used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.errors import DataError, UsageError, nearest
from backtest.universe.about import keys, take_in_about
from backtest.universe.countries import Home, check_home
from backtest.universe.mapping import NUMBERS, TEXTS, Mapping
from backtest.universe.workshop import as_day, as_number, as_text, files, names, parquet, quoted, text
from backtest.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.universe.workshop import Relation, Workshop

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
    """A table of companies that was taken in; its relations last as long as their workshop.

    Parameters
    ----------
    raw
        One row a row of the files, typed: prices in one currency, ``cap``, ``fx``; ``reason`` says why it is
        set aside, or is null.
    seen
        One row a reason and company: how many rows, from when to when.
    lines
        One row a listed line: its number ``id``, issuer, first and last date.
    bars
        The dates, numbered.
    rows, used
        Rows in the files, and those of them that no rule of this module set aside.
    columns
        Our columns that are there, to the user's.
    currency
        What prices and capitalisations are counted in.
    capitalisation_of
        As the mapping says: ``line`` or ``company``.
    home
        Whose companies are meant, as far as the table tells.
    set_aside
        What was left out, the largest count first.
    """

    raw: Relation
    seen: Relation
    lines: Relation
    bars: Relation
    rows: int
    used: int
    columns: dict[str, str]
    currency: str
    capitalisation_of: str
    home: Home
    set_aside: list[SetAside]


def take_in(
    shop: Workshop,
    path: Path,
    mapping: Mapping,
    currency: str = "",
    rates: Path | None = None,
    home: Home | None = None,
    *,
    about: Relation | None = None,
    outstanding: Relation | None = None,
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
    about
        What lists of companies say: see ``backtest.universe.about``. Their industries stand for the table's.
    outstanding
        Numbers of shares as published: see ``backtest.universe.fundamentals``; they stand in where the table
        has a price and no capitalisation.

    Raises
    ------
    UsageError
        When the file or a column that is needed is missing, or currencies are mixed without rates, or there
        is no company of the country that is meant.
    DataError
        When no row can be used.
    """
    about = about or take_in_about(shop, (), mapping)
    kind, source, ragged = _read(shop, path)
    columns = mapping.resolve(list(source.columns), path.name, shares=outstanding is not None)
    typed = _typed(shop, source, columns, mapping, kind)
    if outstanding and not {"capitalisation", "shares"} & columns.keys():
        known_as = keys(shop, typed, about)
        typed = _borrow_shares(shop, typed, outstanding, known_as, split="split" in columns)
        columns["shares"] = "shares"
    home = check_home(shop, typed, home or Home(), path.name, columns)
    money, own = _currencies(shop, typed, path, columns, mapping, currency, rates)
    raw = _raw(shop, _priced(shop, typed, money, own, rates), columns, mapping, home)
    seen = shop.table(
        "seen",
        "SELECT reason, company, arg_max(issuer, date) AS issuer, "
        "arg_max(name, date) AS name, arg_max(industry, date) AS industry, "
        "arg_max(filer, date) AS filer, count(*) AS rows, min(date) AS first, max(date) AS last, "
        f"max(cap) AS largest FROM {raw} GROUP BY reason, company",
    )
    counts = shop.rows(f"SELECT reason, sum(rows)::BIGINT FROM {seen} GROUP BY reason")
    used = sum(n for reason, n in counts if reason is None)
    if used == 0:
        why = "; ".join(f"{counted(n, 'row')}: {reason}" for reason, n in counts) or "it is empty"
        raise DataError(f"{path.name} has no row that can be used: {why}")
    aside = [SetAside(reason, n, _examples(shop, raw, seen, reason)) for reason, n in counts if reason]
    bars = shop.table(
        "bars",
        "SELECT date, (row_number() OVER (ORDER BY date) - 1)::INTEGER AS bar FROM "
        f"(SELECT DISTINCT date FROM {raw} WHERE reason IS NULL)",
    )
    return Intake(
        raw,
        seen,
        _lines(shop, seen, about),
        bars,
        rows=sum(n for _, n in counts) + sum(each.rows for each in ragged),
        used=used,
        columns=columns,
        currency=money,
        capitalisation_of=mapping.capitalisation_of,
        home=home,
        set_aside=sorted(aside + ragged, key=lambda a: -a.rows),
    )


def _lines(shop: Workshop, seen: Relation, about: Relation) -> Relation:
    """Return the listed lines, numbered; what a list says of an industry stands for what the table says."""
    return shop.table(
        "lines",
        "SELECT (row_number() OVER (ORDER BY company) - 1)::INTEGER AS id, company, "
        "coalesce(s.issuer, company) AS issuer, s.name, coalesce(a.industry, s.industry) AS industry, "
        f"s.filer, s.first, s.last, s.largest FROM {seen} s LEFT JOIN {about} a USING (company) "
        "WHERE reason IS NULL",
    )


def _read(shop: Workshop, path: Path) -> tuple[str, Relation, list[SetAside]]:
    """Return the rows of the files, their kind, and the ragged lines of a CSV."""
    kind, found = files(path, shop.folder)
    if kind == "parquet":
        return kind, shop.view("source", f"SELECT * FROM {parquet(found)}"), []
    # As text: what is no number shall be counted, not guessed at. Stored once, for it is read several times.
    lines: dict[tuple[str, int], str] = {}
    parts = []
    for file in found:
        parts.append(
            shop.table(
                "source",
                f"SELECT * FROM read_csv({names([file])}, all_varchar = true, header = true, "
                "store_rejects = true, null_padding = false, strict_mode = true)",
            )
        )
        for line, content in shop.rows("SELECT line, csv_line FROM reject_errors ORDER BY line"):
            lines[file.name, line] = content  # a line with two errors is one line
        shop.run("DROP TABLE reject_errors")
        shop.run("DROP TABLE reject_scans")
    source = shop.view("source", " UNION ALL BY NAME ".join(f"SELECT * FROM {part}" for part in parts))
    if not lines:
        return kind, source, []
    examples = [
        f"{name}, line {n}: {(content or '')[:80]}" for (name, n), content in list(lines.items())[:EXAMPLES]
    ]
    reason = "a ragged line: too many or too few fields, broken quotes, or letters that are not UTF-8"
    return kind, source, [SetAside(reason, len(lines), tuple(examples))]


def _typed(
    shop: Workshop, source: Relation, columns: dict[str, str], mapping: Mapping, kind: str
) -> Relation:
    """Return our columns, numbers as doubles, and ``garbled``: a text that is no number."""
    types = source.columns
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
    return shop.view("typed", f"SELECT {', '.join(parts)} FROM {source}")


def _borrow_shares(
    shop: Workshop, typed: Relation, outstanding: Relation, known_as: Relation, *, split: bool
) -> Relation:
    """Return the rows with numbers of shares as last published, at the splits that came since their day."""
    grown = (
        "exp(sum(CASE WHEN split > 0 THEN ln(split) ELSE 0 END) OVER (PARTITION BY company ORDER BY date))"
    )
    splits = shop.table(
        "splits",
        f"SELECT company, date, {grown if split else '1.0'} AS grown FROM {typed} "
        "WHERE company IS NOT NULL AND date IS NOT NULL "
        "QUALIFY row_number() OVER (PARTITION BY company, date) = 1",
    )
    counted = shop.table(
        "counted",
        "SELECT k.company, o.published, o.shares / coalesce(g.grown, 1.0) AS shares "
        f"FROM {outstanding} o JOIN {known_as} k ON k.key = o.company ASOF LEFT JOIN {splits} g "
        "ON g.company = k.company AND o.as_of >= g.date "
        "QUALIFY row_number() OVER (PARTITION BY k.company, o.published ORDER BY o.as_of DESC) = 1",
    )
    return shop.view(
        "typed",
        f"SELECT u.* REPLACE (c.shares * g.grown AS shares) FROM {typed} u "
        f"LEFT JOIN {splits} g ON g.company = u.company AND g.date = u.date "
        f"ASOF LEFT JOIN {counted} c ON c.company = u.company AND u.date >= c.published",
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


def _currencies(
    shop: Workshop,
    typed: Relation,
    path: Path,
    columns: dict[str, str],
    mapping: Mapping,
    wanted: str,
    rates: Path | None,
) -> tuple[str, str]:
    """Return what is counted in, and in SQL the currency of a row ``t``."""
    if "currency" not in columns:
        own = mapping.currency or wanted
        if wanted and mapping.currency and wanted != mapping.currency and rates is None:
            raise UsageError(
                f"{path.name} is counted in {mapping.currency}, the borders in {wanted}; give exchange rates "
                "with --rates FILE (columns date, currency, rate)"
            )
        return wanted or own, text(own)
    counts = shop.rows(f"SELECT currency, count(*) FROM {typed} GROUP BY currency ORDER BY 2 DESC")
    foreign = [name for name, _ in counts if name != (wanted or counts[0][0])]
    if foreign and rates is None:
        mixed = ", ".join(f"{name or 'none'} ({n:,} rows)" for name, n in counts[:6])
        raise UsageError(
            f"{path.name} mixes currencies: {mixed}; give exchange rates to {wanted or counts[0][0]} "
            "with --rates FILE (columns date, currency, rate)"
        )
    return wanted or ("" if foreign else counts[0][0]), "t.currency"


def _priced(shop: Workshop, typed: Relation, money: str, own: str, rates: Path | None) -> Relation:
    """Return the rows with ``fx``, what one unit of a row's currency is worth."""
    if rates is None:
        return shop.view("priced", f"SELECT *, 1.0::DOUBLE AS fx FROM {typed}")
    return shop.view(
        "priced",
        f"SELECT t.*, CASE WHEN {own} = {text(money)} THEN 1.0 ELSE r.rate END AS fx FROM {typed} t "
        f"ASOF LEFT JOIN {_rates(shop, rates)} r ON {own} = r.currency AND t.date >= r.date",
    )


def _rates(shop: Workshop, path: Path) -> Relation:
    """Return for each date and currency what one unit is worth."""
    told, _ = shop.read(path)
    for column in ("date", "currency", "rate"):
        if column not in told.columns:
            raise UsageError(f"{path.name} has no column '{column}'; {nearest(column, list(told.columns))}")
    day, rate = as_day("date"), as_number("rate")
    for column, read, example in (("date", day, "2024-06-28"), ("rate", rate, "31.25")):
        wrong = f"SELECT {column}::VARCHAR FROM {told} WHERE {column} IS NOT NULL"
        odd = shop.rows(f"{wrong} AND {read} IS NULL LIMIT 1")
        if odd:
            raise DataError(f"{path.name} has '{odd[0][0]}' for a {column}; write it as {example}")
    return shop.table(
        "rates",
        f"SELECT {day} AS date, currency::VARCHAR AS currency, {rate} AS rate FROM {told} "
        f"WHERE isfinite({rate}) AND {rate} > 0",
    )


def _raw(shop: Workshop, priced: Relation, columns: dict[str, str], mapping: Mapping, home: Home) -> Relation:
    """Return the rows with ``cap`` in one currency, and the ``reason`` for which each is set aside."""
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
    stored = mapping.leave_out or home.names or _made(columns, mapping)
    # Where a row does not say it, a company lives where its last row that did had it.
    lived = "last_value(country IGNORE NULLS) OVER (PARTITION BY company ORDER BY date)"
    rows = f"(SELECT * REPLACE ({lived} AS country) FROM {priced})" if home.names else priced
    return (shop.table if stored else shop.view)(
        "raw",
        f"SELECT * REPLACE (price * fx AS price), ({cap}) * fx AS cap, "
        f"CASE {' '.join(cases)} END AS reason FROM {rows}",
    )


def _examples(shop: Workshop, raw: Relation, seen: Relation, reason: str) -> tuple[str, ...]:
    if reason == GARBLED:
        rows = shop.rows(
            f"SELECT date, company, name, garbled FROM {raw} WHERE reason = {text(reason)} "
            f"ORDER BY date, company LIMIT {EXAMPLES}"
        )
    else:
        rows = shop.rows(
            f"SELECT first, company, name FROM {seen} WHERE reason = {text(reason)} "
            f"ORDER BY largest DESC NULLS LAST, rows DESC, company LIMIT {EXAMPLES}"
        )
    return tuple(" ".join(str(part) for part in row if part is not None) for row in rows)
