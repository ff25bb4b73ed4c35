"""Files of two releases of the OEM package do not work together, and are told apart."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from nakctl_biologic.codes import Board
from nakctl_biologic.packages import check_files, needed

LIBRARIES = {"5.35": "5.35.0.0", "6.01": "1.0.0.0", "6.04": "6.4.0.0", "6.08": "6.8.1.0"}
TWO = (Board.ESSENTIAL, Board.PREMIUM)


def bundled(release: str) -> Path:
    """The files that easy-biologic comes with; importing it works on Windows only."""
    found = find_spec("easy_biologic")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / f"techniques-{release}"


@pytest.mark.parametrize("release", LIBRARIES)
def test_a_release_goes_with_its_own_library(release: str) -> None:
    found = list(check_files(bundled(release), LIBRARIES[release], TWO))
    assert [each.severity for each in found] == ["ok", "ok"]
    assert all(f"package {release}" in each.fact for each in found)


@pytest.mark.parametrize(
    ("release", "library"), [("6.04", "6.8.1.0"), ("6.08", "6.4.0.0"), ("5.35", "6.8.1.0")]
)
def test_a_folder_of_another_release_does_not(release: str, library: str) -> None:
    (found,) = check_files(bundled(release), library, [Board.PREMIUM])
    assert found.severity == "error"
    assert "kernel4.bin is of" in found.fact
    assert "one and the same OEM package" in found.remedy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of 6.08 that an SP-300 needs, to spoil."""
    for name in needed(Board.PREMIUM):
        shutil.copy(bundled("6.08") / name, tmp_path)
    return tmp_path


def test_one_file_of_another_release_is_named(folder: Path) -> None:
    shutil.copy(bundled("6.04") / "geis4.ecc", folder)
    (found,) = check_files(folder, "6.8.1.0", [Board.PREMIUM])
    assert found.severity == "error"
    assert found.fact.endswith("but geis4.ecc is of 5.35 6.01 6.04")


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "loop4.ecc").unlink()
    (found,) = check_files(folder, "6.8.1.0", [Board.PREMIUM])
    assert found.severity == "error"
    assert "lacks loop4.ecc for PREMIUM boards" in found.fact


def test_a_build_that_nobody_knows_is_not_accused(folder: Path) -> None:
    (folder / "geis4.ecc").write_bytes(b"a newer build of the same release")
    (found,) = check_files(folder, "6.8.1.0", [Board.PREMIUM])
    assert found.severity == "ok"


def test_files_of_a_library_that_is_not_listed_are_not_compared(folder: Path) -> None:
    (found,) = check_files(folder, "6.11.1.0", [Board.PREMIUM])
    assert found.severity == "ok"
    assert "cannot be told" in found.fact
