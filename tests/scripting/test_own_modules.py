"""What a script imports from its own folder comes along, however the script is started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backtest import UsageError, load_strategy, run
from backtest.scripting.own_modules import own_modules
from tests.cli.test_command import rotation
from tests.scripting.test_loading import GOOD, written

IMPORTING = GOOD.replace("@strategy", "from {name}.lengths import longer\n\n@strategy").replace(
    "cuts.within(0, hold)", "cuts.within(0, longer(hold))"
)


def beside(folder: Path, name: str, factor: int) -> str:
    """Write a script, and a package beside it that the script takes a function from."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "__init__.py").write_text("")
    (folder / name / "factors.py").write_text(f"FACTOR = {factor}\n")
    (folder / name / "lengths.py").write_text(
        "import json\nfrom .factors import FACTOR\n\ndef longer(hold):\n    return FACTOR * hold\n"
    )
    return written(folder, IMPORTING.replace("{name}", name))


def test_a_module_beside_the_script_is_imported_and_imported_anew(tmp_path: Path) -> None:
    plain = run(load_strategy(written(tmp_path, GOOD, "plain.py")), hold=24)
    path = beside(tmp_path, "stretching", 2)
    assert sorted(own_modules(Path(path))) == ["stretching", "stretching.factors", "stretching.lengths"]
    assert run(path, hold=12).metrics == plain.metrics
    path = beside(tmp_path, "stretching", 12)
    assert run(path, hold=2).metrics == plain.metrics


def test_the_command_and_the_script_itself_do_the_same(tmp_path: Path) -> None:
    path = beside(tmp_path, "both_ways", 2)
    Path(path).write_text(Path(path).read_text() + '\nif __name__ == "__main__":\n    main(mine)\n')
    made = [
        rotation(tmp_path, "mine.py", "run", "--out", "A", command=sys.executable),
        rotation(tmp_path, "run", "mine.py", "--out", "B"),
    ]
    assert [done.returncode for done in made] == [0, 0], made[0].stderr + made[1].stderr
    assert made[0].stdout.splitlines()[:-1] == made[1].stdout.splitlines()[:-1]


def test_two_modules_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second = (beside(tmp_path / folder, "twins", 2) for folder in "ab")
    load_strategy(first)
    with pytest.raises(UsageError) as error:
        load_strategy(second)
    assert str(error.value) == (
        f"{second} imports {tmp_path}/b/twins/__init__.py, but another module is called twins; rename the file"
    )
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "json.py").write_text("x = 1\n")
    with pytest.raises(UsageError, match="but another module is called json; rename the file"):
        load_strategy(written(tmp_path / "c", "import json\n" + GOOD))


def test_a_mistake_in_a_module_is_said_of_that_module(tmp_path: Path) -> None:
    path = beside(tmp_path, "mistaken", 2)
    (tmp_path / "mistaken" / "lengths.py").write_text("def longer(:\n")
    with pytest.raises(UsageError, match=f"^{tmp_path}/mistaken/lengths.py, line 1: "):
        load_strategy(path)


def test_what_is_no_script_has_no_modules(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def f(:\n")
    assert (
        own_modules(tmp_path / "bad.py") == own_modules(tmp_path / "none.py") == own_modules(tmp_path) == {}
    )
