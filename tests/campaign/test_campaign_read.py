"""A campaign's file: which runs it asks for, and what is said of what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from nakctl.campaign import library, schema
from nakctl.campaign.read import Campaign, in_yaml, read
from nakctl.errors import InputError
from nakctl.protocol.load import load
from nakctl.text.reader import read_text

Made = Callable[[str], Campaign]
HEAD = "nakctl-campaign: 1\nname: A campaign\nruns:\n"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """The campaign c.yaml with these runs."""
    monkeypatch.chdir(tmp_path)

    def make(runs: str) -> Campaign:
        (tmp_path / "c.yaml").write_text(HEAD + runs, encoding="utf-8")
        return read(Path("c.yaml"))

    return make


RUNS = [
    ("- {protocol: ccd}", [{}]),
    ("- {protocol: ccd, set: {half_cycle: 1 h}}", [{"half_cycle": "1 h"}]),
    ("- {protocol: p, each: {rest: [0.1 s, 1 s]}}", [{"rest": "0.1 s"}, {"rest": "1 s"}]),
    ("- {protocol: p, each: {rest: [0.1, 1 s]}}", [{"rest": "0.1 s"}, {"rest": "1 s"}]),
    ("- protocol: p\n  each:\n    rest: 0.1, 1, 2 s", [{"rest": "0.1 s"}, {"rest": "1 s"}, {"rest": "2 s"}]),
    ("- {protocol: p, each: {n: [1, 2]}, set: {on: true}}", [{"on": "true", "n": "1"}, {"on": "true", "n": "2"}]),
    (
        "- {protocol: p, each: {a: [1, 2], b: [x, y]}}",
        [{"a": "1", "b": "x"}, {"a": "1", "b": "y"}, {"a": "2", "b": "x"}, {"a": "2", "b": "y"}],
    ),
    # a list of levels is one value
    ('- {protocol: p, each: {levels: ["0.1, 0.2 mA/cm2", "0.3 mA/cm2"]}}', [{"levels": "0.1, 0.2 mA/cm2"}, {"levels": "0.3 mA/cm2"}]),
    ("- {protocol: p, set: {levels: [0.1 mA, 1e-5]}}", [{"levels": '["0.1 mA", 1e-05]'}]),
    ('- {protocol: p, set: {a: "true", b: "x: y", c: {from: 1 V, to: 2 V}}}', [{"a": '"true"', "b": '"x: y"', "c": '{"from": "1 V", "to": "2 V"}'}]),
]  # fmt: skip


@pytest.mark.parametrize(("runs", "sets"), RUNS)
def test_parameters_are_those_of_set_and_of_each_combination(
    runs: str, sets: list[dict[str, str]], made: Made
) -> None:
    asked = made(runs).asked
    assert [one.sets for one in asked] == sets
    # and are read again, behind --set, as what stands there
    for one in asked:
        for name, text in one.given.items():
            said = read_text(HEAD + runs, "").data["runs"][0]["set"][name]
            assert read_text(f"value: {text}", "").data["value"] == said


def test_a_run_for_each_cell_and_seed(made: Made) -> None:
    asked = made("- {protocol: ccd, cell: [A, B], seed: [0, 1], each: {x: [1, 2]}}").asked
    assert [(one.cell, one.sets["x"], one.seed) for one in asked] == [
        (cell, x, seed) for cell in "AB" for x in "12" for seed in (0, 1)
    ]


def test_files_lie_beside_it(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    for name in ("mine.yaml", "cells.yaml"):
        (folder / name).touch()
    (folder / "c.yaml").write_text(
        HEAD + "- {protocol: mine.yaml, cell: cells.yaml#thick}\n- {protocol: ccd, cell: NaK50}"
    )
    one, other = read(Path("lab/c.yaml")).asked
    assert (one.protocol, one.cell) == (str(Path("lab/mine.yaml")), f"{Path('lab/cells.yaml')}#thick")
    assert (other.protocol, other.cell) == ("ccd", "NaK50")


SLIPS = [
    ("- {cell: A}", "c.yaml:4:3  runs needs the word protocol"),
    ("- {protocol: ccd, eech: {x: 1}}", "c.yaml:4:19  eech is no word of runs; did you mean each?"),
    ("- {protocol: ccd, each: {x: []}}", "c.yaml:4:29  give its values, such as [0.1 s, 1 s] or 0.1, 1, 2 s"),
    ("- {protocol: ccd, each: {x: 5}}", "c.yaml:4:29  give its values"),
    ("- {protocol: ccd, each: {x: [1, ~]}}", "c.yaml:4:33  a value is missing"),
    ("- {protocol: ccd, set: {x: }}", "c.yaml:4:27  a value is missing"),
    ("- {protocol: ccd, each: {x: [1, 2, 1]}}", "c.yaml:4:36  1 stands here twice: that is the same run"),
    ("- {protocol: ccd, each: {x: [1, 2]}, set: {x: 1}}", "c.yaml:4:26  x is given under `set`, too"),
    ("- {protocol: ccd, name: a/b}", "c.yaml:4:25  a name begins with a letter and has only letters, digits and _"),
    ("- {protocol: ccd, may_end_by: short}", "c.yaml:4:31  must be limit"),
    ("- {protocol: ccd, seed: -1}", "c.yaml:4:25  is smaller than 0"),
    ("- {protocol: ccd}\norder: togehter", "must be one after another or together; did you mean together?"),
    ("- {protocol: ccd, cell: [A, B, A]}", "c.yaml:4:32  A stands here twice: that is the same run"),
    ("- {protocol: ccd, seed: [1, 1]}", "c.yaml:4:29  1 stands here twice"),
    (f"- {{protocol: ccd, seed: [{', '.join(map(str, range(6000)))}]}}\n- {{protocol: p, seed: [{', '.join(map(str, range(6000)))}]}}", "c.yaml:5:3  with these there are more than 10000 runs"),
    ("- protocol: ccd\n  each:\n    x: 0,1 s", "a comma between digits"),
    (f"- {{protocol: ccd, each: {{x: [{', '.join(map(str, range(101)))}], y: [{', '.join(map(str, range(101)))}]}}}}", "c.yaml:4:3  with these there are more than 10000 runs"),
]  # fmt: skip


@pytest.mark.parametrize(("runs", "told"), SLIPS, ids=[told[:50] for _, told in SLIPS])
def test_a_slip_is_told_with_its_place(runs: str, told: str, made: Made) -> None:
    with pytest.raises(InputError) as raised:
        made(runs)
    assert told in str(raised.value)


def test_a_protocol_is_no_campaign(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("nakctl: 1\nname: x\n")
    with pytest.raises(InputError, match=r"p\.yaml is a protocol, for nakctl run"):
        read(tmp_path / "p.yaml")


def test_a_campaign_is_no_protocol(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(f"{HEAD}- {{protocol: ccd}}\n")
    with pytest.raises(InputError, match=r"c\.yaml is a campaign, for nakctl campaign"):
        load(tmp_path / "c.yaml")


@pytest.mark.parametrize("name", library.names())
def test_editors_take_what_is_shipped(name: str) -> None:
    path = library.find(name)
    jsonschema.validate(yaml.safe_load(path.read_text("utf-8")), schema.schema())
    assert path.read_text("utf-8").startswith(f"# yaml-language-server: $schema=./{schema.FILE}\n")
    assert read(path).asked


def test_the_schema_that_is_checked_in_is_that_of_the_words() -> None:
    assert (library.folder() / schema.FILE).read_text("utf-8") == schema.text()


def test_the_schema_refuses_what_the_words_refuse(made: Made) -> None:
    for runs, _ in (SLIPS[0], SLIPS[1], SLIPS[8], SLIPS[9]):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(HEAD + runs), schema.schema())


def test_values_stand_on_one_line() -> None:
    assert json.loads(in_yaml({"a": [1, 2.5, True, "x\ny"]})) == {"a": [1, 2.5, True, "x\ny"]}
