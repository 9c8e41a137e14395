"""What was known of the `embedded` market month by month, and what came of it, without `backtest`.

Plain loops over the tables that `arch` carries and over the project's own tables of facts. Everything is by month:
what is known at the close of a month, the state of a month's return.
"""

import importlib.util
import itertools
from pathlib import Path

import pandas as pd

from tests.oracle.rate_cut_embedded import read_fed_target, read_returns

CYCLES = Path(__file__).parents[2] / "data" / "nber_turning_points.csv"
TOLERANCE = 1e-9  # published decimals: 1.2 less 1.0 counts as 0.2


def credit_spread() -> pd.Series:
    """Baa less Aaa in percentage points, by the month that it is the average of; known in the next month."""
    package = importlib.util.find_spec("arch")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the yields come from a file inside the package arch")
    yields = pd.read_csv(Path(package.origin).parent / "data" / "default" / "default.csv.gz")
    months = pd.PeriodIndex(pd.to_datetime(yields.iloc[:, 0].astype(str)), freq="M")
    return pd.Series((yields["BAA"] - yields["AAA"]).to_numpy(), index=months)


def discount() -> pd.Series:
    """Percent that small lost on large over sixty months, by the last of them; known at its close."""
    returns = read_returns()
    small, large = 1.0 + returns["small"], 1.0 + returns["large"]
    found = {}
    for last in range(59, len(returns)):
        window = slice(last - 59, last + 1)
        found[returns.index[last].to_period("M")] = 100.0 * (
            1.0 - small[window].prod() / large[window].prod()
        )
    return pd.Series(found)


def percentile(values: pd.Series, history: int) -> pd.Series:
    """Percent of the earlier values below each, ties half; from the `history`-th value on."""
    found = {}
    for place in range(history - 1, len(values)):
        past, now = values.iloc[:place], values.iloc[place]
        found[values.index[place]] = 100.0 * ((past < now).sum() + (past == now).sum() / 2) / len(past)
    return pd.Series(found)


def between(values: pd.Series, enter: float, until: float) -> pd.Series:
    """Yes from a value of at least `enter` on until one below `until`."""
    answer, answers = False, []
    for value in values:
        answer = value >= (until if answer else enter) - TOLERANCE
        answers.append(answer)
    return pd.Series(answers, index=values.index)


def until_cut_short(answers: pd.Series, months: int) -> pd.Series:
    """The same answers, a yes at most `months` long; `answers` is by the days of the fills."""
    since, kept = None, []
    for day, answer in answers.items():
        since = (since or day) if answer else None
        kept.append(since is not None and day < since + pd.DateOffset(months=months))
    return pd.Series(kept, index=answers.index)


def at_fills(values: pd.Series, months_late: int) -> pd.Series:
    """The value that the fill at the close of each month may use, by the fill's day."""
    days = read_returns().index
    known = {day: values.get(day.to_period("M") - months_late) for day in days}
    return pd.Series({day: value for day, value in known.items() if value is not None})


def policy_states(days: list[pd.Timestamp]) -> list[str | None]:
    """What the central bank did in each bar: the days after one of `days` up to the next.

    None before its first known target. A row of cuts is that of the days from the first to the last of them.
    """
    target = read_fed_target()
    doing, rows = "", []
    for place in range(1, len(target)):
        step, day = target.iloc[place] - target.iloc[place - 1], target.index[place]
        if step != 0:
            name = "rising" if step > 0 else "cutting"
            if name != doing:
                doing = name
                rows.append([name, day, day])
            rows[-1][2] = day
    of_day: dict[pd.Timestamp, str] = {}
    for wanted in ("rising", "cutting"):  # the later one counts where a bar has both
        for name, first, last in rows:
            if name == wanted:
                of_day.update(dict.fromkeys(pd.date_range(first, last), name))
    found: list[str | None] = []
    for start, end in itertools.pairwise(days):
        seen = {of_day.get(start + pd.Timedelta(days=i + 1)) for i in range((end - start).days)}
        held = "cutting" if "cutting" in seen else "rising" if "rising" in seen else "on hold"
        found.append(None if end < target.index[0] else held)
    return found


def business_cycles(days: pd.DatetimeIndex) -> list[str]:
    """Whether the month of each of `days` came after a peak, up to and including the next trough."""
    turns = pd.read_csv(CYCLES, comment="#")
    kinds = dict(zip(turns["month"], turns["kind"], strict=True))
    found = []
    for day in days:
        before = [kind for month, kind in kinds.items() if month < day.strftime("%Y-%m")]
        found.append("recession" if before[-1] == "peak" else "expansion")
    return found
