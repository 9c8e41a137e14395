"""The shell of an explorer's page: fields on one side, verdict, figure and numbers on the other."""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING

from markupsafe import Markup

from backtest.explore.parts import fields, plane_fields
from backtest.reporting.html import script, stylesheet

if TYPE_CHECKING:
    from backtest.explore.sitting import Sitting


def page(sitting: Sitting, nonce: str) -> str:
    """Return the page of a sitting; ``nonce`` lets its own script run, and no other."""
    reveal = '<p><button type="button" id="reveal">Show what is hidden, once</button></p>\n'
    names = " beside ".join(strategy.name for strategy in sitting.strategies)
    css = stylesheet() + Markup(_own("explore.css"))  # noqa: S704 - our own style sheet
    code = script() + Markup(_own("explore.js"))  # noqa: S704 - our own script
    return str(
        Markup(_own("explore.html")).format(  # noqa: S704 - our own page
            title=f"{names} on {sitting.market.name}",
            css=css,
            fields=fields(sitting),
            thesis=sitting.strategies[0].thesis if len(sitting.strategies) == 1 else "",
            reveal=Markup(reveal if sitting.hidden else ""),  # noqa: S704 - written above
            plane=plane_fields(sitting),
            market=sitting.market.title,
            nonce=nonce,
            script=code,
        )
    )


def _own(name: str) -> str:
    return importlib.resources.files("backtest.explore").joinpath(name).read_text(encoding="utf-8")
