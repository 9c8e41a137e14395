"""The ``rotation replicate`` command: printed figures of the size premium beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtest.arguments import Parser
from backtest.cli.options import add_json, require_place

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = """\
tables and papers stand in data/replications.toml; without a name all are reproduced

examples:
  rotation replicate
  rotation replicate alquist-2018 --json
  rotation replicate blitz-2020 --out pages/blitz"""


def replicate(prog: str, arguments: Sequence[str]) -> int:
    """Be ``rotation replicate``; a difference is an answer, not a failure."""
    about = "Hold published figures of the size premium beside what the stored series give."
    parser = Parser(prog=prog, description=about, epilog=EPILOG)
    parser.add_argument("names", metavar="NAME", nargs="*", help="a table, or a paper for all of its tables")
    parser.add_argument("--out", metavar="DIR", help="folder for the page (default: in reports/)")
    parser.add_data_dir()
    add_json(parser)
    options = parser.parse(arguments)
    require_place(options.out)
    from backtest.records.document import to_json
    from backtest.replications.document import ReplicationsDocument
    from backtest.replications.replicate import replicate as replicated
    from backtest.reporting.replication_page import replication_page, write_replications
    from backtest.reporting.terminal import show, show_place

    found = replicated(options.names)
    if not options.json:
        show(replication_page(found).blocks)
    written = options.out is not None or not options.json
    place = write_replications(found, options.out).resolve() if written else None
    if options.json:
        print(to_json(ReplicationsDocument.of(found, place)))  # noqa: T201 - what was asked for
    else:
        show_place("Report", place)
    return 0
