"""What a list of companies says of each: the number under which it files, its industry, its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from backtest.errors import DataError, UsageError, nearest
from backtest.files import content_of
from backtest.universe.mapping import ABOUT, HOW
from backtest.universe.workshop import as_text, quoted, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.universe.mapping import Mapping
    from backtest.universe.workshop import Relation, Workshop


def take_in_about(shop: Workshop, paths: Sequence[Path], mapping: Mapping) -> Relation:
    """Return what lists say: ``company, filer, industry, name``, NULL where a list has none.

    One file has the companies; others are joined to it by the mapping's ``joined_by`` (an industry's
    number and its name, say). It is a list of today: an industry is the one that a company has now.

    Raises
    ------
    UsageError
        When a file has none of the columns that are wanted of it, or no file has the companies.
    """
    if not paths:
        return shop.table(
            "about", "SELECT '' AS company, '' AS filer, '' AS industry, '' AS name WHERE false"
        )
    wanted = {ours: mapping.about.get(ours, ours) for ours in ABOUT}
    lists = [(path, _list(shop, path)) for path in paths]
    main = [each for each in lists if wanted["company"] in each[1].columns]
    if len(main) != 1:
        path, there = (main or lists)[-1]
        found = "several lists have" if main else f"{path.name} has no"
        raise UsageError(
            f"{found} column '{wanted['company']}' for the companies; "
            f"{nearest(wanted['company'], list(there.columns))}; {HOW.replace('[columns]', '[about]')}"
        )
    present = main[0][1].columns
    joined, where = f"{main[0][1]} a", dict.fromkeys(present, "a")
    by, key = wanted["joined_by"], quoted(wanted["joined_by"])
    for path, other in lists:
        if other is main[0][1]:
            continue
        if by not in present or by not in other.columns:
            raise UsageError(
                f"{path.name} has no column '{by}' to join it by; {nearest(by, list(other.columns))}"
            )
        joined += (
            f" LEFT JOIN (SELECT * FROM {other} QUALIFY row_number() OVER (PARTITION BY {key}) = 1) "
            f"{other} ON {other}.{key} = a.{key}"
        )
        where = {**dict.fromkeys(other.columns, other.name), **where}
    company = mapping.renamed(as_text(f"a.{quoted(wanted['company'])}", "csv"))
    filer, industry, name = (
        as_text(f"{where[wanted[ours]]}.{quoted(wanted[ours])}", "csv") if wanted[ours] in where else "NULL"
        for ours in ("filer", "industry", "name")
    )
    # Two tickers may become one (AAC, AAC_delisted): the one that needed no change is meant.
    best = f"({company} = a.{quoted(wanted['company'])}) DESC, {filer} DESC"
    return shop.table(
        "about",
        f"SELECT {company} AS company, ltrim({filer}, '0') AS filer, {industry}::VARCHAR AS industry, "
        f"{name}::VARCHAR AS name FROM {joined} WHERE {company} IS NOT NULL "
        f"QUALIFY row_number() OVER (PARTITION BY {company} ORDER BY {best}) = 1",
    )


def _list(shop: Workshop, path: Path) -> Relation:
    if path.suffix.lower() == ".json":
        return shop.told("list", pa.Table.from_pylist(_listed(path)))
    return shop.table("list", f"SELECT COLUMNS(*)::VARCHAR FROM {shop.read(path)[0]}")


def _listed(path: Path) -> list[dict[str, str]]:
    """Return the rows of a JSON file: a list of them, or an object whose values they are."""
    try:
        told = msgspec.json.decode(
            content_of(path),
            type=dict[str, dict[str, str | float | None]] | list[dict[str, str | float | None]],
        )
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is no list of companies: {error}") from None
    rows = list(told.values()) if isinstance(told, dict) else told
    if not rows:
        raise DataError(f"{path.name} lists no company")
    return [{key: _written(value) for key, value in row.items()} for row in rows]


def _written(value: str | float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def keys(shop: Workshop, source: Relation, about: Relation) -> Relation:
    """Return each ``company`` of some lines, and each ``key`` that accounts know it by."""
    return shop.table(
        "keys",
        "SELECT * FROM (SELECT DISTINCT company, unnest([company, "
        f"{text('CIK ')} || coalesce(ltrim(s.filer, '0'), a.filer)]) AS key FROM "
        f"(SELECT DISTINCT company, filer FROM {source} WHERE company IS NOT NULL) s "
        f"LEFT JOIN {about} a USING (company)) WHERE key IS NOT NULL",
    )
