"""Which YAML files are ours: slips do not make a stranger of a protocol, and strangers are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from nakctl.protocol import library
from nakctl.protocol.kind_of_file import files_in, kind_of_file, kind_of_path

STEPS = "steps:\n  - rest: 1 h\n"
ROWS = [
    ("nakctl: 1\nname: a\n", "protocol"),
    ("nakctl-rig: 1\n", "rig"),
    ("nakctl-campaign: 1\n", "campaign"),
    ("model: nak\ncells:\n  a: {note: b}\n", "cells"),
    # slips
    ("nakct: 1\nname: a\n", "protocol"),
    ("Nakctl: 1\n", "protocol"),
    ("naktcl-rig: 1\n", "rig"),
    ("nakctl-campain: 1\nruns: []\n", "campaign"),
    ("nakctl: [1\n", "protocol"),
    ("name: x\n  nakctl: 1\nnakctl: 1\n", "protocol"),
    ("nakctl : 1\n\tname: a\n", "protocol"),
    ("limits: {Ewe: [-1 V, 1 V]}\n" + STEPS, "protocol"),
    ("# yaml-language-server: $schema=./protocol.schema.json\nname: a\n", "protocol"),
    ("# by us\n# yaml-language-server: $schema=../x/rig.schema.json\n", "rig"),
    # strangers
    ("", None),
    ("name: CI\non: push\njobs: {test: {steps: [{run: make}]}}\n", None),
    ("steps:\n  - wait: ~\n  - command: make\n", None),
    ("apiVersion: v1\nkind: Pod\n", None),
    ("kubectl: 1\n", None),
    ("runs: {using: composite, steps: [{run: nakctl ci}]}\n", None),
    ("- id: nakctl-check\n  entry: nakctl check\n", None),
    ("repos: []\n", None),
    ("cells: {a: 1}\n", None),
]


@pytest.mark.parametrize(("text", "kind"), ROWS)
def test_rows(text: str, kind: str | None) -> None:
    assert kind_of_file(text) == kind


def test_all_that_is_shipped_is_ours() -> None:
    assert {kind_of_path(library.find(name)) for name in library.names()} == {"protocol"}
    cells = Path(__file__).parents[2] / "sim" / "nakctl_sim" / "cell"
    assert {kind_of_path(path) for path in cells.glob("*.yaml")} == {"cells"}


def test_files_of_a_folder(tmp_path: Path) -> None:
    for name, text in {
        "a b/ü.yaml": "nakctl: 1\n", ".github/x.yml": "nakctl: 1\n", "other.yaml": "a: 1\n", "rig.yml": "nakctl-rig: 1\n",
        "BOM.YAML": "\ufeffnakctl: 1\n", "env/pyvenv.cfg": "", "env/lib/x.yaml": "nakctl: 1\n", "node_modules/y/x.yaml": "nakctl: 1\n",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "old.yaml").write_bytes("nakctl: 1\nname: µ\n".encode("latin-1"))
    (tmp_path / "word.yaml").write_bytes("nakctl: 1\n".encode("utf-16"))
    found = [path.relative_to(tmp_path).as_posix() for path in files_in(tmp_path)]
    assert found == ["BOM.YAML", "a b/ü.yaml", "old.yaml", "rig.yml", "word.yaml"]
    assert kind_of_path(tmp_path / "nothing.yaml") is None
