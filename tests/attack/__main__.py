"""The large attack: python -m tests.attack --calls 10000 --files 5000."""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.attack import attack
from tests.attack.calls import calls
from tests.attack.damage import TARGETS, damages


def _large(n: int) -> settings:
    return settings(
        max_examples=n,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def main() -> int:
    """Attack, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=0)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found: Counter[str] = Counter()
    shown: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="attack-") as home:
        ground = attack.Ground(Path(home))

        def told(what: str, tried: attack.Tried) -> None:
            found[f"{what}: exit {tried.status}"] += 1
            for wrong in tried.wrong:
                found[f"{what}: wrong"] += 1
                key = re.sub(r"[\d'/].*", "", wrong)[:60] + str(tried.arguments[:2])
                if key not in shown or len(shown) < 40:
                    shown.add(key)
                    said = [wrong[:400], [word[:60] for word in tried.arguments], tried.how]
                    print(json.dumps(said), flush=True)  # noqa: T201 - what this program is for

        if options.calls:

            @seed(options.seed)
            @_large(options.calls)
            @given(calls())
            def wrong_calls(call: attack.Call) -> None:
                told("call", ground.called(call))

            wrong_calls()
        if options.files:

            @seed(options.seed)
            @_large(options.files)
            @given(st.sampled_from(TARGETS), damages, st.floats(0.0, 1.0))
            def damaged_files(target: attack.Target, how: attack.Damage, which: float) -> None:
                told("file", ground.damaged(target, how, which))

            damaged_files()
    for name, count in sorted(found.items()):
        print(f"{name:24}{count:>8,}")  # noqa: T201 - the same
    return 1 if any(name.endswith("wrong") for name in found) else 0


if __name__ == "__main__":
    sys.exit(main())
