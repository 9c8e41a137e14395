"""``tune``: search the parameters of a strategy, and say what the winner is worth."""

from __future__ import annotations

import datetime as dt
import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.compiling import threads
from backtest.errors import UsageError
from backtest.folders import as_one_name, expanded
from backtest.market.data import MarketData
from backtest.market.load import load_market
from backtest.scripting.loading import load_strategy
from backtest.shown import Pictured
from backtest.tuning.asked import DEFAULTS, Asked, read_asked
from backtest.tuning.edges import edges
from backtest.tuning.executors import Crew, carry
from backtest.tuning.grid import make_grid
from backtest.tuning.objective import Objective, read_constraints
from backtest.tuning.plateau import Landscape, pareto
from backtest.tuning.progress import shown
from backtest.tuning.results import Results, manifest_to_resume, open_results
from backtest.tuning.search import Search
from backtest.tuning.survey import survey
from backtest.tuning.sweep import (
    common_window,
    corners,
    manifest_of,
    measure_chunks,
    numbers_of,
    probe,
    refuse_full_disk,
    sample_of,
)
from backtest.tuning.trials import Trials
from backtest.tuning.truth import Tests, truth
from backtest.tuning.verdict import judged
from backtest.tuning.walkforward import judged_windows, read_plan, walk_forward

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from backtest.dates import Floats, Ints
    from backtest.runs import Run
    from backtest.scripting.strategy import Strategy
    from backtest.tuning.edges import Edge
    from backtest.tuning.plateau import Neighbours
    from backtest.tuning.survey import Survey
    from backtest.tuning.sweep import Estimate
    from backtest.tuning.trials import Window
    from backtest.tuning.truth import Truth
    from backtest.tuning.verdict import Judgement
    from backtest.tuning.walkforward import WalkForward


@dataclass(frozen=True, eq=False)
class Choice:
    """A combination that a sweep points at.

    Parameters
    ----------
    number
        Its number in the grid.
    result
        Its run over the sweep's window.
    neighbours
        The objective around it.
    edges
        The edges of the grid that it lies on.
    """

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
    survey
        What the dataset says of all trials: which they are, and their scores.
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
    survey: Survey
    best: Choice
    recommended: Choice
    truth: Truth
    walk_forward: WalkForward | None
    front: Ints
    seconds: float

    @property
    def columns(self) -> dict[str, dict[str, float]]:
        """The measures of the winner, of what is recommended and of the benchmark, by their headings."""
        best, versus = self.best.result, self.trials.benchmark
        recommended = self.recommended.result.metrics
        return {"winner": best.metrics, "recommended": recommended, versus: best.benchmarks[versus]}

    @property
    def objective(self) -> Objective:
        """The measure that decides."""
        return self.objectives[0]

    @property
    def scores(self) -> Floats:
        """The first objective of each trial, (n,), higher is better; NaN where it cannot be chosen."""
        return self.survey.scores[0]

    @property
    def counts(self) -> dict[str, int]:
        """How many trials there are of each status, and of each kind that is easily overlooked."""
        return self.survey.counts

    @cached_property
    def verdict(self) -> Judgement:
        """What the tests say of the winner, by the rule of docs/tuning.md."""
        return judged(self.truth)

    @property
    def halves(self) -> tuple[Floats, Floats] | None:
        """The Sharpe ratios a year of each half's winner there, and in the other half; None without them."""
        crossed = self.truth.crossvalidation
        if crossed is None:
            return None
        yearly = math.sqrt(len(self.best.result.returns) / self.truth.n_years)
        return crossed.inside * yearly, crossed.outside * yearly

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
    strategy = load_strategy(strategy)
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
    market = load_market(market if isinstance(market, MarketData) else str(asked.market))
    carry(strategy.file, executor)
    with shown() if tell is None else nullcontext((tell, None)) as (told, announce):
        crew, (trials, objectives) = Crew(executor, told), _task(strategy, market, asked)
        measured = _measured(trials, objectives, asked, crew, (folder, resume), announce)
        return _judged(trials, objectives, asked, crew, measured, began)


