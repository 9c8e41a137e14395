"""What each step of a universe makes and reads: the table of docs/architecture.md is what the steps do."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import backtest.universe
from backtest.universe.build import Rules
from backtest.universe.kept import Selection
from backtest.universe.universe import Inputs, make_changes, make_screen, make_universe
from backtest.universe.workshop import Relation, Workshop
from tests.conftest import REPOSITORY
from tests.universe.made import companies, saved
from tests.universe.test_facts import SEC, _filer, _table, _written

if TYPE_CHECKING:
    import pytest

ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROOM = str(Path(backtest.universe.__file__).parent)


def _step() -> str:
    """Return the module of the wing, the workshop apart, that is at work."""
    frame: Any = sys._getframe(1)
    while not frame.f_code.co_filename.startswith(ROOM) or frame.f_code.co_filename.endswith("workshop.py"):
        frame = frame.f_back
    return Path(frame.f_code.co_filename).stem


def _words(name: str) -> str:
    return name.rpartition("_")[0]


def test_the_table_of_relations_is_what_the_steps_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, read = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    columns = defaultdict[str, set[str]](set)
    known: set[str] = set()
    whole = {
        name: getattr(Workshop, name) for name in ("relation", "run", "rows", "frame", "stream", "pieces")
    }

    def minted(shop: Workshop, name: str) -> Relation:
        given: Relation = whole["relation"](shop, name)
        made[_words(name)].add(_step())
        columns[_words(name)] |= given.columns.keys()
        known.add(name)
        return given

    def reading(how: str) -> Any:
        def asked(shop: Workshop, sql: Any, *more: Any) -> Any:
            for name in set(re.findall(r"\w+", str(sql))) & known:
                read[_words(name)].add(_step())
            return whole[how](shop, sql, *more)

        return asked

    monkeypatch.setattr(Workshop, "relation", minted)
    for how in ("run", "rows", "frame", "stream", "pieces"):
        monkeypatch.setattr(Workshop, how, reading(how))
    table = companies(60, 90, seed=2).assign(country="US", industry="Tools")
    table["issuer"] = table["company"].where(table["company"] != "C0001", "C0000")
    table["fair_value"] = table["price"]
    table.loc[7, "total_return"] = np.nan
    accounts = tmp_path / "accounts.csv"
    lines = [f"C{n:04},2019-11-20,2019-06-30,{n + 1}e6,{n + 1}e7,{n + 1}e6" for n in range(60)]
    accounts.write_text("company,published,period_end,earnings,sales,book\n" + "\n".join(lines) + "\n")
    inputs = Inputs(saved(table, tmp_path), "us_share", fundamentals=(accounts,))
    make_universe(inputs, Rules(), members=True, selection=Selection(("pe", "pb"), least=1))
    make_screen(inputs, Rules(), None)
    make_changes(Inputs(saved(companies(200, 200, seed=3), tmp_path)), Rules(), 5.0, (1, 2))
    facts = _written([_filer(1000 + n, 5) for n in range(25)], tmp_path, "folder")
    prices = saved(_table().drop(columns="shares"), tmp_path, "prices.parquet")
    about = tmp_path / "company_tickers.json"
    make_universe(Inputs(prices, mapping=SEC, fundamentals=(facts,), about=(about,)), Rules())

    handed_on = {word for word in made if read[word] - made[word]}
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = {row[0]: row[1:] for row in ROW.findall(text.split("## The relations of a universe")[1])}
    assert rows.keys() == handed_on
    for word, (makers, told, readers) in rows.items():
        assert set(re.findall(r"\w+", makers)) == made[word], word
        assert set(re.findall(r"\w+", readers)) == read[word] - made[word], word
        assert set(re.findall(r"`(\w+)`", told)) <= columns[word], word
