"""``tune``: search the parameters of a strategy, and say what the winner is worth."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from backtest.errors import UsageError
from backtest.folders import as_one_name, expanded
from backtest.market.data import MarketData
from backtest.market.load import load_market
from backtest.measures import SWEPT
from backtest.scripting.loading import load_strategy
from backtest.scripting.strategy import Strategy
from backtest.shown import Pictured
from backtest.tuning.asked import DEFAULTS, Asked, read_asked
from backtest.tuning.constraints import read_constraint
from backtest.tuning.edges import edges
from backtest.tuning.executors import carry
from backtest.tuning.grid import make_grid
from backtest.tuning.objective import Objective
from backtest.tuning.plateau import Landscape, pareto
from backtest.tuning.progress import shown
from backtest.tuning.results import Results, manifest_to_resume, open_results
from backtest.tuning.search import Search
from backtest.tuning.survey import survey
from backtest.tuning.sweep import (
    common_window,
    manifest_of,
    measure_chunks,
    numbers_of,
    pieces_of,
    probe,
    refuse_full_disk,
)
from backtest.tuning.trials import Trials
from backtest.tuning.truth import Tests, truth
from backtest.tuning.verdict import judged
from backtest.tuning.walkforward import judged_windows, read_plan, walk_forward

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from backtest.dates import Floats, Ints
    from backtest.runs import Run
    from backtest.tuning.edges import Edge
    from backtest.tuning.plateau import Neighbours
    from backtest.tuning.survey import Survey
    from backtest.tuning.trials import Window
    from backtest.tuning.truth import Truth
    from backtest.tuning.verdict import Judgement
    from backtest.tuning.walkforward import Plan, WalkForward

_PIECE = 1 << 15


@dataclass(frozen=True, eq=False)
class Choice:
    """A combination that a sweep points at.

    Parameters
    ----------
    place, number
        Its place among the trials, and its number in the grid.
    result
        Its run over the sweep's window.
    neighbours
        The objective around it.
    edges
        The edges of the grid that it lies on.
    """

    place: int
    number: int
    result: Run
    neighbours: Neighbours
    edges: tuple[Edge, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Pictured):
    """What ``tune`` found.

    Parameters
    ----------
    trials, search, objectives, window
        What was searched, how, by which measures (the first one decides), over which bars.
    results
        The dataset, one row a trial; ``results.trials`` is its folder.
    chosen
        The numbers of the combinations tried; None for all of the grid.
    survey
        What the dataset says of all trials: their status and scores.
    best, recommended
        The peak, and the centre of the best plateau.
    truth, walk_forward
        What the winner is worth.
    front
        The places of the trials that no other betters in both of two objectives; empty for one objective.
    seconds
        How long it took.

    Examples
    --------
    >>> from backtest import tune
    >>> found = tune("rate_cut", grid={"hold": "12:36:12"}, placebo=0, out="sweep")
    >>> found.to_frame()["hold"].tolist()
    [12, 24, 36]
    """

    trials: Trials
    search: Search
    objectives: tuple[Objective, ...]
    window: Window
    results: Results
    chosen: Ints | None
    survey: Survey
    best: Choice
    recommended: Choice
    truth: Truth
    walk_forward: WalkForward | None
    front: Ints
    seconds: float

    @property
    def objective(self) -> Objective:
        """The measure that decides."""
        return self.objectives[0]

    @property
    def scores(self) -> Floats:
        """The first objective of each trial, (n,), higher is better; NaN where it cannot be chosen."""
        return self.survey.scores[0]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many trials there are of each status, and of each kind that is easily overlooked."""
        return self.survey.counts

    @cached_property
    def verdict(self) -> Judgement:
        """What the tests say of the winner, by the rule of docs/tuning.md."""
        return judged(self.truth)

    @property
    def dates(self) -> tuple[str, str]:
        """The dates of the first fill and of the last bar."""
        dates = self.trials.market.bars.dates
        return str(dates[self.window[0]]), str(dates[self.window[1]])


def default_folder(name: str) -> Path:
    """Return ``reports/STRATEGY/sweep-STAMP`` below the current folder."""
    stamp = dt.datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")
    return Path("reports", as_one_name(name), f"sweep-{stamp}")


