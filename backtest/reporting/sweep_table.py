"""A sweep for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.reporting.sweep_sentences import steadiness, values_of, verdict
from backtest.reporting.table import ROWS, cell

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.tuning.tune import Sweep


def lines_of(sweep: Sweep, place: Path) -> list[str]:
    """Return a sweep's answer for a terminal, line by line."""
    start, end = sweep.dates
    counts, truth = sweep.counts, sweep.truth
    rest = [f"{n:,} {name}" for name, n in counts.items() if n and name in {"excluded", "refused", "unknown"}]
    lines = [
        f"{sweep.trials.strategy.name} on {sweep.trials.market.name}, {start} to {end}: "
        f"{counts['combinations']:,} combinations in {sweep.seconds:.1f} seconds"
        + (f" ({', '.join(rest)})" if rest else ""),
        "",
        f"  winner       {values_of(sweep.best)}",
        f"  recommended  {values_of(sweep.recommended)}  (centre of the best plateau)",
        "",
        f"  {'':24}{'winner':>12}{'recommended':>14}{sweep.trials.benchmark:>12}",
    ]
    runs = [
        sweep.best.result.metrics,
        sweep.recommended.result.metrics,
        sweep.best.result.benchmarks[sweep.trials.benchmark],
    ]
    for key, label, form in ROWS:
        texts = [cell(run[key], form) for run in runs]
        lines.append(f"  {label:24}{texts[0]:>12}{texts[1]:>14}{texts[2]:>12}")
    crossed, placebo = truth.crossvalidation, truth.placebo
    chances = {
        "deflated": truth.deflated.probability,
        "overfitting": None if crossed is None else crossed.probability,
        "superior": truth.superior.pvalue,
        "placebo": None if placebo is None else placebo.pvalue,
    }
    shown = {name: cell(value, lambda p: f"{p:.3f}") for name, value in chances.items()}
    lines += [
        "",
        f"  trials {counts['combinations']:,}, effective {truth.effective:.1f}",
        f"  SPA p {shown['superior']}; placebo p {shown['placebo']}",
        (
            f"  deflated Sharpe probability, over the benchmark, {shown['deflated']}; "
            f"probability of overfitting {shown['overfitting']}"
        ),
        "",
        *verdict(sweep),
    ]
    if sweep.walk_forward is not None:
        walked = sweep.walk_forward.result
        versus = walked.benchmarks[sweep.trials.benchmark]
        lines.append(
            f"Walk-forward: {steadiness(sweep.walk_forward)}; "
            f"Sharpe ratio out of sample {walked.metrics['sharpe']:.2f}, {walked.start} to {walked.end}; "
            f"that of {sweep.trials.benchmark} {versus['sharpe']:.2f}."
        )
    return [*lines, "", f"results  {sweep.results.trials}", f"report   {place}"]
