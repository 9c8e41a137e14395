"""What was changed in a sweep's folder since it was written is refused, and what was not goes on to the same bytes."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from backtest.errors import RotationError, UsageError
from backtest.tuning.results import Results, manifest_to_resume, open_results
from backtest.tuning.tune import tune

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from backtest import MarketData

GRID = {"delay": "0:24:1", "hold": "1:60:1", "min_cut": "0.25,0.5"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, embedded: MarketData) -> Path:
    """The folder of a sweep of three parts."""
    out = tmp_path_factory.mktemp("results") / "out"
    tune("rate_cut", embedded, grid=GRID, out=out, placebo=0)
    assert len(list(out.glob("trials/*"))) == 3
    return out


@pytest.fixture(params=["finished", "half"])
def folder(request: pytest.FixtureRequest, finished: Path, tmp_path: Path) -> Path:
    """A copy of it, whole or without its second part, as a killed sweep leaves it with a draft."""
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    if request.param == "half":
        (second,) = copy.glob("trials/part-000001-*")
        second.rename(second.with_name(f".{second.name}.{'a' * 16}.part"))
    return copy


def kept(folder: Path) -> list[Path]:
    """The manifest of a sweep and its parts."""
    return [folder / "manifest.json", *sorted(folder.glob("trials/[!.]*"))]


def resumed(folder: Path) -> dict[str, bytes]:
    """Go on with a sweep; return its manifest and its parts."""
    tune("rate_cut", out=folder, resume=True)
    return {place.name: place.read_bytes() for place in kept(folder)}


def opened(folder: Path) -> Results:
    """Open a sweep as going on with it does, short of measuring."""
    return open_results(folder, manifest_to_resume(folder), resume=True)


def test_what_was_not_changed_goes_on_to_the_same_bytes(folder: Path, finished: Path) -> None:
    assert resumed(folder) == {place.name: place.read_bytes() for place in kept(finished)}


def test_every_flipped_bit_is_found(folder: Path) -> None:
    chosen = random.Random(5)  # noqa: S311 - nothing secret
    assert len(kept(folder)) >= 3
    for place in kept(folder):
        whole = place.read_bytes()
        for at in [0, len(whole) - 1, *(chosen.randrange(len(whole)) for _ in range(30))]:
            flipped = bytearray(whole)
            flipped[at] ^= 1 << chosen.randrange(8)
            place.write_bytes(flipped)
            with pytest.raises(RotationError) as told:
                opened(folder)
            said = str(told.value)
            assert place.name in said
            assert ("start another" if place.name == "manifest.json" else "delete it and go on") in said
        place.write_bytes(whole)


def test_a_bit_flipped_after_a_sweep_was_opened_is_found_by_its_survey_and_its_table(folder: Path) -> None:
    found = tune("rate_cut", out=folder, resume=True)
    place = found.results.whole()[0]
    whole = bytearray(place.read_bytes())
    whole[len(whole) // 2] ^= 4
    place.write_bytes(whole)
    with pytest.raises(RotationError, match=f"{place.name} is not what was written.*: delete it"):
        found.to_frame()
    place.unlink()
    with pytest.raises(RotationError, match="part 0 is missing in .*trials: go on with --resume"):
        found.to_frame()


def renamed(place: Path, which: int) -> Path:
    return place.with_name(place.name.replace("000000", f"{which:06d}"))


def copied(name: str) -> Callable[[Path], Path]:
    def make(place: Path) -> Path:
        made = place.with_name(name)
        shutil.copy(place, made)
        return made

    return make


def doubled(place: Path) -> Path:
    made = place.with_name("part-000000-0123456789abcdef.parquet")
    shutil.copy(place, made)
    return place  # it comes after its copy


def moved(which: int) -> Callable[[Path], Path]:
    def make(place: Path) -> Path:
        for there in place.parent.glob(f"part-{which:06d}-*"):
            there.unlink()
        return place.rename(renamed(place, which))

    return make


def cut(place: Path) -> Path:
    place.write_bytes(place.read_bytes()[:200])
    return place


def twice(place: Path) -> Path:
    place.write_bytes(place.read_bytes() * 2)
    return place


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (copied("part-000000 (copy).parquet"), "is no part of this sweep: move it elsewhere"),
        (copied("README"), "is no part of this sweep: move it elsewhere"),
        (copied("part-000000.parquet"), "is no part of this sweep: move it elsewhere"),
        (doubled, "is no part of this sweep: move it elsewhere"),
        (moved(3), "is no part of this sweep: move it elsewhere"),
        (moved(1), "is not what was written, as its checksum says: delete it"),
        (cut, "is not what was written, as its checksum says: delete it"),
        (twice, "is not what was written, as its checksum says: delete it"),
    ],
    ids=["copy", "note", "bare name", "doubled", "beyond the end", "another number", "cut", "twice"],
)
def test_a_part_that_is_none_is_refused_by_name(
    change: Callable[[Path], Path], said: str, folder: Path
) -> None:
    (first,) = folder.glob("trials/part-000000-*")
    made = change(first)
    with pytest.raises(RotationError, match=f"{said}.* --resume") as told:
        opened(folder)
    assert str(made) in str(told.value)


def test_a_part_of_another_sweep_is_refused(finished: Path, embedded: MarketData, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    shutil.copytree(finished, out)
    tune("rate_cut", embedded, grid=GRID, out=other, placebo=0, cost_bps=20)
    (mine,), (theirs,) = out.glob("trials/part-000002-*"), other.glob("trials/part-000002-*")
    mine.unlink()
    shutil.copy(theirs, out / "trials")
    with pytest.raises(RotationError, match=f"{theirs.name} is not what was written"):
        tune("rate_cut", out=out, resume=True)


def test_an_edited_manifest_is_refused(folder: Path) -> None:
    place = folder / "manifest.json"
    said = json.loads(place.read_text())
    for key, value in [("combinations", 7), ("chunk", 3), ("benchmark", "small"), ("more", 1), ("seal", "")]:
        place.write_text(json.dumps({**said, key: value}, indent=2) + "\n")
        with pytest.raises(
            UsageError, match=r"manifest\.json is not what this version wrote.* start another"
        ):
            tune("rate_cut", out=folder, resume=True)
    for text in ("[]", "1", "", "{", json.dumps(said)):
        place.write_text(text)
        with pytest.raises(UsageError, match=r"manifest\.json is not what this version wrote"):
            opened(folder)
    with pytest.raises(UsageError, match=r"manifest\.json is not what this version wrote"):
        tune("rate_cut", out=folder, resume=True)


def test_the_dataset_reads_as_pandas_reads_the_folder(finished: Path) -> None:
    found = tune("rate_cut", out=finished, resume=True)
    rows = pd.read_parquet(finished / "trials").set_index("combination")
    pd.testing.assert_frame_equal(found.to_frame(), rows)


def test_a_folder_is_there_with_its_manifest_or_not_at_all(
    embedded: MarketData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backtest.files._put", dies)
    with pytest.raises(KeyboardInterrupt):
        tune("rate_cut", embedded, grid=GRID, out=tmp_path / "out", placebo=0)
    assert list(tmp_path.iterdir()) == []


def test_a_part_whose_name_says_another_checksum_is_not_overwritten_unseen(tmp_path: Path) -> None:
    results = Results(tmp_path, {"combinations": 2, "chunk": 1})
    results.write(0, b"one")
    results.write(1, b"two")
    first, second = results.whole()
    assert (results.content(first), results.content(second)) == (b"one", b"two")
    assert first.name.rpartition("-")[2] != second.name.rpartition("-")[2]