def tune(
    strategy: Strategy | str,
    market: MarketData | str | None = None,
    *,
    grid: Mapping[str, str | None] | None = None,
    fixed: Mapping[str, Any] | None = None,
    objective: str | None = None,
    constraints: Sequence[str] | None = None,
    search: Search | None = None,
    walk: str | None = None,
    placebo: int | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    executor: str = "threads",
    tell: Callable[[str, int, int], None] | None = None,
    **terms: Any,
) -> Sweep:
    """Search the parameters of a strategy.

    Parameters
    ----------
    strategy, market
        As ``run`` takes them.
    grid
        By parameter: ``low:high:step``, ``low:high:logN``, ``a,b,c``, or None for the declared range. Left
        out, all parameters vary over their declared ranges.
    fixed
        Values of parameters that do not vary; the others have their defaults.
    objective
        A measure, or two with a comma: the first decides, both make a Pareto front. ``sharpe`` by default.
    constraints
        As ``turnover<1`` (keeps a trial from being chosen) or ``closed<=wide`` (leaves it unmeasured).
    search
        All of the grid by default.
    walk
        As ``train=20y,test=5y``; none by default.
    placebo
        How many shifts of the decisions to search as well, 200 by default; 0 for none.
    out
        The folder for the dataset; by default ``reports/STRATEGY/sweep-STAMP``.
    resume
        Go on with the sweep in ``out``. What the call leaves out is as that sweep was asked for. Another
        objective, constraint on measures, walk-forward or placebo judges the same trials anew.
    executor
        ``threads``, ``loky``, ``dask://HOST:PORT`` or ``ray``.
    tell
        Called with what is being done, how far it is and how far it goes; by default a terminal and a
        notebook show it.
    terms
        ``start``, ``end``, ``cost_bps``, ``benchmark``, ``same_close``, ``decide``, ``real``, as
        ``run`` takes them. All trials are measured over one window: from the latest start among them.

    Raises
    ------
    UsageError
        When the call cannot be used, or no trial can be chosen.
    RotationError
        When the data, the strategy's code, the disk or the executor fail.

    Examples
    --------
    >>> from backtest import tune
    >>> found = tune("rate_cut", grid={"hold": "12,24"}, placebo=0, out="sweep")
    >>> found.best.result.parameters["hold"], found.verdict.outcome
    (12, 'looks like luck')
    """
    began = time.perf_counter()
    strategy = strategy if isinstance(strategy, Strategy) else load_strategy(strategy)
    if resume and out is None:
        raise UsageError("say which sweep to resume: --out DIR --resume")
    folder = expanded(out) if out is not None else default_folder(strategy.name)
    asked = Asked(
        market=market.name if isinstance(market, MarketData) else market,
        grid=None if grid is None else dict(grid),
        fixed=None if fixed is None else dict(fixed),
        objective=objective,
        constraints=None if constraints is None else tuple(constraints),
        search=search,
        walk=walk,
        placebo=placebo,
        given={name: value for name, value in terms.items() if value is not None},
    )
    if resume:
        asked = asked.filled(read_asked(manifest_to_resume(folder)))
    asked = asked.filled(DEFAULTS)
    market = market if isinstance(market, MarketData) else load_market(str(asked.market))
    carry(strategy.file, executor)
    with shown() if tell is None else nullcontext((tell, None)) as (told, announce):
        task = _task(strategy, market, asked, Work(folder, executor, resume, told))
        window, results = _opened(task, announce)
        chosen = _measured(task, window, results)
        return _concluded(task, window, results, chosen, began)


