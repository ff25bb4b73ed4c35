"""A lab's repository as `nakctl new` begins it: everything in it passes, and the workflow's steps as written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import check_jsonschema
import pytest
import yaml
from command_line import ENVIRONMENT, Said, refused

from nakctl.cli import new
from nakctl.cli.app import app
from nakctl.convert.formatting import formatted
from nakctl.protocol import library
from nakctl.text.reader import read_file

Here = Callable[..., Said]
ROOT = Path(__file__).parents[2]
HAS_CI = "ci" in {
    command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "Läb of ours"
    assert new.new(folder, None, git=False, as_json=True) == 0
    return folder


@pytest.fixture
def inside(here: Here, lab: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.chdir(lab)
    return here


def test_all_of_it_passes(inside: Here, lab: Path) -> None:
    assert inside("format", "--check").code == 0
    said = inside("check", "--dry", ".")
    assert said.code == 0, said.err
    assert "protocols/ccd.yaml: ok on dry-gb-ch1, cell nak50-017" in said.out.replace(os.sep, "/")
    assert inside("rig", "check", "rig.yaml").code == 0
    assert inside("plan", "--dry", "protocols/pristine-eis.yaml").code == 0


def test_what_the_hooks_say_is_what_nakctl_takes(inside: Here, lab: Path) -> None:
    """On all YAML files of the repository, as pre-commit hands them over."""
    [local] = yaml.safe_load((lab / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    shipped = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    files = [str(path.relative_to(lab)) for path in sorted(lab.rglob("*.y*ml"))]
    assert len(files) == 8
    for hook in (
        *local["hooks"],
        *({**each, "entry": f"{each['entry']} --dry"} for each in shipped if "check" in each["id"]),
    ):
        program, *words = hook["entry"].split()
        assert program == "nakctl"
        said = inside(*words, *files)
        assert said.code == 0, (hook["id"], said)
    assert {hook["id"] for hook in shipped} == {hook["id"] for hook in local["hooks"]}


def test_each_file_is_whole_and_nothing_of_the_template_is_left(lab: Path) -> None:
    names = {path.relative_to(lab).as_posix() for path in lab.rglob("*") if path.is_file()}
    assert names >= {
        ".github/workflows/dry-run.yml",
        ".gitlab-ci.yml",
        ".gitignore",
        ".gitattributes",
        ".vscode/settings.json",
    }
    for name in names:
        text = (lab / name).read_text(encoding="utf-8")
        assert text.endswith("\n") and "\r" not in text and not re.search(r"@[A-Z]+@", text), name
    assert (lab / "README.md").read_text(encoding="utf-8").startswith("# Läb of ours\n")
    for name in new.COPIED:
        assert (lab / "protocols" / f"{name}.yaml").read_bytes() == library.find(name).read_bytes()
    settings = json.loads((lab / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    assert all((lab / schema).is_file() for schema in settings["yaml.schemas"])


def test_the_example_of_the_cell_file_is_one(lab: Path, tmp_path: Path, here: Here) -> None:
    """Its commented lines can be used as they stand."""
    text = (lab / "cells" / "nak50.yaml").read_text(encoding="utf-8")
    assert "    # parameters:\n" in text
    (tmp_path / "mine.yaml").write_text(text.replace("    # ", "    "), encoding="utf-8")
    assert here("check", "mine.yaml").out == "mine.yaml: ok, 1 simulated cell: nak50\n"
    document = read_file(tmp_path / "mine.yaml")
    assert formatted(document) == document.text


def test_nothing_is_overwritten(here: Here, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("a", encoding="utf-8")
    assert refused(here("new", "full", "--no-git")) == "full is not empty (a.txt): nothing is overwritten\n"
    assert refused(here("new", "full/a.txt")).endswith("is a file: name a folder\n")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["a.txt"]


def test_what_was_begun_and_not_ended_is_in_nobodys_way(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed half-way there is a hidden folder; where there is no room, nothing."""
    with monkeypatch.context() as broken:
        broken.setattr(new, "COPIED", ("ccd", "is-not-there"))
        assert here("new", "lab", "--no-git").code == 1
    assert [*tmp_path.iterdir()] == []
    (tmp_path / "lab" / ".nakctl-new" / "protocols").mkdir(parents=True)
    assert here("new", "lab", "--no-git").code == 0
    assert not (tmp_path / "lab" / ".nakctl-new").exists()
    assert "--nakctl: one line" in refused(here("new", "other", "--nakctl", "a\nb"))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_repository_is_begun_unless_one_is_there(here: Here, tmp_path: Path) -> None:
    said = here("new", "deep/lab", "--nakctl", "nakctl @ git+https://example.org/nakctl@v1", "--json")
    assert (said.code, said.json["git"]) == (0, True)
    assert (tmp_path / "deep" / "lab" / ".git" / "HEAD").read_text().strip() == "ref: refs/heads/main"
    assert (
        (tmp_path / "deep/lab/requirements.txt")
        .read_text(encoding="utf-8")
        .endswith("\nnakctl @ git+https://example.org/nakctl@v1\n")
    )
    (tmp_path / "deep" / "lab" / "empty").mkdir()
    assert here("new", "deep/lab/empty", "--json").json["git"] is False


