"""A script's own modules: what it imports from the folder that it stands in."""

from __future__ import annotations

import hashlib
import importlib
import marshal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backtest.errors import UsageError

if TYPE_CHECKING:
    from backtest.scripting.strategy import Strategy


def own_modules(script: Path) -> dict[str, Path]:
    """Return the modules that a script imports from its own folder, directly or through each other.

    By the name that each is imported under, its file. They are found by reading: nothing is run. A file
    that is no Python has none.
    """
    from modulefinder import ModuleFinder

    finder = ModuleFinder(path=[str(script.parent)], excludes=["backtest"])
    try:
        finder.run_script(str(script))
    except (OSError, SyntaxError, ValueError):
        return {}
    found = {name: getattr(module, "__file__", None) for name, module in finder.modules.items()}
    del found["__main__"]
    return {name: Path(file) for name, file in sorted(found.items()) if file}


def offer(script: Path) -> None:
    """Let a script import its own modules, as it may where it is started by itself; each is imported anew.

    Raises
    ------
    UsageError
        When another module of the same name is in use already.
    """
    own = own_modules(script)
    for name, file in own.items():
        used = getattr(sys.modules.get(name), "__file__", None)
        if name in sys.modules and (used is None or not file.samefile(used)):
            raise UsageError(f"{script} imports {file}, but another module is called {name}; rename the file")
    for name in own:
        sys.modules.pop(name, None)
    folder = str(script.resolve().parent)
    if own and folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()


def digest(strategy: Strategy) -> str:
    """Return a digest of a strategy's script and of its own modules; of its code where there is no file."""
    file = Path(strategy.file)
    if not file.is_file():
        return hashlib.sha256(marshal.dumps(strategy.function.__code__)).hexdigest()
    found = hashlib.sha256(file.read_bytes())
    for name, own in own_modules(file).items():
        found.update(name.encode() + hashlib.sha256(own.read_bytes()).digest())
    return found.hexdigest()
