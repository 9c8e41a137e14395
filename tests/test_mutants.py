"""The list of what `make mutants` changes, and of the changes that no test can notice, against the code."""

from __future__ import annotations

import re
import tomllib

from tests.conftest import REPOSITORY

LISTED = tomllib.loads((REPOSITORY / "tests" / "mutants.toml").read_text(encoding="utf-8"))


def test_every_module_has_its_tests() -> None:
    for path, tests in LISTED["modules"].items():
        assert (REPOSITORY / path).is_file(), path
        assert tests
        for test in tests:
            file, _, name = test.partition("::")
            assert f"def {name}" in (REPOSITORY / file).read_text(encoding="utf-8"), test


def test_what_no_test_notices_stands_in_the_code_and_has_a_reason() -> None:
    for entry in LISTED["survivors"]:
        code = (REPOSITORY / entry["module"]).read_text(encoding="utf-8")
        was, _, now = entry["change"].partition("  ->  ")
        assert was != now
        assert re.sub(r"\s+", "", was) in re.sub(r"\s+", "", code), entry
        assert f"def {entry['function'].rpartition('.')[2]}(" in code, entry
        assert len(entry["reason"]) > 10
    for family in LISTED["families"]:
        re.compile(family["change"])
        assert len(family["reason"]) > 10
