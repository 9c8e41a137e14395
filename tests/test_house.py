"""The limits that the package keeps to: of lengths, of arguments, and one name for each class."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import backtest

PACKAGE = Path(backtest.__file__).parent

LINES, STATEMENT_LINES, ARGUMENTS = 450, 60, 8

MANY_ARGUMENTS = {
    "run": "public; what it is called with are its terms, by name and with defaults",
    "tune": "public; the same",
}
"""Functions that may take more arguments than others, and why."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(root: Path) -> Iterator[tuple[str, str, ast.Module]]:
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield str(path.relative_to(root)), text, ast.parse(text)


def length(function: Function) -> int:
    """Lines without the docstring."""
    said = function.body[0] if ast.get_docstring(function) is not None else None
    within = said.end_lineno - said.lineno + 1 if said else 0
    return function.end_lineno - function.lineno + 1 - within


def arguments(function: Function) -> int:
    taken = function.args
    named = [each.arg for each in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)]
    return len(named) - (named[:1] in (["self"], ["cls"]))


def breaches(root: Path) -> list[str]:
    """What breaks the house's limits, a sentence each."""
    found, classes = [], Counter()
    for name, text, tree in modules(root):
        if text.count("\n") > LINES:
            found.append(f"{name} has {text.count(chr(10))} lines")
        if not (ast.get_docstring(tree) or "").partition("\n")[0].endswith("."):
            found.append(f"{name} does not begin with a sentence of its purpose")
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name] += 1
            if isinstance(node, Function):
                if length(node) > STATEMENT_LINES:
                    found.append(f"{name}: {node.name} has {length(node)} lines without its docstring")
                if arguments(node) > ARGUMENTS and node.name not in MANY_ARGUMENTS:
                    found.append(f"{name}: {node.name} takes {arguments(node)} arguments")
    return found + [f"{count} classes are called {name}" for name, count in classes.items() if count > 1]


def test_the_package_keeps_to_its_limits() -> None:
    assert breaches(PACKAGE) == []


def test_what_may_take_more_arguments_does() -> None:
    functions = [
        node for *_, tree in modules(PACKAGE) for node in ast.walk(tree) if isinstance(node, Function)
    ]
    most = {name: max(arguments(each) for each in functions if each.name == name) for name in MANY_ARGUMENTS}
    assert all(count > ARGUMENTS for count in most.values()), most


HEAD = '"""A sentence."""\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1\n", "a.py does not begin with a sentence of its purpose"),
        ('"""No sentence"""\n', "a.py does not begin with a sentence of its purpose"),
        (HEAD + "\n" * LINES, f"a.py has {LINES + 1} lines"),
        (HEAD + "def f():\n    '''Said.'''\n" + "    1\n" * 60, "a.py: f has 61 lines without its docstring"),
        (HEAD + "async def f(self, a, b, /, c, d, e, f, *, g, h, i): ...\n", "a.py: f takes 9 arguments"),
        (HEAD + "class A: ...\ndef f():\n    class A: ...\n", "2 classes are called A"),
    ],
)
def test_each_limit_is_told_of(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(text)
    assert breaches(tmp_path) == [sentence]


def test_what_is_within_the_limits_is_not_told_of(tmp_path: Path) -> None:
    head = HEAD + "\n" * (LINES - 1)
    (tmp_path / "a.py").write_text(head)
    (tmp_path / "b.py").write_text(HEAD + "def f(cls, a, b, c, d, e, f, g, h):\n" + "    1\n" * 59)
    assert breaches(tmp_path) == []