def _task(strategy: Strategy, market: MarketData, asked: Asked) -> tuple[Trials, tuple[Objective, ...]]:
    """Return the trials that are asked for, and by which measures they are judged."""
    made = make_grid(strategy.parameters, asked.grid or {}, asked.fixed or {}, strategy.name)
    on_parameters, on_measures = read_constraints(asked.constraints or (), strategy.parameters)
    names = (asked.objective or "").split(",")
    objectives = tuple(Objective(name.strip(), on_measures) for name in names)
    if len(objectives) > 2 or len({o.name for o in objectives}) < len(objectives):
        raise UsageError("tune by one measure, or by two different ones with a comma between them")
    return Trials(strategy, market, made, on_parameters, asked.terms).completed(), objectives


def _sample(trials: Trials) -> Ints:
    """Return combinations that speak for those which a search that learns will choose."""
    return np.unique(np.r_[corners(trials.grid.shape), sample_of(trials.grid.size, 4096)])


def _workers(executor: str) -> int:
    rest = executor.partition(":")[2]
    return int(rest) if rest.isdigit() else threads()


def _measured(
    trials: Trials,
    objectives: tuple[Objective, ...],
    asked: Asked,
    crew: Crew,
    out: tuple[Path, bool],
    announce: Callable[[Estimate], None] | None,
) -> tuple[Window, Results, Ints | None]:
    """Measure what is not there yet; return the window, the dataset and the combinations, None for all."""
    folder, resume = out
    search = asked.search or Search()
    plan, learning = read_plan(asked.walk) if asked.walk else None, search.kind == "optuna"
    numbers = _sample(trials) if learning else search.numbers(trials.grid)
    window = common_window(trials, numbers, crew)
    if plan is not None:
        judged_windows(trials, plan, window)  # a window too short is better said before the work
    estimate = probe(trials, numbers, window, 1 if learning else _workers(crew.executor))
    if announce:
        announce(estimate)
    manifest = manifest_of(trials, asked, window)
    there = len(Results(folder, manifest).done()) * manifest["chunk"] if resume else 0
    missing = max(manifest["combinations"] - there, 0)
    refuse_full_disk(folder, estimate.size * missing // estimate.combinations)
    results = open_results(folder, manifest, resume=resume)
    if learning:
        from backtest.tuning.learning import learn

        return window, results, learn(trials, objectives, search.seed, window, results, crew)
    measure_chunks(trials, numbers, window, results, crew)
    return window, results, numbers


def _judged(
    trials: Trials,
    objectives: tuple[Objective, ...],
    asked: Asked,
    crew: Crew,
    measured: tuple[Window, Results, Ints | None],
    began: float,
) -> Sweep:
    window, results, numbers = measured
    found, search = survey(results, objectives, numbers), asked.search or Search()
    best, recommended = _choices(trials, window, found)
    unseen, walked = search.numbers(trials.grid), None
    drawn = numbers_of(unseen, 0, trials.grid.size) if search.kind == "optuna" else None
    tests = Tests(asked.placebo or 0, crew, drawn, search.seed)
    worth = truth(trials, window, found, best.number, objectives[0], tests)
    if asked.walk:
        walked = walk_forward(trials, unseen, window, read_plan(asked.walk), objectives[0], crew)
    front = pareto(*found.scores) if len(objectives) > 1 else np.zeros(0, dtype=np.int64)
    return Sweep(
        trials=trials,
        search=search,
        objectives=objectives,
        window=window,
        results=results,
        survey=found,
        best=best,
        recommended=recommended,
        truth=worth,
        walk_forward=walked,
        front=front,
        seconds=time.perf_counter() - began,
    )


def _choices(trials: Trials, window: Window, found: Survey) -> tuple[Choice, Choice]:
    """Return the peak and the centre of the best plateau."""
    chosen, scores = found.chosen, found.scores[0]
    if chosen is not None:  # a landscape has rising numbers, each once; Optuna's trials come in any order
        chosen, places = np.unique(chosen, return_index=True)
        scores = scores[places]
    landscape = Landscape(trials.grid, chosen, scores)

    def choice(spot: int) -> Choice:
        number = spot if chosen is None else int(chosen[spot])
        return Choice(number, trials.run(number, window), landscape.neighbours(spot), edges(landscape, spot))

    return choice(landscape.best), choice(landscape.centre())
