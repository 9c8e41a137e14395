"""HTML: templates filled in with everything escaped, and figures set into them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup, escape

from backtest.reporting.style import NARROW, WIDE, Size, palette, svg

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment
    from matplotlib.figure import Figure


class Drawing(NamedTuple):
    """A figure as it stands in a page, for a screen and for a phone."""

    name: str
    wide: Markup
    narrow: Markup


_KEPT = re.compile(r"(?<![\w-])(?:--[a-z][a-z0-9-]{0,39}|\d{4}-\d{2}(?:-\d{2})?)(?![\w-])")


def unbroken(text: str) -> Markup:
    """Return a text, escaped, in which no line ends within a date or the name of an option (``--market``).

    Browsers break lines after hyphens; elements around both forbid it, so that what is copied from the
    page is the text as it was.
    """
    # In what is escaped no entity has a hyphen, so both are found as they are in the text itself.
    return Markup(_KEPT.sub(r'<span class="unbroken">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Everything that is filled in is escaped, whatever the file is called.
    environment = Environment(
        loader=PackageLoader("backtest.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = unbroken
    return environment


def render(template: str, **values: Any) -> str:
    """Return a page; every value is escaped but for what is ``Markup`` already."""
    environment = _environment()
    colours = {"light": palette(dark=False), "dark": palette(dark=True)}
    css = environment.get_template("page.css").render({name: Markup(text) for name, text in colours.items()})  # noqa: S704 - our own colours
    return environment.get_template(template).render(css=Markup(css), **values)  # noqa: S704 - our own style sheet


def drawing(name: str, draw: Callable[[Size], Figure], shows: str) -> tuple[Drawing, Figure]:
    """Draw a figure in both sizes; return it for a page, and the wide one itself.

    matplotlib escapes the text that it writes into SVG; ``shows`` says what is to be seen.
    """
    full = draw(WIDE)
    words = str(escape(shows))
    return Drawing(
        name,
        Markup(svg(full, f"{name}-w", words)),  # noqa: S704 - drawn by us
        Markup(svg(draw(NARROW), f"{name}-n", words)),  # noqa: S704 - drawn by us
    ), full
