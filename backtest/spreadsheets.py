"""Tables for spreadsheets: no text in a CSV becomes a formula, and each can be read again as it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GUARDED = re.compile(r"'*[=+\-@\t\r]")
"""What gets one more apostrophe, so that taking one away again gives every text back."""

AS_WRITTEN = r"^'('*[=+\-@\t\r])"
"""What a guarded text begins with, as a pattern; its group is what it began with before."""


def is_formula(value: object) -> bool:
    """Return whether a spreadsheet would take a text for a formula or a command."""
    return isinstance(value, str) and value.startswith(_FORMULA)


def _guarded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # A lone carriage return would stand unquoted, and what follows it would be a row of its own.
    return ("'" if _GUARDED.match(value) else "") + value.replace("\r", "\n")


def csv_of(frame: pd.DataFrame, *, header: bool = True) -> bytes:
    """Return a table as CSV; a text that would be a formula has an apostrophe before it, a number never."""
    import pandas as pd

    safe = frame.rename(columns=_guarded)
    for at, kind in enumerate(frame.dtypes):
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_dtype(kind)):
            safe.isetitem(at, frame.iloc[:, at].astype(object).map(_guarded).array)
    return safe.to_csv(index=False, header=header, date_format="%Y-%m-%d", lineterminator="\n").encode()
