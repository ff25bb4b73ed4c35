"""The driver that the docs describe, as the package that a reader would make of the page, keeps the promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from samples import samples

from nakctl.device import instrument
from nakctl.errors import RigError
from nakctl.rig import find_rig

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "how-to" / "add-a-driver.md"


def installed(folder: Path) -> None:
    """What pip would make of it: the modules, and who is told of them."""
    files = {each.file: each.text for each in samples(PAGE) if each.file}
    for name, text in files.items():
        path = folder / name.removeprefix("nakctl-ew/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    data = (REPOSITORY / "nakctl/device/instruments/sp300.toml").read_text("utf-8")
    of_it = folder / "nakctl_ew/instruments"
    of_it.mkdir()
    for package in (of_it, of_it.parent):
        (package / "__init__.py").touch()
    (of_it / "ew1.toml").write_text(data.replace('name = "SP-300"', 'name = "EW-1"', 1), "utf-8")
    about = folder / "nakctl_ew-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: nakctl-ew\nVersion: 0.1.0\n", "utf-8")
    points = files["nakctl-ew/pyproject.toml"].split("[project.entry-points.")[1:]
    found = (point.replace('"', "").replace("nakctl.", "[nakctl.", 1) for point in points)
    (about / "entry_points.txt").write_text("".join(found), "utf-8")


def test_it_keeps_them(tmp_path: Path) -> None:
    installed(tmp_path)
    words = ["-p", "no:cacheprovider", "-n", "0", "tests/contract", "--channel", "nakctl_ew.contract:make"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-k", "promises and not adopted"],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "info_says" not in done.stdout and done.stdout.count(".") > 30


def test_it_is_found_with_the_data_that_it_brings_along(tmp_path: Path) -> None:
    installed(tmp_path)
    (tmp_path / "rig.yaml").write_text(
        "nakctl-rig: 1\ndevices: {works: {driver: ew, model: EW-1, address: here, options: {baud: 9600}}}\n"
        "channels: {ew/1: {device: works}}\ncells: {dummy: {channel: ew/1, area: 1 cm2}}\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "nakctl", "plan", "short.yaml", "--on", "ew/1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "on EW-1 (SIMULATED), cell dummy" in done.stdout


WORDS = [
    ("address: here, options: {baud: 9600}", ""),
    ("options: {baud: 9600}", "3:10  it has no address: write where it is"),
    ("address: here, options: {baud: fast}", "3:61  baud is a whole number, such as 9600"),
    ("address: here, options: {bauds: 1}", "3:61  bauds is no word of it: an EW-1 has `address` and"),
    ("address: here, habits: {}", "3:51  habits is no word of it"),
    ("options: {address: here}", "3:46  address stands beside options, not in it"),
    ("address: here, options: {baud: [1]}", "3:6"),
]


@pytest.mark.parametrize(("words", "told"), WORDS, ids=[words for words, _ in WORDS])
def test_it_says_which_words_it_has_in_the_rig(
    words: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for known in (
        instrument._ours,
        instrument._others,
    ):  # whoever ran before in this process saw no such package
        monkeypatch.setattr(instrument, known.__name__, known.__wrapped__)
    file = tmp_path / "rig.yaml"
    device = f"{{driver: ew, model: EW-1, {words}}}"
    file.write_text(
        f"nakctl-rig: 1\ndevices:\n  works: {device}\nchannels: {{ew/1: {{device: works}}}}\n", "utf-8"
    )
    if told:
        with pytest.raises(RigError, match=re.escape(f"rig.yaml:{told}")):
            find_rig(file)
    else:
        assert find_rig(file).place("ew/1").options == {"address": "here", "baud": 9600}


def test_ours_have_no_words_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "rig.yaml"
    file.write_text(
        "nakctl-rig: 1\ndevices: {s: {driver: sim, model: SP-300, options: {baud: 1}}}\n", "utf-8"
    )
    with pytest.raises(RigError, match="the driver sim has no words of its own"):
        find_rig(file)
