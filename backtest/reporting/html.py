"""HTML: a page's blocks in one file that needs nothing else, with everything that is filled in escaped."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from backtest.reporting import blocks as b
from backtest.reporting.chart import Chart
from backtest.reporting.chart_html import chart_html
from backtest.reporting.palette import palette
from backtest.reporting.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHELL = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{css}
</style>
</head>
<body>
<main>
{content}
<footer>{last}</footer>
</main>
{script}</body>
</html>
""")

_KEPT = re.compile(r"(?<![\w-])(?:--[a-z][a-z0-9-]{0,39}|\d{4}-\d{2}(?:-\d{2})?)(?![\w-])")


def unbroken(text: str) -> Markup:
    """Return a text, escaped, in which no line ends within a date or the name of an option (``--market``).

    Browsers break lines after hyphens; elements around both forbid it, so that what is copied from the
    page is the text as it was.
    """
    # In what is escaped no entity has a hyphen, so both are found as they are in the text itself.
    return Markup(_KEPT.sub(r'<span class="unbroken">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped


_MINUS = re.compile(r"(?<![^\s(\[])-(?=[\d.])")


def minus(text: str) -> str:
    """Return a text with a minus sign for the hyphen before a number, and a dash where nothing is defined.

    Hyphens of dates, of options and of what follows an equals sign stay: they are to be copied.
    """
    return _MINUS.sub("\u2212", text) if text != "-" else "\u2013"


def render(page: b.Page) -> str:
    """Return a page's text."""
    content = _joined(page.blocks)
    version = f"size-rotation {importlib.metadata.version('size-rotation')}."
    return str(
        _SHELL.format(
            title=page.title,
            css=stylesheet(),
            content=content,
            last=f"{version} {page.last}".rstrip(),
            script=Template("<script>\n{}</script>\n").format(script())
            if "<table" in content or "<svg" in content
            else "",
        )
    )


_FRAGMENT = Template("""<div class="size-rotation">
<style>
.size-rotation {{
background: var(--page); color: var(--ink); font: 14px/1.5 var(--letters); padding: .25rem 1rem;
{css}
}}
</style>
{content}
</div>
""")


def fragment(blocks: Iterable[b.Block]) -> str:
    """Return blocks as a part of another page, such as a notebook, whose own look they leave alone."""
    css = Markup(_css("blocks.css").replace(":root", "&"))  # noqa: S704 - our own style sheet
    return str(_FRAGMENT.format(css=css, content=_joined(blocks)))


def drawn(blocks: Iterable[b.Block]) -> Markup:
    """Return blocks as they stand in a page."""
    return _joined(blocks)


def stylesheet() -> Markup:
    """Return the style of pages, in the colours of light and dark ones."""
    return Markup(_css("blocks.css") + _css("page.css"))  # noqa: S704 - our own style sheets


def script() -> Markup:
    """Return the script of pages."""
    return Markup(_file("page.js"))  # noqa: S704 - our own script


def _file(name: str) -> str:
    return importlib.resources.files("backtest.reporting").joinpath(name).read_text(encoding="utf-8")


def _css(name: str) -> str:
    css = _file(name)
    for shade, colours in (("light", palette(dark=False)), ("dark", palette(dark=True))):
        css = css.replace(f"/* {shade} */", colours)
    return css


def _joined(blocks: Iterable[b.Block]) -> Markup:
    return _all(map(_block, blocks))


def _said(said: b.Said) -> Markup:
    parts = said if isinstance(said, tuple) else (said,)
    return Markup("").join(map(_inline, parts))


def _inline(part: str | b.Link | b.Badge | b.Key | b.Code) -> Markup:
    match part:
        case b.Link(words, to):
            return Template('<a href="{}">{}</a>').format(to, words)
        case b.Badge(word, kind):
            return Template('<span class="badge {}">{}</span>').format(kind, word)
        case b.Code(words):
            return Template("<code>{}</code>").format(words)
        case b.Key(colour, opacity):
            style = f"background: var(--c{colour[1:]}); opacity: {opacity:g}"
            return Template('<span class="key" style="{}"></span>').format(style)
        case _:
            return unbroken(minus(part))


def _block(block: b.Block) -> Markup:
    """Draw a block."""
    content: Markup
    match block:
        case b.Heading(words, level):
            content = Template("<h{0}>{1}</h{0}>").format(level, words)
        case b.Text(said, kind):
            content = _element("p", _said(said), kind)
        case b.Conclusion(sentences):
            content = _element("div", _all(_element("p", _said(each)) for each in sentences), "verdict")
        case b.Definitions(pairs):
            row = Template("<dt>{}</dt><dd>{}</dd>")
            content = _element("dl", _all(row.format(word, _said(each)) for word, each in pairs), "terms")
        case b.Counts(each):
            content = _element("ul", _all(_element("li", _said(said)) for said in each), "counts")
        case b.Tiles(tiles):
            tile = Template('<div class="tile"><span>{}</span><b>{}</b><span>{}</span></div>')
            said_first = (tile.format(*map(minus, each)) for each in tiles)
            content = _element("div", _all(said_first), "tiles")
        case b.Table():
            content = _table(block)
        case Chart():
            content = chart_html(block, _said(block.caption))
        case b.Picture(file, shows):
            content = Template('<figure><img src="{}" alt="{}"></figure>').format(file, shows)
        case b.Section(id, inside, beside):
            chart = chart_html(beside, Markup(), height=_BESIDE) if isinstance(beside, Chart) else ""
            content = Template('<section id="{}"{}><div>{}</div>{}</section>').format(
                id, Markup(' class="pair"') if chart else "", _joined(inside), chart
            )
        case _:
            raise TypeError(f"no such block: {block!r}")
    return content


_all = Markup("\n").join


def _element(name: str, content: Markup, kind: str = "") -> Markup:
    opening = Template('<{} class="{}">').format(name, kind) if kind else Template("<{}>").format(name)
    return opening + content + Template("</{}>").format(name)


_COLUMNS = {"l": "text", "w": "wrap", "r": ""}


def _cell(name: str, cell: b.Said | b.Cell, column: str) -> Markup:
    said, kind = (cell.said, cell.kind) if isinstance(cell, b.Cell) else (cell, "")
    # A heading wraps in any column.
    own = "text" if name == "th" and column == "w" else _COLUMNS[column]
    classes = " ".join(filter(None, (own, kind)))
    scope = Markup(' scope="col"') if name == "th" else ""
    marked = Template(' class="{}"').format(classes) if classes else ""
    content = _said(said)
    if name == "th" and isinstance(said, str):  # a long name may end its line at an underscore
        content = content.replace("_", Markup("_<wbr>"))
    return Template("<{0}{1}{2}>{3}</{0}>").format(name, marked, scope, content)


def _table(table: b.Table) -> Markup:
    columns = table.columns or "l" + "r" * (len(table.heads) - 1)

    def row(name: str, cells: tuple[b.Said | b.Cell, ...]) -> Markup:
        each = (_cell(name, cell, column) for cell, column in zip(cells, columns, strict=True))
        return _element("tr", Markup("").join(each))

    head = _element("thead", row("th", table.heads)) if any(table.heads) else ""

    def part(rows: tuple[tuple[b.Said | b.Cell, ...], ...]) -> Markup:
        body = _element("tbody", _all(row("td", cells) for cells in rows))
        return _element("div", _element("table", Template("{}\n{}").format(head, body), table.kind), "box")

    # A few rows more are no reason to hide them.
    if not table.first or len(table.rows) <= table.first + _NEARLY:
        return part(table.rows)
    rest = table.rows[table.first :]
    folded = Template("<details><summary>{:,} more rows</summary>{}</details>").format(len(rest), part(rest))
    return _all((part(table.rows[: table.first]), folded))


_NEARLY = 4
_BESIDE = 0.6  # of its height has a chart that stands beside words
