"""Write the kept answers anew: ``python -m tests.golden [NAME ...]``; the difference is then for git and the eye."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.golden.calls import DOCUMENTS, KEPT, SENTENCES, document, sentences


def write(names: list[str]) -> None:
    for name in names or sorted({*DOCUMENTS, *SENTENCES}):
        for calls, make, ending in ((DOCUMENTS, _document, "json"), (SENTENCES, sentences, "txt")):
            if name in calls:
                with tempfile.TemporaryDirectory() as folder:
                    text = make(calls[name], Path(folder))
                (KEPT / f"{name}.{ending}").write_text(text, encoding="utf-8")


def _document(call: str, folder: Path) -> str:
    return json.dumps(document(call, folder), indent=1) + "\n"


if __name__ == "__main__":
    write(sys.argv[1:])
