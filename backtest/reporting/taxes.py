"""Taxes: what they came to, beside holding each benchmark and paying once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.reporting import blocks as b
from backtest.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.engine.lots import Taxes
    from backtest.runs import Run


def _sums(value: float) -> str:
    return f"{value:,.2f}"


def tax_table(result: Run, taxes: Taxes) -> b.Table:
    """Return what taxes came to, and what is left when all is sold at the end; in first sums."""
    sold = result.sold
    none = [""] * (len(sold) - 1)
    rows = [
        ("return a year, sold at the end", *(percent(each.cagr) for each in sold.values())),
        ("value at the end", *(_sums(each.before) for each in sold.values())),
        ("sold at the end, after tax", *(_sums(each.after) for each in sold.values())),
        ("tax withheld before", _sums(taxes.paid), *none),
        ("gains on lots held up to 12 months", _sums(taxes.short_gains), *none),
        ("gains on older lots", _sums(taxes.long_gains), *none),
        ("losses carried forward", _sums(taxes.losses), *none),
    ]
    return b.table(["", *sold], rows, brief=True)


def tax_blocks(result: Run) -> Iterator[b.Block]:
    """Return what a page says of taxes; nothing where the terms name none."""
    taxes = result.path.taxes
    if taxes is None:
        return
    yield b.Heading("Taxes")
    yield b.Text(
        "The strategy's returns are after the tax on what it sold, and before that on what it still holds; "
        "the benchmarks' are before any. So that both pay, the table sells everything at the last close: a "
        "benchmark is bought at the first one, gross of costs, and pays once. Dividends are part of the "
        "series and taxed as gains when they are sold: an approximation, and kind to all columns.",
        "note",
    )
    yield tax_table(result, taxes)
