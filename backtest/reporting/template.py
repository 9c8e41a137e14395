"""Templates of HTML that are filled in fast, with everything that is filled in escaped."""

from __future__ import annotations

from markupsafe import Markup, escape


class Template(str):
    """A piece of HTML of our own with places to fill; by itself it is plain text, which is escaped.

    ``markupsafe`` formats in Python, field by field; a page has thousands of them.
    """

    __slots__ = ()

    def format(self, *parts: object, **named: object) -> Markup:
        """Return it with each place filled: numbers and markup as they are, other text escaped."""
        each = (_safe(part) for part in parts)
        by_name = {name: _safe(part) for name, part in named.items()}
        return Markup(super().format(*each, **by_name))  # noqa: S704 - every part is a number or escaped


def _safe(part: object) -> object:
    return part if isinstance(part, int | float) else escape(part)
