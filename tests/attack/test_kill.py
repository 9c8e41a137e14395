"""A few kills at every run of the tests; ``python -m benchmarks.kill --kills 100`` is the large form."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from benchmarks.kill import FETCH, RUN, Ground, complaints, ground_at, killed, seen

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground_at(tmp_path_factory.mktemp("kill")) as made:
        for job in (FETCH, RUN):
            made.undisturbed(job, rounds=1)
        shutil.copytree(made.folder / "report", made.home / "kept")
        yield made


def test_what_is_killed_leaves_whole_files_or_none(ground: Ground) -> None:
    chance = random.Random(3)  # noqa: S311 - nothing secret
    for job in (FETCH, RUN):
        killed(ground, job, chance, writing=True)
    assert ground.wrong == []
    assert sum(n for (_, outcome), n in ground.counts.items() if outcome == "tried") == 2


def test_the_judge_sees_a_torn_file(ground: Ground) -> None:
    ground.fresh()
    shutil.copytree(ground.home / "kept", ground.folder / "report")
    assert ground.objections(RUN) == []
    page = ground.folder / "report" / "index.html"
    page.write_bytes(page.read_bytes()[:100])
    assert ground.objections(RUN) == ["report is not what it would be: index.html"]
    page.unlink()
    (ground.folder / "left").touch()
    assert ground.objections(RUN) == ["left left", "report is not what it would be: index.html"]
    assert seen(ground.folder / "nothing") == {}


def test_the_judge_sees_what_a_command_may_not_say(ground: Ground) -> None:
    for status, said, wrong in (
        (0, b"", 0),
        (1, b"one\n", 0),
        (1, b"Traceback\n", 1),
        (1, b"a\nb\n", 1),
        (-9, b"", 1),
    ):
        process = ground.start(("--version",))
        process.communicate()
        process.returncode = status
        assert len(complaints(process, said)) == wrong
