"""Claims that only many countries can test, with rules that say what of the numbers was known before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.analysis.panel_events import around_events
from backtest.errors import UsageError, nearest
from backtest.panels.examine import Question, answer
from backtest.panels.panel import AT_LEAST, QUIET, first_moves, last_moves, unknown
from backtest.studies.claim import EffectSize, MissingInputError, SignRule, claimed
from backtest.studies.register import CLAIMS
from backtest.wording import counted

if TYPE_CHECKING:
    from backtest.dates import Bools
    from backtest.panels.panel import Panel
    from backtest.studies.claim import Claim
    from backtest.studies.findings import Finding

SPANS = ((-12, -7), (-6, 0), (1, 12), (13, 24))
"""Months around a case, whose own month is 0: it lies before what is earned after it."""

DELAYS = (1, 2, 3)
"""Months that lie between a move and the first month that is asked about."""

_GLANCE = (
    (
        "was written after a first look at pooled sums around a rough list of first cuts, which showed a "
        "loss in the months before them and little after"
    ),
)


def _span(events: Bools, first: int, last: int) -> Question:
    label = f"months {first} to {last}"
    return Question(label, around_events(events, first, last), last - first + 1)


def _require_policy(panel: Panel) -> None:
    if all(member.policy is None for member in panel.members):
        raise MissingInputError(f"no member of the panel '{panel.name}' has a policy rate")


def _around(panel: Panel, direction: float, claimed: int, *judged: tuple[int, int]) -> Finding:
    _require_policy(panel)
    events, notes = first_moves(panel, direction)
    asked = {span: _span(events, *span) for span in SPANS}
    also = [question for span, question in asked.items() if span not in judged]
    decisive = [asked[span] for span in judged]
    return answer(panel, decisive, also, effects="none", claimed=claimed, events=events, notes=notes)


def _rule(*sizes: EffectSize, condition: str = "") -> SignRule:
    return SignRule(at_least=10, sizes=sizes, cases="calendar episodes", condition=condition)


def _around_rule(*sizes: EffectSize) -> SignRule:
    return _rule(*sizes, condition="the sum has the same sign with each country's own mean taken out")


_JUDGED = (
    "The error is that of sums by calendar episode of 12 months, with Student's t of one degree less than "
    "there are episodes, counted by their weight. p is the larger of that and of a placebo that moves the "
    "dates of all countries together by every number of months."
)
_TEST = (
    "The differences of small less large, month by month and summed, in the months around each country's "
    f"{{what}}: a move of {AT_LEAST:g} or more without another in the same direction in the {QUIET} months "
    f"before. All countries pooled. {_JUDGED}"
)


@claimed(
    origin="articles on the great rotation, 2024 and 2025",
    test=_TEST.format(what="first cut"),
    rule=_around_rule(
        EffectSize(0.05, "5 points over 12 months"), EffectSize(0.05, "5 points over the 12 after them")
    ),
    revised=_GLANCE,
)
def first_cut(panel: Panel) -> Finding:
    """Small companies beat large ones in the 12 to 24 months after their central bank starts to cut."""
    return _around(panel, -1.0, 1, (1, 12), (13, 24))


@claimed(
    origin="this project: what makes a loss before a case look like a gain after it",
    test=_TEST.format(what="first cut"),
    rule=_around_rule(EffectSize(0.02, "2 points over 7 months")),
    revised=_GLANCE,
)
def before_first_cut(panel: Panel) -> Finding:
    """Small companies fall behind large ones in the half-year before their central bank starts to cut."""
    return _around(panel, -1.0, -1, (-6, 0))


@claimed(
    origin="articles on tightening, 2022",
    test=_TEST.format(what="first rise"),
    rule=_around_rule(EffectSize(0.05, "5 points over 12 months")),
)
def first_rise(panel: Panel) -> Finding:
    """Small companies fall behind large ones in the 12 months after their central bank starts to raise."""
    return _around(panel, 1.0, -1, (1, 12))


@claimed(
    origin="Jensen, Mercer and Johnson (1996); Simpson and Grossmann (2024)",
    test=(
        "The difference of small less large in months before which the last known move was a cut, less "
        "that in months before which it was a rise, each country against itself; the move known 1, 2 and "
        f"3 months before, a move being {AT_LEAST:g} or more. {_JUDGED}"
    ),
    rule=_rule(
        *(EffectSize(0.02, f"2 points a year, known {counted(delay, 'month')} before") for delay in DELAYS)
    ),
    published="Simpson and Grossmann (2024): a size premium while policy eases, none while it tightens.",
)
def last_move(panel: Panel) -> Finding:
    """Small companies earn more over large ones while their central bank's last move was a cut."""
    _require_policy(panel)
    questions = []
    for delay in DELAYS:
        way = last_moves(panel, delay)
        label = f"known {counted(delay, 'month')} before"
        questions.append(Question(label, way < 0, 12, asked=way != 0))
    what = "small minus large, a year after cuts less one after rises"
    return answer(panel, questions, (), effects="members", claimed=1, what=what, notes=unknown(panel))


PANEL_CLAIMS = (first_cut, before_first_cut, first_rise, last_move)


def panel_claim(name: str) -> Claim:
    """Return a claim about panels by its name; UsageError where it is none, or one about a single market."""
    by_id = {claim.id: claim for claim in PANEL_CLAIMS}
    if name in by_id:
        return by_id[name]
    if name in {claim.id for claim in CLAIMS}:
        asked = ", ".join(by_id)
        raise UsageError(f"'{name}' is asked of one market, with --market; of a panel can be asked: {asked}")
    raise UsageError(f"there is no study '{name}'; {nearest(name, [*by_id])}")
