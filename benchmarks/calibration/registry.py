"""Every experiment, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.calibration import panels, runs, studies, sweeps, tried

if TYPE_CHECKING:
    from benchmarks.calibration.experiments import Experiment


def experiments() -> list[Experiment]:
    """Return all experiments; the order is that of the table."""
    return [
        *runs.EXPERIMENTS,
        *sweeps.EXPERIMENTS,
        *studies.EXPERIMENTS,
        *panels.EXPERIMENTS,
        *tried.EXPERIMENTS,
    ]
