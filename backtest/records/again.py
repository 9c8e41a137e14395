"""A report, run again: the same strategy under the same terms, and what differs from what it says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from backtest.errors import UsageError
from backtest.measures import MEASURES
from backtest.records.document import document, plain
from backtest.records.record import read_record
from backtest.runs import run
from backtest.scripting.loading import load_strategy
from backtest.terms import NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.runs import Run

SAME = 1e-12
"""How far, as a part of itself, a measure may differ and be called the same."""


def repeat(report: Path | str, market: str | None = None) -> tuple[dict[str, Any], Run]:
    """Return a report's document, and its run made anew on the data and with the script that are there now.

    ``market`` is a market file, where the report was of one that its name does not find.

    Raises
    ------
    UsageError
        When the folder is no report, or its strategy or market cannot be found.
    RotationError
        When the run fails.
    """
    before = read_record(report).document
    made_by = before.get("made_by")
    if not isinstance(made_by, dict) or not isinstance(made_by.get("script"), str):
        raise UsageError(f"{report} does not say which script it ran; it was written by another version")
    strategy = load_strategy(made_by["script"])
    given = {name: before[name] for name in NAMES if name in before}
    try:
        return before, run(strategy, market or before["market"], **given, **before["parameters"])
    except UsageError as error:
        if market is None and "market" in str(error):
            raise UsageError(f"{error}; name its file with --market") from None
        raise


def differences(before: dict[str, Any], result: Run) -> dict[str, Any]:
    """Return in what a report and its repetition differ, as ``run --from --json`` prints it."""
    now = plain(document(result, None))
    then, here = before["made_by"], now["made_by"]
    old, new = before["data"]["series"], now["data"]["series"]
    return {
        "version": None if then["version"] == here["version"] else [then["version"], here["version"]],
        "script": then["script_sha256"] != here["script_sha256"],
        "series": sorted(
            id for id in {*old, *new} if old.get(id, {}).get("sha256") != new.get(id, {}).get("sha256")
        ),
        "window": None
        if (before["start"], before["end"]) == (now["start"], now["end"])
        else [[before["start"], before["end"]], [now["start"], now["end"]]],
        "metrics": {
            key: [before["metrics"].get(key), value]
            for key, value in now["metrics"].items()
            if not _same(before["metrics"].get(key), value)
        },
    }


def _same(then: float | None, now: float | None) -> bool:
    if then is None or now is None:
        return then is now
    return math.isclose(then, now, rel_tol=SAME, abs_tol=SAME)


def said_of(differ: dict[str, Any]) -> str:
    """Return in a sentence or two what a repetition found."""
    causes = []
    if differ["version"]:
        causes.append(f"the version ({differ['version'][0]}, now {differ['version'][1]})")
    if differ["script"]:
        causes.append("the script")
    if differ["series"]:
        causes.append(f"the data of {', '.join(differ['series'])}")
    if differ["window"]:
        (a, b), (c, d) = differ["window"]
        causes.append(f"the window ({a} to {b}, now {c} to {d})")
    other = f"Other than when the report was written: {'; '.join(causes)}." if causes else ""
    if not differ["metrics"]:
        return f"The report's numbers, to the last digit. {other}".strip()
    rows = {measure.key: measure for measure in MEASURES}
    changed = [
        f"{rows[key].label.strip()} {rows[key].text(then)}, now {rows[key].text(now)}"
        for key, (then, now) in differ["metrics"].items()
        if key in rows
    ]
    return f"Other numbers than the report's: {'; '.join(changed)}. {other}".strip()
