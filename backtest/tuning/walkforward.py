"""Walk-forward: parameters chosen on the past only, again and again, and what they then earned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.arguments import once
from backtest.dates import add_months
from backtest.decisions import Weights, held
from backtest.errors import UsageError
from backtest.numerals import months
from backtest.scripting.strategy import Strategy
from backtest.signals.together import Changes
from backtest.tuning.executors import CREW
from backtest.tuning.sweep import numbers_of, pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.dates import Floats, Ints
    from backtest.parameters import Value
    from backtest.rules import expressions as rules
    from backtest.runs import Run
    from backtest.tuning.executors import Crew
    from backtest.tuning.objective import Objective
    from backtest.tuning.trials import Trials, Window

_WORDS = ("rolling", "expanding")
_PIECE = 1 << 15  # combinations measured at a time
_FEWEST = 12  # bars that a part needs to be measured on


@dataclass(frozen=True)
class Plan:
    """How to walk: months of training and of testing, from where, and how much of the past to leave out.

    Parameters
    ----------
    train, test
        Months; training is at least so long, a test is so long.
    rolling
        Train on the last ``train`` months only; otherwise on all of the past.
    purge
        Months left out before a test; None: from the beginning of the earliest window (a run of yes of any
        combination) that is still open at the test's beginning, though never more than half of the training.
    """

    train: int
    test: int
    rolling: bool = False
    purge: int | None = None


@dataclass(frozen=True)
class Fold:
    """One step: the bars it trained on and was tested on, and what it chose.

    Parameters
    ----------
    train, test
        First fill and last bar of each, as indices of bars.
    number, parameters
        The combination with the best objective in training.
    inside, outside
        The objective it had there, and had in the test.
    """

    train: Window
    test: Window
    number: int
    parameters: dict[str, Value]
    inside: float
    outside: float


@dataclass(frozen=True, eq=False)
class WalkForward:
    """The steps, and the run that follows their choices through all tests."""

    folds: tuple[Fold, ...]
    result: Run

    @property
    def changes(self) -> int:
        """How often the choice differed from the one before."""
        return sum(a.number != b.number for a, b in zip(self.folds[:-1], self.folds[1:], strict=True))


def read_plan(text: str) -> Plan:
    """Return the plan that a user writes as ``train=20y,test=5y``, ``...,rolling`` or ``...,purge=6m``.

    Raises
    ------
    UsageError
        When it cannot be read.
    """
    parts = [part.strip().partition("=") for part in text.split(",")]
    for name, equals, _ in parts:
        if name not in {"train", "test", "purge", *_WORDS} or (name in _WORDS) == bool(equals):
            raise UsageError(f"a walk-forward is train=20y,test=5y[,rolling][,purge=6m], not '{text}'")
    given = once([(name, value) for name, _, value in parts])
    if not {"train", "test"} <= set(given):
        raise UsageError(f"a walk-forward needs both train and test, as train=20y,test=5y, not '{text}'")
    train, test = months(given["train"], "train"), months(given["test"], "test")
    if not (train > 0 and test > 0):
        raise UsageError("a walk-forward trains and tests for a month or more")
    purge = months(given["purge"], "purge") if "purge" in given else None
    return Plan(train, test, "rolling" in given, purge)


def judged_windows(trials: Trials, plan: Plan, window: Window) -> list[Window]:
    """Return the windows of the tests; one begins at the bar at which the one before ends.

    Raises
    ------
    UsageError
        When the window is too short for one.
    """
    dates, (first, last) = trials.market.bars.dates, window
    begins = []
    for step in range(len(dates)):
        day = add_months(dates[first], plan.train + step * plan.test)
        bar = int(np.searchsorted(dates, day))
        if bar > last - _FEWEST:
            break
        begins.append(bar)
    if not begins:
        raise UsageError(
            f"the window from {dates[first]} to {dates[last]} is too short for a walk-forward that trains "
            f"for {plan.train} months first"
        )
    return list(zip(begins, [*begins[1:], last], strict=True))


def trainings_of(
    trials: Trials, plan: Plan, window: Window, tests: list[Window], opened: Ints
) -> list[Window]:
    """Return the windows to train on, each before its test, without what the purge leaves out.

    ``opened`` (n_tests,) is the bar at which the earliest window still open at each test's beginning began.
    """
    dates, trainings = trials.market.bars.dates, []
    for (begin, _), earliest in zip(tests, opened, strict=True):
        start = window[0]
        if plan.rolling:
            start = max(start, int(np.searchsorted(dates, add_months(dates[begin], -plan.train))))
        if plan.purge is None:
            end = max(int(earliest), (start + begin) // 2)
        else:
            end = int(np.searchsorted(dates, add_months(dates[begin], -plan.purge)))
        # The choice is made for the fill at the test's beginning, which knows nothing of its own bar.
        end = min(end, begin if trials.terms.same_close else begin - 1)
        if end - start < _FEWEST:
            raise UsageError("the purge leaves too little to train on; train longer or purge less")
        trainings.append((start, end))
    return trainings


def opened_at(trials: Trials, numbers: Ints, tests: list[Window]) -> Ints:
    """Return where the earliest run still open at each test's beginning began, over all combinations."""
    earliest = np.array([begin for begin, _ in tests])
    for signal in trials.signals(numbers):
        for which, (begin, _) in enumerate(tests):
            open_then = signal.starts[(signal.starts < begin) & (signal.stops > begin)]
            earliest[which] = min(earliest[which], int(open_then.min(initial=begin)))
    return earliest


