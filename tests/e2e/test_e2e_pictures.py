"""Pictures: they are made, never over another file, and hold what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said, nakctl, refused
from short_run import Ran

Here = Callable[..., Said]
PNG, PDF = b"\x89PNG\r\n\x1a\n", b"%PDF-"


@pytest.mark.parametrize("protocol", ["ccd", "pulsed-strip", "plate-geis-ocv"])
def test_a_plan_is_drawn(protocol: str, here: Here, tmp_path: Path) -> None:
    said = here("plan", protocol, "--plot", "plan.png")
    assert said.code == 0
    assert "in all" in said.out
    picture = (tmp_path / "plan.png").read_bytes()
    assert picture.startswith(PNG)
    assert len(picture) > 20_000


def test_a_run_is_drawn(ccd: Ran, here: Here, tmp_path: Path) -> None:
    assert here("plot", ccd.path, "-o", "run.pdf").code == 0
    assert (tmp_path / "run.pdf").read_bytes().startswith(PDF)


def test_the_picture_of_a_run_lies_beside_it(short: Path) -> None:
    assert nakctl("run", "short.yaml", "--quiet", "--out", "x.h5", cwd=short).code == 0
    assert nakctl("plot", "x.h5", cwd=short).out == "x.png\n"
    assert (short / "x.png").read_bytes().startswith(PNG)


def test_no_picture_is_overwritten(ccd: Ran, here: Here, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"precious")
    assert "exists already" in refused(here("plot", ccd.path, "-o", "x.png"))
    assert "exists already" in refused(here("plan", "ccd", "--plot", "x.png"))
    assert (tmp_path / "x.png").read_bytes() == b"precious"
