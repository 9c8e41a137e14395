"""The walks of docs/architecture.md lead through files and names that exist, and the layout has every room."""

from __future__ import annotations

import re

import pytest

from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
WALKS = {
    section.splitlines()[0]: re.findall(
        r"^\| `([^`]+)` \| (.+?) \| .+ \|$", section.split("\n## ")[0], re.MULTILINE
    )
    for section in TEXT.split("\n## One ")[1:]
}


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_leads_through_at_most_ten_files_that_have_its_names(walk: str) -> None:
    assert 8 <= len(WALKS[walk]) <= 10
    gone = []
    for file, names in WALKS[walk]:
        place = REPOSITORY / file
        text = place.read_text(encoding="utf-8") if place.is_file() else ""
        gone += [
            f"{file}: {name}" for name in re.findall(r"`(\w+)`", names) if not re.search(rf"\b{name}\b", text)
        ]
    assert gone == [], "move docs/architecture.md with the code"


def test_there_are_three_walks() -> None:
    assert [walk.split(":")[0] for walk in WALKS] == ["parameter", "series", "measure"]


def test_other_files_that_it_names_exist() -> None:
    for file in re.findall(r"`((?:backtest|tests|data|docs)/[\w/.]*)`", TEXT):
        assert (REPOSITORY / file).exists(), f"{file}: move docs/architecture.md with the code"


def test_the_layout_has_every_room() -> None:
    layout = TEXT.split("## The house")[1].split("\n\n")[1]
    for room in (REPOSITORY / "backtest").iterdir():
        if not room.name.startswith("__"):
            assert re.search(rf"\b{room.stem}\b", layout), f"{room.name} is missing in docs/architecture.md"
