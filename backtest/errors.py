"""The errors a user can meet, each one plain sentence and an exit status."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class RotationError(Exception):
    """The work failed: the data, the disk or a strategy's own code did not allow it.

    Examples
    --------
    >>> from backtest import RotationError, signal
    >>> try:
    ...     signal("rate_cut", as_of="1983-01-01")
    ... except RotationError as error:
    ...     print(error)
    rate_cut holds nothing yet on 1983-01-01: its inputs are not all known (a signal needs its history first)
    """

    exit_status = 1


class UsageError(RotationError):
    """The call was wrong: a name, a value or a date that cannot be used.

    Examples
    --------
    >>> from backtest import UsageError, run
    >>> try:
    ...     run("rate_cut", hold=999)
    ... except UsageError as error:
    ...     print(error)
    hold must lie in 1 to 60 months, not 999
    """

    exit_status = 2


class DataError(RotationError):
    """The data are not what they are declared to be."""


class LookAheadError(RotationError):
    """A strategy asked for something that was not known at the time."""


def failing_line(error: BaseException, file: str) -> int | None:
    """Return the last line of ``file`` that an error passed through; None where it passed none."""
    import traceback

    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return lines[-1] if lines else None


def joined(names: Sequence[str], word: str = "and") -> str:
    """Return names as a sentence has them.

    >>> joined(["etf"]), joined(["etf", "embedded"]), joined(["etf", "embedded", "french_daily"])
    ('etf', 'etf and embedded', 'etf, embedded and french_daily')
    """
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


_MOST = 24  # names that one sentence lists


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a clause that names the nearest of ``names``, or all of them where none is near.

    >>> nearest("rate_cuts", ["rate_cut", "january"])
    "did you mean 'rate_cut'?"
    >>> nearest("xyz", ["rate_cut", "january"])
    'there are: january, rate_cut'
    """
    known = sorted(set(names))
    folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    if close:
        return f"did you mean '{folded[close[0]]}'?"
    if not known:
        return "there is none"
    rest = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return f"there are: {', '.join(known[:_MOST])}{rest}"
