"""Search by Optuna: trials chosen by what earlier ones gave, where a grid is too large for all of it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.errors import RotationError, UsageError
from backtest.measures import SWEPT
from backtest.tuning.results import encode
from backtest.tuning.sweep import pieces_of
from backtest.tuning.trials import MEASURED, STATUSES

if TYPE_CHECKING:
    from backtest.dates import Ints
    from backtest.tuning.executors import Crew
    from backtest.tuning.objective import Objective
    from backtest.tuning.results import Results
    from backtest.tuning.trials import Trials, Window

_BATCH = 16  # trials asked for before any of them is told: measured in one go


def _study(objectives: tuple[Objective, ...], seed: int) -> Any:
    try:
        import optuna
    except ImportError:
        raise UsageError(
            "Optuna is not installed; install it with: pip install 'size-rotation[optuna]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    directions = ["maximize"] * len(objectives)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its experimental options warn at every use
        sampler = (
            optuna.samplers.TPESampler(seed=seed, constant_liar=True)
            if len(objectives) == 1
            else optuna.samplers.NSGAIISampler(seed=seed, population_size=_BATCH)
        )
    return optuna.create_study(directions=directions, sampler=sampler)


def _asked(study: Any, trials: Trials) -> tuple[Any, int]:
    """Return a new trial and the number of its combination: a place on each axis is suggested."""
    trial = study.ask()
    digits = [
        0
        if len(axis.values) == 1
        else trial.suggest_int(axis.name, 0, len(axis.values) - 1)
        if axis.ordered
        else axis.values.index(trial.suggest_categorical(axis.name, list(axis.values)))
        for axis in trials.grid.axes
    ]
    return trial, int(trials.grid.number(digits))


def learn(
    trials: Trials, objectives: tuple[Objective, ...], seed: int, window: Window, results: Results, crew: Crew
) -> Ints:
    """Search by Optuna and write every trial; return the numbers of the combinations in the order of trials.

    One objective is searched by its tree-structured Parzen estimator, two by NSGA-II. A combination that
    comes twice counts twice. A sweep that is resumed asks for the same trials again and takes what was
    measured before from the chunks.

    Raises
    ------
    UsageError
        When Optuna is not installed.
    RotationError
        When it asks for other trials than before, so that the sweep cannot be resumed.
    """
    study = _study(objectives, seed)
    n, there, chosen = results.manifest["combinations"], results.done(), []
    dates = trials.market.bars.dates
    days = (dates[window[0]], dates[window[1]])
    for which, (start, stop) in enumerate(pieces_of(n, results.manifest["chunk"])):
        stored = results.table(there[which]).to_pandas() if which in there else None
        numbers, status, measured = [], [], []
        for begin in range(start, stop, _BATCH):
            asked = [_asked(study, trials) for _ in range(begin, min(begin + _BATCH, stop))]
            batch = np.array([number for _, number in asked])
            if stored is None:
                states, pages = trials.measure(batch, [window])
                page = pages[0]
            else:
                part = stored[begin - start : begin - start + len(batch)]
                if not np.array_equal(part["combination"], batch):
                    raise RotationError(
                        "Optuna asks for other trials than before; start anew with another --out"
                    )
                states = np.array([STATUSES.index(s) for s in part["status"]], dtype=np.int8)
                page = part[list(SWEPT)].to_numpy()
            _told(study, asked, states, page, objectives)
            numbers.append(batch)
            status.append(states)
            measured.append(page)
        chosen.extend(numbers)
        if stored is None:
            content = encode(
                trials.grid, np.concatenate(numbers), np.concatenate(status), np.concatenate(measured), days
            )
            results.write(which, content)
        crew.tell("measuring", stop, n)
    return np.concatenate(chosen)


def _told(study: Any, asked: list[Any], status: Any, page: Any, objectives: tuple[Objective, ...]) -> None:
    import optuna

    good = status == MEASURED
    for objective in objectives:
        good &= objective.eligible(page)
    for i, (trial, _) in enumerate(asked):
        if good[i]:
            study.tell(trial, [float(o.score(o.of(page))[i]) for o in objectives])
        else:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
