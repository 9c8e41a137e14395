"""The parser of the command line, and of NAME=VALUE: each says what is wrong in one sentence."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any, NoReturn

from backtest.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence instead of printing its usage."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print; it calls this."""
        raise UsageError(f"{message}; see {self.prog} --help")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Return the options; UsageError names the nearest one where one is unknown."""
        for word in arguments:
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
            near = nearest(unknown[0].split("=")[0], options) if what == "option" else ""
            near = near if near.startswith("did") else f"see {self.prog} --help"
            raise UsageError(f"there is no {what} '{unknown[0]}'; {near}")
        return known

    def add_data_dir(self) -> None:
        """Add ``--data-dir``, which is the environment variable ``ROTATION_DATA`` for one command."""
        self.add_argument(
            "--data-dir",
            metavar="DIR",
            action=_DataDir,
            help="where downloaded series are stored (default: ROTATION_DATA, else the user's data folder)",
        )


class _DataDir(argparse.Action):
    """Puts the folder where the store looks for it, in this process and those that it starts."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:  # noqa: ARG002
        os.environ["ROTATION_DATA"] = values


def named_with_parameters(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of ``NAME:hold=12,delay=3``; a colon without ``=`` is a path's."""
    name, _, rest = text.rpartition(":")
    if not name or "=" not in rest:
        return text, {}
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