def walk_forward(
    trials: Trials,
    numbers: Ints | None,
    window: Window,
    plan: Plan,
    objective: Objective,
    crew: Crew = CREW,
) -> WalkForward:
    """Choose the best combination on each training window, and follow it through its test.

    Parameters
    ----------
    trials, numbers
        The combinations to choose among; None for all of the grid.
    window
        The sweep's common window.
    plan, objective
        How to walk, and by what to choose. Of those that tie, the one with the lowest number is chosen.

    Raises
    ------
    UsageError
        When the window is too short, no combination can be chosen, or the combinations chosen trade back to
        their targets in different ways, so that they cannot be joined.
    """
    tests = judged_windows(trials, plan, window)
    opened = np.array([begin for begin, _ in tests])
    if plan.purge is None:
        for piece in _pieces(trials, numbers):
            opened = np.minimum(opened, opened_at(trials, piece, tests))
    trainings = trainings_of(trials, plan, window, tests, opened)
    scores, chosen = _best_of(trials, _pieces(trials, numbers), trainings, window, objective, crew)
    each = zip(chosen, tests, strict=True)
    outside = [objective.of(trials.measure(np.array([n]), [test])[1])[0, 0] for n, test in each]
    folds = tuple(
        Fold(training, test, int(number), trials.grid.values(int(number)), float(inside), float(out))
        for training, test, number, inside, out in zip(
            trainings, tests, chosen, objective.score(scores), outside, strict=True
        )
    )
    return WalkForward(folds, _followed(trials, folds))


def _pieces(trials: Trials, numbers: Ints | None) -> Iterator[Ints]:
    n = trials.grid.size if numbers is None else len(numbers)
    return (numbers_of(numbers, *piece) for piece in pieces_of(n, _PIECE))


def _best_of(
    trials: Trials,
    pieces: Iterator[Ints],
    trainings: list[Window],
    window: Window,
    objective: Objective,
    crew: Crew,
) -> tuple[Floats, Ints]:
    """Return the best score in each training window, and the number of the combination that has it."""
    best, chosen = np.full(len(trainings), -np.inf), np.full(len(trainings), -1, dtype=np.int64)
    done = 0
    for numbers in pieces:
        decided_late = trials.decide(numbers).first > window[0]
        _, measured = trials.measure(numbers, trainings)
        for which, page in enumerate(measured):
            scores = np.where(
                objective.eligible(page) & ~decided_late, objective.score(objective.of(page)), -np.inf
            )
            place = int(scores.argmax())
            if scores[place] > best[which]:
                best[which], chosen[which] = scores[place], numbers[place]
        done += len(numbers)
        crew.tell("walk-forward", done, 0)
    if (chosen < 0).any():
        raise UsageError(
            "in some training window no combination keeps to the constraints and has an objective"
        )
    return best, chosen


def _followed(trials: Trials, folds: tuple[Fold, ...]) -> Run:
    """Return the run that holds what each choice says during its test."""
    sleeves = trials.market.bars.sleeves
    at, weights, settings = [], [], set()
    for fold in folds:
        decision = trials.decide(np.array([fold.number])).groups[0].decision
        targets = decision.targets(sleeves, *fold.test)
        at.append(targets.fills)
        weights.append(targets.weights)
        settings.add(
            (int(decision.every_months[0]), float(decision.band[0]))
            if isinstance(decision, Weights)
            else (0, 0.0)
        )
    if len(settings) > 1:
        raise UsageError(
            "a walk-forward cannot join combinations that trade back to their targets in different ways"
        )
    every, band = settings.pop()
    fills, rows = np.concatenate(at), np.concatenate(weights)
    fills[0] = 0

    def follow(_: Any) -> rules.Decision:
        return held(
            Weights(
                fills=trials.known.fills,
                sleeves=sleeves,
                weights=rows,
                first=np.array([folds[0].train[0]]),  # its inputs were known then; it waits for a choice
                every_months=np.array([every]),
                band=np.array([band]),
                given=Changes(np.array([0, len(fills)]), fills, np.arange(len(fills))),
            )
        )

    of = trials.strategy
    about = (
        f"{of.name} with the parameters that were best in the past at each of {len(folds)} dates. {of.thesis}"
    )
    stitched = Strategy(f"{of.name}_walk_forward", about, (), follow, of.file)
    return trials.follow(stitched, (folds[0].test[0], folds[-1].test[1]), {})
