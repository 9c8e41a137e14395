"""A report folder: written beside its place and renamed, so that it is there whole or not at all."""

from __future__ import annotations

import datetime as dt
import errno
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backtest.errors import RotationError, UsageError
from backtest.folders import expanded
from backtest.reporting.document import to_json
from backtest.reporting.html import render
from backtest.reporting.page import run_page
from backtest.reporting.record import write_record
from backtest.reporting.sheet import as_document, sheet
from backtest.reporting.style import png

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.reporting.blocks import Page
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
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and error.filename2 == str(place):
            raise UsageError(
                f"another command has written {place} meanwhile; name a new folder with --out"
            ) from None
        if draft is not None and _elsewhere(error, draft):
            raise
        raise RotationError(
            f"the report cannot be written to {place}: {error.strerror or error}; "
            "free the disk, or name another folder with --out"
        ) from None
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _elsewhere(error: OSError, draft: Path) -> bool:
    """Return whether an error is of another file than those being written: one that could not be read."""
    if not isinstance(error.filename, str):
        return False
    return draft.absolute() not in [Path(error.filename).absolute(), *Path(error.filename).absolute().parents]


def default_place(name: str) -> Path:
    """Return ``reports/NAME/STAMP`` below the current folder, not taken yet, nor being written just now."""
    stamp = dt.datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")
    home, place, again = Path("reports", name), Path("reports", name, stamp), 2
    while place.exists() or any(home.glob(f".{place.name}.*.part")):
        place, again = home / f"{stamp}-{again}", again + 1
    return place


def write_page(page: Page, folder: Path) -> None:
    """Write a page as ``index.html`` into a folder, and its figures as PNG into ``figures/``."""
    text, drawn = render(page)
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "figures").mkdir()
    for name, figure in drawn.items():
        png(figure, folder / "figures" / f"{name}.png")


def write_report(
    result: Result, out: Path | None = None, robust: Robustness | None = None, *, tried: int = 1
) -> Path:
    """Write a run's report and return its folder.

    ``index.html`` is the page, ``figures/`` has its figures as PNG; ``bars.parquet``, ``trades.parquet``,
    ``sheet.json`` and ``result.json`` have all numbers behind them.

    Parameters
    ----------
    result
        The run.
    out
        The folder to write (new, or empty); by default ``reports/STRATEGY/STAMP``.
    robust
        Trials at other costs and with later fills, to be kept in ``result.json``.
    tried
        How many combinations of parameters were tried before this one was chosen.
    """
    place = expanded(out) if out is not None else default_place(result.strategy.name)
    with whole_folder(place) as draft:
        content = sheet(result, robust, tried=tried)
        content.record.document["report"] = str(place.resolve())
        write_page(run_page(result, content), draft)
        write_record(content.record, draft)
        (draft / "sheet.json").write_text(to_json(as_document(content)) + "\n", encoding="utf-8")
    return place
