"""Functions of a script's own: what they are given has no future in it, and what they give is checked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.dates import add_months
from backtest.errors import RotationError, UsageError, failing_line
from backtest.signals.readings import Readings, months_back, news_of, windows
from backtest.signals.rows import combinations, sets_of, whole
from backtest.signals.together import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backtest.dates import Floats, Ints

_ASKED_AGAIN = 5
"""Days on which a function is asked again: one that keeps something between calls gives itself away."""


def called(function: Callable[..., Any], day: np.datetime64, *arguments: Any) -> Any:
    """Return what a script's function gives; RotationError, with file and line, where it fails."""
    try:
        with np.errstate(all="ignore"):  # what is not finite is missing
            return function(*arguments)
    except Exception as error:
        file = getattr(getattr(function, "__code__", None), "co_filename", "")
        line = failing_line(error, file)
        where = f" in {file}, line {line}" if line else ""
        raise RotationError(
            f"the function {name_of(function)} failed{where} with what was known on {day}: "
            f"{type(error).__name__}: {error}"
        ) from error


def name_of(function: Callable[..., Any]) -> str:
    """Return what a function is called."""
    name = getattr(function, "__name__", type(function).__name__)
    return "that is written with lambda" if name == "<lambda>" else name


def _asked(function: Callable[..., Any], day: np.datetime64, arguments: list[Any]) -> float:
    answer, kind = called(function, day, *arguments), ""
    if isinstance(answer, str | bytes) or np.ndim(answer) != 0:
        kind = "text" if isinstance(answer, str | bytes) else f"an array of {np.shape(answer)}"
    try:
        number = math.nan if kind else float(answer)
    except (TypeError, ValueError):
        kind = type(answer).__name__
    if kind:
        raise UsageError(f"the function {name_of(function)} must return a number, not {kind}")
    return number if math.isfinite(number) else math.nan


