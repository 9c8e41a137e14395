"""Damaged files, and the calls that read them."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from tests.attack.ground import IMPORT

_CLASSIFY = ("universe", "classify", "{}", "--scheme", "halves.toml", "--json")
_OTHER = ("data", "import", "{}", *IMPORT[3:4], "OTHER", *IMPORT[5:])


@dataclass(frozen=True)
class Target:
    """A file, what reads it, and whether a changed number must be noticed, for the file bears a checksum."""

    pattern: str
    arguments: tuple[str, ...]
    sealed: bool = False


TARGETS = (
    Target("companies.csv", _CLASSIFY),
    Target("companies.parquet", _CLASSIFY),
    Target("zipped.csv.gz", _CLASSIFY, sealed=True),
    Target("packed.zip", _CLASSIFY, sealed=True),
    Target(
        "accounts.csv",
        ("universe", "screen", "companies.csv", "--scheme", "halves.toml", "--fundamentals", "{}", "--json"),
    ),
    Target(
        "rates.csv",
        (
            *_CLASSIFY[:2],
            "companies.csv",
            "--scheme",
            "moving.toml",
            "--index",
            "index.csv",
            "--rates",
            "{}",
            "--json",
        ),
    ),
    Target(
        "index.csv", (*_CLASSIFY[:2], "companies.csv", "--scheme", "moving.toml", "--index", "{}", "--json")
    ),
    Target("mine.csv", _OTHER),
    Target("mine.parquet", _OTHER),
    Target("halves.toml", ("universe", "schemes", "{}", "--json")),
    Target(
        "mapping.toml",
        (*_CLASSIFY[:2], "companies.csv", "--scheme", "halves.toml", "--mapping", "{}", "--json"),
    ),
    Target("market.toml", ("run", "rate_cut", "--market", "{}", "--json")),
    Target("mine.py", ("run", "{}", "--json")),
    Target("days.txt", ("study", "events", "--dates", "{}", "--json")),
    Target("store/MINE/*.json", ("data", "show", "MINE", "--json"), sealed=True),
    Target("store/MINE/*.parquet", ("data", "show", "MINE", "--json"), sealed=True),
    Target("store/MINE/*", ("data", "verify"), sealed=True),
    Target("store/MINE/*", ("run", "rate_cut", "--market", "market.toml", "--json"), sealed=True),
    Target("store/MINE/*", ("data", "list", "--json"), sealed=True),
    Target("store/signals.json", ("signal", "rate_cut", "--changed")),
    Target("report/result.json", ("compare", "report", "rate_cut", "--json"), sealed=True),
    Target("report/bars.parquet", ("compare", "report", "rate_cut", "--json"), sealed=True),
    Target("report/trades.parquet", ("compare", "report", "rate_cut", "--json"), sealed=True),
    Target("report/result.json", ("run", "--from", "report", "--json"), sealed=True),
    Target("sweep/manifest.json", ("tune", "rate_cut", "--out", "sweep", "--resume", "--json"), sealed=True),
    Target(
        "sweep/trials/*.parquet", ("tune", "rate_cut", "--out", "sweep", "--resume", "--json"), sealed=True
    ),
    Target("built/market.toml", ("run", "buy_and_hold", "--market", "built", "--json")),
    Target("built/returns.parquet", ("run", "buy_and_hold", "--market", "built", "--json"), sealed=True),
    Target("built/measures.parquet", ("run", "buy_and_hold", "--market", "built", "--json"), sealed=True),
)
_CUTS = (b"nan", b"inf", b"-1", b"0", b"1e400", b"9" * 40, b"x", b"", b"\xff", b"\0", b"1_0", b"22-12-31", b"epoch", b"infinity", b"5881580-01-01", b"9999-12-31", b'"', b"[]", b"{}", b"null", b"true", b'""', b"1.5", b"\xd9\xa3", b"=1+1", b"a.b." * 3000 + b"c", b"9" * 5000, b"[" * 50_000)  # fmt: skip
"""What is put in the place of a number, a word or a key."""


@dataclass(frozen=True)
class Damage:
    """One way to damage a file: its name, where (a share of the length), and how much."""

    kind: str
    where: float
    size: int
    what: bytes

    def done(self, content: bytes) -> bytes:
        """Return a content damaged."""
        at = min(int(self.where * len(content)), max(len(content) - 1, 0))
        lines = content.split(b"\n")
        line = min(int(self.where * len(lines)), len(lines) - 1)
        text, fields = content.decode("latin-1"), [row.split(b",") for row in lines]
        encoded = (
            text.encode("utf-16"),
            b"\xef\xbb\xbf" + content,
            text.replace("a", "\u00e9").encode("latin-1"),
            content.replace(b"\n", b"\r"),
        )
        flipped = bytes(
            content[at : at + 1][i] ^ (1 << self.size % 8) for i in range(len(content[at : at + 1]))
        )
        return {
            "cut": content[:at],
            "hole": content[:at] + content[at + self.size :],
            "bit": content[:at] + flipped + content[at + 1 :],
            "doubled": b"\n".join(lines[: line + 1] + lines[line:]),
            "swapped": b"\n".join([*lines[:line], *lines[line : line + 2][::-1], *lines[line + 2 :]]),
            "columns": b"\n".join(b",".join([*row[1:2], *row[:1], *row[2:]]) for row in fields),
            "encoding": encoded[self.size % 4],
            "put": self._put(content),
            "empty": b"",
            "zeros": bytes(len(content)),
            "twice": content + content,
            "noise": bytes(range(256)) * 8,
        }[self.kind]

    def _put(self, content: bytes) -> bytes:
        """Return a content with a word of it replaced."""
        words = list(re.finditer(rb"[\w.+-]+", content))
        if not words:
            return content
        word = words[min(int(self.where * len(words)), len(words) - 1)]
        return content[: word.start()] + self.what + content[word.end() :]


KINDS = (
    "cut",
    "hole",
    "bit",
    "bit",
    "doubled",
    "swapped",
    "columns",
    "encoding",
    "put",
    "put",
    "put",
    "empty",
    "zeros",
    "twice",
    "noise",
)
PLACES = ("folder", "pipe", "zero", "nothing", "loop")
"""What may stand in a file's place."""

damages = st.builds(
    Damage, st.sampled_from(KINDS + PLACES), st.floats(0.0, 1.0), st.integers(1, 40), st.sampled_from(_CUTS)
)


def damage(path: Path, how: Damage) -> bool:
    """Damage a file; return whether it is another one now."""
    content = path.read_bytes()
    if how.kind not in PLACES:
        damaged = how.done(content)
        path.write_bytes(damaged)
        return damaged != content
    path.unlink()
    if how.kind == "folder":
        path.mkdir()
    elif how.kind == "pipe":
        os.mkfifo(path)
    elif how.kind == "zero":
        path.symlink_to("/dev/zero")
    elif how.kind == "loop":
        path.symlink_to(path)
    return True


def mend(path: Path, template: Path) -> None:
    """Put a file back."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()
    shutil.copy2(template, path)
