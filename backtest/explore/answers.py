"""Answers: what a page is told after each move, and only as much of it as has changed since the last one."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from backtest.explore import parts
from backtest.explore.position import Wanted
from backtest.reporting.chart_html import framed, plots_html
from backtest.reporting.html import drawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtest.explore.sitting import Sitting
    from backtest.reporting.chart import Chart

CAPTION = Markup(
    "Move over it to read out dates and values, or use the arrow keys; drag across it to see a stretch of "
    "time. Shaded: the central bank cutting, and recessions, known only afterwards."
)
"""What stands under the figure."""


class PlaneWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plane that a page asks for: of which strategy, over which two parameters, by which measure."""

    wanted: Wanted
    which: int
    across: str
    up: str
    objective: str


class Answers:
    """Answers one page's sitting, in the parts by which the page knows them."""

    def __init__(self, sitting: Sitting) -> None:
        self.sitting = sitting
        self._number, self._frame, self._plots = 0, Markup(""), list[Markup]()
        self._named: object = None
        self._lock = threading.Lock()
        self.doors: dict[str, Callable[[bytes], dict[str, Any] | bytes]] = {
            "move": self._move,
            "settle": self._settle,
            "plane": self._plane,
            "reveal": self._reveal,
            "keep": self._keep,
            "picture": self._picture,
        }

    def _move(self, body: bytes) -> dict[str, Any]:
        wanted = msgspec.json.decode(body, type=Wanted)
        shown = self.sitting.shown(wanted)
        numbers = parts.numbers_shown(shown)
        said = {
            "tried": drawn(parts.tried(shown.tried, self.sitting.hidden, self.sitting.revealed)),
            "kept": drawn(parts.kept(shown.position, self.sitting)),
        }
        stands = wanted.applied == self._number  # the last answer is what the page shows
        figure = self._changes(shown.figure, known=stands)
        cells = parts.cells(numbers)
        named = (numbers.heads, [row[0] for row in cells])
        same, self._named = self._named == named, named
        if same and stands:  # the same table stands there, with other numbers
            return {"parts": said, "cells": cells, **figure}
        return {"parts": {**said, "numbers": drawn([numbers])}, **figure}

    def _changes(self, figure: Chart, *, known: bool) -> dict[str, Any]:
        """Return the plots that differ from the last answer's, or all where the page does not show that."""
        plots, frame = plots_html(figure), framed(figure, CAPTION, ())
        with self._lock:
            known = known and frame == self._frame and len(plots) == len(self._plots)
            before, self._number = self._plots, self._number + 1
            self._frame, self._plots = frame, plots
            number = self._number
        if not known:
            return {"answer": number, "figure": framed(figure, CAPTION, plots)}
        changed = {str(i): new for i, (old, new) in enumerate(zip(before, plots, strict=True)) if old != new}
        return {"answer": number, "plots": changed}

    def _settle(self, body: bytes) -> dict[str, Any]:
        settled = self.sitting.settled(msgspec.json.decode(body, type=Wanted))
        if settled is None:
            return {}
        said = {
            "numbers": drawn([parts.numbers_settled(settled)]),
            "verdict": drawn(parts.verdicts(settled)),
            "switches": drawn(parts.switches(settled)),
        }
        return {"parts": said}

    def _plane(self, body: bytes) -> dict[str, Any]:
        asked = msgspec.json.decode(body, type=PlaneWanted)
        axes = (asked.across, asked.up)
        plane = self.sitting.plane(asked.wanted, asked.which, axes, asked.objective)
        return {"parts": {"plane": parts.plane_html(plane, asked.which), "tried": self._tried()}}

    def _reveal(self, body: bytes) -> dict[str, Any]:
        revealed = self.sitting.reveal(msgspec.json.decode(body, type=Wanted))
        return {"parts": {"revealed": drawn(parts.hidden_part(revealed)), "tried": self._tried()}}

    def _keep(self, body: bytes) -> dict[str, Any]:
        from backtest.reporting.folder import write_report

        runs = self.sitting.runs(msgspec.json.decode(body, type=Wanted))
        places = [write_report(each, tried=len(self.sitting.tries)).resolve() for each in runs]
        return {"places": [str(place / "index.html") for place in places]}

    def _picture(self, body: bytes) -> bytes:
        from backtest.reporting.chart_figure import chart_figure, png

        shown = self.sitting.shown(msgspec.json.decode(body, type=Wanted))
        sink = io.BytesIO()
        png(chart_figure(shown.figure), sink)
        return sink.getvalue()

    def _tried(self) -> Markup:
        sitting = self.sitting
        return drawn(parts.tried(len(sitting.tries), sitting.hidden, sitting.revealed))
