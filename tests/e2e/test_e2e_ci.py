"""`nakctl ci` on a lab's repository: what fails says so, what did not change is left out, Ctrl-C leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from command_line import ENVIRONMENT, Going, Said, helpers_of, nakctl, nakctl_here, refused
from patience import until

RIG = """\
nakctl-rig: 1
devices:
  bench: {driver: biologic, model: VMP-3, address: 192.0.2.7}
channels:
  A1: {device: bench, channel: 1}
  A2: {device: bench, channel: 2}
cells:
  C7: {channel: A1, area: 0.5 cm2, working: NaK50, counter: Na, simulated_as: cells/mine.yaml}
  C8: {channel: A2, area: 0.5 cm2, working: NaK50, counter: Na, simulated_as: cells/mine.yaml}
  D1: {channel: A2, area: 1 cm2, working: NaK50}
"""
CELLS = (
    "model: nak\ncells:\n  thick: {working: NaK50, composition_wt_percent_K: 50, pellet_thickness: 3 mm}\n"
)
HEAD = "nakctl: 1\nname: x\nparams: {hold: 1 min}\nlimits: {Ewe: [-3 V, 3 V], I: 1 mA, time: 1 h}\nrecord: {every: 10 s}\n"
STRIP = "steps:\n  - strip: 0.1 mA/cm2\n    for: $hold\n"
MET = HEAD + "expect: {ends: all steps done, stripped: [1, 2] uAh/cm2, at_most: 2 min}\n" + STRIP
LIMIT = MET.replace("-3 V, 3 V", "-3 V, 20 mV").replace("ends: all steps done, ", "")
NOT_MET = HEAD + "expect:\n  - {cell: NaK50, set: {hold: 2 min}, stripped: {above: 5 uAh/cm2}}\n" + STRIP
WRONG = MET.replace("0.1 mA/cm2", "50 mA")
MISSPELT = MET.replace("nakctl", "nakclt")
FOREVER = HEAD.replace("1 h}", "3000 d}") + "steps:\n  - repeat: forever\n    steps: [{rest: $hold}]\n"
# Who runs these tests may be an action of GitHub's itself.
PLAIN = {name: value for name, value in ENVIRONMENT.items() if not name.startswith(("GITHUB_", "CI"))}
WHO = {f"GIT_{who}_{what}": "x@y.z" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, env={**os.environ, **WHO}, capture_output=True)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with all that can fail, looked at once: said.json, junit.xml, summary.md."""
    folder = write(
        tmp_path_factory.mktemp("ci") / "Mein Läb",
        {
            "rig.yaml": RIG, "cells/mine.yaml": CELLS, "p/met.yaml": MET, "p/limit.yaml": LIMIT, "p/not-met.yaml": NOT_MET,
            "p/wrong.yaml": WRONG, "p/misspelt.yaml": MISSPELT, "other.yaml": "on: push\n",
        },
    )  # fmt: skip
    environment = {**PLAIN, "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(folder.parent)}
    options = ("--json", "--junit", "out/junit.xml", "--summary", "out/summary.md", "--keep", "out/runs")
    said = nakctl("ci", *options, cwd=folder, environment=environment)
    write(folder, {"out/said.json": said.out, "out/err.txt": said.err, "out/code": str(said.code)})
    return folder


def told(broken: Path) -> dict[str, dict[str, object]]:
    results = json.loads((broken / "out/said.json").read_text("utf-8"))["results"]
    return {Path(one["protocol"]).name: one for one in results}


@pytest.mark.parametrize(
    ("name", "verdict", "line", "says"),
    [
        ("met.yaml", "ok", 0, ""),
        ("limit.yaml", "STOPPED", 4, "C7: limit: Ewe above 20 mV after "),
        (
            "not-met.yaml",
            "NOT MET",
            7,
            "NaK50, hold=2 min: stripped 3.333 uAh/cm2 (expected above 5 uAh/cm2)",
        ),
        ("wrong.yaml", "FAULT", 8, "|I| reaches 50 mA, above limits.I of 1 mA"),
        ("misspelt.yaml", "FAULT", 1, "did you mean nakctl?"),
    ],
)
def test_what_fails_is_told_with_its_place(
    broken: Path, name: str, verdict: str, line: int, says: str
) -> None:
    one = told(broken)[name]
    assert one["verdict"] == verdict
    errors = one["errors"]
    assert isinstance(errors, list)
    assert [error["line"] for error in errors[:1]] == ([line] if line else [])
    assert all(says in error["message"] for error in errors[:1])


def test_all_of_it_is_in_each_report(broken: Path) -> None:
    assert (broken / "out/code").read_text() == "2"
    summary = (broken / "out/summary.md").read_text("utf-8")
    assert summary.startswith(
        "## Dry runs: 1 of 5 as expected, 2 with faults, 1 stopped, 1 not as expected\n"
    )
    assert (
        "| ✓ | p/met.yaml | C7 (as mine, 0.5 cm2, VMP-3; as C8) | all steps done | 60.5 s | stripped 1.6"
        in summary
    )
    assert "✗ **stripped 3.333 uAh/cm2**, expected above 5 uAh/cm2" in summary
    assert "warning: rig.yaml:10:3 D1: no dry run, add simulated&#95;as to it" in summary
    cases = [*Xml.parse(broken / "out/junit.xml").getroot().iter("testcase")]
    failed = {
        f"{case.get('classname')} {case.get('name')}" for case in cases if case.find("failure") is not None
    }
    assert failed == {
        "p/limit.yaml C7: dry run", "p/limit.yaml C7: expect stripped 1 to 2 uAh/cm2", "p/wrong.yaml C7: plan",
        "p/not-met.yaml NaK50, hold=2 min: expect stripped above 5 uAh/cm2", "p/misspelt.yaml check",
    }  # fmt: skip
    annotations = (broken / "out/err.txt").read_text("utf-8").splitlines()
    assert "::error file=Mein Läb/p/misspelt.yaml,line=1,col=1,title=nakctl::nakclt is no word" in "\n".join(
        annotations
    )
    assert len([line for line in annotations if line.startswith("::error ")]) == 5


def test_the_result_files_are_kept_where_it_was_asked_for(broken: Path) -> None:
    kept = sorted(path.name for path in (broken / "out/runs").iterdir())
    assert kept == ["p_limit_C7.h5", "p_met_C7.h5", "p_not-met_NaK50-hold=2-min.h5"]
    said = nakctl("ci", "--keep", "out/runs", cwd=broken, environment=PLAIN)
    assert "out/runs holds result files" in refused(said).replace(os.sep, "/")


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """On a branch of its own, where nothing has changed yet."""
    folder = write(
        tmp_path / "Läb",
        {"rig.yaml": RIG, "cells/mine.yaml": CELLS, "p/a.yaml": MET, "p/b.yaml": MET, "p/old.yaml": MET},
    )
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")
    git(folder, "checkout", "-qb", "mine")
    write(folder, {"README.md": "mine\n"})
    return folder


def test_only_what_changed_is_run_and_compared(lab: Path) -> None:
    write(lab, {"p/a.yaml": MET.replace("-3 V, 3 V", "-3 V, 5 V"), "p/new.yaml": MET})
    (lab / "p/old.yaml").unlink()
    said = nakctl("ci", "--summary", "-", cwd=lab, environment=PLAIN)
    assert said.code == 0, said.err
    assert [line.split()[:2] for line in said.err.splitlines() if line.startswith("ok")] == [
        ["ok", "rig.yaml:"], ["ok", "cells/mine.yaml:"], ["ok", "p/a.yaml"], ["ok", "p/new.yaml"],
    ]  # fmt: skip
    assert "left out: p/b.yaml: it did not change since main (" in said.err
    assert "- **p/a.yaml protects the cell less, or disturbs it more, than at main (" in said.out
    assert "- **WIDER**: limit: Ewe above: 3 -> 5 V" in said.out.replace("&#45;", "-")
    assert "#### p/new.yaml\n\nnew\n" in said.out
    assert "- p/old.yaml is gone" in said.out


def test_a_wrong_current_is_shown_beside_the_right_one(lab: Path) -> None:
    """Though it cannot run."""
    write(lab, {"p/b.yaml": WRONG})
    said = nakctl("ci", "--summary", "-", cwd=lab, environment=PLAIN)
    assert said.code == 2
    assert "| current | 0.1 mA/cm2 | 100 mA/cm2 |" in said.out


def test_a_cell_that_changed_concerns_those_that_run_on_it(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        lab,
        {"cells/mine.yaml": CELLS.replace("3 mm", "2 mm"), "q/c.yaml": MET.replace("nakctl: 1", "nakctl: 2")},
    )
    (lab / "p/b.yaml").unlink()
    (lab / "p/old.yaml").unlink()
    said = nakctl("ci", cwd=lab, environment=PLAIN)
    assert said.code == 2
    assert [line.split()[0] for line in said.out.splitlines() if " on C7" in line or "c.yaml" in line][
        :2
    ] == ["ok", "FAULT"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(PLAIN):
        monkeypatch.delenv(name)
    return lambda *args: nakctl_here("ci", *args, capsys=capsys)


CAMPAIGN = "nakctl-campaign: 1\nname: y\nruns:\n  - protocol: a.yaml\n    cell: NaK5\n"
EDGES = [
    ({"a.yaml": MET.replace("nakctl: 1", "nakctl: 2"), "c.yaml": CAMPAIGN}, (), 2, "FAULT    c.yaml\n"),
    ({}, (), 2, "holds no protocol, no rig and no cells"),
    ({"x.yaml": "on: push\n"}, (), 2, "holds no protocol"),
    ({}, ("nowhere",), 2, "nowhere: there is no such folder"),
    ({"a.yaml": MET}, ("--timeout", "5"), 2, "--timeout 5 has no unit"),
    ({"a.yaml": MET}, ("--rig", "none.yaml"), 2, "--rig none.yaml: there is no such file"),
    ({"a.yaml": MET}, ("--base", "main"), 2, "not a git repository"),
    ({"a.yaml": MET, "x": ""}, ("--keep", "x"), 2, "--keep x: name a folder"),
    ({"a.yaml": MET, "x/y": ""}, ("--junit", "x"), 2, "--junit x is a folder: name a file"),
    ({"a.yaml": MET}, ("--summary", "a.yaml/x/s.md"), 2, "--summary a.yaml/x/s.md cannot be written: "),
    ({"a.yaml": MET}, ("a.yaml", "--base", "main"), 2, "not a git repository"),
    ({"rig.yaml": RIG.replace("channel: A1", "channel: A9"), "a.yaml": MET}, (), 2, "skipped  a.yaml: no dry run: rig.yaml has faults"),
    ({"rig.yaml": RIG, "a.yaml": MET}, (), 2, "C7 in rig.yaml, simulated_as: "),  # a file that is not there
    ({"rig.yaml": RIG.replace(", simulated_as: cells/mine.yaml", ""), "a.yaml": MET}, (), 0, "skipped  a.yaml on C7: no dry run: no cell of rig.yaml says what simulates it"),
    ({"r/one.yaml": "nakctl-rig: 1\n", "r/two.yaml": "nakctl-rig: 1\n", "r/a.yaml": MET}, (), 2, "r holds several rigs (one.yaml, two.yaml)"),
    ({"a.yaml": MET.replace("{ends", "{cell: NaK5, ends")}, (), 2, "a.yaml:6:16  there is no cell NaK5; did you mean NaK50 or NaK65?"),
    ({"rig.yaml": RIG, "cells/mine.yaml": CELLS, "a.yaml": MET.replace("{ends", "{cell: D1, ends")}, (), 2, "a.yaml:6:16  rig.yaml does not say what simulates D1: add simulated_as to it"),
    ({"cells.yaml": CELLS.replace("3 mm", "3 V")}, (), 2, "cells.yaml:3:"),
    ({"a.yaml": MET.replace("steps:", "steps:\n  - wait: {sensor: p, within: 1 bar, of: 2 bar, for: 1 s, at_most: 1 h, then: end run}")}, (), 2, "there is no sensor p"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "options", "code", "says"), EDGES)
def test_what_cannot_run_is_told(
    here: object, tmp_path: Path, files: dict[str, str], options: tuple[str, ...], code: int, says: str
) -> None:
    write(tmp_path, files)
    assert callable(here)
    said: Said = here(*options)
    assert said.code == code
    assert says in (said.out + said.err).replace(os.sep, "/")
    assert "Traceback" not in said.out + said.err


def test_a_dry_run_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": FOREVER})
    said = nakctl("ci", "--timeout", "2 s", cwd=tmp_path, environment=PLAIN)
    assert said.code == 1
    assert "NaK50: it did not end within 2 s" in said.out
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes there")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    passing = tmp_path / "passing"
    passing.mkdir()
    lab = write(tmp_path / "lab", {"a.yaml": FOREVER, "b.yaml": FOREVER})
    with Going(
        "ci", "--jobs", "2", "--summary", "s.md", cwd=lab, environment={**PLAIN, "TMPDIR": str(passing)}
    ) as going:
        until(lambda: len(going.process.runners) == 2)
        until(lambda: bool([*passing.glob("nakctl-ci-*/.nakctl-*/*")]))
        said = going.end(signal.SIGINT)
        assert said.code == 130
        assert "nothing to run, interrupted with 2 to go" in said.out
        assert [each for pid in going.process.runners for each in helpers_of(pid)] == []
        assert not any(Path(f"/proc/{pid}").exists() for pid in going.process.runners)
    assert [*passing.glob("nakctl-*")] == []
    assert sorted(path.name for path in lab.iterdir()) == ["a.yaml", "b.yaml", "s.md"]
