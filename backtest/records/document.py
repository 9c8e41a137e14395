"""A result as a record that is its JSON document: written by one function, and read back by one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import msgspec

from backtest.errors import UsageError
from backtest.files import unchanged
from backtest.market.toml import in_words

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.market.data import Sourced

T = TypeVar("T")

Day: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
"""A day as ``YYYY-MM-DD``."""

if TYPE_CHECKING:
    Number: TypeAlias = float
else:
    Number = float | None
"""A number; NaN where there is none, which is null in JSON, and None in a record that was read back."""

Metrics: TypeAlias = Mapping[str, float | None]
"""Measures by key, in the order of ``MEASURES``; None, or NaN where it was just measured, for what is not
defined."""


def plain(content: Any) -> Any:
    """Return a document as dicts and lists: NaN is None, a day its ISO date, an array a list."""
    return msgspec.json.decode(msgspec.json.encode(content, enc_hook=_plain))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, PurePath) else value.tolist()


def to_json(content: Any) -> str:
    """Return a document's text, of ASCII letters only, so that every terminal can print it."""
    return json.dumps(plain(content), indent=2, allow_nan=False)


def write_document(content: Any, file: Path) -> None:
    """Write a document into a file of a folder that is being written."""
    file.write_text(to_json(content) + "\n", encoding="utf-8")


def read_document(file: Path, kind: type[T]) -> T:
    """Return the document in a file.

    A key that it does not know is passed over; one that it lacks has its default, if it has one.

    Raises
    ------
    UsageError
        When the file cannot be read, or is no such document; the sentence has the file, the key, and what was
        expected there.
    """
    try:
        return msgspec.json.decode(unchanged(file), type=kind)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {_wrong(str(error))}; write it again") from None


def _wrong(said: str) -> str:
    """Return what msgspec has against a document as the end of a sentence."""
    said, _, place = said.partition(" - at `$")
    key = f"'{place.strip('.`')}'" if place.strip(".`") else ""
    lacking = said.partition(" missing required field ")[2].strip("`")
    if lacking:
        return f"{key or 'it'} lacks '{lacking}'"
    if " matching regex " in said:
        return f"{key} must be a day, such as 1990-01-31"
    return f"{key} must be {in_words(said, None)}" if key else "it is not JSON, or not of this kind"


class SourceDocument(msgspec.Struct, frozen=True):
    """Where a series is from, its checksum, and the last day up to which it is known."""

    source: str
    sha256: str
    last: Day


class DataDocument(msgspec.Struct, frozen=True):
    """The last bar, and what each series of a market was made of."""

    last: Day
    series: Mapping[str, SourceDocument]

    @classmethod
    def of(cls, market: Sourced) -> DataDocument:
        """Return what a result on a market rests on."""
        sources = sorted(market.sources.items())
        series = {id: SourceDocument(p.origin, p.sha256, str(p.last)) for id, p in sources}
        return cls(str(market.last), series)
