"""The reference says of each word what the schema says, with an example; and knows the words of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nakctl.cli.app import app
from nakctl.protocol import foreign, reference, schema
from nakctl.protocol.model import KINDS

DOCS = Path(__file__).parents[2] / "docs" / "words.md"


def said(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app(["words", *args])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_page_of_the_docs_is_current(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        DOCS.write_text(reference.page(), encoding="utf-8", newline="\n")
    assert DOCS.read_text(encoding="utf-8") == reference.page()


def test_every_word_of_the_schema_is_in_the_reference() -> None:
    made = schema.schema()
    words = {word for part in (made, *made["$defs"].values()) for word in part.get("properties", {})}
    known = {entry.word for entry in reference.entries()}
    assert words <= known


def test_each_word_says_something() -> None:
    assert [entry for entry in reference.entries() if not entry.text and not entry.example] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_comes_with_an_example(kind: str) -> None:
    lines = reference.about(kind)
    assert lines is not None
    assert any(line.strip().startswith(f"- {kind}:") for line in lines)


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("strip", ["Oxidise WE", "- strip: 0.1 mA/cm2", "words of strip:", "ranges"]),
        ("until", ["Ewe_above", "end run"]),
        ("Ewe_above", ["until of a step", "Ewe rose above this"]),
        ("OCV", ["OCV (EC-Lab): here `rest: 1 h`"]),
        ("ocv", ["ocv (EC-Lab): here `rest: 1 h`"]),
        ("constant current", ["unicycler", "charge: C/10"]),
        ("uA", ["uA: a current"]),
        ("units", ["mAh", "degC"]),
        ("values", ["10 % of capacity", "C/10"]),
    ],
)
def test_a_word_is_looked_up(word: str, parts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, word)
    assert code == 0
    for part in parts:
        assert part in out


@pytest.mark.parametrize(
    ("word", "near"), [("strp", "strip"), ("Ewe_abov", "Ewe_above"), ("untill", "until")]
)
def test_an_unknown_word(word: str, near: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, word)
    assert (code, out) == (2, "")
    assert f"{word} is no word of a protocol; did you mean {near}?" in err


def test_all_words_fit_on_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys)
    lines = out.splitlines()
    assert len(lines) < 70
    assert max(map(len, lines)) <= 120
    for kind in KINDS:
        assert f"  {kind} " in out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "--json")
    assert len(json.loads(out)["words"]) == len(reference.entries())


def test_what_others_write_is_answered_with_words_of_ours() -> None:
    known = {entry.word for entry in reference.entries()} | {"cell", "channel"}
    for _, found in foreign.rows():
        assert found.ours in known
        assert foreign.written(found).count("`") >= 2


def test_the_table_knows_each_program() -> None:
    assert {found.of for _, found in foreign.rows()} == {"", "EC-Lab", "PyBaMM", "unicycler"}
