"""What an investor is left with: after taxes, and where money comes in or is taken out."""

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


def money_table(result: Run) -> b.Table:
    """Return what an investor has, of the run and of each benchmark; sums are parts of the first one."""
    each = result.money.values()
    columns = {result.strategy.name: result.metrics, **result.benchmarks}
    rows = [
        ("money-weighted return a year (IRR)", *(percent(own.irr) for own in each)),
        ("time-weighted return a year (CAGR)", *(percent(columns[name]["cagr"]) for name in result.money)),
        ("paid in, first sums", *(_sums(own.paid_in) for own in each)),
        ("taken out", *(_sums(own.taken_out) for own in each)),
        ("left at the end", *(_sums(own.value) for own in each)),
        ("costs of the flows", *(f"{own.costs:,.4f}" for own in each)),
    ]
    if any(own.exhausted is not None for own in each):
        rows.append(("nothing left since", *(own.exhausted or "-" for own in each)))
    return b.table(["", *result.money], rows, brief=True)


def money_blocks(result: Run) -> Iterator[b.Block]:
    """Return what a page says of flows; nothing where the terms name none."""
    if not result.money:
        return
    yield b.Heading("Money in and out")
    yield b.Text(
        "All other figures of this page weigh every month alike, as if no money came or went. The "
        "money-weighted return weighs each by the money that was there: it is the rate at which all that was "
        "paid in is worth what was taken out and what is left. A flow buys or sells what is held, in its "
        "proportions, after the close's own trade, and pays the costs of that itself; benchmarks are gross.",
        "note",
    )
    yield money_table(result)
