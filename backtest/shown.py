"""How a result shows itself: its words, figure, table and files, all of them drawn by ``reporting``.

The records stand below the pages that show them, so each method looks up when it is called, here and nowhere
else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure


class Shown:
    """What shows itself in words, as a table and as a file."""

    @property
    def _view(self) -> Any:
        from backtest.reporting.views import view

        return view(self)

    def __repr__(self) -> str:
        from backtest.reporting.terminal import text

        return text(self._view.short())

    def _repr_html_(self) -> str:
        from backtest.reporting.html import fragment

        return fragment(block for block in self._view.brief() if block.brief)

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
        from backtest.reporting.saving import save

        view = self._view
        return save(file, view.frame, view.sheets, view.document)


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
