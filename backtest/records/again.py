"""A report, run again: the same strategy under the same terms, and what differs from what it says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import msgspec

from backtest.errors import UsageError
from backtest.market.load import load_market
from backtest.measures import BY_KEY, measure_of
from backtest.records.record import read_record
from backtest.records.run_document import RunDocument
from backtest.runs import follow
from backtest.scripting.loading import load_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.records.run_document import MadeBy
    from backtest.runs import Run

SAME = 1e-12
"""How far, as a part of itself, a measure may differ and be called the same."""


def repeat(report: Path | str, market: str | None = None) -> tuple[RunDocument, Run]:
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
    if before.made_by is None:
        raise UsageError(f"{report} does not say which script it ran; it was written by another version")
    strategy = load_strategy(before.made_by.script)
    values = strategy.bind(before.parameters)
    try:
        data = load_market(market or before.market)
    except UsageError as error:
        if market is not None:
            raise
        raise UsageError(f"{error}; name its file with --market") from None
    return before, follow(strategy, data, before.terms, values)


class Differences(msgspec.Struct, frozen=True):
    """In what a report and its repetition differ, each pair then and now; None where it is the same.

    ``script`` says whether the script is another; ``series`` are those of which another vintage was read.
    """

    version: tuple[str, str] | None
    script: bool
    series: list[str]
    window: tuple[tuple[str, str], tuple[str, str]] | None
    metrics: dict[str, tuple[float | None, float | None]]


class RepeatedDocument(RunDocument, frozen=True, kw_only=True):
    """What ``run --from --json`` prints: the run made anew, and in what it differs."""

    differs: Differences

    @classmethod
    def with_differences(cls, document: RunDocument, differs: Differences) -> RepeatedDocument:
        """Return the document of a repetition."""
        return cls(**msgspec.structs.asdict(document), differs=differs)


def differences(before: RunDocument, now: RunDocument) -> Differences:
    """Return in what a report and its repetition differ, as ``run --from --json`` prints it."""
    then, here = cast("MadeBy", before.made_by), cast("MadeBy", now.made_by)
    old, new = before.data.series, now.data.series
    vintages = {id: [each[id].sha256 if id in each else None for each in (old, new)] for id in {*old, *new}}
    windows = (before.start, before.end), (now.start, now.end)
    # A report that was written before there was a time in every sleeve says nothing of it.
    pairs = {
        key: (before.metrics.get(key), value)
        for key, value in now.metrics.items()
        if key in BY_KEY or key in before.metrics
    }
    return Differences(
        version=None if then.version == here.version else (then.version, here.version),
        script=then.script_sha256 != here.script_sha256,
        series=sorted(id for id, (a, b) in vintages.items() if a != b),
        window=None if windows[0] == windows[1] else windows,
        metrics={key: pair for key, pair in pairs.items() if not _same(*pair)},
    )


def _same(then: float | None, now: float | None) -> bool:
    then, now = (math.nan if value is None else value for value in (then, now))
    return math.isclose(then, now, rel_tol=SAME, abs_tol=SAME) or (math.isnan(then) and math.isnan(now))


def said_of(differ: Differences) -> str:
    """Return in a sentence or two what a repetition found."""
    causes = []
    if differ.version:
        causes.append(f"the version ({differ.version[0]}, now {differ.version[1]})")
    if differ.script:
        causes.append("the script")
    if differ.series:
        causes.append(f"the data of {', '.join(differ.series)}")
    if differ.window:
        (a, b), (c, d) = differ.window
        causes.append(f"the window ({a} to {b}, now {c} to {d})")
    other = f"Other than when the report was written: {'; '.join(causes)}." if causes else ""
    if not differ.metrics:
        return f"The report's numbers, to the last digit. {other}".strip()
    changed = [
        f"{measure_of(key).label.strip()} {measure_of(key).text(then)}, now {measure_of(key).text(now)}"
        for key, (then, now) in differ.metrics.items()
    ]
    return f"Other numbers than the report's: {'; '.join(changed)}. {other}".strip()
