"""What every command answers on the embedded market: the calls, and how their answers are kept."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
from pathlib import Path
from typing import Any
from unittest import mock

from backtest.cli.command import dispatch
from tests.universe.made import companies, saved

KEPT = Path(__file__).parent

_SHIPPED = (
    *("balanced", "buy_and_hold", "credit", "easing", "ensemble", "growth_to_value", "january"),
    *("rate_cut_and_discount", "small_momentum", "trend", "valuation_discount"),
)
_GRID = "tune rate_cut --grid delay=0,6 --grid hold=6:48:6 --placebo 40 --out out"
_ACCOUNTS = "companies.parquet --fundamentals accounts.csv"

DOCUMENTS = {
    "run-rate_cut": "run rate_cut --robustness --out out",
    "run-rate_cut-set": "run rate_cut --set hold=18 --set delay=3 --out out",
    "run-rate_cut-window": "run rate_cut --start 1990-01-31 --end 2009-12-31 --cost-bps 25 --out out",
    "run-rate_cut-large": "run rate_cut --benchmark large --decide quarter-end --out out",
    "run-rate_cut-late": "run rate_cut --same-close --delay-fill 1 --cost-bps 0 --out out",
    **{f"run-{name}": f"run {name} --out out" for name in _SHIPPED},
    "compare": "compare rate_cut rate_cut:hold=12,delay=3 valuation_discount buy_and_hold --out out",
    "compare-window": "compare trend buy_and_hold --start 1960-01-31 --benchmark large --out out",
    "tune-grid": _GRID,
    "tune-walk": "tune trend --grid average=6,10,14 --grid band=0,2 --objective alpha,max_drawdown --constraint turnover<4"
    " --walk-forward train=20y,test=5y --placebo 40 --start 1950-01-31 --out out",
    "tune-sobol": "tune rate_cut --search sobol --trials 16 --objective calmar --placebo 0 --out out",
    "study-list": "study list",
    "study-claims": "study claims --out out",
    "study-events": "study events --dates 1984-09,1987-10,1989-06,1995-07,2001-01,2007-09 --out out",
    "study-first-days": "study events --strategy rate_cut --set min_cut=0.5 --out out",
    "study-margin": "study margin --gain-bps 200 --margin 0.06",
    "study-capacity": "study capacity --impact 0.5 --orders 4 --out out",
    **{
        f"signal-{name}": f"signal {name} --as-of 2007-10-15"
        for name in ("rate_cut", "rate_cut_and_discount")
    },
    "signal-ensemble": "signal ensemble --as-of 1999-03-02 --decide quarter-end",
    **{f"explain-{name}": f"explain {name}" for name in ("rate_cut", "rate_cut_and_discount", "credit")},
    "list": "list",
    "data-list": "data list",
    "data-show": "data show FED_TARGET --tail 4",
    "universe-schemes": "universe schemes us_six --exchange-rate 31 --purchasing-power 1.615 --currency THB",
    "universe-classify": "universe classify companies.parquet --date 2020-01-31",
    "universe-build": f"universe build {_ACCOUNTS} --out out",
    "universe-screen": f"universe screen {_ACCOUNTS}",
}
"""The calls whose JSON document is kept, by the name of its file."""

SENTENCES = {
    "run-rate_cut": DOCUMENTS["run-rate_cut"],
    "compare": DOCUMENTS["compare"],
    "tune-grid": DOCUMENTS["tune-grid"],
    "tune-walk": DOCUMENTS["tune-walk"],
    "study-claims": DOCUMENTS["study-claims"],
    "signal-rate_cut": DOCUMENTS["signal-rate_cut"],
    "explain-rate_cut_and_discount": DOCUMENTS["explain-rate_cut_and_discount"],
    "universe-classify": DOCUMENTS["universe-classify"],
}
"""The calls whose words are kept as a terminal of 100 columns shows them."""

VOLATILE = ("seconds", "sha256", "stored", "made_by")
"""Keys that a second call, a file's comment or another machine may change; they are left out."""

LONG = 24  # of a longer list of numbers its length, ends and sum are kept


def prepare(folder: Path) -> None:
    """Write the table of companies and their accounts that the calls of ``universe`` read."""
    folder.mkdir(exist_ok=True)
    saved(companies(60, 100, seed=41).assign(industry="Tools"), folder)
    lines = [f"C{n:04},2019-12-02,2019-11-30,{n - 3}e6,{n + 1}e7,{n + 5}e6" for n in range(60)]
    text = "company,published,period_end,earnings,sales,book\n" + "\n".join(lines)
    (folder / "accounts.csv").write_text(text)


def said(call: str, folder: Path) -> str:
    """Return what a call prints into a plain terminal of 100 columns, made in a folder of its own."""
    prepare(folder)
    out = io.StringIO()
    settings = {"COLUMNS": "100", "NO_COLOR": "1", "ROTATION_DATA": str(folder / "store")}
    with mock.patch.dict(os.environ, settings), contextlib.chdir(folder), contextlib.redirect_stdout(out):
        assert dispatch("rotation", None, call.split()) == 0
    return out.getvalue().replace(str(folder.resolve()), "FOLDER")


def document(call: str, folder: Path) -> Any:
    """Return the JSON document of a call as it is kept: without what is volatile, and long lists summed."""
    return _kept(json.loads(said(f"{call} --json", folder)))


def sentences(call: str, folder: Path) -> str:
    """Return the words of a call as they are kept: without how long it took."""
    lines = (line.rstrip() for line in said(call, folder).splitlines())
    return re.sub(r"[\d.,]+ (milli)?seconds?", "SOME seconds", "\n".join(lines)) + "\n"


def alike(kept: Any, now: Any) -> bool:
    """Return whether two values are the same: numbers to 1e-12 of themselves, anything else exactly."""
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in (kept, now)):
        return math.isclose(kept, now, rel_tol=1e-12, abs_tol=1e-15)
    return type(kept) is type(now) and kept == now


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kept(each) for key, each in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        if len(value) > LONG and all(isinstance(each, int | float | None) for each in value):
            total = sum(each for each in value if each is not None)
            return {"length": len(value), "first": value[0], "last": value[-1], "sum": total}
        return [_kept(each) for each in value]
    # The made table's last bits, and with them its checksum, differ between kinds of processors.
    return "a checksum" if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) else value
