"""The colours of all figures, for light pages and for dark ones, and the dashes of their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Okabe and Ito's palette, which the colour-blind can tell apart; beside each the same hue for a dark page.
INK, MUTED, GRID = "#111111", "#5f5f5f", "#e4e4e4"
BLUE, ORANGE, GREEN, ROSE = "#0072b2", "#d55e00", "#009e73", "#b8578f"
CUT, RECESSION = "#cfe2f3", "#b9b9b9"
DARK = {
    INK: "#f4f4f4",
    MUTED: "#a8a8a8",
    GRID: "#3b3b3b",
    CUT: "#1c3a54",
    RECESSION: "#5a5a5a",
    BLUE: "#56a8e0",
    "#c98500": "#f0b040",
    "#777777": "#a3a3a3",
    GREEN: "#35c79b",
    ROSE: "#e08fc0",
    "#2f9fd8": "#8accf2",
    ORANGE: "#ff8a3c",
    "#7a5bb5": "#b39ae6",
}
_SLEEVES = {"large": BLUE, "small": "#c98500", "market": "#777777", "cash": GREEN}
_OTHERS = (ROSE, "#2f9fd8", ORANGE, "#7a5bb5", GREEN, "#c98500", BLUE)
_DASHES = ("-", "--", ":", "-.")


def colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each name: the sleeves have their own, the others follow each other."""
    spare = iter(_OTHERS * 3)
    return {name: _SLEEVES.get(name) or next(spare) for name in names}


def lines(n: int) -> list[tuple[str, str]]:
    """Return ``n`` different pairs of a colour and a dash."""
    return [(_OTHERS[i % len(_OTHERS)], _DASHES[i // len(_OTHERS) % len(_DASHES)]) for i in range(n)]


def palette(*, dark: bool) -> str:
    """Return the colours of the figures as declarations of CSS."""
    return " ".join(f"--c{light[1:]}: {night if dark else light};" for light, night in DARK.items())
