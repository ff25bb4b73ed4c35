"""What `check` accepts is not red in the editor: the schema beside everything that can be found to be accepted."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.errors import NakctlError
from nakctl.protocol import library, schema, snippets
from nakctl.protocol.load import understand
from nakctl.protocol.model import KINDS
from nakctl.text.reader import read_text

A_KIND = re.compile(rf"\b({'|'.join(KINDS)}):")
VALIDATOR = jsonschema.Draft202012Validator(schema.schema())
TESTS = Path(__file__).parents[1]
HEAD = """\
nakctl: 1
name: x
capacity: 2 mAh
spectra:
  g: {kind: geis, amplitude: 5 uA, from: 1 MHz, to: 1 Hz, per_decade: 5}
  p: {kind: peis, amplitude: 10 mV, from: 1 MHz, to: 1 Hz, per_decade: 5}
  operando: {kind: geis, amplitude: 5 uA, from: 1 MHz, to: 1 Hz, per_decade: 5}
  resting: {kind: peis, amplitude: 10 mV, from: 1 MHz, to: 1 Hz, per_decade: 5}
limits: {Ewe: [-3 V, 5 V], I: 5 mA, time: 100 h}
stop_when: {short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}}
steps:
"""


def accepted(text: str) -> dict[str, Any] | None:
    """The data of a protocol that has no fault."""
    try:
        document = read_text(text, "p.yaml")
        understand(document, {})
    except NakctlError:
        return None
    return document.data


def red(data: dict[str, Any]) -> list[str]:
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in VALIDATOR.iter_errors(data)]


def under_steps(text: str) -> str:
    return f"{HEAD}{textwrap.indent(textwrap.dedent(text), '  ')}\n"


@cache
def texts_of_tests() -> tuple[str, ...]:
    """Each text in the tests that might be a protocol, or the steps of one."""
    return tuple(dict.fromkeys(text for path in sorted(TESTS.rglob("*.py")) for text in _texts(path)))


@cache
def accepted_in_tests() -> tuple[dict[str, Any], ...]:
    """The data of those that are accepted."""
    return tuple(data for text in texts_of_tests() if (data := accepted(text)) is not None)


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ": " in node.value:
            if "nakctl: 1" in node.value:
                yield node.value
            elif "- " in node.value:
                yield under_steps(node.value)
            elif len(node.value) < 200 and A_KIND.search(node.value):
                yield under_steps(f"- {{{node.value}}}")


def test_nothing_that_the_tests_accept_is_red() -> None:
    found = accepted_in_tests()
    assert len(found) > 200
    assert [problem for data in found for problem in red(data)] == []


def test_nothing_that_is_right_is_blamed_beside_a_mistake() -> None:
    """What was meant is looked for as soon as anything is wrong, and then in all that is written."""
    tried = 0
    for text in texts_of_tests():
        head, found, steps = text.partition("\nsteps:\n")
        lines = steps.splitlines()
        first = next((line for line in lines if line.strip()), "")
        indent = first[: len(first) - len(first.lstrip())]
        ends_with_steps = all(line.startswith((f"{indent}-", f"{indent} ")) for line in lines if line.strip())
        if not found or not first.lstrip().startswith("- ") or not ends_with_steps or accepted(text) is None:
            continue
        tried += 1
        with pytest.raises(NakctlError) as told:
            understand(read_text(f"{head}{found}{steps.rstrip()}\n{indent}- nonsense: g\n", "p.yaml"), {})
        places = [line for line in str(told.value).splitlines() if line.startswith("p.yaml:")]
        assert [line for line in places if "nonsense" not in line] == [], text
    assert tried > 200


@pytest.mark.parametrize("path", sorted(TESTS.parent.rglob("*.yaml")), ids=str)
def test_no_protocol_of_the_repository_is_red(path: Path) -> None:
    data = accepted(path.read_text(encoding="utf-8"))
    assert data is None or red(data) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_snippet_of_each_kind_is_accepted_as_it_stands(kind: str) -> None:
    example = textwrap.indent(snippets.example(kind), "  ")
    data = accepted(under_steps(f"- {example[2:]}"))
    assert data is not None
    assert red(data) == []


def test_the_file_to_begin_with_is_accepted() -> None:
    data = accepted(snippets._PLACE.sub(r"\1", snippets.FILE))
    assert data is not None
    assert red(data) == []


def test_an_editor_offers_each_kind_once() -> None:
    offered = {
        one["label"]: one["body"]
        for one in schema.schema()["$defs"]["Step"]["allOf"][-1]["else"]["defaultSnippets"]
    }
    assert list(offered) == list(KINDS)
    assert offered["strip"] == {"strip": "${1:0.1 mA/cm2}", "for": "${2:1 h}"}
    assert offered["staircase"]["steps"][0]["strip"] == "\\$level"


PARAMETERS = """\
nakctl: 1
name: $title
params:
  title: x
  window: [-3 V, 3 V]
  spectrum: p
  until: {Ewe_above: 1 V}
  record: {every: 1 s}
  one: 0.1 mA/cm2
  steps:
    - rest: 1 h
  kinds: geis
  limits: {Ewe: [-3 V, 3 V]}
