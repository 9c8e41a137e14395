"""TOML files as records: what is wrong with one is said with its line, its key and the nearest name."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

import msgspec

from backtest.errors import DataError, nearest
from backtest.files import content_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")

DERIVED = {"derived": True}
"""The metadata of a record's field that no file has."""

_DEEPEST = 50
_LIMIT = 2**20  # bytes; nobody writes a megabyte by hand
_WORDS = {
    "str": "text",
    "array": "a list",
    "object": "a table",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
_HOW = {
    "text": "write it in quotes",
    "a number, not text": "write it without quotes",
    "a list": "put it in square brackets",
    "a table": "write [{0}] and its entries below it",
    "a list of tables": "write [[{0}]] above the entries of each",
}
"""How that is written, by what a value must be, or by that and what it is."""


class WrongError(Exception):
    """What is wrong with a TOML file, and at which key of it."""

    def __init__(self, path: tuple[str, ...], why: str) -> None:
        super().__init__(why)
        self.path = path


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content.

    Raises
    ------
    DataError
        When it cannot be read or is not TOML; the sentence has the file, the line and the reason.
    """
    return _parsed(path, _text(path))


@contextmanager
def declared(path: Path) -> Iterator[dict[str, Any]]:
    """Give a TOML file's content to make records of; a WrongError there becomes a DataError with the line."""
    text = _text(path)
    content = _parsed(path, text)
    try:
        yield content
    except WrongError as wrong:
        raise DataError(f"{path}, line {line_of(text, wrong.path)}: {wrong}") from None


def _text(path: Path) -> str:
    try:
        # An editor may have put a mark of its encoding before the text.
        return content_of(path, _LIMIT).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; name a file that you may read") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as UTF-8") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(text)
        deep = _deep(content)
    except RecursionError:
        deep = True
    except ValueError as error:  # a number of thousands of digits, too
        raise DataError(f"{path} is not valid TOML: {error}") from None
    if deep:
        raise DataError(f"{path} is nested too deeply; no file of this kind needs {_DEEPEST} levels")
    return content


def _deep(content: dict[str, Any]) -> bool:
    """Return whether tables and lists lie within each other deeper than whatever reads them goes."""
    level: list[Any] = [content]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return the number of the line on which a key of a TOML text stands (1 where it stands nowhere)."""
    found = 1
    counts: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*(\[\[?)([^\[\]]+)\]", line)
        key = re.match(r"""\s*("[^"]+"|'[^']+'|[\w-]+)\s*=""", line)
        if header:
            here = table = tuple(part.strip(" \"'") for part in header[2].split("."))
            if header[1] == "[[":  # a key in one of several tables of a name has its number behind the name
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
                here = table if len(keys) >= len(table) else here
        elif key:
            here = (*table, key[1].strip("\"'"))
        else:
            continue
        # The line of the longest beginning of the path: an inline table has its keys on one line.
        if here and keys[: len(here)] == here:
            found = number
    return found


def record(
    kind: type[T], content: dict[str, Any], where: tuple[str, ...] = (), also: tuple[str, ...] = ()
) -> T:
    """Return a table of a TOML file as a record.

    Parameters
    ----------
    kind
        A frozen dataclass; its fields are the keys.
    content
        The table.
    where
        The keys under which it stands in its file.
    also
        Keys that have been taken out of it, to be named where one is unknown.

    Raises
    ------
    WrongError
        When a key is unknown or missing, or a value is of another type than its field.
    """
    fields = {f.name: f for f in dataclasses.fields(kind) if f.metadata != DERIVED}  # type: ignore[arg-type]
    for key in content:
        if key not in fields:
            raise WrongError((*where, key), f"there is no '{key}' here; {nearest(key, (*fields, *also))}")
    without = (dataclasses.MISSING, dataclasses.MISSING)
    lacking = [
        f.name for f in fields.values() if f.name not in content and (f.default, f.default_factory) == without
    ]
    if lacking:
        whose = next((f"'{key}'" for key in reversed(where) if not key.isdecimal()), "the file")
        raise WrongError(where, f"{whose} lacks {', '.join(lacking)}")
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        key = str(error).partition(" - at `$.")[2].rstrip("`").partition("[")[0]
        raise _wrong((*where, key), content[key], get_type_hints(kind, include_extras=True)[key]) from None


def _wrong(where: tuple[str, ...], value: Any, kind: Any) -> WrongError:
    """Return what is wrong with a value that is not of a type; of a table, with its first wrong key."""
    of_table = value.items() if isinstance(value, dict) and get_args(kind) else ()
    parts = [((*where, key), part, get_args(kind)[1]) for key, part in of_table]
    for path, part, of in [*parts, (where, value, kind)]:
        try:
            msgspec.convert(part, of)
        except msgspec.ValidationError as error:
            words = in_words(str(error), of)
            how = _HOW.get(words) or _HOW.get(words.partition(", not ")[0], "")
            said = f"'{path[-1]}' must be {words}{'; ' if how else ''}{how.format(path[-1])}"
            return WrongError(path, said)
    return WrongError(where, f"'{where[-1]}' cannot be read")


def in_words(said: str, kind: Any) -> str:
    """Return msgspec's "Expected `str`, got `int`" in the words of a sentence."""
    said, _, place = said.partition(" - at ")
    if said.startswith("Invalid enum value "):
        return f"{' or '.join(get_args(kind))}, not {said.removeprefix('Invalid enum value ')}"
    said = said.removeprefix("Expected ").replace(", got ", ", not ")
    said = re.sub(r" of length (\d)", r" of \1", re.sub(r"( of length)? >= (\d+)", r" of \2 or more", said))
    said = re.sub(r"`([\w| ]+)`", lambda match: " or ".join(_worded(match[1])), said)
    return (
        "a list of " + re.sub(r"^an? ([^,]+)", r"\1s", said) if "[" in place.rpartition("...]")[2] else said
    )


def _worded(kinds: str) -> list[str]:
    # No TOML file has a null: where a key may be left out, its value may not.
    return [_WORDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null"] or ["nothing"]
