"""The gallery: a small page with pictures for every shipped strategy, the same bytes for the same data."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from backtest.errors import RotationError, UsageError
from backtest.files import whole_folder
from backtest.folders import expanded
from backtest.market.load import load_market
from backtest.measures import BY_KEY
from backtest.records.sheet import Sheet
from backtest.reporting import blocks as b
from backtest.reporting import figures
from backtest.reporting.chart import Chart
from backtest.reporting.chart_figure import chart_figure, png
from backtest.reporting.html import render
from backtest.reporting.page import first, tiles, warnings
from backtest.reporting.palette import MUTED
from backtest.reporting.sentences import terms, verdict
from backtest.reporting.starts import start_map, starts_blocks, turned
from backtest.runs import run
from backtest.scripting.loading import strategy_names
from backtest.wording import signed

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from backtest.market.data import MarketData
    from backtest.records.record import RunRecord
    from backtest.runs import Run

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


def _card(record: RunRecord) -> Figure:
    """Return growth, drawdowns and holdings in one figure, under the strategy's name."""
    figure = chart_figure(figures.card(record), above=0.3)
    proxy = "; proxy series" if record.document.proxy else ""
    where = f"{record.document.market}{proxy}, {record.dates[0]} to {record.dates[-1]}"
    figure.text(0.012, 0.955, record.name, fontweight="bold", fontsize=11)
    figure.text(0.988, 0.955, where, fontsize=8.5, color=MUTED, ha="right")
    return figure


SHORT = ("parameters", "market", "window", "fills", "costs", "data end")
"""The terms that a card has room for."""


def _write_card(result: Run, content: Sheet, folder: Path) -> None:
    """Write a strategy's page and its pictures."""
    name = result.strategy.name
    _small_png(_card(content.record), folder / f"{name}.png")
    if content.seen:
        _small_png(chart_figure(figures.seen(content)), folder / f"{name}-saw.png")
    blocks: list[b.Block] = [
        b.Text(b.Link("all strategies", "index.html"), "note"),
        b.Heading(name, 1),
        b.Text(result.strategy.thesis, "lead"),
        *first(result),
        b.Conclusion((verdict(result), *turned(result.starts, result.benchmark))),
        *warnings(result),
        tiles(content),
        *([b.Picture(f"{name}-saw.png", figures.SAW)] if content.seen else []),
        b.Picture(f"{name}.png", f"Growth of 1, drawdowns and holdings of {name}"),
        b.Heading("How much depends on the start"),
        *starts_blocks(result.starts, result.benchmark, (result.start, result.end)),
        *_map(result, folder),
        b.Heading("Terms"),
        b.Definitions(tuple((word, said) for word, said in terms(result) if word in SHORT)),
        b.Text(("The whole report: ", b.Code(f"rotation run {name}")), "note"),
    ]
    (folder / f"{name}.html").write_text(render(b.Page(name, tuple(blocks))), encoding="utf-8")


def _map(result: Run, folder: Path) -> list[b.Block]:
    """Write the map of the years as a picture, and return what shows it."""
    drawn, name = start_map(result.year_leads, result.benchmark), f"{result.strategy.name}-starts.png"
    if not isinstance(drawn, Chart):
        return [drawn]
    _small_png(chart_figure(drawn), folder / name)
    return [b.Picture(name, drawn.shows), b.Text(drawn.caption, "note")]


def _row(result: Run, content: Sheet) -> tuple[b.Said, ...]:
    """Return what the front page says of a strategy."""
    name, own = result.strategy.name, content.intervals
    return (
        b.Link(name, f"{name}.html"),
        result.start,
        BY_KEY["cagr"].text(own["cagr"].value),
        signed(content.differences["cagr"].value, 2),
        BY_KEY["sharpe"].text(own["sharpe"].value),
        BY_KEY["max_drawdown"].text(result.metrics["max_drawdown"]),
        signed(own["alpha"].value, 2),
        BY_KEY["alpha_tstat"].text(result.metrics["alpha_tstat"]),
    )


def _front(market: MarketData, rows: list[tuple[b.Said, ...]], left_out: dict[str, str]) -> b.Page:
    heads = ("Strategy", "From", "Return a year", f"Less {market.benchmark}", "Sharpe", "Deepest fall")
    blocks: list[b.Block] = [
        b.Heading(TITLE, 1),
        b.Text(f"On {market.name}: {market.title}.", "lead"),
        *([b.Text(f"Proxy: {market.proxy}.", "warning")] if market.proxy else []),
        b.Text(
            f"Defaults throughout: one run a strategy, nothing was tuned. With {len(rows)} theses on one "
            "history, one in twenty looks good by chance.",
            "note",
        ),
        b.table((*heads, "Alpha a year", "t"), rows),
        *(b.Text(f"{name} is left out: {why}", "note") for name, why in left_out.items()),
    ]
    return b.Page(TITLE, tuple(blocks))


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
    data = load_market(market)
    rows, left_out = [], {}
    with whole_folder(place, "the gallery", replaces=True) as folder:
        for name in strategy_names():
            try:
                result = run(name, data)
            except RotationError as error:
                left_out[name] = str(error)
                continue
            content = Sheet(result)
            _write_card(result, content, folder)
            rows.append(_row(result, content))
        (folder / "index.html").write_text(render(_front(data, rows, left_out)), encoding="utf-8")
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
