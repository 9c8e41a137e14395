"""A standing in words; it stands alone, so that ``rotation signal`` loads no library of statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.wording import held

if TYPE_CHECKING:
    from backtest.records.standing import Standing


def standing_lines(now: Standing) -> list[tuple[str, str]]:
    """Return a standing as pairs of a heading and a sentence; what is out of date comes first."""
    coming = "from the fill of" if now.since > now.as_of else "since"
    said = [("out of date", sentence) for sentence in now.out_of_date]
    said += [
        ("strategy", f"{now.strategy} on {now.market}, as of {now.as_of}"),
        ("hold", f"{held(now.hold)}, {coming} {now.since} (next fill {now.fill})"),
    ]
    if now.held_before:
        each = (f"{held(change.hold)} from {change.date}" for change in now.held_before)
        said.append(("before", "; ".join(each)))
    said += [("because", f"{fact.text(': ')} (known on {fact.known_at})") for fact in now.because]
    said += [("or if" if i else "flips if", sentence) for i, sentence in enumerate(now.flips_if)]
    if now.without_news is not None:
        change = now.without_news
        said.append(("without news", f"{held(change.hold)} from the fill of {change.date} on"))
    if now.checked_up_to is not None:
        said.append(("checked", f"every input up to {now.checked_up_to}"))
    said += [("next news", f"{release.series} on {release.date}") for release in now.next_news[:1]]
    if now.proxy:
        said.append(("proxy", now.proxy))
    return said
