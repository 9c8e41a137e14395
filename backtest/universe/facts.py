"""Facts: what companies filed, as the SEC's companyfacts have it: one JSON a company, all figures by filing.

A figure stands there once for each filing that told it, with the day of that filing. So it is known from then
on, never from the end of its period; what a later filing says of the same period counts from that later day.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from backtest.errors import DataError
from backtest.files import content_of, require_regular
from backtest.universe.intake import SetAside
from backtest.universe.mapping import FIGURES
from backtest.universe.workshop import BROKEN, as_day, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backtest.universe.mapping import Mapping
    from backtest.universe.workshop import Relation, Workshop

_YEAR = (340, 380)
"""Days of a period that is a year: 52 or 53 weeks, or twelve months."""

_LARGEST = 2**28
"""Bytes of one company's file; the largest there are have a thirtieth of it."""


class Filing(msgspec.Struct):
    """One figure as one filing told it."""

    end: str
    filed: str
    val: float | None = None
    start: str | None = None
    form: str = ""
    accn: str = ""


class Tag(msgspec.Struct):
    """All filings of one figure, by unit."""

    units: dict[str, list[Filing]] = {}


class Filer(msgspec.Struct):
    """The file of one company: its figures by taxonomy and tag."""

    cik: int | str = ""
    facts: dict[str, dict[str, msgspec.Raw]] = {}


def are_facts(path: Path) -> bool:
    """Return whether a path names facts: a JSON file, a folder with one, or a zip with one."""
    if path.is_dir():
        return any(path.glob("*.json"))
    if path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(name.lower().endswith(".json") for name in archive.namelist())
    return path.suffix.lower() == ".json"


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Give the name and the content of each JSON file, one at a time: memory may not hold them all."""
    if path.suffix.lower() != ".zip":
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            require_regular(file)
            yield file.name, content_of(file)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for each in archive.infolist():
                if not each.filename.lower().endswith(".json"):
                    continue
                with archive.open(each) as content:
                    read = content.read(_LARGEST + 1)
                if len(read) > _LARGEST:
                    raise DataError(
                        f"{path} was refused: {each.filename} in it is larger than any company's facts"
                    )
                yield each.filename, read
    except (*BROKEN, OSError) as error:
        raise DataError(f"{path} cannot be unpacked: {error or type(error).__name__}; get it again") from None


_ROWS = pa.schema(
    [(name, pa.string()) for name in ("filer", "tag", "unit", "began", "ended", "filed", "form", "accn")]
    + [("value", pa.float64())]
)


def _rows(path: Path, wanted: set[str]) -> Iterator[pa.RecordBatch]:
    """Give the filings of the wanted tags, a batch a company."""
    for name, content in _contents(path):
        try:
            filer = msgspec.json.decode(content, type=Filer)
            tags = [
                (tag, msgspec.json.decode(raw, type=Tag))
                for taxonomy in filer.facts.values()
                for tag, raw in taxonomy.items()
                if tag in wanted
            ]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(
                f"{name} is not a file of companyfacts: {error}; name files as data.sec.gov has them "
                "(CIK0000320193.json), a folder of them, or companyfacts.zip"
            ) from None
        key = str(filer.cik).lstrip("0")
        found = [
            (key, tag, unit, f.start, f.end, f.filed, f.form, f.accn, f.val)
            for tag, told in tags
            for unit, filings in told.units.items()
            for f in filings
        ]
        columns = list(zip(*found, strict=True)) if found else [()] * len(_ROWS)
        yield pa.RecordBatch.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, _ROWS, strict=True)], schema=_ROWS
        )


def _figure(alternatives: tuple[str, ...]) -> str:
    """Return in SQL the first alternative that a filing has; of several terms the sum of those there."""
    sums = []
    for alternative in alternatives:
        terms = []
        for term in alternative.split("+"):
            tag, sign = term.strip().removeprefix("-"), -1.0 if term.strip().startswith("-") else 1.0
            terms.append(f"{sign!r} * arg_max(value, accn) FILTER (tag = {text(tag)})")
        sums.append(f"list_sum([{', '.join(terms)}])")
    return f"coalesce({', '.join(sums)})"


def read_facts(
    shop: Workshop, path: Path, mapping: Mapping, currency: str
) -> tuple[Relation, Relation, list[SetAside]]:
    """Return the accounts of facts, numbers of shares, and what was set aside.

    Accounts are those of filings with one of the mapping's ``annual_forms``: what lasts a year and what
    stands at its end, both of one filing. ``company`` is ``CIK`` and the filer's number. Shares
    outstanding come from any form. For the columns see ``backtest.universe.fundamentals``.

    Raises
    ------
    DataError
        When a file is no companyfacts, or none of the mapping's tags is in any of them.
    """
    tags = mapping.tags()
    batches = _rows(path, {tag for alternatives in tags.values() for tag in _named(alternatives)})
    facts = shop.told(
        "facts",
        pa.RecordBatchReader.from_batches(_ROWS, batches),
        f"SELECT 'CIK ' || filer AS company, tag, unit, {as_day('began')} AS began, {as_day('ended')} AS "
        f"period_end, {as_day('filed')} AS published, form, accn, value FROM told WHERE value IS NOT NULL",
    )
    if not shop.value(f"SELECT count(*) FROM {facts}"):
        raise DataError(f"{path} has none of the figures that the mapping names under [facts]")
    money = f"unit = {text(currency or 'USD')}"
    forms = ", ".join(text(form) for form in mapping.annual_forms)
    annual = shop.table(
        "annual",
        f"SELECT *, period_end - began BETWEEN {_YEAR[0]} AND {_YEAR[1]} AS lasted FROM {facts} "
        f"WHERE form IN ({forms}) AND {money}",
    )
    figures = ", ".join(
        f"{_figure(tags[name]) if name in tags else 'NULL::DOUBLE'} AS {name}" for name in FIGURES
    )
    # What stands at the end of a quarter or at another day of the filing is no year's account.
    at_ends = f"SELECT company, published, period_end FROM {annual} WHERE lasted"
    accounts = shop.table(
        "filed",
        f"SELECT company, published, period_end, NULL::VARCHAR AS currency, {figures} FROM {annual} "
        f"WHERE lasted OR (began IS NULL AND (company, published, period_end) IN ({at_ends})) "
        "GROUP BY company, published, period_end",
    )
    shares = _figure(tags["shares"]) if "shares" in tags else "NULL::DOUBLE"
    outstanding = shop.table(
        "shares",
        f"SELECT company, published, period_end AS as_of, {shares} AS shares FROM {facts} "
        "WHERE unit = 'shares' AND began IS NULL GROUP BY company, published, period_end",
    )
    count, units = shop.rows(
        f"SELECT count(*), list(DISTINCT unit ORDER BY unit)[1:5] FROM {facts} "
        f"WHERE NOT ({money}) AND unit <> 'shares'"
    )[0]
    reason = f"facts in another unit than {currency or 'USD'}"
    return accounts, outstanding, [SetAside(reason, count, tuple(units))] if count else []


def _named(alternatives: tuple[str, ...]) -> Iterator[str]:
    for alternative in alternatives:
        yield from (term.strip().removeprefix("-") for term in alternative.split("+"))
