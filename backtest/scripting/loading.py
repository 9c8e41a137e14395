"""Finding and loading strategy scripts, by name or by path."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

from backtest.errors import UsageError, failing_line, nearest
from backtest.files import content_of
from backtest.folders import expanded, shipped
from backtest.scripting.output import printing_to_stderr
from backtest.scripting.own_modules import offer
from backtest.scripting.strategy import Strategy

if TYPE_CHECKING:
    from pathlib import Path


def strategy_names() -> list[str]:
    """Return the names of the shipped strategies."""
    return sorted(path.stem for path in shipped("strategies").glob("*.py"))


def _find(name_or_path: str) -> Path:
    if name_or_path.endswith(".py") or "/" in name_or_path or "\\" in name_or_path:
        path = expanded(name_or_path)
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name the script in it")
        if not path.is_file():
            raise UsageError(f"there is no script '{path}'")
        return path
    if name_or_path not in strategy_names() and expanded(f"{name_or_path}.py").is_file():
        raise UsageError(f"there is no strategy '{name_or_path}'; did you mean the script {name_or_path}.py?")
    if name_or_path not in strategy_names():
        raise UsageError(f"there is no strategy '{name_or_path}'; {nearest(name_or_path, strategy_names())}")
    return shipped("strategies") / f"{name_or_path}.py"


def _execute(path: Path) -> types.ModuleType:
    # Compiled here rather than imported: no __pycache__ beside a user's script, no name in sys.modules.
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    try:
        source = content_of(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; name a file that you may read") from None
    offer(path)
    try:
        with printing_to_stderr():
            exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102 - the user's own script
    except SyntaxError as error:
        file = error.filename or path  # one of its own modules, perhaps
        if error.lineno is None:  # null bytes, an unknown encoding
            raise UsageError(f"{file} is not a Python script: {error.msg}") from None
        raise UsageError(f"{file}, line {error.lineno}: {error.msg}") from None
    except UsageError as error:
        raise UsageError(f"{path}, line {failing_line(error, str(path))}: {error}") from None
    except (Exception, SystemExit) as error:
        line = failing_line(error, str(path))
        raise UsageError(f"{path}, line {line}: {type(error).__name__}: {error}") from error
    return module


def load_strategy(name_or_path: str | Strategy) -> Strategy:
    """Return the strategy of a shipped script (by name) or of any script (by path); a strategy as it is.

    Raises
    ------
    UsageError
        When there is no such script, it fails to load, or it does not define exactly one strategy.

    Examples
    --------
    >>> from backtest import load_strategy
    >>> [each.name for each in load_strategy("rate_cut").parameters]
    ['delay', 'hold', 'quiet', 'min_cut']
    """
    if isinstance(name_or_path, Strategy):
        return name_or_path
    path = _find(str(name_or_path))
    module = _execute(path)
    # A strategy that the script imports from another one is not its own.
    found = {
        id(value): value
        for value in vars(module).values()
        if isinstance(value, Strategy) and value.file == str(path)
    }
    if len(found) != 1:
        names = ", ".join(sorted(value.name for value in found.values())) or "none"
        raise UsageError(f"{path} must define exactly one @strategy; it defines {names}")
    strategy = next(iter(found.values()))
    if unused := strategy.unused():
        raise UsageError(
            f"{path}: nothing that {strategy.name} returns uses its parameter '{unused[0]}'; take it out"
        )
    return strategy
