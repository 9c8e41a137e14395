"""A report folder: written beside its place and renamed, so that it is there whole or not at all."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backtest.errors import RotationError, UsageError
from backtest.reporting.document import document, to_json
from backtest.reporting.figures import equity_figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.robustness import Robustness
    from backtest.runs import Result


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """Give a folder to write into that becomes ``place`` at the end, or leaves nothing.

    Raises
    ------
    UsageError
        When ``place`` exists and is not an empty folder, or lies below something that is no folder.
    RotationError
        When it cannot be written: no permission, a full disk.
    """
    draft = None
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise UsageError(f"{place} exists already; name a new folder with --out")
        there = next(parent for parent in place.absolute().parents if parent.exists())
        if not there.is_dir():
            raise UsageError(f"{there} is not a folder; name another one with --out")
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
        draft.chmod(0o755)
        yield draft
        draft.rename(place)
    except OSError as error:
        raise RotationError(
            f"the report cannot be written to {place}: {error.strerror or error}; "
            "free the disk, or name another folder with --out"
        ) from None
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def default_place(result: Result) -> Path:
    """Return ``reports/STRATEGY/STAMP`` below the current folder, not taken yet."""
    stamp = dt.datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")
    home = Path("reports", result.strategy.name)
    place, again = home / stamp, 2
    while place.exists():
        place, again = home / f"{stamp}-{again}", again + 1
    return place


def write_report(result: Result, out: Path | None = None, robust: Robustness | None = None) -> Path:
    """Write a run's report and return its folder: ``equity.png``, ``result.json`` and ``bars.csv``.

    ``out`` is the folder to write (new, or empty); by default ``reports/STRATEGY/STAMP``.
    """
    place = Path(out).expanduser() if out is not None else default_place(result)
    with whole_folder(place) as draft:
        equity_figure(result).savefig(draft / "equity.png", dpi=150)
        text = to_json(document(result, place.resolve(), robust))
        (draft / "result.json").write_text(text + "\n", encoding="utf-8")
        bars = result.benchmark_returns.add_prefix("return_")
        bars.insert(0, f"return_{result.strategy.name}", result.returns)
        bars = bars.join(result.weights.add_prefix("weight_"))
        bars.to_csv(draft / "bars.csv", index_label="date")
    return place
