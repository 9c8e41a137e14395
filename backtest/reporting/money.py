"""Money in and out: what an investor has whose money flows, beside the portfolio's own return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.reporting import blocks as b
from backtest.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.runs import Run


def _sums(value: float) -> str:
    return f"{value:,.2f}"


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
