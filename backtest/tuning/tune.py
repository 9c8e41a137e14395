"""``tune``: search the parameters of a strategy, and say what the winner is worth."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.engine.curves import MEASURES
from backtest.errors import RotationError, UsageError
from backtest.market.data import MarketData
from backtest.market.load import load_market
from backtest.runs import Cost
from backtest.scripting.loading import load_strategy
from backtest.scripting.strategy import Strategy
from backtest.tuning.constraints import read_constraint
from backtest.tuning.grid import make_grid
from backtest.tuning.objective import Objective
from backtest.tuning.plateau import Landscape, pareto
from backtest.tuning.results import open_results
from backtest.tuning.search import Search
from backtest.tuning.sweep import (
    common_window,
    manifest_of,
    measure_chunks,
    numbers_of,
    probe,
    refuse_full_disk,
)
from backtest.tuning.trials import MEASURED, STATUSES, Trials
from backtest.tuning.truth import DIGESTED, digests, distinct_places, truth
from backtest.tuning.walkforward import read_plan, walk_forward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from backtest.dates import Floats, Ints
    from backtest.runs import Result
    from backtest.tuning.plateau import Neighbours
    from backtest.tuning.results import Results
    from backtest.tuning.sweep import Estimate
    from backtest.tuning.trials import Window
    from backtest.tuning.truth import Truth
    from backtest.tuning.walkforward import WalkForward

_PIECE = 1 << 15
_SORTED = sorted(STATUSES)


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
    """

    place: int
    number: int
    result: Result
    neighbours: Neighbours


@dataclass(frozen=True, eq=False)
class Sweep:
    """What ``tune`` found.

    Parameters
    ----------
    trials, search, objectives, window
        What was searched, how, by which measures (the first one decides), over which bars.
    results
        The dataset, one row a trial; ``results.trials`` is its folder.
    chosen
        The numbers of the combinations tried; None for all of the grid.
    scores
        (n,) float64: the first objective of each trial, higher is better; NaN where it cannot be chosen.
    counts
        How many trials there are of each status and each kind that is easily overlooked.
    best, recommended
        The peak, and the centre of the best plateau.
    truth, walk_forward
        What the winner is worth.
    front
        The places of the trials that no other betters in both of two objectives; empty for one objective.
    seconds
        How long it took.
    """

    trials: Trials
    search: Search
    objectives: tuple[Objective, ...]
    window: Window
    results: Results
    chosen: Ints | None
    scores: Floats
    counts: dict[str, int]
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
    def dates(self) -> tuple[str, str]:
        """The dates of the first fill and of the last bar."""
        dates = self.trials.market.bars.dates
        return str(dates[self.window[0]]), str(dates[self.window[1]])


