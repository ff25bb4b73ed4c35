"""Which files of a folder are looked at, which rig is whose, and what changed: with a real git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from nakctl.cli.ci.base import Base, base_of, candidates, pinned, pins_changed, rigs_gone, tables_of
from nakctl.cli.ci.benches import bench_of
from nakctl.cli.ci.cases import looked_at, needs, script_of
from nakctl.cli.ci.differences import at_base, differences
from nakctl.cli.ci.files import found_in, rig_of
from nakctl.cli.ci.runs import Planned, result_names, unplaced
from nakctl.cli.workers import NotRun
from nakctl.errors import InputError

PROTOCOL = "nakctl: 1\nname: x\nlimits: {Ewe: [-1 V, 1 V]}\nsteps:\n  - rest: 1 min\n"
RIG = "nakctl-rig: 1\n"
CELLS = "model: nak\ncells:\n  a: {working: NaK50, composition_wt_percent_K: 50}\n"
Write = Callable[[Mapping[str, str]], Path]
WHO = {
    "GIT_AUTHOR_NAME": "x",
    "GIT_AUTHOR_EMAIL": "x@y.z",
    "GIT_COMMITTER_NAME": "x",
    "GIT_COMMITTER_EMAIL": "x@y.z",
}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "Mein Läb"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(**files: str) -> None:
    for name, text in files.items():
        path = Path(
            name.replace("__", "/").replace("_yaml", ".yaml").replace("_csv", ".csv").replace("_txt", ".txt")
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def git(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        ["git", *words], cwd=cwd, check=True, capture_output=True, env={**os.environ, **WHO}, text=True
    )
    return done.stdout.strip()


def commit(text: str = "x") -> None:
    git("add", "-A")
    git("commit", "-qm", text)


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.as_posix() for path in paths]


@pytest.mark.parametrize("in_git", [True, False])
def test_what_is_ours_is_found(lab: Path, in_git: bool) -> None:
    write(
        a_yaml=PROTOCOL, deep__b_yaml=PROTOCOL.replace("nakctl", "nakclt"), rig_yaml=RIG, cells__c_yaml=CELLS
    )
    write(
        camp_yaml="nakctl-campaign: 1\n",
        other_yaml="on: push\n",
        env__lib__d_yaml=PROTOCOL,
        node_modules__x__e_yaml=PROTOCOL,
    )
    Path("env/pyvenv.cfg").touch()
    Path(".hidden").mkdir()
    Path(".hidden/f.yaml").write_text(PROTOCOL, encoding="utf-8")
    if in_git:
        git("init", "-q", "-b", "main")
        write(old__g_yaml=PROTOCOL, gone_yaml=PROTOCOL)
        commit()
        Path(".gitignore").write_text("old/\nnew/\n", encoding="utf-8")
        write(new__h_yaml=PROTOCOL)
        Path("gone.yaml").unlink()
    found = found_in(Path())
    kept = ["old/g.yaml"] if in_git else []  # git keeps what it kept
    assert names(found.protocols) == ["a.yaml", "deep/b.yaml", *kept]
    others = [names(each) for each in (found.rigs, found.cells, found.campaigns)]
    assert others == [["rig.yaml"], ["cells/c.yaml"], ["camp.yaml"]]


def test_rigs_are_also_looked_for_above_up_to_the_top_of_the_repository(lab: Path) -> None:
    write(rig_yaml=RIG, deep__protocols__a_yaml=PROTOCOL)
    assert names(found_in(Path("deep/protocols")).rigs) == []
    git("init", "-q")
    found = found_in(Path("deep/protocols"))
    assert names(found.rigs) == ["rig.yaml"]
    assert names(found.protocols) == ["deep/protocols/a.yaml"]
    assert names(found_in(Path("deep/protocols/a.yaml")).protocols) == ["deep/protocols/a.yaml"]


def test_the_nearest_rig_is_that_of_a_protocol(lab: Path) -> None:
    rigs = [
        Path("rig.yaml"),
        Path("b/rig.yaml"),
        Path("b/c/bench.yaml"),
        Path("d/one.yaml"),
        Path("d/two.yaml"),
    ]
    rigs += [Path("e/rig.yaml"), Path("e/other.yaml")]
    of = {
        name: rig_of(Path(name), rigs)
        for name in ("a.yaml", "b/a.yaml", "b/c/a.yaml", "b/x/y/a.yaml", "e/a.yaml")
    }
    assert [str(rig and rig.as_posix()) for rig in of.values()] == [
        "rig.yaml", "b/rig.yaml", "b/c/bench.yaml", "b/rig.yaml", "e/rig.yaml",
    ]  # fmt: skip
    assert rig_of(Path("../a.yaml"), rigs) is None
    with pytest.raises(
        InputError, match=r"d holds several rigs \(one.yaml, two.yaml\): call one of them rig.yaml"
    ):
        rig_of(Path("d/a.yaml"), rigs)


@pytest.mark.parametrize(
    ("asked", "environment", "first"),
    [
        ("v1", {"GITHUB_BASE_REF": "main"}, ["v1"]),
        (None, {"GITHUB_BASE_REF": "main"}, ["origin/main"]),
        (None, {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}, ["abc", "origin/main"]),
        (None, {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}, ["origin/main"]),
        (None, {"GITHUB_BASE_REF": ""}, []),
    ],
)  # fmt: skip
def test_whoever_runs_it_says_what_to_compare_with(
    asked: str | None, environment: dict[str, str], first: list[str]
) -> None:
    assert candidates(asked, environment) == first


def why(asked: str | None = None, **environment: str) -> str:
    return base_of(Path(), asked, environment).why


def test_without_a_base_everything_runs_and_it_is_said_why(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(a_yaml=PROTOCOL)
    assert why() == "it is in no repository of git"
    git("init", "-q", "-b", "work")
    assert why() == "no branch to compare with is known: name one with --base"
    git("checkout", "-qb", "main")
    assert "no branch to compare with" in why()
    commit()
    assert why() == "this is main itself, without a change"
    assert why(GITHUB_BASE_REF="main").startswith("origin/main is not here: fetch it")
    with pytest.raises(InputError, match="--base nothing: there is no such revision"):
        why("nothing")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # as in a container
    assert "dubious ownership" in why() and "safe.directory" in why()
    monkeypatch.setenv("PATH", "")
    assert "git" in why() and "not installed" in why()


def test_a_shallow_clone_is_compared_with_what_it_has(lab: Path, tmp_path: Path) -> None:
    git("init", "-q", "-b", "main")
    write(a_yaml=PROTOCOL)
    commit()
    git("checkout", "-qb", "mine")
    write(b_yaml=PROTOCOL)
    commit()
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth", "1", "--branch", "mine", f"file://{lab}", str(clone))
    assert "origin/main is not here" in base_of(clone, None, {"GITHUB_BASE_REF": "main"}).why
    git("fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main", cwd=clone)
    base = base_of(clone, None, {"GITHUB_BASE_REF": "main"})
    assert [path.name for path in base.changed] == ["b.yaml"]


def test_a_protocol_needs_its_tables_rig_and_cells(lab: Path) -> None:
    cell = "{channel: sim-sp300, area: 1 cm2, simulated_as: cells/c.yaml#a}"
    write(rig_yaml=f"{RIG}cells:\n  C7: {cell}\n", cells__c_yaml=CELLS, sub__t_csv="time/s,I/mA\n0,0\n1,1\n")
    write(sub__a_yaml=PROTOCOL.replace("- rest: 1 min", "- profile: t.csv"), sub__other_yaml=PROTOCOL)
    write(sub__broken_yaml="nakctl: [1\n")
    bench = bench_of(Path("rig.yaml"))
    needed = {
        path.relative_to(lab.resolve()).as_posix() for path in needs(script_of(Path("sub/a.yaml"), bench))
    }
    assert needed == {"sub/a.yaml", "sub/t.csv", "rig.yaml", "cells/c.yaml"}
    assert Path("sub/broken.yaml").resolve() in needs(script_of(Path("sub/broken.yaml"), bench))


def test_what_changed_is_what_this_branch_did(lab: Path) -> None:
    git("init", "-q", "-b", "main")
    write(a_yaml=PROTOCOL, b_yaml=PROTOCOL, sub__c_yaml=PROTOCOL)
    commit()
    git("checkout", "-qb", "mine")
    write(a_yaml=PROTOCOL.replace("name: x", "name: y"))
    commit()
    git("checkout", "-q", "main")
    write(b_yaml=PROTOCOL.replace("name: x", "name: z"))
    commit()
    git("checkout", "-q", "mine")
    write(new_yaml=PROTOCOL)
    Path("sub/c.yaml").unlink()
    base = base_of(Path("sub"), None, {})
    changed = {path.relative_to(lab.resolve()).as_posix() for path in base.changed}
    assert changed == {"a.yaml", "new.yaml", "sub/c.yaml"}
    assert base.name.startswith("main (")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("numpy\nnakctl==0.1.0\n# nakctl\n", ["nakctl==0.1.0"]),
        ('name = "nakctl"\nversion = "0.1.0"\nsource = "x"\nname = "y"\n', ['name = "nakctl"', 'version = "0.1.0"', 'source = "x"']),
        ("  - uses: lab/nakctl@v1\n  - run: make\n", ["- uses: lab/nakctl@v1"]),
        ("numpy\n", []),
    ],
)  # fmt: skip
def test_the_lines_that_say_which_nakctl(text: str, lines: list[str]) -> None:
    assert list(pinned(text)) == lines


def test_another_nakctl_concerns_everything(lab: Path, tmp_path: Path) -> None:
    git("init", "-q", "-b", "main")
    write(requirements_txt="nakctl==1\n", notes_txt="nakctl\n")
    commit()
    then = tmp_path / "then"
    then.mkdir()
    (then / "requirements.txt").write_text("nakctl==1\n", encoding="utf-8")
    write(requirements_txt="nakctl==1\nnumpy\n", notes_txt="nakctl 2\n")
    assert pins_changed(base_of(lab, "main", {}), then, lab.resolve()) is None
    write(requirements_txt="nakctl==2\n")
    assert pins_changed(base_of(lab, "main", {}), then, lab.resolve()) == lab.resolve() / "requirements.txt"


def test_a_submodule_is_told_by_its_folder(lab: Path) -> None:
    here = lab.resolve()
    base = Base("main", "1a2b", frozenset({here / "shared"}))
    assert base.concerns([here / "p" / "a.yaml", here / "shared" / "cells" / "c.yaml"])
    assert not base.concerns([here / "p" / "a.yaml", here / "shared.yaml"])


def test_a_rig_that_is_gone_concerns_what_ran_on_it(lab: Path) -> None:
    """What is below it runs on another one now, which did not change itself."""
    git("init", "-q", "-b", "main")
    write(rig_yaml=RIG, sub__rig_yaml=RIG, sub__a_yaml=PROTOCOL, b_yaml=PROTOCOL, sub__old_yaml=PROTOCOL)
    commit()
    Path("sub/rig.yaml").unlink()
    Path("sub/old.yaml").unlink()
    base = base_of(lab, "main", {})
    with at_base(base, lab) as then:
        assert then is not None
        without = rigs_gone(base, then.place)
    bench = bench_of(Path("rig.yaml"))
    concerned = [
        base.concerns(needs(script_of(Path(name), bench)), without) for name in ("sub/a.yaml", "b.yaml")
    ]
    assert concerned == [True, False]


def test_what_changed_is_compared_on_every_cell(lab: Path) -> None:
    """With the rig that was its own; what is the same on several cells is told once."""
    cells = "cells:\n  C7: {channel: sim-sp300, area: 0.5 cm2, simulated_as: NaK50}\n"
    cells += "  C8: {channel: sim-sp300, area: 1 cm2, simulated_as: NaK65}\n"
    strip = PROTOCOL.replace("rest: 1 min", "strip: 0.1 mA\n    for: 1 min")
    git("init", "-q", "-b", "main")
    write(
        rig_yaml=RIG + cells,
        sub__rig_yaml=RIG + cells.replace("0.5", "0.7"),
        a_yaml=strip,
        sub__b_yaml=strip,
        c_yaml=PROTOCOL,
    )
    commit()
    Path("sub/rig.yaml").unlink()
    write(
        rig_yaml=RIG + cells.replace("1 cm2", "2 cm2"),
        c_yaml=PROTOCOL.replace("-1 V", "-2 V").replace("rest: 1", "rest: 2"),
    )
    base, bench = base_of(lab, "main", {}), bench_of(Path("rig.yaml"))
    ready = [
        Planned(0, outcome, one)
        for name in ("a.yaml", "sub/b.yaml", "c.yaml")
        for outcome, one in looked_at(script_of(Path(name), bench))
        if one is not None
    ]
    with at_base(base, lab) as then:
        of_a, of_b, of_c = differences(ready, then, base, None)
    assert "SP-300, C8" in of_a.text and "C7" not in of_a.text and "| area | 1 cm2 | 2 cm2 |" in of_a.text
    assert "| area | 0.7 cm2 | 0.5 cm2 |" in of_b.text and "| area | 1 cm2 | 2 cm2 |" in of_b.text
    assert of_c.text.count("on SP-300") == 2 and of_c.alarming == 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PROTOCOL, "protocols"),
        (RIG, "rigs"),
        (CELLS, "cells"),
        ("nakctl-campaign: 1\n", "campaigns"),
        ("x: 1\n", "protocols"),
    ],
)
def test_one_file_is_looked_at_as_what_it_is(lab: Path, text: str, kind: str) -> None:
    write(x_yaml=text)
    found = found_in(Path("x.yaml"))
    assert getattr(found, kind) == (Path("x.yaml"),) and found.is_one


def test_tables_are_found_in_a_protocol_with_faults() -> None:
    data = {
        "steps": [{"repeat": 2, "steps": [{"profile": "a.csv"}, {"profil": "b.csv"}]}, {"profile": "c.csv"}]
    }
    assert list(tables_of(data)) == ["a.csv", "c.csv"]


def test_every_result_has_a_name_of_its_own() -> None:
    runs = [("protocols/ccd.yaml", "C7"), ("protocols_ccd.yaml", "c7"), ("../a b/ä.yaml", "C7, rest=0.1 s")]
    assert result_names(runs) == ["protocols_ccd_C7", "protocols_ccd_c7_2", "a-b_ä_C7-rest=0.1-s"]


def test_nobody_is_told_of_a_file_that_vanishes() -> None:
    told = NotRun("/tmp/nakctl-ci-x/a_C7.h5: its process ended (signal 9) before the run was over, 2 times")
    said = str(unplaced(told, Path("/tmp/nakctl-ci-x/a_C7.h5")))
    assert said == "its process ended (signal 9) before the run was over, 2 times"
