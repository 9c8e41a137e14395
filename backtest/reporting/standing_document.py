"""What a strategy holds now, as a JSON document and as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtest.records.standing import Standing


def held(weights: dict[str, float]) -> str:
    """Return weights in words."""
    return ", ".join(name if weight == 1.0 else f"{name} {weight:.0%}" for name, weight in weights.items())


def document(standing: Standing) -> dict[str, Any]:
    """Return what ``signal --json`` prints."""
    change = standing.next_change
    return {
        "strategy": standing.strategy.name,
        "parameters": standing.parameters,
        "market": standing.market.name,
        "proxy": standing.market.proxy or None,
        "as_of": str(standing.as_of),
        "decide": standing.decide,
        "fill": str(standing.fill),
        "hold": standing.hold,
        "since": str(standing.since),
        "because": [
            {
                "fact": fact.fact,
                "value": fact.value,
                "unit": fact.unit,
                "known_at": str(fact.known_at),
                "series": list(fact.series),
            }
            for fact in standing.because
        ],
        "flips_if": standing.flips_if,
        "without_news": None if change is None else {"date": str(change), "hold": standing.next_hold},
        "checked_up_to": None if standing.checked is None else str(standing.checked),
        "next_news": [{"series": r.series, "date": str(r.due)} for r in standing.releases],
        "out_of_date": standing.stale,
    }


def lines(standing: Standing) -> list[tuple[str, str]]:
    """Return the same for people: pairs of a heading and a sentence; what is out of date comes first."""
    coming = "from the fill of" if standing.since > standing.as_of else "since"
    said = [("out of date", sentence) for sentence in standing.stale]
    said += [
        ("strategy", f"{standing.strategy.name} on {standing.market.name}, as of {standing.as_of}"),
        ("hold", f"{held(standing.hold)}, {coming} {standing.since} (next fill {standing.fill})"),
    ]
    said += [("because", f"{f.text(': ')} (known on {f.known_at})") for f in standing.because]
    said += [("flips if", sentence) for sentence in standing.flips_if]
    if standing.next_change is not None:
        said.append(
            ("without news", f"{held(standing.next_hold)} from the fill of {standing.next_change} on")
        )
    if standing.checked is not None:
        said.append(("checked", f"every input up to {standing.checked}"))
    said += [("next news", f"{release.series} on {release.due}") for release in standing.releases[:1]]
    if standing.market.proxy:
        said.append(("proxy", standing.market.proxy))
    return said
