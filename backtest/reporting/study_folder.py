"""Folders of studies: the pages and the documents behind them, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.files import whole_folder
from backtest.folders import expanded
from backtest.records.document import write_document
from backtest.reporting.folder import default_place
from backtest.reporting.html import render
from backtest.reporting.study_pages import claims_page, study_page
from backtest.studies.document import claims_document, study_document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backtest.reporting.blocks import Page
    from backtest.studies.register import Study


def _place(name: str, out: str | Path | None) -> Path:
    return expanded(out) if out is not None else default_place(f"study-{name}")


def _write(page: Page, file: Path) -> None:
    file.write_text(render(page), encoding="utf-8")


def write_study(study: Study, out: str | Path | None = None) -> Path:
    """Write one study's ``index.html`` and ``study.json``; return the folder."""
    place = _place(study.claim.id, out)
    with whole_folder(place) as draft:
        _write(study_page(study), draft / "index.html")
        write_document(study_document(study, place.resolve()), draft / "study.json")
    return place


def write_claims(studies: Sequence[Study], out: str | Path | None = None) -> Path:
    """Write the page of all claims, a page for each, and ``claims.json``; return the folder."""
    place = _place("claims", out)
    with whole_folder(place) as draft:
        _write(claims_page(studies), draft / "index.html")
        for study in studies:
            _write(study_page(study, back="index.html"), draft / f"{study.claim.id}.html")
        write_document(claims_document(studies, place.resolve()), draft / "claims.json")
    return place
