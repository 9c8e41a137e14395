"""How the rows of a breakdown by regime are defined, in words, and how many bars they cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backtest.analysis.regimes import Breakdown
    from backtest.records.record import RunRecord
    from backtest.runs import Run

_DEFINED = {
    "policy rate": (
        "Cutting: from the first to the last cut of a row without a rise between. Rising: the same of rises. "
        "On hold: neither."
    ),
    "business cycle": (
        "Recession: from the month after a peak to the month of the next trough, as the NBER dated them "
        "afterwards. Expansion: the rest."
    ),
    "discount of small": (
        "Wide: the discount known at the fill before the bar is above its median over the bars of this run, "
        "and that median is known only afterwards. Narrow: it is not."
    ),
    "decade": "A bar belongs to the decade of its close.",
}


def _covered(rows: list[Breakdown], record: RunRecord, what: str) -> str:
    """Return how many of the run's bars the rows cover."""
    unit = "months" if record.frequency == "monthly" else "trading days"
    inside, total = sum(row.bars for row in rows), len(record.returns)
    if inside == total:
        return f"The rows cover all {total:,} {unit}."
    return f"The rows cover only the {inside:,} of {total:,} {unit} for which {what} is known."


def regime_note(name: str, rows: list[Breakdown], result: Run, record: RunRecord) -> str:
    """Return the note under the table of one breakdown, ``name`` being its key in the sheet."""
    said = [_DEFINED[name]]
    if name == "discount of small":
        said.append(_covered(rows, record, "the discount"))
    if name == "business cycle":
        said.append(_covered(rows, record, "the state of the economy"))
    if name == "policy rate" and result.market.policy is not None:
        known_from = result.market.observations[result.market.policy].known_at[0]
        said.append(_covered(rows, record, f"the rate, from {known_from} on,"))
        said.append(
            f"The blue shading of the figures, the cuts, starts on {record.cuts[0][0]}: cuts before "
            f"{known_from} are not in the data."
            if record.cuts
            else "Nothing is shaded blue in the figures: no cut is known in these years."
        )
    return " ".join(said)
