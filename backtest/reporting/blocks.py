"""Blocks: what a page says, as data; ``html`` and ``terminal`` know how to draw each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable


# Within a sentence.


@dataclass(frozen=True)
class Link:
    """Words that lead to another page or place."""

    words: str
    to: str


@dataclass(frozen=True)
class Badge:
    """A word that is seen first: a verdict; ``kind`` is one of ``yes``, ``no``, ``against``, ``open``."""

    word: str
    kind: str


@dataclass(frozen=True)
class Key:
    """A sample of what stands for something in a figure: a patch of a colour."""

    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Code:
    """Words that are to be copied as they are."""

    words: str


Said: TypeAlias = "str | Link | Badge | Key | Code | tuple[str | Link | Badge | Key | Code, ...]"
"""A sentence: words, and what may stand within them."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table that is more than words: tinted, marked as the best, or the row's own."""

    said: Said
    kind: str = ""


# The blocks. What is ``brief`` is shown where room is short: on a terminal and in a notebook.


@dataclass(frozen=True, kw_only=True)
class Block:
    """A part of a page."""

    brief: bool = False


@dataclass(frozen=True)
class Heading(Block):
    """A heading: 1 for the page's, 2 for its parts, 3 for theirs."""

    words: str
    level: int = 2


@dataclass(frozen=True)
class Text(Block):
    """A paragraph; ``kind`` is empty, or one of ``lead``, ``note``, ``warning``, ``number``."""

    said: Said
    kind: str = ""


@dataclass(frozen=True)
class Conclusion(Block):
    """What the numbers allow to say, a sentence or a few."""

    sentences: tuple[Said, ...]


@dataclass(frozen=True)
class Definitions(Block):
    """Headings, each with a sentence."""

    pairs: tuple[tuple[str, Said], ...]


@dataclass(frozen=True)
class Counts(Block):
    """A few short things side by side."""

    each: tuple[Said, ...]


class Tile(NamedTuple):
    """A number that is seen first, with what it is and how sure it is."""

    what: str
    value: str
    more: str


@dataclass(frozen=True)
class Tiles(Block):
    """Numbers that are seen first."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Table(Block):
    """Rows of cells under headings.

    Parameters
    ----------
    heads
        A heading a column; none at all where every one is empty.
    rows
        Words, or ``Cell``.
    columns
        A letter a column: ``l`` and ``r`` for one line set to the left or right, ``w`` for words that wrap.
        By default the first is set to the left and all others to the right.
    kind
        ``loose`` where cells may wrap, ``names`` where those set to the left may, ``months`` for narrow
        cells, ``codes`` where what is to be copied stays on one line.
    first
        Of a long table so many rows are seen at once, and the others when they are asked for, and in print;
        0 for all.
    """

    heads: tuple[Said | Cell, ...]
    rows: tuple[tuple[Said | Cell, ...], ...]
    columns: str = ""
    kind: str = ""
    first: int = 0


@dataclass(frozen=True)
class Picture(Block):
    """A picture that lies in a file beside the page."""

    file: str
    shows: str


@dataclass(frozen=True)
class Section(Block):
    """Blocks that belong together, under an address of their own, with a chart beside them."""

    id: str
    blocks: tuple[Block, ...]
    beside: Block | None = None


@dataclass(frozen=True)
class Page:
    """A page: its title, its blocks, and the last line."""

    title: str
    blocks: tuple[Block, ...]
    last: str = ""


def table(
    heads: Iterable[Said | Cell],
    rows: Iterable[Iterable[Said | Cell]],
    columns: str = "",
    kind: str = "",
    *,
    first: int = 0,
    brief: bool = False,
) -> Table:
    """Return a table of what is given in any order that has one."""
    return Table(tuple(heads), tuple(map(tuple, rows)), columns, kind, first, brief=brief)


def listed(parts: Iterable[tuple[Key, str]], between: str = ", ") -> tuple[Key | str, ...]:
    """Return samples with their names, set off from each other."""
    said: list[Key | str] = []
    for key, name in parts:
        said += [between, key, name] if said else [key, name]
    return tuple(said)
