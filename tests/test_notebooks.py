"""The notebooks run from top to bottom, offline, and leave nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))


def executed(notebook: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a notebook in a folder of its own; IPython comes with vectorbt and takes one without a kernel."""
    places = {name: folder / name for name in ("here", "temporary", "ipython", "store")}
    for place in places.values():
        place.mkdir()
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "IPython", "--colors=nocolor", str(notebook)],
        cwd=places["here"],
        env={
            **os.environ,
            "IPYTHONDIR": str(places["ipython"]),
            "MPLBACKEND": "agg",
            "ROTATION_DATA": str(places["store"]),
            "TMPDIR": str(places["temporary"]),
            "https_proxy": "http://127.0.0.1:9",  # where nobody answers
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_every_cell_runs(notebook: Path, tmp_path: Path) -> None:
    done = executed(notebook, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Error" not in done.stdout + done.stderr
    for place in ("here", "temporary", "store"):
        assert list((tmp_path / place).iterdir()) == []


def test_a_cell_that_raises_is_noticed(tmp_path: Path) -> None:
    book = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))
    cell = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    lines = ("1 / 0", "print('after')")
    book["cells"] = [{**cell, "id": f"cell-{n}", "source": [line]} for n, line in enumerate(lines)]
    broken = tmp_path / "broken.ipynb"
    broken.write_text(json.dumps(book), encoding="utf-8")
    done = executed(broken, tmp_path)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout + done.stderr
    assert "after" not in done.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_no_output_is_kept(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert len(cells) > 10
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)
