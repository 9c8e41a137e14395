"""Watching a script: read anew when it or one of its own modules has changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backtest.scripting.loading import load_strategy
from backtest.scripting.own_modules import digest, own_modules

if TYPE_CHECKING:
    from backtest.scripting.strategy import Strategy


class Watched:
    """A strategy's script and the modules beside it: when they changed, and ``made``, the digest of all."""

    def __init__(self, named: str, strategy: Strategy) -> None:
        self._named, self.made = named, digest(strategy)
        self._script = Path(strategy.file)
        self._times = self._now()

    def news(self) -> Strategy | None:
        """Return the strategy as it is now; None where nothing has changed since it was last asked for.

        Raises
        ------
        RotationError
            When what changed cannot be read as a strategy; asked again, it is None until it changes again.
        """
        times = self._now()
        if times == self._times:
            return None
        self._times = times
        strategy = load_strategy(self._named)
        self.made = digest(strategy)
        return strategy

    def _now(self) -> dict[Path, int]:
        files = [self._script, *own_modules(self._script).values()]
        return {file: file.stat().st_mtime_ns for file in files if file.is_file()}
