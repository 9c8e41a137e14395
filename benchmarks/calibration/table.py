"""The table of docs/calibration.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.calibration.experiments import COVERS

if TYPE_CHECKING:
    from benchmarks.calibration.experiments import Experiment

HEAD = """# Calibration: how often what a page promises is so

Markets are drawn from processes whose truth is known, the package is asked, and its answer is held against
the truth. A 95% interval should cover it in 93 to 97% of them; a test at 5% should reject a true null
hypothesis in 3 to 7%. What lies outside is in **bold**. `python -m benchmarks.calibration` makes this page;
a quick form of it runs in the tests.

The processes: independent normal returns; Student's t with 4 degrees of freedom; an autoregression of 0.2;
a GARCH(1, 1) with Student's t, fitted to the embedded market and to its small less large (`python -m
benchmarks.calibration.fit`). "Small" holds one sleeve, "rotation" goes into small for 24 of every 120
months, "one episode" leaves its benchmark once, for two years: so little is known of such a run that its
intervals are wider than they need be.

A test that rejects in less than 3%, and an interval that covers in more than 97%, err on the safe side. How
well a share is known depends on how many markets were drawn (n): 5% of 1,000 to 1.4 points either way, of
400 to 2.1, of 100 to 4.3. What was tried and did not do stands at the end.
"""


def _share(kind: str, hits: int, n: int) -> str:
    if n == 0:
        return "-"
    low, high = (0.93, 0.97) if kind == COVERS else (0.03, 0.07)
    share = hits / n
    text = f"{100 * share:.1f}"
    return text if low <= share <= high else f"**{text}**"


def written(counts: dict[Experiment, dict[str, tuple[int, int]]]) -> str:
    """Return the page: a table for each name, a row a case, a column for each thing said."""
    parts = [HEAD]
    for name in dict.fromkeys(e.name for e in counts):
        mine = {e: c for e, c in counts.items() if e.name == name}
        columns = list(dict.fromkeys(column for c in mine.values() for column in c))
        kind = next(iter(mine)).kind
        what = (
            "% of 95% intervals that cover"
            if kind == COVERS
            else "% rejected at 5%, the null hypothesis being true"
        )
        parts += [f"\n## {name[0].upper()}{name[1:]}\n\n{what}.\n"]
        parts += [f"| case | n | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
        for e, c in mine.items():
            cells = [_share(kind, *c.get(column, (0, 0))) for column in columns]
            n = max((total for _, total in c.values()), default=0)
            parts.append(f"| {e.case} | {n} | {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"
