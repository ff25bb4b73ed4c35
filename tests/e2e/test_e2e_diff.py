"""`nakctl diff`, as typed, in a repository of git."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said, refused
from short_run import SHORT

from nakctl.cli.revision import base_of_review

Here = Callable[..., Said]
WIDER = SHORT.replace("[-1 V, 1 V]", "[-1 V, 2 V]").replace("current: 10 uA", "current: 20 uA")
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(*words: str, cwd: Path) -> None:
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    subprocess.run(
        ["git", *words],
        cwd=cwd,
        check=True,
        capture_output=True,
        env=os.environ | who | {"GIT_CONFIG_GLOBAL": os.devnull},
    )


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the protocol a.yaml, a rig and a folder; its branch `main` has nothing that is not committed."""
    folder = tmp_path / "Mein Läb" / "protocols"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(SHORT, encoding="utf-8")
    (folder / "rig.yaml").write_text(
        "nakctl-rig: 1\ncells:\n  mine: {channel: sim-sp300, area: 0.5 cm2, simulated_as: NaK50}\n",
        encoding="utf-8",
    )
    git("init", "-q", "-b", "main", cwd=tmp_path / "Mein Läb")
    git("add", "-A", cwd=folder)
    git("commit", "-qm", "a", cwd=folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def diff(here: Here, lab: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.chdir(lab)
    return lambda *args: here("diff", "--on", "sim-sp300", *args)


def test_a_file_beside_what_it_was(diff: Here, lab: Path) -> None:
    assert diff("main:a.yaml", "a.yaml").out == "main:a.yaml -> a.yaml, on SP-300, cell mine: the same text\n"
    (lab / "a.yaml").write_text(SHORT.replace(": ", ":  "), encoding="utf-8")
    said = diff("--exit-code", "main:a.yaml", "a.yaml")
    assert (said.code, said.out) == (0, "main:a.yaml -> a.yaml, on SP-300, cell mine: means the same\n")
    (lab / "a.yaml").write_text(WIDER, encoding="utf-8")
    said = diff("main:a.yaml", "a.yaml")
    assert said.code == 0
    assert said.out.splitlines()[1] == "  ! WIDER: limit: Ewe above: 1 -> 2 V"
    assert "      current: 0.02 -> 0.04 mA/cm2 (+100 %)" in said.out
    assert diff("--exit-code", "main:a.yaml", "a.yaml").code == 1
    assert (
        diff("--json", "main:a.yaml", "a.yaml").json["files"][0]["difference"]["alarming"][0]["weight"]
        == "wider"
    )


def test_all_that_changed_since_a_branch(diff: Here, lab: Path) -> None:
    assert diff("--base", "main").out == "no protocol has changed\n"
    git("checkout", "-qb", "mine", cwd=lab)
    (lab / "new.yaml").write_text(SHORT, encoding="utf-8")
    (lab / "b.yaml").write_text(SHORT.replace("nakctl: 1", "nakctl: 2"), encoding="utf-8")
    (lab / "a.yaml").write_text(WIDER, encoding="utf-8")
    (lab / "other.yaml").write_text("on: push\n", encoding="utf-8")
    git("add", "-A", cwd=lab)
    git("commit", "-qm", "b", cwd=lab)
    git("checkout", "-q", "main", cwd=lab)
    (lab / "of-others.yaml").write_text(SHORT, encoding="utf-8")
    git("add", "-A", cwd=lab)
    git("commit", "-qm", "c", cwd=lab)
    git("checkout", "-q", "mine", cwd=lab)
    said = diff("--base", "main", "--markdown")
    assert said.code == 2 and said.err.startswith("b.yaml:1:9  ")
    heads = [line for line in said.out.splitlines() if line.startswith("####")]
    assert heads == ["#### a.yaml", "#### new.yaml"]
    assert "\n- **WIDER**: limit: Ewe above: 1 -> 2 V\n" in said.out.replace("&#45;", "-")
    (lab / "b.yaml").write_text(SHORT, encoding="utf-8")
    (lab / "a.yaml").unlink()
    out = diff("--base", "mine").out
    assert out.startswith("a.yaml: removed\n\nb.yaml: could not be read at mine, and is now: A short run, ")
    assert "\nmine:b.yaml:1:9  " in out


def test_the_other_side_has_its_own_rig_and_tables(diff: Here, lab: Path) -> None:
    """A cell of another area is another current, though no protocol has changed."""
    rig = (lab / "rig.yaml").read_text(encoding="utf-8")
    (lab / "rig.yaml").write_text(rig.replace("0.5 cm2", "1 cm2"), encoding="utf-8")
    out = diff("--base", "main", ".").out
    assert "in all: area                 0.5 -> 1 cm2 (+100 %)" in out
    table = SHORT.replace("  - rest: $rest\n", "  - rest: $rest\n  - profile: p.csv\n")
    (lab / "a.yaml").write_text(table, encoding="utf-8")
    (lab / "p.csv").write_text("time/s,I/uA\n0,10\n10,20\n", encoding="utf-8")
    git("add", "-A", cwd=lab)
    git("commit", "-qm", "d", cwd=lab)
    (lab / "p.csv").write_text("time/s,I/uA\n0,30\n10,20\n", encoding="utf-8")
    assert "current: 0.01 -> 0.03 mA/cm2 (x 3)" in diff("main:a.yaml", "a.yaml").out


def test_slips(diff: Here, here: Here, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(diff("a.yaml")).startswith("name two protocols, or one revision and files")
    assert "has no revision nope" in refused(diff("--base", "nope"))
    assert refused(diff("main:b.yaml", "a.yaml")) == "there is no file b.yaml at main\n"
    assert refused(diff("--base", "--output=x")).endswith("git branch --all lists branches\n")
    monkeypatch.chdir(tmp_path)
    assert "not a git repository" in refused(here("diff", "--base", "main"))


@pytest.mark.parametrize(
    ("environment", "base"),
    [
        ({"GITHUB_BASE_REF": "main"}, "origin/main"),
        ({"GITHUB_BASE_REF": "", "GITHUB_REF": "refs/heads/main"}, None),  # a push
        ({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc"}, "abc"),
        ({}, None),
    ],
)
def test_the_base_of_a_review(environment: dict[str, str], base: str | None) -> None:
    assert base_of_review(environment) == base
