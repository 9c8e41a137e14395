"""Write the kept answers anew: ``python -m tests.golden [NAME ...]``; the difference is then for git and the eye."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.golden.calls import DOCUMENTS, KEPT, SENTENCES, alike, document, sentences


def settled(kept: Any, now: Any) -> Any:
    """Return what is answered now, with the kept number wherever it is alike: git shows changes alone."""
    if isinstance(kept, dict) and isinstance(now, dict):
        return {key: settled(kept.get(key), value) for key, value in now.items()}
    if isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        return [settled(was, has) for was, has in zip(kept, now, strict=True)]
    return kept if alike(kept, now) else now


def write(name: str, folder: Path) -> None:
    if name in DOCUMENTS:
        place = KEPT / f"{name}.json"
        kept = json.loads(place.read_text(encoding="utf-8")) if place.exists() else None
        now = settled(kept, document(DOCUMENTS[name], folder / "document"))
        place.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    if name in SENTENCES:
        (KEPT / f"{name}.txt").write_text(sentences(SENTENCES[name], folder / "sentences"), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted({*DOCUMENTS, *SENTENCES}):
        with tempfile.TemporaryDirectory() as folder:
            write(name, Path(folder))
