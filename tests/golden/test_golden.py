"""Every command still answers as it did, key by key, number by number and word by word.

A change that is meant is made visible by ``python -m tests.golden`` and committed with its reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden.calls import DOCUMENTS, KEPT, SENTENCES, alike, document, sentences


def differences(kept: Any, now: Any, place: str = "") -> list[str]:
    """Return what differs and where: numbers by more than 1e-12 of themselves."""
    if isinstance(kept, dict) and isinstance(now, dict):
        found = [f"{place}.{key}: is gone" for key in kept if key not in now]
        found += [f"{place}.{key}: is new" for key in now if key not in kept]
        both = [key for key in kept if key in now]
        return found + [line for key in both for line in differences(kept[key], now[key], f"{place}.{key}")]
    if isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        pairs = enumerate(zip(kept, now, strict=True))
        return [line for i, (was, has) in pairs for line in differences(was, has, f"{place}[{i}]")]
    return [] if alike(kept, now) else [f"{place}: was {kept!r}, is {now!r}"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(name: str, tmp_path: Path) -> None:
    kept = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
    found = differences(kept, document(DOCUMENTS[name], tmp_path))
    assert not found, "\n".join([DOCUMENTS[name], *found[:30]])


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences(name: str, tmp_path: Path) -> None:
    kept = (KEPT / f"{name}.txt").read_text(encoding="utf-8")
    assert sentences(SENTENCES[name], tmp_path) == kept


def test_every_kept_answer_has_its_call() -> None:
    answers = {path.name for path in KEPT.iterdir() if path.suffix in {".json", ".txt"}}
    assert answers == {f"{name}.json" for name in DOCUMENTS} | {f"{name}.txt" for name in SENTENCES}


@pytest.mark.parametrize(
    "now",
    [
        {"a": [1.0, "x"]},
        {"a": [1.0 + 2e-12, "x"], "b": None},
        {"a": [1.0, "y"], "b": None},
        {"a": [1.0], "b": None},
        {"a": [1.0, "x"], "b": None, "c": 0},
        {"a": [1.0, "x"], "b": 0.0},
        {"a": [True, "x"], "b": None},
    ],
)
def test_a_difference_is_found(now: Any) -> None:
    kept = {"a": [1.0, "x"], "b": None}
    assert differences(kept, {"a": [1.0 + 2e-13, "x"], "b": None}) == []
    assert len(differences(kept, now)) == 1
