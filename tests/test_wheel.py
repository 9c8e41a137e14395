"""The wheel: only the package, complete, and at work in a new environment from an empty folder."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


def built(out: Path, *what: str, source: Path = REPOSITORY) -> list[Path]:
    """Build without isolation: the build backend is installed here, and no network is needed."""
    build = [sys.executable, "-m", "build", *what, "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    return sorted(out.iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"), "--wheel")[0]


def test_it_carries_the_package_with_strategies_and_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"backtest", "size_rotation-0.2.0.dist-info"}
    for folder in ("strategies", "data"):
        files = {
            f"backtest/{p.relative_to(REPOSITORY).as_posix()}"
            for p in (REPOSITORY / folder).rglob("*")
            if p.is_file() and p.suffix != ".pyc"
        }
        assert files
        assert files <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "backtest/py.typed" in names


def test_built_again_elsewhere_it_has_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    sources = built(tmp_path / "first", "--sdist")[0]
    with tarfile.open(sources) as archive:
        archive.extractall(tmp_path, filter="data")
    elsewhere = next(tmp_path.glob("size_rotation-*"))
    for path in elsewhere.rglob("*"):
        os.utime(path, (1.7e9, 1.7e9))  # another day, and nobody else may read it
        path.chmod(0o700 if path.is_dir() else 0o600)
    again = built(tmp_path / "second", source=elsewhere)
    assert [path.read_bytes() for path in again] == [wheel.read_bytes(), sources.read_bytes()]


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(home, with_pip=False)
    packages = next(home.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(packages)  # noqa: S202 - built a moment ago
    # The dependencies are the ones installed here; a path line does not bring this checkout's own
    # package along, because the editable install hangs on a .pth of its own.
    (packages / "dependencies.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")))
    return home


USER = """\
from backtest import Market, MarketData, Months, Run, Strategy, load_market, load_strategy, param, rotate, run, strategy

@strategy
def mine(market: Market, hold: Months = param(24, low=1, high=60, help="so long")):  # type: ignore[no-untyped-def]
    cuts = market.policy.first_cuts(quiet=12, at_least=0.25)
    return rotate(cuts.within(0, hold), into="small", otherwise="large")

market: MarketData = load_market("embedded")
shipped: Strategy = load_strategy("rate_cut")
result: Run = run(shipped, market, hold=18, start="1990-01-31")
sharpe: float = result.metrics["sharpe"]
"""


def test_it_brings_its_types_to_whoever_installs_it(environment: Path, tmp_path: Path) -> None:
    def said(script: str) -> str:
        (tmp_path / "user.py").write_text(script)
        python = ["--python-executable", str(environment / "bin" / "python")]
        mypy = [sys.executable, "-m", "mypy", "--strict", *python, "--cache-dir", str(tmp_path), "user.py"]
        return subprocess.run(
            mypy, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        ).stdout

    assert said(USER) == "Success: no issues found in 1 source file\n"
    wrong = said(USER + 'wrong: str = result.metrics["sharpe"]\nload_market(3)\nmarket.nothing\n')
    assert wrong.count("error:") == 3, wrong


def test_it_works_from_an_empty_folder_in_a_new_environment(environment: Path, tmp_path: Path) -> None:
    home, packages = environment, next(environment.glob("lib/python*/site-packages"))
    empty = tmp_path / "empty"
    empty.mkdir()
    python = str(home / "bin" / "python")

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [python, *arguments], cwd=empty, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert Path(run("-c", "import backtest; print(backtest.__file__)").strip()).is_relative_to(packages)
    command = "import sys; from backtest.cli import entry; sys.argv[0] = 'rotation'; entry()"
    document = json.loads(run("-c", command, "run", "rate_cut", "--json", "--out", "here"))
    assert document["bars"] == 422
    assert Path(document["report"]) == empty / "here"
    script = next(packages.glob("backtest/strategies/rate_cut.py"))
    assert json.loads(run(str(script), "run", "--json"))["metrics"] == document["metrics"]


def test_every_import_is_a_declared_dependency() -> None:
    """What is installed here for the tests alone must not be what the package runs on."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    optional = [r for name, extra in project["optional-dependencies"].items() if name != "dev" for r in extra]
    declared = {
        re.split(r"[\[<>=~! ]", requirement)[0].lower().replace("_", "-")
        for requirement in [*project["dependencies"], *optional]
    }
    distributions = packages_distributions()
    used: dict[str, str] = {}
    for file in (REPOSITORY / "backtest").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            used |= {name.split(".")[0]: file.name for name in names}
    outside = set(used) - set(sys.stdlib_module_names) - {"backtest"}
    undeclared = {
        name: used[name]
        for name in outside
        if not {d.lower().replace("_", "-") for d in distributions.get(name, [name])} & declared
    }
    assert undeclared == {}
