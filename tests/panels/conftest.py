"""A panel of made countries, in which small companies earn more while the last move was a cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backtest.dates import last_business_day, to_days
from backtest.market.importing import Description, import_file

COUNTRIES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
MONTHS = last_business_day(to_days(np.arange("1990-01", "2020-01", dtype="datetime64[M]")))
EFFECT = 0.012
"""What small earns more a month while the last known move was a cut."""


def rate_of(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A policy rate that goes down and up in turn, with pauses of any length; the waves come a little apart."""
    months = np.arange("1988-01", "2019-10", dtype="datetime64[M]")
    lengths, steps = np.random.default_rng(8).integers(6, 30, 40), []
    for turn, length in enumerate(lengths):
        steps += [0.25 if turn % 4 == 2 else -0.25 if turn % 4 == 0 else 0.0] * int(length)
    steps = np.array(steps[number : number + len(months)])
    return to_days(months) + 14, 8.0 + np.cumsum(steps)


def write(path: Path, days: np.ndarray, values: np.ndarray) -> None:
    rows = [f"{day},{value:.8f}" for day, value in zip(days, values, strict=True)]
    path.write_text("\n".join(["date,value", *rows]) + "\n")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of imported series and with panel files; the last country has no policy rate."""
    folder = tmp_path_factory.mktemp("panels")
    rng = np.random.default_rng(4)
    common = 0.015 * rng.standard_normal(len(MONTHS))
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROTATION_DATA", str(folder / "store"))
        for number, country in enumerate(COUNTRIES):
            days, rate = rate_of(2 * number)
            cut_last = np.searchsorted(days, MONTHS.astype("datetime64[M]").astype("datetime64[D]")) - 1
            moved = np.r_[0.0, np.diff(rate)]
            last = [next((m for m in moved[at::-1] if m), 0.0) for at in cut_last]
            small = EFFECT * (np.array(last) < 0) + common + 0.02 * rng.standard_normal(len(MONTHS))
            market = 0.006 + 0.04 * rng.standard_normal(len(MONTHS))
            for what, values, kind, unit, rule, at in (
                ("SMB", small, "other", "decimal", "the last business day of the month", MONTHS),
                ("MKT", market, "other", "decimal", "the last business day of the month", MONTHS),
                ("RATE", rate, "rate", "percent", "the day itself", days),
            ):
                write(folder / "series.csv", at, values)
                described = Description(f"{what}_{country}", kind, unit, known_at=rule)
                import_file(folder / "series.csv", described)
            policy = f'policy = "RATE_{country}"' if number < len(COUNTRIES) - 1 else ""
            region = "north" if number < 3 else "south"
            lines.append(
                f'[members.{country}]\ndifference = "SMB_{country}"\nreturns = "MKT_{country}"\nregion = "{region}"\n{policy}\n'
            )
    head = 'title = "Made countries"\nstart = "1990-01"\nkind = "countries"\nsize = "made"\ncurrency = "US dollars"\n'
    (folder / "made.toml").write_text(head + "".join(lines))
    return folder


@pytest.fixture
def panel_file(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROTATION_DATA", str(made / "store"))
    return made / "made.toml"