def default_folder(name: str) -> Path:
    """Return ``reports/STRATEGY/sweep-STAMP`` below the current folder."""
    return Path("reports", name, "sweep-" + dt.datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S"))


def tune(
    strategy: Strategy | str,
    market: MarketData | str = "embedded",
    *,
    grid: Mapping[str, str | None] | None = None,
    fixed: Mapping[str, Any] | None = None,
    objective: str = "sharpe",
    constraints: Sequence[str] = (),
    search: Search | None = None,
    walk: str | None = None,
    placebo: int = 200,
    out: Path | str | None = None,
    resume: bool = False,
    executor: str = "threads",
    start: Any = None,
    end: Any = None,
    cost_bps: float | Mapping[str, float] = Cost.DEFAULT,
    benchmark: str | None = None,
    same_close: bool = False,
    tell: Callable[[str, int, int], None] | None = None,
    announce: Callable[[Estimate], None] | None = None,
) -> Sweep:
    """Search the parameters of a strategy.

    Parameters
    ----------
    strategy, market, start, end, cost_bps, benchmark, same_close
        As ``run`` takes them. All trials are measured over one window: from the latest start among them.
    grid
        By parameter: ``low:high:step``, ``low:high:logN``, ``a,b,c``, or None for the declared range. Left
        out, all parameters vary over their declared ranges.
    fixed
        Values of parameters that do not vary; the others have their defaults.
    objective
        A measure, or two with a comma: the first decides, both make a Pareto front.
    constraints
        As ``turnover<1`` (keeps a trial from being chosen) or ``closed<=wide`` (leaves it unmeasured).
    search
        All of the grid by default.
    walk
        As ``train=20y,test=5y``; none by default.
    placebo
        How many shifts of the decisions to search as well; 0 for none.
    out
        The folder for the dataset; by default ``reports/STRATEGY/sweep-STAMP``.
    resume
        Go on with the sweep in ``out``.
    executor
        ``threads``, ``loky``, ``dask://HOST:PORT`` or ``ray``.
    tell, announce
        Called with what is being done, how far it is and how far it goes; and with the estimate of time
        and disk.

    Raises
    ------
    UsageError
        When the call cannot be used, or no trial can be chosen.
    RotationError
        When the data, the strategy's code, the disk or the executor fail.
    """
    began = time.perf_counter()
    strategy = strategy if isinstance(strategy, Strategy) else load_strategy(strategy)
    market = market if isinstance(market, MarketData) else load_market(market)
    trials, objectives = _prepared(
        strategy, market, grid or {}, fixed or {}, objective, constraints, cost_bps, benchmark, same_close
    )
    plan = read_plan(walk) if walk else None
    search = search or Search()
    if resume and out is None:
        raise UsageError("say which sweep to resume: --out DIR --resume")
    folder = Path(out).expanduser() if out is not None else default_folder(strategy.name)
    learning = search.kind == "optuna"
    asked = None if learning else search.numbers(trials.grid)
    sampled = _sample(trials) if learning else asked
    window = common_window(trials, sampled, start, end, executor, tell)
    n = search.count(trials.grid)
    estimate = probe(trials, sampled, window, 1 if learning else _workers(executor))
    if announce:
        announce(estimate)
    refuse_full_disk(folder, estimate.size)
    results = open_results(folder, manifest_of(trials, search, objective, window, n), resume=resume)
    if learning:
        from backtest.tuning.learning import learn

        chosen: Ints | None = learn(trials, objectives, search, window, results, tell)
    else:
        measure_chunks(trials, asked, window, results, executor, tell)
        chosen = asked
    return _concluded(
        trials, search, objectives, window, results, chosen, plan, placebo, executor, tell, began
    )


def _sample(trials: Trials) -> NDArray[np.int64]:
    from backtest.tuning.sweep import corners, sample_of

    return np.unique(np.r_[corners(trials.grid.shape), sample_of(trials.grid.size, 4096)])


def _workers(executor: str) -> int:
    from backtest.compiling import threads

    rest = executor.partition(":")[2]
    return int(rest) if rest.isdigit() else threads()


def _prepared(
    strategy: Strategy,
    market: MarketData,
    grid: Mapping[str, str | None],
    fixed: Mapping[str, Any],
    objective: str,
    constraints: Sequence[str],
    cost_bps: float | Mapping[str, float],
    benchmark: str | None,
    same_close: bool,
) -> tuple[Trials, tuple[Objective, ...]]:
    made = make_grid(strategy.parameters, grid, fixed, strategy.name)
    words = {p.name: p.choices for p in strategy.parameters}
    read = [read_constraint(text, words, MEASURES) for text in constraints]
    on_measures = tuple(c for c in read if not c.of_parameters)
    objectives = tuple(Objective(name.strip(), on_measures) for name in objective.split(","))
    if len(objectives) > 2:
        raise UsageError("tune by one measure, or by two with a comma between them")
    versus = benchmark or market.benchmark
    market.bars.column(versus)
    cost = Cost(cost_bps)
    cost.fractions(market.bars.sleeves)
    on_parameters = tuple(c for c in read if c.of_parameters)
    return Trials(strategy, market, made, on_parameters, cost, versus, same_close), objectives


def _concluded(
    trials: Trials,
    search: Search,
    objectives: tuple[Objective, ...],
    window: Window,
    results: Results,
    chosen: Ints | None,
    plan: Any,
    shifts: int,
    executor: str,
    tell: Any,
    began: float,
) -> Sweep:
    names = [o.name for o in objectives]
    on_measures = [c.left for c in objectives[0].constraints] + [
        c.right for c in objectives[0].constraints if isinstance(c.right, str)
    ]
    table, status, digest = _gathered(
        results, {*names, *on_measures, "sharpe", "information_ratio", "switches"}
    )
    usable = np.flatnonzero(status == MEASURED)
    distinct = distinct_places(digest, usable)
    del digest
    if len(usable) == 0:
        raise UsageError(f"none of the {len(status):,} combinations could be measured: {_by_status(status)}")
    scores = _scores(objectives[0], table, usable)
    if not np.isfinite(scores).any():
        raise UsageError(
            f"none of the {len(usable):,} trials that were measured can be chosen: they break a constraint "
            f"or have no {names[0]}"
        )
    landscape = Landscape(trials.grid, *_by_number(chosen, scores))
    place_of = _places(chosen)
    peak, middle = landscape.best, landscape.centre()
    best, centre = place_of(peak), place_of(middle)

    def number(place: int) -> int:
        return place if chosen is None else int(chosen[place])

    def choice(place: int, of_landscape: int) -> Choice:
        return Choice(
            place, number(place), trials.run(number(place), window), landscape.neighbours(of_landscape)
        )

    told = truth(
        trials, chosen, window, table, distinct, usable, best, objectives[0], shifts=shifts,
        executor=executor, seed=search.seed, tell=tell,
    )  # fmt: skip
    front = np.zeros(0, dtype=np.int64)
    if len(objectives) > 1:
        front = pareto(scores, _scores(objectives[1], table, usable))

    def pieces() -> Iterator[Ints]:
        n = trials.grid.size if chosen is None else len(chosen)
        for begin in range(0, n, _PIECE):
            yield numbers_of(chosen, begin, min(begin + _PIECE, n))

    walked = walk_forward(trials, pieces, window, plan, objectives[0], tell) if plan else None
    return Sweep(
        trials=trials,
        search=search,
        objectives=objectives,
        window=window,
        results=results,
        chosen=chosen,
        scores=scores,
        counts=_counted(status, table, scores, usable, told),
        best=choice(best, peak),
        recommended=choice(centre, middle),
        truth=told,
        walk_forward=walked,
        front=front,
        seconds=time.perf_counter() - began,
    )


def _gathered(
    results: Results, names: set[str]
) -> tuple[dict[str, Floats], NDArray[np.int8], NDArray[np.uint64]]:
    """Return measures of all trials, their status, and a digest of each.

    Read chunk by chunk: of what only tells trials apart, 8 bytes a trial are kept.
    """
    kept: dict[str, list[Floats]] = {name: [] for name in names}
    statuses, digested = [], []
    for which in sorted(results.done()):
        part = results.chunk_columns(which, [*names, *DIGESTED, "status"])
        statuses.append(np.searchsorted(_SORTED, part["status"]).astype(np.int8))
        digested.append(digests([part[name] for name in DIGESTED]))
        for name in names:
            kept[name].append(part[name])
    codes = np.array([STATUSES.index(name) for name in _SORTED], dtype=np.int8)
    table = {name: np.concatenate(kept.pop(name)) for name in names}
    return table, codes[np.concatenate(statuses)], np.concatenate(digested)


def _by_status(status: NDArray[np.int8]) -> dict[str, int]:
    return dict(zip(STATUSES, np.bincount(status, minlength=len(STATUSES)).tolist(), strict=True))


def _scores(objective: Objective, table: dict[str, Floats], usable: Ints) -> Floats:
    """Return (n,) scores; NaN where a trial was not measured, breaks a constraint or has no objective."""
    from backtest.tuning.constraints import all_hold

    values = table[objective.name]
    kept = np.zeros(len(values), dtype=bool)
    kept[usable] = True
    kept &= all_hold(objective.constraints, table, len(values)) & np.isfinite(values)
    return np.where(kept, objective.score(values), np.nan)


def _by_number(chosen: Ints | None, scores: Floats) -> tuple[Ints | None, Floats]:
    """Return trials by rising number, each once: what a landscape is made of."""
    if chosen is None:
        return None, scores
    numbers, first = np.unique(chosen, return_index=True)
    return numbers, scores[first]


def _places(chosen: Ints | None) -> Callable[[int], int]:
    if chosen is None:
        return lambda place: place
    first = np.unique(chosen, return_index=True)[1]
    return lambda place: int(first[place])


def _counted(
    status: NDArray[np.int8], table: dict[str, Floats], scores: Floats, usable: Ints, told: Truth
) -> dict[str, int]:
    best = np.nanmax(scores)
    return {
        "combinations": len(status),
        **_by_status(status),
        "duplicates": told.measured - told.distinct,
        "without_switch": int((table["switches"][usable] == 0).sum()),
        "not_eligible": len(usable) - int(np.isfinite(scores).sum()),
        "tied_with_best": int((scores >= best - 1e-12 * abs(best)).sum()) - 1,
    }


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a sweep's folder.

    Raises
    ------
    RotationError
        When there is none.
    """
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RotationError(f"{folder} is not the folder of a sweep: it has no manifest.json") from None
