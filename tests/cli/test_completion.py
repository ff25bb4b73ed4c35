"""What may stand where Tab is pressed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ENVIRONMENT

from nakctl.campaign.library import names as campaigns
from nakctl.cli.app import app
from nakctl.cli.completion import shells
from nakctl.cli.completion.asked import asked
from nakctl.cli.completion.names import FORMATS, KINDS, names
from nakctl.record import registry

RIG = """\
nakctl-rig: 1
devices:
  bench: {driver: sim, model: SP-300}
channels:
  left: {device: bench, channel: 1}
  right: {device: bench, channel: 2}
cells:
  nak50-017: {channel: left, area: 0.4418 cm2}
  li-3: {channel: right, area: 1 cm2}
"""
OWN = "nakctl: 1\nname: Mine\nparams:\n  current: 1 mA/cm2  # as in the paper\n  on: 1 s\nsteps: []\n"


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "lab ü"
    (folder / "old runs").mkdir(parents=True)
    (folder / "rig.yaml").write_text(RIG, "utf-8")
    (folder / "meine zelle.yaml").write_text(OWN, "utf-8")
    (folder / "other.yaml").write_text(RIG.replace("left", "front"), "utf-8")
    for name in ("a.h5", "b.h5", "old runs/ü x.h5", ".hidden.h5", "x.mps", "x.mpr"):
        (folder / name).touch()
    monkeypatch.chdir(folder)
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path / "known"))
    return folder


def offered(line: str, shell: str = "fish") -> list[str]:
    """Behind `nakctl `, the last word typed up to here; blanks of a word are written with _."""
    words = [word.replace("_", " ") for word in line.split(" ")]
    place = asked(app, words)
    return [place.before + each.text for each in names(place)]


ROWS = [
    # commands
    ("che", ["check"]),
    ("CHE", ["check"]),
    ("protocols ", ["list", "show", "copy", "--help"][:3]),
    ("sim in", ["instrument"]),
    ("--debug pla", ["plan"]),
    ("nosuch ", []),
    ("nosuch --", []),
    # options
    ("--", ["--debug", "--version", "--help"]),
    ("recover a.h5 --", ["--again", "--as-it-is", "--json", "--help"]),
    ("recover --json a.h5 --", ["--again", "--as-it-is", "--help"]),
    ("check --on left --on", []),
    ("check --set a=1 --s", ["--set"]),
    ("plot -", ["--kind", "-o", "--out", "--from", "--to", "--step", "--cycle", "--spectrum", "--curves", "--title",
                "--data", "--kinds", "--help"]),
    # protocols
    ("run cc", ["ccd", "ccd-na-symmetric", "ccv-cycling"]),
    ("run r", ["rate-test"]),
    ("check r", ["rig.yaml", "rate-test"]),
    ("format r", ["rig.yaml"]),
    ("check mei", ["meine zelle.yaml"]),
    ("run o", ["old runs/", "other.yaml"]),
    ("check ccd mei", ["meine zelle.yaml"]),
    ("run ccd x", []),
    ("protocols show pris", ["pristine-eis"]),
    ("plan -- cc", ["ccd", "ccd-na-symmetric", "ccv-cycling"]),
    # channels and cells
    ("run ccd --on ", ["left", "right", "sim-sp300", "sim-vmp3"]),
    ("run ccd --on=ri", ["--on=right"]),
    ("run ccd --rig other.yaml --on f", ["front"]),
    ("run ccd --rig=other.yaml --on f", ["front"]),
    ("run ccd --rig nowhere.yaml --on ", ["sim-sp300", "sim-vmp3"]),
    ("run ccd --cell n", ["nak50-017"]),
    ("run ccd --on right --cell n", ["NaK50", "NaK65", "NaK80", "Na-symmetric"]),
    ("run ccd --cell m", ["meine zelle.yaml"]),
    ("doctor ", ["bench"]),
    ("doctor bench ", ["left", "right", "sim-sp300", "sim-vmp3"]),
    # values
    ("run meine_zelle.yaml --set ", ["current=", "on="]),
    ("run meine_zelle.yaml --set on=2_s --set ", ["current="]),
    ("run --each c", []),
    ("run ccd --seed ", []),
    ("stop --after s", ["step", "spectrum"]),
    ("completion po", ["powershell"]),
    ("plot a.h5 --kind drt", ["drt-map", "drt"]),
    ("export a.h5 --as bdf", ["bdf", "bdf-parquet"]),
    ("export a.h5 --table st", ["steps"]),
    ("words stairc", ["staircase"]),
    ("campaign fig", [name for name in campaigns() if name.startswith("fig")]),
    # files
    ("show ", ["a.h5", "b.h5", "old runs/"]),
    ("show .", [".hidden.h5"]),
    ("show old_runs/", ["old runs/ü x.h5"]),
    ("show nowhere/", []),
    ("plot a.h5 ", ["b.h5", "old runs/"]),
    ("import-mps x", ["x.mps"]),
    ("import x", ["x.mpr"]),
    ("serve ", ["old runs/"]),
    ("check --rig r", ["rig.yaml"]),
    ("report a.h5 -o m", ["meine zelle.yaml"]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "known"), ROWS, ids=[line for line, _ in ROWS])
def test_what_may_stand_there(line: str, known: list[str]) -> None:
    assert offered(line) == known


def test_each_name_is_told_what_it_is() -> None:
    told = {each.text: each.about for each in names(asked(app, ["run", "ccd", "--on", ""]))}
    assert told["left"] == "channel 1 of bench"
    titles = {each.text: each.about for each in names(asked(app, ["check", "pris"]))}
    assert titles == {"pristine-eis": "Impedance of the pristine cell"}
    assert {each.about for each in names(asked(app, ["chec"]))} == {
        "Check protocols against the language and the instrument; start nothing."
    }


def test_runs_are_named_by_their_channel_or_by_their_id(lab: Path) -> None:
    for number, place in enumerate(("left", "right", "right")):
        path = lab / f"run-{number}.h5"
        path.with_name(path.name + ".journal").touch()
        run = registry.KnownRun(
            f"{number}234567890", path, place, "CCD", "nak50-017", started=f"2026-01-0{number + 1}"
        )
        assert registry.enter(run) == ""
    assert offered("stop ") == ["left", "12345678", "22345678"]
    assert offered("watch l") == ["left"]
    assert offered("watch left ") == ["12345678", "22345678"]
    assert offered("note 0") == ["02345678"]
    assert names(asked(app, ["stop", "l"]))[0].about == "CCD, cell nak50-017: run-0.h5"


@pytest.mark.parametrize(
    "text", ["[1, 2]", "channels: [", "channels: 3\ncells: {a: 1, 2: {channel: []}}", "\x00", "!x y", "a: *b"]
)
def test_a_rig_with_faults_costs_its_names_only(text: str, lab: Path) -> None:
    (lab / "rig.yaml").write_text(text, "utf-8")
    assert offered("run ccd --on sim") == ["sim-sp300", "sim-vmp3"]
    assert "NaK50" in offered("run ccd --cell ")
    (lab / "meine zelle.yaml").write_text(text, "utf-8")
    assert offered("run meine_zelle.yaml --set ") == []


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe with a name")
def test_a_rig_that_is_a_pipe_is_not_waited_for(lab: Path) -> None:
    (lab / "rig.yaml").unlink()
    os.mkfifo(lab / "rig.yaml")
    assert offered("run ccd --on sim") == ["sim-sp300", "sim-vmp3"]


def test_lists_that_would_be_slow_to_load_are_complete() -> None:
    from nakctl.exchange import formats, to_csv
    from nakctl.figures import kinds
    from nakctl_sim.cell import catalog
    from nakctl_sim.cell import names as cells

    assert tuple(kinds.KINDS) == KINDS
    assert tuple(formats.FORMATS) == FORMATS
    assert tuple(cells.notes()) == catalog.names()
    assert set(to_csv.TABLES) == set(offered("export a.h5 --table "))


BASH_WORDS = [
    (["=run", "=--on", "==", "=left"], ["run", "--on=left"]),
    (["=run", "=--on", "=="], ["run", "--on="]),
    (["=run", "=--set", "=a", "==", "=1 mA", "="], ["run", "--set", "a=1 mA", ""]),
    (["=show", "=C", "=:", "=/x"], ["show", "C:/x"]),
    (["=check", '="meine ze'], ["check", "meine ze"]),
    (["=check", "='meine ze'"], ["check", "meine ze"]),
    (["=check", "=meine\\ ze"], ["check", "meine ze"]),
    (["=check", '="a\\"b\\$c'], ["check", 'a"b$c']),
    (["=check", "=x\\"], ["check", "x"]),
    ([], [""]),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "meant"), BASH_WORDS)
def test_words_of_bash_are_put_together(sent: list[str], meant: list[str]) -> None:
    assert shells.words_of("bash", sent) == meant


@pytest.mark.parametrize(
    ("shell", "words", "lines"),
    [
        ("bash", ["run", "ccd", "--on=l"], ["", "left"]),
        ("bash", ["show", "old"], ["filenames nospace", "old runs/"]),
        ("zsh", ["run", "ccd", "--on=l"], ["---on=left\tchannel 1 of bench"]),
        ("zsh", ["show", "old"], ["+old runs/\ta folder"]),
        ("fish", ["run", "ccd", "--on=l"], ["--on=left\tchannel 1 of bench"]),
        ("powershell", ["run", "ccd", "--on=l"], ["--on=left\tleft\tchannel 1 of bench"]),
        ("powershell", ["check", "mei"], ["'meine zelle.yaml'\tmeine zelle.yaml\tmeine zelle.yaml"]),
        ("powershell", ["show", "old"], [f"'old runs{os.sep}'\told runs{os.sep}\ta folder"]),
    ],
)
def test_each_shell_is_told_in_its_way(shell: str, words: list[str], lines: list[str]) -> None:
    place = asked(app, words)
    assert shells.told(shell, names(place), place.before, place.typed).split("\n") == lines


def answered(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nakctl", "_complete", *words],
        env=ENVIRONMENT, capture_output=True, check=True,
    )  # fmt: skip


def test_the_answer_is_quick_and_in_utf_8() -> None:
    """It loads nothing heavy, and YAML only for the rig and the cells."""
    done = answered("fish", "=run", "=ccd", "=--cell", "=")
    out = [line.split("\t")[0] for line in done.stdout.decode("utf-8").splitlines()]
    assert out[:2] == ["nak50-017", "li-3"] and "meine zelle.yaml" in out
    imported = {line.rsplit(b"|", 1)[-1].strip().split(b".")[0].decode() for line in done.stderr.splitlines()}
    assert not imported & {"numpy", "pydantic", "h5py", "matplotlib", "rich"}


@pytest.mark.parametrize(
    "words", [(), ("fish",), ("nosuchshell", "="), ("bash", "=run", "=\udcff"), ("zsh", "", "")]
)
def test_nothing_is_ever_complained_of(words: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    shells.answer(words)
    assert "Traceback" not in "".join(capfd.readouterr())


def sample(shell: str) -> str:
    found = shutil.which(shell)
    if found is None or os.name == "nt":
        pytest.skip(f"there is no {shell} here")
    return found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_one(shell: str, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(shells.script(shell), "utf-8")
    subprocess.run([sample(shell), "-n", str(tmp_path / "script")], check=True)


def test_the_script_for_powershell_is_plain_ascii() -> None:
    """It comes through a pipe, whose encoding nobody knows."""
    assert shells.script("powershell").isascii()


def test_bash_puts_in_what_it_is_told(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "nakctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nakctl "$@"\n')
    program.chmod(0o755)
    pressed = (
        'eval "$(nakctl completion bash)"; COMP_WORDS=(nakctl show "old\\ runs/"); COMP_CWORD=2; _nakctl; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sample("bash"), "--norc", "-c", pressed],
        env={**ENVIRONMENT, "PATH": path},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == "old runs/ü x.h5\n"