@pytest.mark.parametrize(
    ("origin", "asked"),
    [
        (None, r"nakctl==\d+\.\d+.*"),
        ('{"url": "file:///x", "dir_info": {"editable": true}}', r"nakctl==\d+\.\d+.*"),
        (
            '{"url": "https://h/n.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}',
            r"nakctl @ git\+https://h/n\.git@abc",
        ),
    ],
)
def test_what_is_installed_there_is_what_was_installed_here(
    origin: str | None, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            return origin

    monkeypatch.setattr(new, "distribution", lambda name: Installed())
    assert re.fullmatch(asked, new.of_this_one())


# --- workflows ---------------------------------------------------------------------------------------------


def workflow_of(lab: Path) -> dict[str, Any]:
    found = yaml.safe_load((lab / ".github" / "workflows" / "dry-run.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def steps_of(path: Path) -> Iterator[dict[str, Any]]:
    """All steps of a workflow or an action."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    for job in [found.get("runs"), *found.get("jobs", {}).values()]:
        yield from (job or {}).get("steps", ())


GITHUB = (
    ROOT / "action.yml",
    ROOT / ".github/workflows/tests.yml",
    ROOT / "nakctl/templates/lab/.github/workflows/dry-run.yml",
)
GITLAB = (ROOT / "templates/nakctl.gitlab-ci.yml", ROOT / "nakctl/templates/lab/.gitlab-ci.yml")


@pytest.mark.parametrize(("schema", "paths"), [
    ("vendor.github-actions", GITHUB[:1]), ("vendor.github-workflows", GITHUB[1:]), ("vendor.gitlab-ci", GITLAB),
])  # fmt: skip
def test_they_are_as_their_published_schemas_have_it(schema: str, paths: tuple[Path, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        check_jsonschema.main(["--builtin-schema", schema, *map(str, paths)])
    assert ended.value.code == 0


@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_nothing_that_others_write_becomes_part_of_a_script(path: Path) -> None:
    """A branch may be called `$(rm -rf .)`: what comes from outside goes through the environment."""
    for step in steps_of(path):
        assert "${{" not in step.get("run", ""), step
        assert "run" in step or re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]), step


def test_only_the_job_that_runs_nothing_of_a_review_may_write(lab: Path) -> None:
    workflow = workflow_of(lab)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow[True].keys() == {"pull_request", "push"}  # `on`, in YAML 1.1; not pull_request_target
    writing = {name: job for name, job in workflow["jobs"].items() if "write" in str(job.get("permissions"))}
    assert writing.keys() == {"comment"}
    assert not any("checkout" in step.get("uses", "") for step in writing["comment"]["steps"])
    assert "head.repo.full_name == github.repository" in writing["comment"]["if"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="the steps are for bash")
@pytest.mark.parametrize("path", GITHUB, ids=lambda path: path.name)
def test_the_scripts_are_bash(path: Path) -> None:
    for step in steps_of(path):
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


COMMENTING = """\
case "$*" in
  *--paginate*) echo "$KNOWN";;
  *) printf '%s\\n' "$@" > "$CALLS";;
esac
"""


@pytest.mark.skipif(os.name != "posix" or shutil.which("bash") is None, reason="the steps are for bash")
@pytest.mark.parametrize("where", ["workflow", "action"])
@pytest.mark.parametrize(("known", "method"), [("", "POST"), ("17\n18", "PATCH")])
def test_there_is_one_comment_however_often_it_runs(
    where: str, known: str, method: str, tmp_path: Path
) -> None:
    """Only `gh` is none: what it is told is kept."""
    [step] = [
        step for step in steps_of(GITHUB[0 if where == "action" else 2]) if "gh api" in step.get("run", "")
    ]
    (tmp_path / "dry-runs").mkdir()
    (tmp_path / "dry-runs" / "summary.md").write_text("# all passed\n", encoding="utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(f"#!/bin/sh\n{COMMENTING}")
    (tmp_path / "bin" / "gh").chmod(0o755)
    told = {"GITHUB_REPOSITORY": "a/b", "NUMBER": "3", "KNOWN": known, "CALLS": str(tmp_path / "calls")}
    told |= {"RESULTS": "dry-runs", "RUNNER_TEMP": ".", "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=tmp_path, env=told, check=True)
    call = (tmp_path / "calls").read_text(encoding="utf-8").split("\n")
    target = "repos/a/b/issues/comments/17" if known else "repos/a/b/issues/3/comments"
    assert call[:5] == ["api", "--silent", "--method", method, target]
    assert (tmp_path / "comment.md").read_text(encoding="utf-8") == "<!-- nakctl dry runs -->\n# all passed\n"


@pytest.mark.skipif(not HAS_CI, reason="nakctl ci is not there yet")
@pytest.mark.skipif(
    os.name != "posix" or shutil.which("git") is None, reason="the steps are for bash, in a repository"
)
def test_the_steps_of_the_workflow_run_as_written(tmp_path: Path) -> None:
    """In a shell, in the new repository; nakctl is that which is tested, and not one that pip would fetch."""
    folder = tmp_path / "Läb"
    assert new.new(folder, None, git=True, as_json=True) == 0
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nakctl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nakctl "$@"\n')
    (tmp_path / "bin" / "nakctl").chmod(0o755)
    summary = tmp_path / "step-summary.md"
    told = ENVIRONMENT | {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    for words in (["add", "-A"], ["commit", "-qm", "begun"]):
        subprocess.run(["git", *words], cwd=folder, env=told | who, check=True)
    steps = [step for step in workflow_of(folder)["jobs"]["dry-run"]["steps"] if "run" in step]
    assert steps[0]["run"] == "python -m pip install -r requirements.txt"
    for step in steps[1:]:
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], cwd=folder, env=told, capture_output=True, text=True
        )
        assert done.returncode == 0, (step, done.stdout, done.stderr)
    assert "ccd" in summary.read_text(encoding="utf-8")
    assert (folder / "dry-runs" / "junit.xml").is_file()
