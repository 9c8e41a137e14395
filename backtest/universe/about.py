"""What a list of companies says of each: the number under which it files, its industry, its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from backtest.errors import DataError, UsageError, nearest
from backtest.files import content_of
from backtest.universe.mapping import ABOUT, HOW
from backtest.universe.workshop import as_text, files, names, parquet, quoted, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.universe.mapping import Mapping
    from backtest.universe.workshop import Workshop


def take_in_about(shop: Workshop, paths: Sequence[Path], mapping: Mapping) -> None:
    """Make the workshop's table ``about``: ``company, filer, industry, name``, NULL where a list has none.

    One file has the companies; others are joined to it by the mapping's ``joined_by`` (an industry's
    number and its name, say). It is a list of today: an industry is the one that a company has now.

    Raises
    ------
    UsageError
        When a file has none of the columns that are wanted of it, or no file has the companies.
    """
    shop.run("CREATE TABLE about (company VARCHAR, filer VARCHAR, industry VARCHAR, name VARCHAR)")
    if not paths:
        return
    wanted = {ours: mapping.about.get(ours, ours) for ours in ABOUT}
    main: list[tuple[int, Path, list[str]]] = []
    others: list[tuple[int, Path, list[str]]] = []
    for number, path in enumerate(paths):
        present = _source(shop, number, path)
        (main if wanted["company"] in present else others).append((number, path, present))
    if len(main) != 1:
        number, path, present = (main or others)[-1]
        found = "several lists have" if main else f"{path.name} has no"
        raise UsageError(
            f"{found} column '{wanted['company']}' for the companies; {nearest(wanted['company'], present)}; "
            f"{HOW.replace('[columns]', '[about]')}"
        )
    number, _, present = main[0]
    joined, where = f"about_{number} a", dict.fromkeys(present, "a")
    for other, path, columns in others:
        by = wanted["joined_by"]
        if by not in present or by not in columns:
            raise UsageError(f"{path.name} has no column '{by}' to join it by; {nearest(by, columns)}")
        key = quoted(by)
        joined += (
            f" LEFT JOIN (SELECT * FROM about_{other} QUALIFY row_number() OVER (PARTITION BY {key}) = 1) "
            f"j{other} ON j{other}.{key} = a.{key}"
        )
        where = {**dict.fromkeys(columns, f"j{other}"), **where}
    company = mapping.renamed(as_text(f"a.{quoted(wanted['company'])}", "csv"))
    parts = [
        as_text(f"{where[wanted[ours]]}.{quoted(wanted[ours])}", "csv") if wanted[ours] in where else "NULL"
        for ours in ("filer", "industry", "name")
    ]
    # Two tickers may become one (AAC, AAC_delisted): the one that needed no change is meant.
    best = f"({company} = a.{quoted(wanted['company'])}) DESC, {parts[0]} DESC"
    shop.run(
        f"INSERT INTO about SELECT {company}, ltrim({parts[0]}, '0'), {parts[1]}, {parts[2]} FROM {joined} "
        f"WHERE {company} IS NOT NULL "
        f"QUALIFY row_number() OVER (PARTITION BY {company} ORDER BY {best}) = 1"
    )


def _source(shop: Workshop, number: int, path: Path) -> list[str]:
    """Make the table ``about_N`` of a file, all text; returns its columns."""
    if path.suffix.lower() == ".json":
        rows = _listed(path)
        shop.connection.register("told", pa.Table.from_pylist(rows))
        shop.run(f"CREATE TABLE about_{number} AS SELECT * FROM told")
        shop.connection.unregister("told")
    else:
        kind, found = files(path, shop.folder)
        reader = (
            f"read_csv({names(found)}, all_varchar = true, header = true, union_by_name = true)"
            if kind == "csv"
            else parquet(found)
        )
        shop.run(f"CREATE TABLE about_{number} AS SELECT COLUMNS(*)::VARCHAR FROM {reader}")
    return [row[0] for row in shop.rows(f"DESCRIBE about_{number}")]


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


def set_industries(shop: Workshop) -> None:
    """Let what a list says of a line's industry stand for what the table says, where it says any."""
    shop.run(
        "UPDATE lines SET industry = a.industry FROM about a WHERE a.company = lines.company "
        "AND a.industry IS NOT NULL"
    )


def keys(shop: Workshop, source: str) -> None:
    """Make the table ``keys``: each ``company`` of some lines, and each ``key`` that accounts know it by."""
    shop.run(
        "CREATE OR REPLACE TABLE keys AS SELECT DISTINCT company, unnest([company, "
        f"{text('CIK ')} || coalesce(ltrim(s.filer, '0'), a.filer)]) AS key FROM "
        f"(SELECT DISTINCT company, filer FROM {source} WHERE company IS NOT NULL) s "
        "LEFT JOIN (SELECT company, filer FROM about) a USING (company)"
    )
    shop.run("DELETE FROM keys WHERE key IS NULL")
