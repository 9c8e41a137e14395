"""How far a search is, with its rate and the time left: on a terminal and in a notebook, nowhere else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from backtest.compiling import announced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backtest.tuning.sweep import Estimate


@contextmanager
def shown() -> Iterator[tuple[Callable[[str, int, int], None], Callable[[Estimate], None]]]:
    """Give two functions: one to be told how far the work is, one to be told what it will take."""
    console = Console(stderr=True)
    seen = console.is_terminal or console.is_jupyter
    columns = (
        TextColumn("{task.description:16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not seen, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None, rate="")
            task = bar.tasks[bar.task_ids.index(tasks[what])]
            rate = f"{task.speed:,.0f} a second" if task.speed else ""
            bar.update(tasks[what], completed=done, total=total or None, rate=rate)

        def announce(estimate: Estimate) -> None:
            if seen:
                seconds = estimate.seconds
                time = f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
                bar.console.print(
                    f"{estimate.combinations:,} combinations; about {time} and {estimate.size / 1e6:,.1f} MB",
                    highlight=False,
                )

        def warn() -> None:
            if seen:
                bar.console.print("compiling the loops, once after an installation; some seconds")

        with announced(warn):
            yield tell, announce
