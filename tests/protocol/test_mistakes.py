"""Mistakes of people who come from other programs, or who are in a hurry: each is told with its cause, and with
what to write. The table of the docs is made of the same file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nakctl.errors import Fault, ProtocolError
from nakctl.protocol.load import understand
from nakctl.text.lookalikes import MEANT
from nakctl.text.reader import read_text

TABLE: dict[str, list[dict[str, object]]] = yaml.safe_load(
    Path(__file__).with_name("mistakes.yaml").read_text(encoding="utf-8")
)
DOCS = Path(__file__).parents[2] / "docs" / "mistakes.md"
TOP = {
    "nakctl": "nakctl: 1",
    "name": "name: x",
    "spectra": "spectra:\n  g: {kind: geis, amplitude: 5 uA, from: 1 MHz, to: 1 Hz, per_decade: 5}\n"
    "  p: {kind: peis, amplitude: 10 mV, from: 1 MHz, to: 1 Hz, per_decade: 5}",
    "limits": "limits: {Ewe: [-3 V, 3 V], time: 100 h}",
}
HEAD = "\n".join(TOP.values())
PAGE = """\
# Mistakes, and what is said

Made by `tests/protocol/test_mistakes.py` of `tests/protocol/mistakes.yaml`, and checked by it. All mistakes of a file
are told at once, each with file, line and column; here the message alone. Words of other programs with ours:
[words.md](words.md#words-of-other-programs), or `nakctl words WORD`.
"""


def text_of(row: dict[str, object]) -> str:
    if "file" in row:
        return str(row["file"])
    if "top" in row:
        word = str(row["top"]).partition(":")[0]
        others = [line for name, line in TOP.items() if name != word]
        return "\n".join([*others, str(row["top"]), "steps:", "  - rest: 1 h", ""])
    return f"{HEAD}\nsteps:\n{textwrap.indent(str(row['step']), '  ')}\n"


def faults_of(row: dict[str, object]) -> tuple[Fault, ...]:
    with pytest.raises(ProtocolError) as caught:
        understand(read_text(text_of(row), "p.yaml", ProtocolError), {})
    return caught.value.faults


ROWS = [
    pytest.param(row, id=f"{number}: {group}")
    for group, rows in TABLE.items()
    for number, row in enumerate(rows)
]


@pytest.mark.parametrize("row", ROWS)
def test_the_message_names_the_cause_and_what_to_write(row: dict[str, object]) -> None:
    said = " / ".join(fault.message for fault in faults_of(row))
    wanted = row["says"]
    assert isinstance(wanted, list)
    for part in wanted:
        assert part in said


@pytest.mark.parametrize("row", ROWS)
def test_no_mistake_is_told_twice(row: dict[str, object]) -> None:
    """One slip, one message: each tells something to mend."""
    faults = faults_of(row)
    wanted = row["says"]
    assert isinstance(wanted, list)
    assert len(faults) <= max(1, len(wanted))


def test_there_are_a_hundred() -> None:
    assert sum(map(len, TABLE.values())) >= 100


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    """Those of steps that do not depend on each other, in one file."""
    rows = [row for rows in TABLE.values() for row in rows if _is_plain(row)]
    whole = "\n".join(textwrap.indent(str(row["step"]), "  ") for row in rows)
    with pytest.raises(ProtocolError) as caught:
        understand(read_text(f"{HEAD}\nsteps:\n{whole}\n", "p.yaml", ProtocolError), {})
    said = "\n".join(fault.message for fault in caught.value.faults)
    parts = [part for row in rows for part in row["says"]]  # type: ignore[attr-defined]
    assert len(rows) > 80
    assert [part for part in parts if part not in said] == []


def _is_plain(row: dict[str, object]) -> bool:
    """A step that YAML can read."""
    if "step" not in row:
        return False
    try:
        read_text(text_of(row), "p.yaml", ProtocolError)
    except ProtocolError:
        return False
    return str(row["step"]).startswith("- ")


def page() -> Iterator[str]:
    yield PAGE
    for group, rows in TABLE.items():
        yield f"\n## {group}\n\n| written | said |\n|---|---|\n"
        for row in rows:
            wrong = next(str(row[where]) for where in ("step", "top", "file") if where in row)
            said = "<br>".join(dict.fromkeys(fault.message for fault in faults_of(row)))
            yield f"| {_code(wrong)} | {_cell(said)} |\n"


def _code(text: str) -> str:
    shown = "".join(f"<U+{ord(sign):04X}>" if sign in MEANT or sign == "\t" else sign for sign in text)
    return "<br>".join(f"`{line}`" for line in _cell(shown).split("\n"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_the_page_of_the_docs_is_current(request: pytest.FixtureRequest) -> None:
    made = "".join(page())
    if request.config.getoption("--update-golden"):
        DOCS.write_text(made, encoding="utf-8", newline="\n")
    assert DOCS.read_text(encoding="utf-8") == made
