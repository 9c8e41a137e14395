"""A small attack at every run of the tests; ``python -m tests.attack --calls 10000 --files 5000`` is the large one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.attack.attack import Ground
from tests.attack.calls import RIGHT, VALUES, Call, calls, options_of
from tests.attack.damage import TARGETS, Damage, Target, damages
from tests.attack.ground import Outcome, objections

_SMALL = settings(
    max_examples=100,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path_factory.mktemp("attack"))


@_SMALL
@given(wrong=calls())
def test_a_wrong_call_is_one_sentence_and_nothing_lost(ground: Ground, wrong: Call) -> None:
    tried = ground.called(wrong)
    assert not tried.wrong, tried


@_SMALL
@given(target=st.sampled_from(TARGETS), how=damages, which=st.floats(0.0, 1.0))
def test_a_damaged_file_is_refused_or_gives_the_same_numbers(
    ground: Ground, target: Target, how: Damage, which: float
) -> None:
    tried = ground.damaged(target, how, which)
    assert not tried.wrong, tried


@pytest.mark.parametrize("verb", sorted(RIGHT))
def test_every_option_is_attacked(verb: str) -> None:
    known = {action.dest for action in options_of(verb) if action.option_strings and action.nargs != 0}
    assert known <= {*VALUES}, known - {*VALUES}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.pattern} {target.arguments[:2]}")
def test_what_is_damaged_was_right(ground: Ground, target: Target) -> None:
    ground.damaged(target, Damage("hole", 0.5, 0, b""), 0.0)  # nothing is taken out of it


@pytest.mark.parametrize(
    ("outcome", "after", "wrong"),
    [
        (Outcome(0, "x", ""), {}, ""),
        (Outcome(2, "", "rotation: no\n"), {}, ""),
        (Outcome(2, "", "rotation: no\nand no\n"), {}, "2 lines of complaint"),
        (Outcome(1, "", "Traceback\n"), {}, "not expected"),
        (Outcome(1, "", "rotation: this is our fault, not yours\n"), {}, "not expected"),
        (Outcome(1, "half an answer", "rotation: no\n"), {}, "said something and failed"),
        (Outcome(1, "", "rotation: \x1b[31m\n"), {}, "a control character"),
        (Outcome(1, "", "rotation: no\n"), {"left": "no file"}, "left or changed"),
        (Outcome(0, "x", "a warning\n"), {}, "said on standard error"),
        (Outcome(9, "", ""), {}, "exit status 9"),
    ],
)
def test_the_judge_sees_what_is_wrong(outcome: Outcome, after: dict[str, str], wrong: str) -> None:
    found = objections({}, after, outcome)
    assert bool(found) == bool(wrong)
    assert wrong in " ".join(found)
