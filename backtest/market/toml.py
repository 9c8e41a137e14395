"""TOML files as records: what is wrong with one is said with its line, its key and the nearest name."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import numpy as np

from backtest.errors import DataError, RotationError, UsageError, nearest
from backtest.files import content_of
from backtest.folders import expanded, shipped

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


@contextmanager
def at(*path: str) -> Iterator[None]:
    """Say of whatever is wrong inside that it is so under these keys of the file."""
    try:
        yield
    except WrongError as wrong:
        raise WrongError((*path, *wrong.path), str(wrong)) from None
    except RotationError as error:
        raise WrongError(path, str(error)) from None


def names_of(kind: str) -> list[str]:
    """Return the names of the shipped files of a kind: ``market``, ``panel``, ``scheme``, ``mapping``."""
    return sorted(path.stem for path in (shipped("data") / f"{kind}s").glob("*.toml"))


def file_of(kind: str, name: str) -> Path:
    """Return the file of a market or a panel: a shipped name, a TOML file, or a folder that has one.

    Raises
    ------
    UsageError
        When there is none; the nearest shipped name is given.
    """
    if name in names_of(kind):
        return shipped("data") / f"{kind}s" / f"{name}.toml"
    path = expanded(name)
    for place in (path / f"{kind}.toml", path):
        if place.is_file():
            return place
    if path.suffix == ".toml" or "/" in name:
        raise UsageError(f"there is no {kind} file {name}")
    raise UsageError(f"there is no {kind} '{name}'; {nearest(name, names_of(kind))}")


def _month(text: str, _: str) -> None:
    try:
        np.datetime64(text, "M")
    except ValueError:
        raise DataError(f"'{text}' is not a month; write it as 1990-07") from None


Month: TypeAlias = Annotated[str, _month]
"""A month in a TOML file, ``1990-07``."""


@contextmanager
def declared(path: Path) -> Iterator[dict[str, Any]]:
    """Give a TOML file's content to make records of; a WrongError there becomes a DataError with the line.

    Raises
    ------
    DataError
        When it cannot be read or is not TOML; the sentence has the file, the line and the reason.
    """
    try:
        # An editor may have put a mark of its encoding before the text.
        text = content_of(path, _LIMIT).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; name a file that you may read") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    try:
        content = tomllib.loads(text)
        deep = _deep(content)
    except RecursionError:
        deep = True
    except ValueError as error:  # a number of thousands of digits, too
        raise DataError(f"{path} is not valid TOML: {error}") from None
    if deep:
        raise DataError(f"{path} is nested too deeply; no file of this kind needs {_DEEPEST} levels")
    try:
        yield content
    except WrongError as wrong:
        raise DataError(f"{path}, line {line_of(text, wrong.path)}: {wrong}") from None


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


def record(kind: type[T], content: dict[str, Any], where: tuple[str, ...] = (), **derived: Any) -> T:
    """Return a table of a TOML file as a record; tables within it that are records, too, are read alike.

    Parameters
    ----------
    kind
        A frozen dataclass; its fields are the keys. It may check itself in ``__post_init__``, by a WrongError
        with the keys inside of it. A type with a method ``declared`` reads itself, and a text's type may name
        a check of it and its key: ``Annotated[str, check]``.
    content
        The table.
    where
        The keys under which it stands in its file.
    derived
        Fields that no file has.

    Raises
    ------
    WrongError
        When a key is unknown or missing, or a value is of another type than its field.
    """
    keys, needed = _keys(kind)  # type: ignore[arg-type] # a class can be hashed
    for key in content:
        if key not in keys:
            raise WrongError((*where, key), f"there is no '{key}' here; {nearest(key, keys)}")
    lacking = [key for key in needed if key not in content]
    if lacking:
        whose = next((f"'{key}'" for key in reversed(where) if not key.isdecimal()), "the file")
        raise WrongError(where, f"{whose} lacks {', '.join(lacking)}")
    made = {key: _part(of, content[key], (*where, key)) for key, of in keys.items() if key in content}
    try:
        return kind(**made, **derived)
    except WrongError as wrong:
        raise WrongError((*where, *wrong.path), str(wrong)) from None


@cache
def _keys(kind: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the types of a record's fields, in their order, and the names of those that a file must have."""
    hints, without = get_type_hints(kind, include_extras=True), (dataclasses.MISSING, dataclasses.MISSING)
    fields = [f for f in dataclasses.fields(kind) if f.metadata != DERIVED]
    needed = [f.name for f in fields if (f.default, f.default_factory) == without]
    return {f.name: _present(hints[f.name]) for f in fields}, needed


def _present(kind: Any) -> Any:
    """Return a type without the None that stands for a key that is left out."""
    kinds = [of for of in get_args(kind) if of is not type(None)]
    return kinds[0] if type(None) in get_args(kind) and len(kinds) == 1 else kind


@cache
def _shape(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(kind), get_args(kind)


def _part(kind: Any, value: Any, where: tuple[str, ...]) -> Any:
    origin, inside = _shape(kind)
    if hasattr(kind, "declared"):
        return kind.declared(value, where)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and isinstance(value, dict):
        return record(kind, value, where)
    if origin is dict and isinstance(value, dict):
        return {
            _part(inside[0], key, (*where, key)): _part(inside[1], part, (*where, key))
            for key, part in value.items()
        }
    if origin is tuple and isinstance(value, list) and all(isinstance(v, dict) for v in value):
        return tuple(_part(inside[0], part, (*where, str(n))) for n, part in enumerate(value))
    try:
        made = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        words = in_words(str(error), kind)
        how = _HOW.get(words) or _HOW.get(words.partition(", not ")[0], "")
        said = f"'{where[-1]}' must be {words}{'; ' if how else ''}{how.format(where[-1])}"
        raise WrongError(where, said) from None
    each = [(inside[0], part) for part in made] if isinstance(made, tuple) else [(kind, made)]
    for of, text in each:
        for check in filter(callable, getattr(of, "__metadata__", ())):
            with at(*where):
                check(text, where[-1])
    return made


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
