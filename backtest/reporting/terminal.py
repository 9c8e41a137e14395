"""A terminal: the blocks of a page that are brief, in lines that fit it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backtest.reporting import blocks as b

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BETWEEN = 3  # characters between two columns: a line, and a space on either side
_ROOM = 12  # characters that a column of words needs, if it is to be read


def show(blocks: Iterable[b.Block]) -> None:
    """Print the brief blocks of a page."""
    console = Console(highlight=False, soft_wrap=False)
    for block in blocks:
        if block.brief:
            _print(console, block)


def _print(console: Console, block: b.Block) -> None:
    match block:
        case b.Heading(words):
            console.print(Text(words, style="italic"))
        case b.Text(said, kind):
            console.print(Text(words_of(said), style="dim" if kind == "note" else ""))
        case b.Conclusion(sentences):
            console.print(Text(" ".join(map(words_of, sentences)), style="bold"))
            console.print()
        case b.Definitions(pairs):
            console.print(_grid(pairs))
            console.print()
        case b.Table():
            for part in tables(block, console.width):
                console.print(part)
                console.print()


_FIRST = (b.Conclusion, b.Table, b.Definitions, b.Text, b.Heading)
"""What is kept first, where not all blocks have room."""


def text(blocks: Iterable[b.Block], most: int = 36) -> str:
    """Return brief blocks as plain letters in at most so many lines: what counts most, in the page's order.

    What is to be said before any number, the first verdict and the first table are always there, the table
    cut where it is longer than the room.
    """
    drawn = [(block, _lines(block)) for block in blocks if block.brief]
    first = next((block for block, _ in drawn if isinstance(block, b.Table)), None)
    warned = (isinstance(block, b.Text) and block.kind == "warning" for block, _ in drawn)
    kept: dict[int, list[str]] = {place: drawn[place][1] for place, is_ in enumerate(warned) if is_}
    for kind in _FIRST:
        for place, (block, own) in enumerate(drawn):
            room = most - sum(map(len, kept.values()))
            if place in kept:
                continue
            if isinstance(block, kind) and own and len(own) <= room:
                kept[place] = own
            elif isinstance(block, kind) and block is first:
                kept[place] = [*own[: room - 1], "..."]
    return "\n".join(line for place in sorted(kept) for line in kept[place]).rstrip()


def _lines(block: b.Block) -> list[str]:
    # A notebook is asked for plain letters too; there rich would show its own HTML.
    console = Console(file=io.StringIO(), color_system=None, highlight=False, force_jupyter=False)
    with console.capture() as said:
        _print(console, block)
    return [line.rstrip() for line in said.get().splitlines()]


def show_place(what: str, place: object) -> None:
    """Print where something was written, in one piece, to be copied."""
    Console(highlight=False).print(Text(f"{what}: {place}"), soft_wrap=True)


def words_of(said: b.Said | b.Cell) -> str:
    """Return a sentence without what only a page can show."""
    match said:
        case b.Cell(inside):
            return words_of(inside)
        case tuple():
            return "".join(map(words_of, said))
        case b.Link(words) | b.Badge(words) | b.Code(words):
            return words
        case b.Key():
            return ""
        case _:
            return said


def _grid(pairs: Sequence[tuple[str, b.Said]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    before = ""
    for name, said in pairs:
        grid.add_row(Text(name if name != before else "", style="dim"), Text(words_of(said)))
        before = name
    return grid


def tables(table: b.Table, width: int) -> list[Table]:
    """Return the columns of a table in as few tables as show every number whole.

    Each has the first column again. A heading that is wider than the room is folded, and so are columns of
    words.
    """
    heads = [words_of(head) for head in table.heads]
    rows = [[words_of(cell) for cell in row] for row in table.rows]
    kinds = table.columns or "l" + "r" * (len(heads) - 1)
    labels, *others = zip(heads, kinds, *rows, strict=True)
    room = width - (_ROOM if labels[1] == "w" else max(len(label) for label in (labels[0], *labels[2:])))
    groups: list[list[tuple[str, ...]]] = []
    left = 0
    for column in others:
        needed = _needed(column, room) + _BETWEEN
        if not groups or needed > left:
            groups.append([])
            left = room
        groups[-1].append(column)
        left -= needed
    return [_drawn([labels, *group]) for group in groups] or [_drawn([labels])]


def _needed(column: tuple[str, ...], room: int) -> int:
    """Return how many letters a column needs."""
    head, kind, *cells = column
    if kind == "w":
        return min(max(map(len, (head, *cells))), 2 * _ROOM)
    return max([*map(len, cells), min(len(head), room - _BETWEEN)])


def _drawn(columns: Sequence[tuple[str, ...]]) -> Table:
    shown = Table(
        show_edge=False,
        pad_edge=False,
        show_header=any(head for head, *_ in columns),
        show_lines=columns[0][1] == "w",  # rows of several lines must be told apart
    )
    for place, (head, kind, *cells) in enumerate(columns):
        if kind == "w":
            shown.add_column(Text(head), overflow="fold", ratio=1 if len(columns) < 3 else None)
        elif place == 0:
            shown.add_column(Text(head), no_wrap=True)
        else:
            whole = max(map(len, cells), default=0)
            shown.add_column(
                Text(head), justify="right" if kind == "r" else "left", min_width=whole, overflow="fold"
            )
    for row in zip(*(cells for _, _, *cells in columns), strict=True):
        shown.add_row(*map(Text, row))
    return shown
