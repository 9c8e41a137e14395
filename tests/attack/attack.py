"""An attack: one wrong call or one damaged file at a time, and what is wrong with the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.attack.damage import Damage, Target, damage, mend
from tests.attack.ground import TooLongError, call, make, objections, restore, seen

if TYPE_CHECKING:
    from tests.attack.calls import Call

_TELLS = (["data", "fetch"], ["data", "list"], ["data", "verify"])
"""What says what it did before it says what failed."""


@dataclass(frozen=True)
class Tried:
    """What an attack came to; ``wrong`` is empty where the command held."""

    arguments: tuple[str, ...]
    status: int
    wrong: tuple[str, ...]
    how: str = ""


class Ground:
    """A folder to attack in, put back after every call that changed it."""

    def __init__(self, home: Path) -> None:
        self.answers: dict[tuple[str, ...], object] = {}
        self.template, self.folder = home / "template", home / "here"
        # Made where it is used: reports and stores know where they lie.
        self.folder.mkdir()
        make(self.folder)
        self.folder.rename(self.template)
        self._restore()

    def _restore(self) -> None:
        restore(self.template, self.folder)
        self.before = seen(self.folder)

    def _call(self, arguments: tuple[str, ...], how: str = "", refused: str = "") -> tuple[Tried, str]:
        before = seen(self.folder) if how else self.before
        try:
            done = call(self.folder, arguments)
        except TooLongError:
            self._restore()
            return Tried(arguments, -1, ("did not come back",), how), ""
        except BaseException as error:  # noqa: BLE001 - the guard let it through, which is what is asked
            self._restore()
            return Tried(arguments, -2, (f"not caught: {type(error).__name__}: {error}"[:300],), how), ""
        after = seen(self.folder)
        wrong = objections(before, after, done, tells=list(arguments[:2]) in _TELLS)
        if refused and done.status == 0:
            wrong.append(f"accepted in silence: {refused}")
        if after != before:
            self._restore()
        return Tried(arguments, done.status, tuple(wrong), how), done.said

    def called(self, wrong: Call) -> Tried:
        """Try a wrong call."""
        return self._call(wrong.arguments, refused=wrong.refused)[0]

    def damaged(self, target: Target, how: Damage, which: float) -> Tried:
        """Damage a file, try what reads it, and mend it."""
        paths = sorted(self.folder.glob(target.pattern))
        path = paths[min(int(which * len(paths)), len(paths) - 1)]
        arguments = tuple(word.format(path.name) if word == "{}" else word for word in target.arguments)
        if arguments not in self.answers:
            right, said = self._call(arguments)
            assert (right.status, right.wrong) == (0, ()), right  # else no damage would be noticed
            self.answers[arguments] = _plain(said)
        kept = self.template / path.relative_to(self.folder)
        if not damage(path, how):
            return Tried(arguments, 0, ())
        said_of = (
            f"{path.relative_to(self.folder)}: {how.kind} at {how.where:.3f}, {how.size}, {how.what[:20]!r}"
        )
        tried, said = self._call(arguments, said_of)
        if path.parent.is_dir():
            mend(path, kept)
        # Two packed files in one are a packed file, and a store that lost a record is one that never had it.
        told = ('"set_aside"' in said and how.kind == "twice") or (
            how.kind == "nothing" and tried.arguments[:2] in (("data", "verify"), ("data", "list"))
        )
        if target.sealed and tried.status == 0 and not told and _plain(said) != self.answers[arguments]:
            return Tried(arguments, 0, (*tried.wrong, "other numbers, in silence"), said_of)
        return tried


def _plain(said: str) -> object:
    """Return an answer without what differs from call to call."""
    try:
        document = json.loads(said)
    except ValueError:
        return said
    if isinstance(document, dict):
        for name in ("seconds", "report", "results"):
            document.pop(name, None)
    return document
