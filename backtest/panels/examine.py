"""What a panel says to a question: pooled three ways, by part, by member, and without each of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtest.analysis.panel_events import case_paths, episodes, left_out, placebo, pooled
from backtest.panels.panel import adjusted
from backtest.studies.findings import Dots, Evidence, Fan, Finding, TextTable
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


def _counted(found: Pooled) -> str:
    return f"{found.cells} in {found.clusters} ({found.effective:.1f})" if found.cells else "0"


def _interval(found: Pooled, months: int) -> str:
    reach = found.error.reach()
    ends = (months * (found.estimate - reach), months * (found.estimate + reach))
    return "-" if math.isnan(reach) else f"{signed(ends[0])} to {signed(ends[1])}"


def _pooled_rows(question: Question, values: Floats, ways: Sequence[Effects]) -> Iterator[tuple[str, ...]]:
    told = question.of(values)
    for effects in ways:
        found = pooled(told, question.inside, effects)
        yield (
            question.label,
            WAYS[effects],
            _counted(found),
            signed(question.months * found.estimate),
            _interval(found, question.months),
            pvalue(found.pvalue),
            pvalue(found.by_month.pvalue(found.estimate)),
            pvalue(placebo(told, question.inside, effects)[0]),
        )


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


def _part_rows(panel: Panel, question: Question, effects: Effects) -> Iterator[tuple[str, ...]]:
    for name, values in _parts(panel):
        told = question.of(values)
        found = pooled(told, question.inside, effects)
        yield (
            question.label,
            name,
            _counted(found),
            signed(question.months * found.estimate),
            _interval(found, question.months),
            pvalue(found.pvalue),
        )


def _without_rows(panel: Panel, question: Question, effects: Effects) -> Iterator[tuple[str, ...]]:
    told = question.of(panel.differences)
    by_member, by_episode = left_out(told, question.inside, effects)
    begins = pooled(told, question.inside, effects).begins
    of_episodes = [f"from {str(panel.ends[begin])[:7]}" for begin in begins]
    names = [member.name for member in panel.members]
    for what, found, each in (("one member", by_member, names), ("one episode", by_episode, of_episodes)):
        known = np.flatnonzero(np.isfinite(found))
        if len(known):
            low, high = known[found[known].argmin()], known[found[known].argmax()]
            yield (
                question.label,
                what,
                f"{signed(question.months * found[low])} (without {each[low]})",
                f"{signed(question.months * found[high])} (without {each[high]})",
            )


def _evidence(panel: Panel, question: Question, effects: Effects, claimed: int) -> Evidence:
    """Return what the rule looks at: the larger p-value of the episodes' and the placebo's."""
    told = question.of(panel.differences)
    found = pooled(told, question.inside, effects)
    scale, reach = question.months, found.error.reach()
    later = (np.arange(len(told)) >= len(told) // 2)[:, None]
    halves = [
        scale * pooled(np.where(part, told, np.nan), question.inside, effects).estimate
        for part in (~later, later)
    ]
    _, without = left_out(told, question.inside, effects)
    carrying, alone = "", NAN
    if len(without) > 1 and np.isfinite(without).any():
        heaviest = int(np.nanargmin(np.sign(found.estimate) * without))
        numbers = episodes(np.logical_or.reduce(question.inside & np.isfinite(told), axis=1))
        less = np.where((numbers == heaviest)[:, None], np.nan, told)
        carrying = f"the episode from {str(panel.ends[found.begins[heaviest]])[:7]}"
        alone = pooled(less, question.inside, effects).pvalue
    other = pooled(told, question.inside, "members").estimate
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
        halves=(halves[0], halves[1]),
        carrying=carrying,
        without=alone,
    )


def fan(panel: Panel, events: Bools, before: int, after: int) -> Fan:
    """Return the paths of small less large around events: of each member, each episode, and all cases."""
    paths, months, members = case_paths(panel.differences, events, before, after)
    numbers = episodes(np.logical_or.reduce(events, axis=1))[months]

    def means(groups: Ints) -> Floats:
        rows = [paths[groups == group] for group in np.unique(groups)]
        return 100.0 * np.array([_mean(each) for each in rows]).reshape(-1, paths.shape[1])

    steps = np.arange(-before, after + 1, dtype=np.float64)
    return Fan(
        steps,
        means(members),
        means(numbers),
        100.0 * _mean(paths),
        "small minus large, points since the case",
    )


def _mean(paths: Floats) -> Floats:
    """Return the mean of the paths that are there at each step, (n_steps,); NaN where none is."""
    there = np.isfinite(paths)
    count = there.sum(axis=0)
    total = np.where(there, paths, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(paths.shape[1], np.nan), where=count > 0)


def dots(panel: Panel, question: Question, effects: Effects) -> Dots:
    """Return the answer of each member, and that of all with its interval, in percent."""
    told = question.of(panel.differences)
    found = pooled(told, question.inside, effects)
    each = []
    for column in range(len(panel.members)):
        alone = np.full(told.shape, np.nan)
        alone[:, column] = told[:, column]
        each.append(pooled(alone, question.inside, effects).estimate)
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


def _member_rows(
    panel: Panel, questions: Sequence[Question], events: Bools | None
) -> Iterator[tuple[str, ...]]:
    for column, member in enumerate(panel.members):
        there = np.isfinite(member.differences)
        cells = []
        for question in questions:
            told = question.of(panel.differences)[:, column]
            inside = question.inside[:, column] & np.isfinite(told)
            cells.append(signed(question.months * float(told[inside].mean())) if inside.any() else "-")
        dates = [] if events is None else [str(day)[:7] for day in panel.ends[events[:, column]]]
        first = str(panel.ends[there.argmax()])[:7] if there.any() else "-"
        yield (member.name, first, str(len(dates)) if events is not None else "-", *cells, ", ".join(dates))


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
    main = pooled(judged[0].of(values), judged[0].inside, effects)
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
    numbers = ("sum", "95% interval", "p by episodes")
    evidences = tuple(_evidence(panel, each, effects, claimed) for each in judged)
    tables = (
        TextTable(
            "pooled",
            ("months", "how", "n in episodes", *numbers, "by months", "placebo"),
            tuple(row for each in every for row in _pooled_rows(each, values, ways)),
        ),
        TextTable(
            f"by part, {WAYS[effects]}",
            ("months", "part", "n in episodes", *numbers),
            tuple(row for each in shown for row in _part_rows(panel, each, effects)),
        ),
        TextTable(
            f"leaving one out, {WAYS[effects]}",
            ("months", "without", "lowest", "highest"),
            tuple(row for each in shown for row in _without_rows(panel, each, effects)),
        ),
        TextTable(
            "one by one, as it is",
            ("member", "returns from", "cases", *(each.label for each in every), "cases in"),
            tuple(_member_rows(panel, every, events)),
        ),
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
