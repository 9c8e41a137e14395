"""Sharing sets between threads; one thread computes a set whole, so their number changes no result."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from backtest.compiling import threads as available

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

_PIECES = 8  # a thread: enough that an uneven grid keeps all of them busy to the end


def share(
    work: Callable[[int, int], Answer], n_sets: int, threads: int | None = None, smallest: int = 64
) -> list[Answer]:
    """Return what ``work(start, stop)`` gives for consecutive pieces of ``n_sets`` sets, in order.

    Fewer sets than ``smallest`` are done sooner than a thread starts, so no piece but the last has fewer.
    ``threads`` are by default as many as there are processors.
    """
    threads = threads or available()
    size = n_sets if threads == 1 else max(smallest, -(-n_sets // (threads * _PIECES)))
    starts = range(0, n_sets, size)
    stops = [min(start + size, n_sets) for start in starts]
    if threads == 1 or len(stops) < 2:
        return [work(start, stop) for start, stop in zip(starts, stops, strict=True)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, starts, stops))
