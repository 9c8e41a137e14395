"""The parser of the command line, and of NAME=VALUE: each says what is wrong in one sentence."""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, NoReturn

from backtest.errors import UsageError, nearest
from backtest.numerals import number

if TYPE_CHECKING:
    from collections.abc import Sequence


_NARROWEST = 40  # columns; in fewer nothing can be read

_ROOM = 24  # columns that a text needs beside what it is about; with fewer it goes below


_COLUMNS = re.compile(r"^( *)(\S.*?\s{2,}(?=\S))?(.*)$")
"""A line: how far it is set in, its first column if it has two, and the rest."""


def folded(text: str, columns: int) -> str:
    """Return text in lines of so many columns; a command that has a line of its own stays one, to be copied.

    What follows goes below what it continues: below the second column of a line that has one.
    """
    return "\n".join(_fold(line, max(columns, _NARROWEST)) for line in text.split("\n"))


def _fold(line: str, columns: int) -> str:
    ((indent, first, rest),) = _COLUMNS.findall(line)
    if len(line) <= columns or (not first and rest.startswith("rotation ")):
        return line
    lead, above = indent + first, []
    below = " " * (len(lead) if first else len(indent) + 4 * bool(indent))
    if first and columns - len(lead) < _ROOM:
        above, lead = [lead.rstrip()], f"{indent}    "
        below = lead
    wrapped = textwrap.wrap(
        rest,
        columns,
        initial_indent=lead,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([*above, *wrapped])


def shown(text: str, stream: Any = None) -> str:
    """Return text as a stream shows it, by default standard output.

    It is folded on a terminal, and where ``COLUMNS`` says how wide one is; a file keeps its lines.
    """
    stream = sys.stdout if stream is None else stream
    if not stream.isatty() and "COLUMNS" not in os.environ:
        return text
    return folded(text, shutil.get_terminal_size().columns)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of descriptions, folded where they are longer than the terminal."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return folded(super()._fill_text(text, width, indent), width)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence instead of printing its usage."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        super().__init__(allow_abbrev=False, **options)
        self.register("action", None, _Once)
        self.taken: set[str] = set()
        self.instead: dict[str, str] = {}
        """Options that other commands have, each with what it is called here."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print; it calls this."""
        raise UsageError(f"{message}; see {self.prog} --help")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Return the options; UsageError names the nearest one where one is unknown."""
        for word in arguments:
            name, _, value = word.partition("=")
            if name.startswith("--") and value == "--":  # of which argparse makes an empty list
                raise UsageError(f"{name} is empty; give it a value, or leave it out")
            _, _, value = word.rpartition("=")
            # What stays as it is names a user that there is not; Path.expanduser would fail at it.
            if value.startswith("~") and os.path.expanduser(value) == value:  # noqa: PTH111 - pathlib is not loaded
                raise UsageError(
                    f"'{value}' begins with a home folder that does not exist; write the path out"
                )
        known, unknown = self.parse_known_args(arguments)
        if unknown:
            options = [o for action in self._actions for o in action.option_strings]
            what = "option" if unknown[0].startswith("-") else "argument"
            option = unknown[0].split("=")[0]
            near = nearest(self.instead.get(option, option), options) if what == "option" else ""
            near = near if near.startswith("did") else f"see {self.prog} --help"
            raise UsageError(f"there is no {what} '{unknown[0]}'; {near}")
        return known

    def add_number(
        self,
        name: str,
        low: float = -math.inf,
        high: float = math.inf,
        *,
        whole: bool = False,
        **options: Any,
    ) -> None:
        """Add an option that takes a number from ``low`` to ``high``."""
        self.add_argument(
            name,
            type=lambda given: number(given, name, low, high, whole=whole),
            **{"metavar": "X", **options},
        )

    def add_data_dir(self) -> None:
        """Add ``--data-dir``, which is the environment variable ``ROTATION_DATA`` for one command."""
        self.add_argument(
            "--data-dir",
            metavar="DIR",
            action=_DataDir,
            help="where downloaded series are stored (default: ROTATION_DATA, else the user's data folder)",
        )


class _Once(argparse.Action):
    """Takes a value once: an empty one, or a second one, is a slip of a script that nobody would notice."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        if option_string:
            if option_string in parser.taken:
                raise UsageError(f"{option_string} is given more than once")
            parser.taken.add(option_string)
        if isinstance(values, str) and not values.strip():
            raise UsageError(f"{option_string or self.metavar} is empty; give it a value, or leave it out")
        setattr(namespace, self.dest, values)


class _DataDir(_Once):
    """Puts the folder where the store looks for it, in this process and those that it starts."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        super().__call__(parser, namespace, values, option_string)
        os.environ["ROTATION_DATA"] = values


def named_with_parameters(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of ``NAME:hold=12,delay=3``; a colon without ``=`` is a path's."""
    name, _, rest = text.rpartition(":")
    if not name or "=" not in rest:
        return text, {}
    whole, _, before = name.rpartition(":")
    if whole and "=" in before and not os.path.exists(name):  # noqa: PTH110 - pathlib is not loaded
        raise UsageError(f"parameters of a run are parted by commas: {whole}:{before},{rest}")
    return name, once([pair("a run", each) for each in rest.split(",")])


def pair(taker: str, text: str) -> tuple[str, str]:
    """Return the name and the value of ``NAME=VALUE``; ``taker`` is what takes it, for the error."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{taker} takes NAME=VALUE, such as hold=18, not '{text}'")
    return name.strip().replace("-", "_"), value.strip()


def once(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the values by name; UsageError where a name is given twice."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{name} is given more than once")
    return dict(pairs)
