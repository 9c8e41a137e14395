"""How a result shows itself: its words, figure, table and files, all of them drawn by a view of it.

Records stand below the pages that show them and know none of them. Who draws is said once, by the package's
``__init__``, which alone knows every floor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure


class Drawn(Protocol):
    """What a view gives of a result, each when it is asked for."""

    frame: Callable[[], pd.DataFrame]
    write: Callable[[Path | str | None], Path]
    draw: Callable[[], Figure]

    def letters(self) -> str:
        """Return it in a few lines of letters."""

    def html(self) -> str:
        """Return it as a part of a notebook."""

    def save(self, file: Path | str) -> Path:
        """Write it into a file, and return the file's place."""


view: Callable[[object], Drawn]
"""Gives the view of a result; set by the package's ``__init__``."""


class Shown:
    """What shows itself in words, as a table and as a file."""

    @property
    def _view(self) -> Drawn:
        return view(self)  # noqa: F821 - declared above, and set before anything of ours can be imported

    def __repr__(self) -> str:
        return self._view.letters()

    def _repr_html_(self) -> str:
        return self._view.html()

    def to_frame(self) -> pd.DataFrame:
        """Return its numbers as one table.

        Of a run every bar, of a sweep every trial, of a comparison the measures, of a study its cases, or the
        evidence where it has none, of all claims a row for each, of a standing the facts. Fractions are
        decimals, NaN what is not defined.
        """
        return self._view.frame()

    def save(self, file: Path | str) -> Path:
        """Write it into a file, whole or not at all, and return the file's place.

        Parameters
        ----------
        file
            ``.csv`` and ``.parquet`` take what ``to_frame`` returns, ``.xlsx`` a workbook with everything,
            ``.json`` the document that the command prints with ``--json``. What is there is replaced. In CSV
            a text that a spreadsheet would take for a formula has an apostrophe before it.

        Raises
        ------
        UsageError
            When the name ends in none of the four.
        RotationError
            When the file cannot be written.
        """
        return self._view.save(file)


class Reported(Shown):
    """What has a page as well."""

    def report(self, folder: Path | str | None = None) -> Path:
        """Write its page, figures and numbers into a folder, as its command does, and return the folder.

        Parameters
        ----------
        folder
            New or empty; by default one in ``reports/``, of a sweep the one that has its trials.

        Raises
        ------
        UsageError
            When the folder is taken.
        RotationError
            When it cannot be written.
        """
        return self._view.write(folder)


class Pictured(Reported):
    """What has a picture as well."""

    def plot(self) -> Figure:
        """Return its picture as a matplotlib figure: growth, the distribution of all trials, a study's own.

        Raises
        ------
        UsageError
            When there is nothing to be drawn: a study whose series the market lacks.
        """
        return self._view.draw()
