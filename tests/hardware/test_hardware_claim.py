"""Two runs on one channel are refused, and told of each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nakctl.device.driver import Place
from nakctl.errors import ChannelError, ExitCode
from nakctl.rig.claim import claimed, holder

REAL = Place("glovebox-2/ch3", "biologic", "SP-300", 3, {"address": "192.0.2.7"})
SAME = Place("mine", "biologic", "SP-300", 3, {"address": " 192.0.2.7"})
OTHER = Place("glovebox-2/ch4", "biologic", "SP-300", 4, {"address": "192.0.2.7"})
SIMULATED = Place("sim-sp300", "sim", "SP-300", 1, {})

CHILD = """
import sys
from pathlib import Path
from nakctl.device.driver import Place
from nakctl.rig.claim import claimed
place = Place("theirs", "biologic", "SP-300", 3, {"address": "192.0.2.7"})
with claimed(place, "CCD, cell 7", Path("theirs.h5")):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAKCTL_CLAIMS", str(tmp_path / "claims"))
    return tmp_path


def test_a_second_run_is_refused_with_the_name_of_the_first(folder: Path) -> None:
    with (
        claimed(REAL, "CCD, cell 7", folder / "a.h5"),
        pytest.raises(ChannelError) as refused,
        claimed(SAME, "EIS", folder / "b.h5"),
    ):
        pass
    assert refused.value.exit_code == ExitCode.INSTRUMENT
    told = str(refused.value)
    assert told.startswith("mine is in use: CCD, cell 7, ")
    assert str(folder / "a.h5") in told
    assert f"process {os.getpid()}" in told
    assert "since 20" in told


def test_the_channel_is_free_again_afterwards(folder: Path) -> None:
    for name in ("a.h5", "b.h5"):
        with claimed(REAL, "", folder / name):
            found = holder("biologic", "192.0.2.7", 3)
            assert found is not None and found.file.endswith(name)
        assert holder("biologic", "192.0.2.7", 3) is None


def test_channels_of_one_instrument_do_not_disturb_each_other(folder: Path) -> None:
    with claimed(REAL, "", folder / "a.h5"), claimed(OTHER, "", folder / "b.h5"):
        assert holder("biologic", "192.0.2.7", 4) is not None
        assert holder("biologic", "192.0.2.7", 5) is None


def test_simulated_channels_are_there_as_often_as_one_likes(folder: Path) -> None:
    with claimed(SIMULATED, "", folder / "a.h5"), claimed(SIMULATED, "", folder / "b.h5"):
        assert not (folder / "claims").exists()


def test_a_killed_process_holds_nothing(folder: Path) -> None:
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        theirs = holder("biologic", "192.0.2.7", 3)
        assert theirs is not None and (theirs.pid, theirs.channel) == (child.pid, "theirs")
        child.kill()
        child.wait()
    assert holder("biologic", "192.0.2.7", 3) is None
    with claimed(REAL, "", folder / "a.h5"):
        mine = holder("biologic", "192.0.2.7", 3)
    assert mine is not None and mine.pid == os.getpid()


def test_a_torn_note_does_not_hide_that_the_channel_is_held(folder: Path) -> None:
    with claimed(REAL, "", folder / "a.h5"):
        (note,) = (folder / "claims").glob("*.json")
        note.write_text("{", encoding="utf-8")
        with pytest.raises(ChannelError, match="another program holds"), claimed(SAME, "", folder / "b.h5"):
            pass


def test_a_note_that_another_user_left_is_no_reason_not_to_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose program was killed: Windows lets nobody else write it."""
    with claimed(REAL, "CCD, cell 7", folder / "a.h5"):
        pass

    def refused(path: Path, *more: object, **words: object) -> None:
        raise PermissionError(13, "not yours", str(path))

    monkeypatch.setattr(Path, "write_text", refused)
    with claimed(REAL, "EIS", folder / "b.h5"):
        assert holder(REAL.driver, REAL.options["address"], REAL.channel) is None
