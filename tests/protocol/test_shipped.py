"""What comes with nakctl: every file loads, fits a screen, quotes its paper and agrees with the schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from shortened import CELLS

from nakctl.errors import InputError
from nakctl.protocol import library, schema
from nakctl.protocol.load import load
from nakctl.text.reader import read_file, read_text

SCREEN = 40
NAMES = library.names()
VALIDATOR = jsonschema.Draft202012Validator(schema.schema())


PAPER = (
    "ccd", "ccd-na-symmetric", "direct-strip", "galvanostatic-cycling", "plate-geis-ocv", "plate-to-cutoff",
    "pristine-eis", "pulsed-strip", "pulsed-strip-quarter", "sgeis-plate-rest", "sgeis-strip-rest",
    "staircase-strip",
)  # fmt: skip


def test_the_library_is_complete() -> None:
    assert sorted(NAMES) == sorted((*PAPER, *CELLS))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_protocol(name: str) -> None:
    found = load(name)
    lines = found.document.text.splitlines()
    assert lines[0] == f"# yaml-language-server: $schema=./{schema.FILE}"
    assert len(lines) <= SCREEN
    assert max(map(len, lines)) <= 120
    assert found.protocol.source
    assert found.protocol.limits.time is not None
    assert not list(VALIDATOR.iter_errors(found.document.data))


@pytest.mark.parametrize("name", PAPER)
def test_a_protocol_of_the_paper_quotes_it(name: str) -> None:
    source = load(name).protocol.source or ""
    assert '"' in source
    assert "2025" in source


@pytest.mark.parametrize("name", CELLS)
def test_the_others_say_on_which_cell_they_show_something(name: str) -> None:
    assert f"nakctl run {name} --cell {CELLS[name]}" in (load(name).protocol.about or "")


def test_what_the_paper_does_not_say_is_a_parameter_or_a_comment() -> None:
    for name in NAMES:
        assert "paper" in read_file(library.find(name)).text.casefold()


def test_the_schema_that_is_checked_in_is_current(request: pytest.FixtureRequest) -> None:
    path = library.folder() / schema.FILE
    if request.config.getoption("--update-golden"):
        path.write_text(schema.text(), encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == schema.text()


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    assert json.loads(schema.text()) == schema.schema()


def test_every_word_is_explained() -> None:
    """Editors show these descriptions; a word without one says all in its quantity or its own definition."""
    silent = [
        f"{name}.{word}"
        for name, definition in schema.schema()["$defs"].items()
        for word, part in definition.get("properties", {}).items()
        if "description" not in part and "$ref" not in part and "examples" not in part
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("nakctl: 1", "nakctl: 2"),
        ("finally: rest", "finaly: rest"),
        ("limits:", "limit:"),
        ("rest: 10 min", "rset: 10 min"),
        ("rest: 10 min", "rest: 10"),
        ("rest: 10 min", "rest: {a: 1}"),
        ("for: $half_cycle", "until: {then: stop}"),
        ("amplitude: 5 uA", "amplitude: 5"),
        ("kind: geis", "kind: eis"),
        ("per_decade: 15", "per_decade: many"),
        ("[-3 V, 3 V]", "[-3 V]"),
        ("operando:", "5 uA:"),
        ("dE: 5 mV", "dE: 5"),
    ],
)
def test_the_schema_refuses_what_an_editor_should_underline(right: str, wrong: str) -> None:
    text = read_file(library.find("ccd")).text
    assert right in text
    assert list(VALIDATOR.iter_errors(read_text(text.replace(right, wrong), "ccd.yaml").data))


@pytest.mark.parametrize(
    "wrong", [{"Ewe_above": "3 V", "then": "$what"}, {"charge": "1 mAh"}, [{"Ewe_below": "0 V"}]]
)
def test_the_schema_takes_cutoffs_as_the_model_does(wrong: object) -> None:
    data = load("direct-strip").document.data
    data["steps"][1]["until"] = wrong
    assert not list(VALIDATOR.iter_errors(data))


def test_a_schema_of_an_older_nakctl_is_renewed_and_no_other_file_is_touched(tmp_path: Path) -> None:
    old = schema.text().replace("gapless", "seamless")
    for before, after in ((old, schema.text()), ('{"title": "mine"}', '{"title": "mine"}')):
        (tmp_path / schema.FILE).write_text(before, encoding="utf-8", newline="\n")
        assert library.schema_beside(tmp_path / "mine.yaml") == tmp_path / schema.FILE
        assert (tmp_path / schema.FILE).read_text(encoding="utf-8") == after


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert library.find("ccd") == library.folder() / "ccd.yaml"
    monkeypatch.chdir(tmp_path)
    Path("ccd").write_text("name: mine", encoding="utf-8")
    assert library.find("ccd") == Path("ccd")
    assert library.find(tmp_path / "ccd") == tmp_path / "ccd"


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("cdc", "did you mean ccd?"),
        ("ccd.yml", "did you mean ccd?"),
        ("pulsed_strip", "did you mean pulsed-strip?"),
        ("../protocols", "neither a file nor a shipped protocol"),
        ("zzz", "shipped are: arrhenius, ccd, "),
        (".", "is a folder"),
        ("", "is a folder"),
    ],
)
def test_an_unknown_name(name: str, phrase: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        library.find(name)
    assert phrase in str(caught.value)


def test_naming_a_protocol_costs_no_heavy_import() -> None:
    """`nakctl protocols` and completion list names; reading brings pydantic."""
    heavy = "{'numpy', 'pydantic', 'yaml', 'h5py', 'matplotlib'} & set(sys.modules)"
    code = f"import sys; from nakctl.protocol import library; library.names(); print({heavy})"
    assert _python(code) == "set()"


def test_reading_a_protocol_needs_no_numpy() -> None:
    code = "import sys; from nakctl.protocol import library, load; load.load(library.find('ccd')); print({'numpy'} & set(sys.modules))"
    assert _python(code) == "set()"


def _python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
