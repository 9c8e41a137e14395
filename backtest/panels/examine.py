"""What a panel says to a question: pooled three ways, by part, by member, and without each of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from backtest.analysis.panel_events import case_paths, episodes, left_out, placebo, pooled
from backtest.panels.panel import adjusted
from backtest.studies.findings import Dots, Evidence, FactTable, Fan, Finding, mean_path
from backtest.wording import pvalue, signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backtest.analysis.panel_events import Effects, Pooled
    from backtest.dates import Bools, Floats, Ints
    from backtest.panels.panel import Panel

TURN = np.datetime64("2000-01", "M")
"""The first month of the later part."""

AMERICAN = ("USA", "north_america")
"""The members that are the United States, or hardly anything else."""

WAYS: dict[Effects, str] = {
    "none": "as it is",
    "members": "own mean out",
    "members and months": "months out too",
}

_READ = (
    "n: months of members, in so many calendar episodes of 12 months, which are worth so many equal ones. "
    "Sums are of monthly differences, over as many months as the window has. Own mean out: less what the "
    "member earns in all other months; months out too: less what others did in the same month besides."
)

NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Question:
    """Months that are asked about.

    Parameters
    ----------
    label
        What they are.
    inside
        (n_months, n_members): which they are.
    months
        Of how many of them the sum is shown: the length of a window, or 12.
    asked
        (n_months, n_members): which others they are held against; None for all that have a return.
    """

    label: str
    inside: Bools
    months: int
    asked: Bools | None = None

    def of(self, values: Floats) -> Floats:
        """Return the values that can answer, NaN elsewhere."""
        return values if self.asked is None else np.where(self.asked, values, np.nan)

    def pooled(self, values: Floats, effects: Effects) -> Pooled:
        """Return what the values answer, pooled."""
        return pooled(self.of(values), self.inside, effects)


def _told(found: Pooled, months: int) -> dict[str, Any]:
    """Return what was found, as the facts of a row."""
    reach = found.error.reach()
    return {
        "months": found.cells,
        "episodes": found.clusters,
        "equal_episodes": found.effective,
        "sum": months * found.estimate,
        "low": months * (found.estimate - reach),
        "high": months * (found.estimate + reach),
        "pvalue": found.pvalue,
    }


def _counted(cells: int, clusters: int, effective: float) -> str:
    return f"{cells} in {clusters} ({effective:.1f})" if cells else "0"


def _interval(low: float, high: float) -> str:
    return "-" if math.isnan(low) else f"{signed(low)} to {signed(high)}"


def _without(value: float, without: str) -> str:
    return f"{signed(value)} (without {without})"


Layout: TypeAlias = dict[str, Callable[[dict[str, Any]], str]]


def _fact(key: str, write: Callable[[Any], str] = str) -> Callable[[dict[str, Any]], str]:
    return lambda row: write(row[key])


_ASKED: Layout = {"months": _fact("question")}
_NUMBERS: Layout = {
    "n in episodes": lambda row: _counted(row["months"], row["episodes"], row["equal_episodes"]),
    "sum": _fact("sum", signed),
    "95% interval": lambda row: _interval(row["low"], row["high"]),
    "p by episodes": _fact("pvalue", pvalue),
}
_POOLED = {
    **_ASKED,
    "how": _fact("how"),
    **_NUMBERS,
    "by months": _fact("pvalue_by_months", pvalue),
    "placebo": _fact("pvalue_placebo", pvalue),
}
_BY_PART = {**_ASKED, "part": _fact("part"), **_NUMBERS}
_LEFT_OUT = {
    **_ASKED,
    "without": _fact("without"),
    "lowest": lambda row: _without(row["lowest"], row["lowest_without"]),
    "highest": lambda row: _without(row["highest"], row["highest_without"]),
}


def _pooled_rows(question: Question, values: Floats, ways: Sequence[Effects]) -> Iterator[dict[str, Any]]:
    for effects in ways:
        found = question.pooled(values, effects)
        yield {
            "question": question.label,
            "how": WAYS[effects],
            **_told(found, question.months),
            "pvalue_by_months": found.by_month.pvalue(found.estimate),
            "pvalue_placebo": placebo(question.of(values), question.inside, effects)[0],
        }


def _parts(panel: Panel) -> Iterator[tuple[str, Floats]]:
    """Give the values of each part of the panel by its name, NaN elsewhere."""
    values = panel.differences
    later = (panel.ends.astype("datetime64[M]") >= TURN)[:, None]
    yield "before 2000", np.where(later, np.nan, values)
    yield "from 2000 on", np.where(later, values, np.nan)
    names = np.array([member.name for member in panel.members])
    regions = np.array([member.region for member in panel.members])
    american = np.isin(names, AMERICAN)
    if american.any():
        yield "without the United States", np.where(american, np.nan, values)
        yield "the United States alone", np.where(american, values, np.nan)
    for region in sorted({each for each in regions.tolist() if each and (regions == each).sum() > 1}):
        yield f"in {region}", np.where(regions == region, values, np.nan)
    yield "less beta times the market", adjusted(panel)


def _part_rows(panel: Panel, question: Question, effects: Effects) -> Iterator[dict[str, Any]]:
    for name, values in _parts(panel):
        found = question.pooled(values, effects)
        yield {"question": question.label, "part": name, **_told(found, question.months)}


def _without_rows(panel: Panel, question: Question, effects: Effects) -> Iterator[dict[str, Any]]:
    told = question.of(panel.differences)
    by_member, by_episode = left_out(told, question.inside, effects)
    begins = pooled(told, question.inside, effects).begins
    of_episodes = [f"from {str(panel.ends[begin])[:7]}" for begin in begins]
    names = [member.name for member in panel.members]
    for what, found, each in (("one member", by_member, names), ("one episode", by_episode, of_episodes)):
        known = np.flatnonzero(np.isfinite(found))
        if len(known):
            low, high = known[found[known].argmin()], known[found[known].argmax()]
            yield {
                "question": question.label,
                "without": what,
                "lowest": question.months * float(found[low]),
                "lowest_without": each[low],
                "highest": question.months * float(found[high]),
                "highest_without": each[high],
            }


def _evidence(panel: Panel, question: Question, effects: Effects, claimed: int) -> Evidence:
    """Return what the rule looks at: the larger p-value of the episodes' and the placebo's."""
    told = question.of(panel.differences)
    found = question.pooled(told, effects)
    scale, reach = question.months, found.error.reach()
    later = (np.arange(len(told)) >= len(told) // 2)[:, None]
    early, late = (
        scale * question.pooled(np.where(part, told, np.nan), effects).estimate for part in (~later, later)
    )
    _, without = left_out(told, question.inside, effects)
    carrying, alone = "", NAN
    if len(without) > 1 and np.isfinite(without).any():
        heaviest = int(np.nanargmin(np.sign(found.estimate) * without))
        numbers = episodes(np.logical_or.reduce(question.inside & np.isfinite(told), axis=1))
        less = np.where((numbers == heaviest)[:, None], np.nan, told)
        carrying = f"the episode from {str(panel.ends[found.begins[heaviest]])[:7]}"
        alone = question.pooled(less, effects).pvalue
    other = question.pooled(told, "members").estimate
    moved = placebo(told, question.inside, effects)[0]
    return Evidence(
        label=question.label,
        estimate=scale * found.estimate,
        write=signed,
        pvalue=max(found.pvalue, moved) if math.isfinite(found.pvalue) else NAN,
        n=found.clusters,
        claimed=claimed,
        holds=bool(other * found.estimate > 0.0),
        low=scale * (found.estimate - reach),
        high=scale * (found.estimate + reach),
        halves=(early, late),
        carrying=carrying,
        without=alone,
    )


def fan(panel: Panel, events: Bools, before: int, after: int) -> Fan:
    """Return the paths of small less large around events: of each member, each episode, and all cases."""
    paths, months, members = case_paths(panel.differences, events, before, after)
    numbers = episodes(np.logical_or.reduce(events, axis=1))[months]

    def means(groups: Ints) -> Floats:
        rows = [paths[groups == group] for group in np.unique(groups)]
        return 100.0 * np.array([mean_path(each) for each in rows]).reshape(-1, paths.shape[1])

    steps = np.arange(-before, after + 1, dtype=np.float64)
    return Fan(
        steps,
        means(members),
        means(numbers),
        100.0 * mean_path(paths),
        "small minus large, points since the case",
    )


def dots(panel: Panel, question: Question, effects: Effects) -> Dots:
    """Return the answer of each member, and that of all with its interval, in percent."""
    told = panel.differences
    found = question.pooled(told, effects)
    alone = (np.where(np.arange(told.shape[1]) == column, told, np.nan) for column in range(told.shape[1]))
    each = [question.pooled(values, effects).estimate for values in alone]
    scale = 100.0 * question.months
    values = scale * np.array([found.estimate, *each])
    reach = np.full(len(values), np.nan)
    reach[0] = scale * found.error.reach()
    known = np.isfinite(values)
    labels = np.array(["all", *(member.name for member in panel.members)])[known]
    return Dots(
        tuple(labels.tolist()),
        values[known],
        (values - reach)[known],
        (values + reach)[known],
        question.label,
    )


def _one_by_one(panel: Panel, questions: Sequence[Question], events: Bools | None) -> FactTable:
    """Return the sums of each member, and its cases."""
    rows: list[dict[str, Any]] = []
    for column, member in enumerate(panel.members):
        there = np.isfinite(member.differences)
        row: dict[str, Any] = {
            "member": member.name,
            "returns_from": str(panel.ends[there.argmax()])[:7] if there.any() else "-",
        }
        if events is not None:
            row["cases"] = tuple(str(day)[:7] for day in panel.ends[events[:, column]])
        for question in questions:
            told = question.of(panel.differences)[:, column]
            inside = question.inside[:, column] & np.isfinite(told)
            row[question.label] = question.months * float(told[inside].mean()) if inside.any() else NAN
        rows.append(row)
    cases = events is not None
    layout: Layout = {
        "member": _fact("member"),
        "returns from": _fact("returns_from"),
        **({"cases": _fact("cases", lambda days: str(len(days)))} if cases else {}),
        **{each.label: _fact(each.label, signed) for each in questions},
        **({"cases in": _fact("cases", ", ".join)} if cases else {}),
    }
    return FactTable("one by one, as it is", layout, tuple(rows))


def answer(
    panel: Panel,
    judged: Sequence[Question],
    also: Sequence[Question],
    *,
    effects: Effects,
    claimed: int,
    events: Bools | None = None,
    what: str = "small minus large",
    notes: Sequence[str] = (),
) -> Finding:
    """Return the finding of a claim whose rule looks at the ``judged`` questions, pooled by ``effects``.

    ``also`` are shown beside them; ``events`` are the cases, where there are any; ``what`` is summed.
    """
    values = panel.differences
    main = judged[0].pooled(values, effects)
    ways = ("members", "members and months") if effects == "members" else tuple(WAYS)
    sample = (
        f"{main.cells} months of {panel.kind}, {main.clusters} calendar episodes worth {main.effective:.1f} "
        "equal ones"
    )
    if events is not None:
        acting = int(np.logical_or.reduce(events).sum())
        sample = f"{int(events.sum())} cases of {acting} {panel.kind}, {sample}"
    every = [*also, *judged]
    # The same question about neighbouring months needs no parts of its own.
    shown = judged if events is not None else judged[:1]
    evidences = tuple(_evidence(panel, each, effects, claimed) for each in judged)
    by_question = (
        ("pooled", _POOLED, (row for each in every for row in _pooled_rows(each, values, ways))),
        (
            f"by part, {WAYS[effects]}",
            _BY_PART,
            (row for each in shown for row in _part_rows(panel, each, effects)),
        ),
        (
            f"leaving one out, {WAYS[effects]}",
            _LEFT_OUT,
            (row for each in shown for row in _without_rows(panel, each, effects)),
        ),
    )
    tables = (
        *(FactTable(title, layout, tuple(rows)) for title, layout, rows in by_question),
        _one_by_one(panel, every, events),
    )
    picture = fan(panel, events, 12, 24) if events is not None else dots(panel, judged[0], effects)
    return Finding(
        evidence=evidences,
        headline=f"{what}: " + "; ".join(f"{each.shown} ({each.label})" for each in evidences),
        sample=sample,
        picture=picture,
        tables=tables,
        notes=(_READ, *notes, *panel.notes),
    )
