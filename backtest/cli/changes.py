"""``rotation universe changes``: what companies earn in the months around a change of their class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.cli.companies import inputs_of, say_sentence, table_parser, table_place, write_table
from backtest.cli.options import in_columns, say, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backtest.studies.class_changes import Around

_MOST_NEAR = 10.0
LITTLE = 0.005  # what rounds to a p of 0.00


def changes(prog: str, arguments: Sequence[str]) -> int:
    """Be ``rotation universe changes``."""
    parser = table_parser(
        prog,
        "Do index funds move prices? Hold companies that crossed a border against those that just did not.",
    )
    parser.add_number(
        "--near",
        0.01,
        _MOST_NEAR,
        default=0.25,
        help="how far from the border, as a part of it (default: 0.25)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write every cohort, month by month, to this .csv or .parquet"
    )
    options = parser.parse(arguments)
    out = table_place(options.out)
    from backtest.studies.class_changes import HORIZONS, ChangesDocument, class_changes, verdict
    from backtest.universe.universe import make_changes

    table, scheme = make_changes(*inputs_of(options), options.near, (-min(HORIZONS), max(HORIZONS)))
    found = class_changes(table)
    said = verdict(found, followed=scheme.by != "capitalisation")
    if out is not None:
        write_table(table, out)
    if options.json:
        say_json(ChangesDocument(scheme.name, options.near, found, said, out and out.resolve()))
        return 0
    first, last = table["date"].min(), table["date"].max()
    say_sentence(
        f"{scheme.title}: companies that crossed a border from {first:%Y-%m-%d} to {last:%Y-%m-%d}, less "
        "those that came from the same side in the same month and stopped short of it, all within "
        f"{options.near:.0%} of it. A cohort, all companies of a month, is one case."
    )
    say("")
    say(in_columns(_rows(found)))
    say("")
    say_sentence(said)
    say_sentence(
        "The months to 0 are those before: what differs there was so already when the class changed. Returns "
        "are sums of monthly means in equal weights, before costs."
    )
    if out is not None:
        say(f"Cohorts: {out.resolve()}")
    return 0


def _rows(found: list[Around]) -> list[list[str]]:
    rows = [["went", "months", "cases", "crossed", "stayed", "less", "95% interval", "p"]]
    for each in found:
        if not each.cohorts:
            continue
        months = f"1 to {each.months}" if each.months > 0 else f"{each.months + 1} to 0"
        months = "1" if each.months == 1 else months
        means = [f"{mean:+.1%}" for mean in (each.crossed, each.stayed, each.mean)]
        tested = ["-", "-"]
        if each.error > 0.0:
            tested = [
                f"{each.low:+.1%} to {each.high:+.1%}",
                f"{each.pvalue:.2f}" if each.pvalue >= LITTLE else "<.01",
            ]
        rows.append([each.way, months, f"{each.cohorts:,}", *means, *tested])
    return rows