spectra:
  g: {kind: $kinds, amplitude: 5 uA, from: 1 MHz, to: 1 Hz, per_decade: 5}
  p: {kind: peis, amplitude: 10 mV, from: 1 MHz, to: 1 Hz, per_decade: 5}
record: $record
limits: {Ewe: $window}
steps:
  - peis: $spectrum
  - strip: 1 mA
    for: 1 h
    until: $until
    label: $title
  - staircase: [$one, 0.2 mA/cm2]
    steps: [{strip: $level, for: 1 h}]
  - repeat: 2
    steps: $steps
"""


def test_whatever_a_parameter_brings_is_not_red() -> None:
    """Declared ones that are not used are faults: so each is used, in turn or at once."""
    text = PARAMETERS.replace("  limits: {Ewe: [-3 V, 3 V]}\n", "")
    data = accepted(text)
    assert data is not None
    assert red(data) == []
    whole = text.replace("limits: {Ewe: $window}", "limits: $window").replace(
        "window: [-3 V, 3 V]", "window: {Ewe: [-3 V, 3 V]}"
    )
    data = accepted(whole)
    assert data is not None
    assert red(data) == []


VALUES = st.sampled_from(
    ["1 h", "0.1 mA/cm2", "5 µA", "−1 mA", "1e-3 A", ".5 V", "C/10", "0.5C", "10 % of capacity", "forever", "g", "p",
     "{every: 1 s}", "{Ewe_above: 1 V}", "[{Ewe_above: 1 V}]", "{I_below: C/20}", "3", "2.5", "true", "[10 s, 1 min]",
     "10 s, 1 min", "{use: g, at: 10 s}", "{use: p, every: 1 min, growing_by: 2}", "{I: 1 mA}", "[-3 V, 3 V]", "25 degC",
     "{from: 1 mA, to: 4 mA, factor: 2}", "{from: 1C, to: 2C, points: 3, spacing: log}", "1, 2 C", "C/10, 1C", "$level",
     "[1 mA]", "{strip: 1 mA}", "{ca: 0.1 V}", "rest", "end run", "1 kohm", "-5 mW/cm2", "1 mV/s", "\"x: y\"", "5 mV",
     "0.36 C", "75 %", "{charge: 1C}", "{chamber: 60 degC}", "log", "geis"]
)  # fmt: skip


@cache
def places(name: str) -> tuple[str, ...]:
    return tuple(library.find(name).read_text(encoding="utf-8").split("\n"))


@given(st.data())
def test_what_check_accepts_the_schema_accepts(data: st.DataObject) -> None:
    """Shipped protocols, and an example of each kind, with other values in some places."""
    source = data.draw(st.sampled_from([*library.names(), *KINDS]))
    if source in KINDS:
        example = textwrap.indent(snippets.example(source), "  ")
        lines = under_steps(f"- {example[2:]}").split("\n")
        first = len(HEAD.split("\n")) - 1
    else:
        lines, first = list(places(source)), 0
    written = [
        i for i in range(first, len(lines)) if ":" in lines[i] and not lines[i].lstrip().startswith("#")
    ]
    for _ in range(data.draw(st.integers(1, 2))):
        i = data.draw(st.sampled_from(written))
        word = lines[i].partition(":")[0]
        lines[i] = f"{word}: {data.draw(VALUES)}"
    found = accepted("\n".join(lines))
    if found is not None:
        assert red(found) == []
