"""A result as a JSON document."""

from __future__ import annotations

import importlib.metadata
import json
import math
import pathlib
from typing import TYPE_CHECKING, Any

import msgspec

from backtest.folders import shipped
from backtest.records.shading import cuts, recessions
from backtest.scripting.own_modules import digest

if TYPE_CHECKING:
    from pathlib import Path

    from backtest.analysis.skill import Skill
    from backtest.records.robustness import Robustness
    from backtest.runs import Run
    from backtest.scripting.strategy import Strategy
    from backtest.terms import Terms


def plain(value: Any) -> Any:
    """Return a value as JSON has it, which knows no NaN: a measure that is not defined is null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def document(
    result: Run, report: Path | None, robust: Robustness | None = None, *, tried: int = 1
) -> dict[str, Any]:
    """Return what ``run --json`` prints.

    ``report`` is the folder of the report, if one was written; ``robust`` adds the key ``robustness``: the
    window of the trials, and each with its measures; ``tried`` is how many combinations of parameters were
    tried before this one was chosen.
    """
    market = result.market
    trials = {} if robust is None else {"robustness": _trials(robust)}
    return plain(
        {
            "strategy": result.strategy.name,
            "thesis": result.strategy.thesis,
            "parameters": result.parameters,
            "market": market.name,
            "frequency": market.frequency,
            "proxy": market.proxy or None,
            "start": result.start,
            "end": result.end,
            "bars": len(result.returns),
            **_terms(result.terms),
            "doubts": list(result.doubts),
            "made_by": _made_by(result.strategy),
            "warm_up": str(result.warm_up),
            "tried": tried,
            "metrics": result.metrics,
            "skill": _skill(result.skill),
            "benchmarks": result.benchmarks,
            **trials,
            "data": {
                "last": str(market.bars.dates[-1]),
                "series": {
                    id: {"source": p.origin, "sha256": p.sha256, "last": str(p.last)}
                    for id, p in sorted(market.sources.items())
                },
            },
            "shaded": {
                "cuts": [(str(a), str(b)) for a, b in cuts(result)],
                "recessions": [(str(a), str(b)) for a, b in recessions(result)],
            },
            "report": None if report is None else str(report),
        }
    )


def _made_by(strategy: Strategy) -> dict[str, str]:
    """Return the version, and the script: the name of a shipped one, else where it lies."""
    own = pathlib.Path(strategy.file)
    is_shipped = own.parent == shipped("strategies")
    return {
        "version": importlib.metadata.version("size-rotation"),
        "script": own.stem if is_shipped else str(own.absolute()),
        "script_sha256": digest(strategy),
    }


def _terms(terms: Terms) -> dict[str, Any]:
    """Return the terms but for the window, of which a document says what it came to be."""
    said = msgspec.to_builtins(terms)
    return {name: said[name] for name in said if name not in ("start", "end")}


def _skill(skill: Skill) -> dict[str, Any]:
    low, high = skill.ends
    parts = [
        {
            "part": part.name,
            "first": str(part.first),
            "last": str(part.last),
            "alpha": part.fit.alpha,
            "alpha_tstat": part.fit.tstat,
        }
        for part in skill.parts
    ]
    return {"alpha_low": low, "alpha_high": high, "alpha_visible": skill.visible, "parts": parts}


def _trials(robust: Robustness) -> dict[str, Any]:
    trials = [
        {"cost_bps": trial.cost_bps, "delay_fill": trial.delay_fill, **trial.metrics}
        for trial in robust.trials
    ]
    return {"start": robust.start, "end": robust.end, "trials": trials}


def to_json(content: Any) -> str:
    """Return the document's text."""
    return json.dumps(content, indent=2, allow_nan=False)
