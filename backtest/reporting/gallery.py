"""The gallery: a small page and a picture for every shipped strategy, the same bytes for the same data."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from backtest.errors import RotationError, UsageError
from backtest.folders import expanded
from backtest.market.load import load_market
from backtest.reporting.figures import card_figure
from backtest.reporting.html import render
from backtest.reporting.page import glance
from backtest.reporting.sentences import verdict
from backtest.reporting.sheet import sheet
from backtest.reporting.style import png
from backtest.reporting.table import proper
from backtest.runs import run
from backtest.scripting.loading import strategy_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from backtest.market.data import MarketData
    from backtest.reporting.sheet import Sheet
    from backtest.runs import Result

TITLE = "Gallery of the shipped strategies"
"""By which a gallery is known from other folders of pages."""

DPI, COLOURS = 90, 48
"""Few: the gallery is kept under version control."""


def _small_png(figure: Figure, path: Path) -> None:
    """Write a figure on white in few colours."""
    buffer = io.BytesIO()
    png(figure, buffer, dpi=DPI)
    with Image.open(buffer) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def _card(result: Result, content: Sheet, folder: Path) -> dict[str, Any]:
    """Write a strategy's page and picture; return what the front page says of it."""
    name = result.strategy.name
    _small_png(card_figure(content.record), folder / f"{name}.png")
    card = {
        "name": name,
        "thesis": result.strategy.thesis,
        "verdict": proper(verdict(result)),
        **glance(result, content),
    }
    text = render("gallery_card.html", title=name, **card)
    (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return card


def write_gallery(market: MarketData | str, out: Path | str) -> dict[str, str]:
    """Write the gallery of all shipped strategies in place of the one that is there.

    Returns
    -------
    dict[str, str]
        The strategies that this market cannot run, and why.

    Raises
    ------
    UsageError
        When the folder holds something that is no gallery.
    RotationError
        When the system does not let it be written.
    """
    place = expanded(out)
    if place.exists() and not _is_gallery(place):
        raise UsageError(f"{place} is no gallery; name another folder with --out")
    data = load_market(market) if isinstance(market, str) else market
    try:
        return _write(data, place)
    except OSError as error:
        raise RotationError(
            f"the gallery cannot be written to {place}: {error.strerror or error}; free the disk, or name "
            "another folder with --out"
        ) from None


def _write(data: MarketData, place: Path) -> dict[str, str]:
    """Write the gallery beside its place, then put it there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    cards, left_out = [], {}
    with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as draft:
        folder = Path(draft) / "gallery"
        folder.mkdir()
        for name in strategy_names():
            try:
                result = run(name, data)
            except RotationError as error:
                left_out[name] = str(error)
                continue
            cards.append(_card(result, sheet(result), folder))
        text = render(
            "gallery.html",
            title=TITLE,
            market=data,
            cards=cards,
            left_out=left_out,
        )
        (folder / "index.html").write_text(text, encoding="utf-8")
        if place.exists():
            place.rename(Path(draft) / "before")  # which goes when the new one is in its place
        folder.rename(place)
    return left_out


def _is_gallery(place: Path) -> bool:
    """Return whether a folder is empty, or has a gallery and nothing else: it may be replaced."""
    if not place.is_dir():
        return False
    files = list(place.iterdir())
    if not files:
        return True
    index = place / "index.html"
    pages = all(file.is_file() and file.suffix in {".html", ".png"} for file in files)
    return pages and index.is_file() and f"<title>{TITLE}</title>" in index.read_text("utf-8", "replace")