def applied(function: Callable[..., Any], given: Sequence[Any], months: Ints | None) -> Readings:
    """Return the level that a function makes of the past of levels, on the days on which one has news.

    Parameters
    ----------
    function
        Called as ``function(*given)``: a level as a fresh array of its values over the last so many months,
        as known on the days of news, oldest first; a number as a number.
    given
        Levels and rows of numbers, one set each or as many.
    months
        How far back; None for all of the past.

    Raises
    ------
    RotationError
        When the function fails; the sentence has its file and line, and the day.
    UsageError
        When it returns no number, or something else when it is asked the same again.
    """
    levels = [each.apart() for each in given if isinstance(each, Readings)]
    spans = np.ones(1, np.int64) if months is None else whole(months, "months")
    days, rows, dates = news_of(levels)
    numbers = [np.unique(each, return_inverse=True) for each in given if not isinstance(each, Readings)]
    columns = [*(each.which for each in levels), *(which for _, which in numbers), spans]
    asked, which = combinations(*columns)
    values = np.full((len(asked[0]), len(days)), np.nan)
    for made, (*places, span) in zip(values, zip(*(a.tolist() for a in asked), strict=True), strict=True):
        pasts = [row[place] for row, place in zip(rows, places[: len(levels)], strict=True)]
        found = [n[place].item() for (n, _), place in zip(numbers, places[len(levels) :], strict=True)]
        there = np.all(np.isfinite(pasts), axis=0)
        first = int(there.argmax()) if there.any() else len(days)
        (begin,), (complete,) = windows(dates, np.array([span]))
        asking = range(complete[first], len(days))
        again = asking[:: max(len(asking) // _ASKED_AGAIN, 1)]
        for turn, t in enumerate([*asking, *again]):
            since = first if months is None else max(begin[t], first)
            past = [each[since : t + 1].copy() for each in pasts]
            answer = _asked(function, days[t], _in_order(given, past, found))
            if turn >= len(asking) and not np.array_equal(answer, made[t], equal_nan=True):
                raise UsageError(
                    f"the function {name_of(function)} gives another answer when it is asked the same again "
                    f"(what was known on {days[t]}): let it keep nothing between calls and draw nothing"
                )
            made[t] = answer
    label = f"{name_of(function)} of {' and '.join(each.label for each in levels)}"
    label = label.replace("that is written with lambda", "a function of the script")
    return Readings(levels[0].fills, label, "", dates, days, values, which, np.zeros_like(which))


def _in_order(given: Sequence[Any], levels: Sequence[Any], numbers: Sequence[Any]) -> list[Any]:
    """Return levels and numbers in the order in which they were given."""
    left, right = iter(levels), iter(numbers)
    return [next(left) if isinstance(each, Readings) else next(right) for each in given]


def weighed(
    function: Callable[..., Any], given: Sequence[Any], months: Ints | None, into: Sequence[str]
) -> tuple[Ints, Changes, Floats]:
    """Return what a function of the past of levels wants to hold, asked at each fill after news.

    It is called as in ``holdings.weigh``; parameters as in ``applied``.

    Returns
    -------
    first
        (n_sets,) int64: the first fill at which every level is known, and known for so many months.
    changes
        The decisions of each set; its first is at 0 and means nothing before ``first``.
    weights
        (n_decisions, n_sleeves) float64.
    """
    import pandas as pd

    levels = [each.apart() for each in given if isinstance(each, Readings)]
    fills = levels[0].fills
    n_sets = sets_of(
        *(each.n_sets if isinstance(each, Readings) else len(each) for each in given),
        1 if months is None else len(months),
    )
    spans = None if months is None else np.broadcast_to(whole(months, "months"), n_sets)
    news = np.unique(np.concatenate([fills.first_after(each.news()) for each in levels]))
    news = news[news < len(fills.dates)]
    first, offsets, at, weights = np.full(n_sets, len(fills.dates)), [0], [], []
    for which in range(n_sets):
        rows = [each.values[each.which[which % each.n_sets]] for each in levels]  # noqa: PD011 - a level's
        numbers = [each[which % len(each)].item() for each in given if not isinstance(each, Readings)]
        usable = [
            (each.dates[there], row[there], fills.first_after(each.known_at[there]))
            for each, row in zip(levels, rows, strict=True)
            for there in [np.isfinite(row)]
        ]
        asked: dict[int, Any] = {}
        for fill in news.tolist():
            past = [
                (dates[:n].copy(), values[:n].copy())
                for dates, values, known in usable
                for n in [np.searchsorted(known, fill, "right")]
            ]
            if any(len(dates) == 0 for dates, _ in past):
                continue
            day = fills.dates[fill]
            if spans is not None:
                since = [months_back(dates[-1:], int(spans[which]))[0] for dates, _ in past]
                ends = zip(past, since, strict=True)
                if any(dates[0] > add_months(begin + 1, 1) - 1 for (dates, _), begin in ends):
                    continue
                past = [
                    (dates[dates > begin], values[dates > begin])
                    for (dates, values), begin in zip(past, since, strict=True)
                ]
            series = [pd.Series(values, pd.DatetimeIndex(dates)) for dates, values in past]
            asked[fill] = _fractions(function, day, _in_order(given, series, numbers), into)
        if asked:
            first[which] = min(asked)
        at += [0, *(fill for fill in asked if fill > 0)]
        weights += [asked.get(0, np.zeros(len(into))), *(w for fill, w in asked.items() if fill > 0)]
        offsets.append(len(at))
    changes = Changes(np.array(offsets), np.array(at, dtype=np.int64), np.arange(len(at)))
    return first, changes, np.array(weights)


def _fractions(
    function: Callable[..., Any], day: np.datetime64, arguments: list[Any], into: Sequence[str]
) -> Floats:
    answer = called(function, day, *arguments)
    try:
        found = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (len(into),) or not np.isfinite(found).all():
        raise UsageError(
            f"the function {name_of(function)} must return {len(into)} numbers, the fractions of "
            f"{', '.join(into)}, not {answer!r} (with what was known on {day})"
        )
    return found