class Work(NamedTuple):
    """Where and how a sweep is done, and who is told of it."""

    folder: Path
    executor: str
    resume: bool
    tell: Any


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be done."""

    asked: Asked
    trials: Trials
    search: Search
    objectives: tuple[Objective, ...]
    plan: Plan | None
    work: Work

    @property
    def learning(self) -> bool:
        """Whether the search chooses as it goes."""
        return self.search.kind == "optuna"

    @cached_property
    def numbers(self) -> Ints | None:
        """The combinations to measure; None for all, and where the search chooses as it goes."""
        return None if self.learning else self.search.numbers(self.trials.grid)


def _opened(task: Task, announce: Any) -> tuple[Window, Results]:
    """Return the window that all trials share, and the dataset to write them to."""
    trials, folder, executor = task.trials, task.work.folder, task.work.executor
    sampled = _sample(trials) if task.learning else task.numbers
    window = common_window(trials, sampled, executor, task.work.tell)
    if task.plan is not None:
        judged_windows(trials, task.plan, window)  # a window too short is better said before the work
    estimate = probe(trials, sampled, window, 1 if task.learning else _workers(executor))
    if announce:
        announce(estimate)
    manifest = manifest_of(trials, task.asked, window, task.search.count(trials.grid))
    there = len(Results(folder, manifest).done()) * manifest["chunk"] if task.work.resume else 0
    refuse_full_disk(
        folder, estimate.size * max(manifest["combinations"] - there, 0) // estimate.combinations
    )
    return window, open_results(folder, manifest, resume=task.work.resume)


def _measured(task: Task, window: Window, results: Results) -> Ints | None:
    """Measure what is not there yet; return the combinations, None for all of the grid."""
    if task.learning:
        from backtest.tuning.learning import learn

        return learn(task.trials, task.objectives, task.search, window, results, task.work.tell)
    measure_chunks(task.trials, task.numbers, window, results, task.work.executor, task.work.tell)
    return task.numbers


def _sample(trials: Trials) -> NDArray[np.int64]:
    from backtest.tuning.sweep import corners, sample_of

    return np.unique(np.r_[corners(trials.grid.shape), sample_of(trials.grid.size, 4096)])


def _workers(executor: str) -> int:
    from backtest.compiling import threads

    rest = executor.partition(":")[2]
    return int(rest) if rest.isdigit() else threads()


def _task(strategy: Strategy, market: MarketData, asked: Asked, work: Work) -> Task:
    made = make_grid(strategy.parameters, asked.grid or {}, asked.fixed or {}, strategy.name)
    words = {p.name: p.choices for p in strategy.parameters}
    read = [read_constraint(text, words, SWEPT) for text in asked.constraints or ()]
    on_measures = tuple(c for c in read if not c.of_parameters)
    names = (asked.objective or "").split(",")
    objectives = tuple(Objective(name.strip(), on_measures) for name in names)
    if len(objectives) > 2 or len({o.name for o in objectives}) < len(objectives):
        raise UsageError("tune by one measure, or by two different ones with a comma between them")
    on_parameters = tuple(c for c in read if c.of_parameters)
    trials = Trials(strategy, market, made, on_parameters, asked.terms).completed()
    plan = read_plan(asked.walk) if asked.walk else None
    return Task(asked, trials, asked.search or Search(), objectives, plan, work)


def _concluded(task: Task, window: Window, results: Results, chosen: Ints | None, began: float) -> Sweep:
    trials, search, objectives, tell = task.trials, task.search, task.objectives, task.work.tell
    found = survey(results, objectives)
    best, recommended = _choices(trials, chosen, window, found.scores[0])
    unseen = search.unseen(trials.grid)
    n = trials.grid.size if unseen is None else len(unseen)
    drawn = numbers_of(unseen, 0, n) if task.learning else None
    tests = Tests(task.asked.placebo or 0, task.work.executor, drawn, search.seed, tell)
    told = truth(trials, chosen, window, found, best.place, objectives[0], tests)
    walked = None
    if task.plan is not None:
        walked = walk_forward(
            trials,
            lambda: (numbers_of(unseen, *piece) for piece in pieces_of(n, _PIECE)),
            window, task.plan, objectives[0], tell,
        )  # fmt: skip
    return Sweep(
        trials=trials,
        search=search,
        objectives=objectives,
        window=window,
        results=results,
        chosen=chosen,
        survey=found,
        best=best,
        recommended=recommended,
        truth=told,
        walk_forward=walked,
        front=pareto(*found.scores) if len(objectives) > 1 else np.zeros(0, dtype=np.int64),
        seconds=time.perf_counter() - began,
    )


def _choices(trials: Trials, chosen: Ints | None, window: Window, scores: Floats) -> tuple[Choice, Choice]:
    """Return the peak and the centre of the best plateau."""
    numbers = places = None
    if chosen is not None:  # a landscape has rising numbers, each once; Optuna's trials come in any order
        numbers, places = np.unique(chosen, return_index=True)
        scores = scores[places]
    landscape = Landscape(trials.grid, numbers, scores)

    def choice(spot: int) -> Choice:
        place = spot if places is None else int(places[spot])
        number = place if chosen is None else int(chosen[place])
        near = landscape.neighbours(spot)
        return Choice(place, number, trials.run(number, window), near, edges(landscape, spot))

    return choice(landscape.best), choice(landscape.centre())
