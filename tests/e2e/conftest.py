"""Runs that many tests look at are done once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import Said, nakctl, nakctl_here

# A resting cell with one coarse spectrum, then a hold: every table of a file gets rows, in no time.
SHORT = """\
nakctl: 1
name: A short run
params: {rest: 20 s, current: 10 uA}
spectra:
  coarse: {kind: peis, amplitude: 10 mV, from: 1 kHz, to: 10 Hz, per_decade: 3}
record: {every: 1 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 10 h}
steps:
  - rest: $rest
  - peis: coarse
  - strip: $current
    for: 5 s
finally: rest
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that is over, with what the command said."""

    path: Path
    said: Said

    @property
    def report(self) -> Any:
        return self.said.json


@pytest.fixture(scope="session")
def ccd(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """`nakctl run ccd`, the whole experiment."""
    folder = tmp_path_factory.mktemp("ccd")
    return Ran(folder / "ccd.h5", nakctl("run", "ccd", "--json", "--out", "ccd.h5", cwd=folder))


@pytest.fixture(scope="session")
def over(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with short.yaml and x.h5, a run of it that is over: to be looked at."""
    folder = tmp_path_factory.mktemp("over")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    nakctl("run", "short.yaml", "--out", "x.h5", "--quiet", cwd=folder)
    return folder


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """`here("check", "ccd")`: the command line in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: nakctl_here(*args, capsys=capsys)


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A folder with the protocol short.yaml."""
    (tmp_path / "short.yaml").write_text(SHORT, encoding="utf-8")
    return tmp_path
