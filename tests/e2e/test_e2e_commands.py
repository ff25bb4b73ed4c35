"""The small commands, what starting costs, and the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import ENVIRONMENT, NAKCTL, Said, nakctl

from nakctl.protocol import library

Here = Callable[..., Said]
HEAVY = {"numpy", "pydantic", "h5py", "matplotlib", "scipy", "sqlite3", "yaml", "rich"}


@pytest.mark.parametrize(
    ("args", "needs"),
    [(["--help"], set()), (["--version"], set()), (["check", "ccd"], {"pydantic", "yaml"})],
    ids=["--help", "--version", "check"],
)
def test_what_is_light_imports_nothing_heavy(args: list[str], needs: set[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nakctl", *args],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert imported & HEAVY == needs


def test_help_names_every_command(here: Here) -> None:
    said = here("--help")
    for command in (
        "protocols",
        "check",
        "plan",
        "run",
        "status",
        "recover",
        "export",
        "import",
        "plot",
        "show",
        "schema",
        "words",
        "cells",
    ):
        assert f"\n  {command} " in said.out


def test_the_schema_is_the_one_checked_in(here: Here) -> None:
    checked_in = (library.folder() / "protocol.schema.json").read_text(encoding="utf-8")
    assert json.loads(here("schema").out) == json.loads(checked_in)


def test_a_schema_of_its_own_offers_the_names_of_a_protocol(here: Here, tmp_path: Path) -> None:
    assert here("protocols", "copy", "ccd").code == 0
    assert "bring it here first" in here("schema", "sgeis-strip-rest").err
    sensor = "{kind: scpi, address: 'TCPIP::localhost::1::SOCKET', unit: degC, query: 'READ?', every: 1 s}"
    (tmp_path / "rig.yaml").write_text(f"nakctl-rig: 1\nsensors:\n  oven: {sensor}\n", encoding="utf-8")
    said = here("schema", "ccd.yaml")
    assert said.code == 0, said.err
    assert "ccd.schema.json: offers 1 sweep, 3 parameters, 1 sensor" in said.out
    line = "# yaml-language-server: $schema=./ccd.schema.json"
    assert said.out.splitlines()[-1] == line
    made = json.loads((tmp_path / "ccd.schema.json").read_text(encoding="utf-8"))
    assert made["$defs"]["Geis"]["properties"]["geis"]["anyOf"][0]["examples"] == ["operando"]
    assert made["$defs"]["Settling"]["properties"]["sensor"]["anyOf"][0]["examples"] == ["oven"]
    own = (tmp_path / "ccd.yaml").read_text(encoding="utf-8").split("\n", 1)[1]
    (tmp_path / "ccd.yaml").write_text(f"{line}\n{own}", encoding="utf-8")
    assert len(here("schema", "ccd.yaml").out.splitlines()) == 1
    assert here("schema", "rig.yaml").code == 2


def test_the_protocols_are_listed_shown_and_copied(here: Here, tmp_path: Path) -> None:
    listed = here("protocols", "list", "--json").json["protocols"]
    assert [each["name"] for each in listed] == list(library.names())
    assert all(each["title"] for each in listed)
    source = library.find("ccd").read_text(encoding="utf-8")
    assert here("protocols", "show", "ccd").out == source
    assert here("protocols", "copy", "ccd").code == 0
    assert (tmp_path / "ccd.yaml").read_text(encoding="utf-8") == source
    assert here("check", "ccd.yaml").code == 0
    assert here("protocols", "copy", "ccd").code == 2  # it is there already
    assert (tmp_path / "protocol.schema.json").exists()  # for editors


def test_the_cells_are_listed(here: Here) -> None:
    cells = {each["name"]: each for each in here("cells", "--json").json["cells"]}
    assert cells["NaK50"]["area_cm2"] > 0
    assert (cells["full-cell"]["capacity_C"], cells["full-cell"]["working_is"]) == (7.56, "positive")
    assert [name for name, cell in cells.items() if cell["three_electrodes"]] == [
        "three-electrode-dummy",
        "three-electrode",
    ]
    assert here("check", "pristine-eis", "--cell", "Na-symmetric").code == 0


def test_a_plan_as_json(here: Here) -> None:
    told = here("plan", "ccd", "--json").json
    assert told["simulated"] is True
    assert told["total"]["duration_s"] > 3600


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
def test_on_a_terminal_one_block_moves(short: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "LINES": "30"}
    process = subprocess.Popen(
        [*NAKCTL, "run", "short.yaml", "--speed", "8", "--out", "x.h5"],
        cwd=short,
        env=environment,
        stdout=follower,
        stderr=follower,
        stdin=follower,
    )
    os.close(follower)
    shown = b"".join(iter(lambda: _read(leader), b"")).decode()
    os.close(leader)
    assert process.wait() == 0
    assert shown.count("Ctrl-C asks") >= 3  # drawn again and again, in place
    for words in (
        "SIMULATED",
        "step 1 rest",
        "Ewe +0.0",
        "mAh/cm2",
        "completed: all steps done",
    ):
        assert words in shown
    assert shown.rstrip().endswith("file x.h5")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other end is closed
        return b""


def test_output_that_is_no_terminal_has_no_colours(tmp_path: Path) -> None:
    for args in (["--help"], ["check", "ccd"], ["plan", "ccd"]):
        assert "\x1b" not in nakctl(*args, cwd=tmp_path).out
