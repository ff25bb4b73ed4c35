"""A whole record on a full disk: what is said of it, and what a kill then leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import record_rows as rows
from forked_helpers import done

from nakctl.device.events import ALARM
from nakctl.record import files
from nakctl.record.read import open_run
from nakctl.record.recover import recover

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits of files, and SIGKILL")

BEGUN = """
import os, resource, signal, sqlite3, sys
from pathlib import Path
import record_rows as rows
from record_disks import no_room
from nakctl.record import files, journal
from nakctl.record.recorder import Recorder
from nakctl.record.store import Store

path, how = Path(sys.argv[1]), sys.argv[2]
journal._PATIENCE_AT_THE_END_S = 0.2
journal._HOME_EVERY_S = 0.0
recorder = Recorder.create(path, rows.header(), rows.PROGRAM_JSON, watched="watched" in sys.argv)
recorder.append(rows.opening())
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
codes = []
def append(k):
    recorder.begin_block(k + 1)
    more = [rows.noted(k)] if k == 5 else []
    codes.extend(event.code for event in recorder.append([rows.said(k * 10, 10), *more]))
def limit_files(bytes_):
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_ or hard, hard))
home_write = Store.write
def refuses(self, rows, documents, *, durable):
    if self.file == files.journal_of(path):
        raise no_room()
    home_write(self, rows, documents, durable=durable)
def finish():
    print(",".join(codes))
    print(recorder.finish("stopped", "limit: time", {"n": 1}, end_kind="limit", end_id=2).message)
"""


def told(tmp_path: Path, script: str, *arguments: str, code: int = 0) -> list[str]:
    """Lines that a run of its own says, whose places are all in the test's folder."""
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {name: str(home) for name in ("HOME", "TMPDIR", "XDG_DATA_HOME")}
    said = done(BEGUN + script, tmp_path / "run.h5", *arguments, environment=environment)
    assert said.returncode == code, said.stderr
    return said.stdout.splitlines()


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same places for whoever recovers it."""
    for name in ("HOME", "TMPDIR", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def litter(tmp_path: Path) -> list[str]:
    return sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file())


FOR_A_WHILE = """
journal._ELSEWHERE_AFTER_S = -1.0 if how == "elsewhere" else 1e9
append(0)
limit_files(60_000)  # for the journal and, after it dies, the live view
for k in range(1, 400):
    append(k)
assert "disk_refuses" in codes, codes
limit_files(0)
for k in range(400, 410):
    append(k)
finish()
"""


@pytest.mark.parametrize("how", ["in memory", "elsewhere"])
@pytest.mark.parametrize("watched", ["watched", "alone"])
def test_a_disk_that_is_full_for_a_while_costs_nothing(tmp_path: Path, how: str, watched: str) -> None:
    path = tmp_path / "run.h5"
    codes, message = told(tmp_path, FOR_A_WHILE, how, watched)
    said = [code for code in codes.split(",") if code.startswith("disk_")]
    assert said[0] == "disk_refuses" and said[-1] == "disk_accepts"
    assert (len(said) == 2) == (how == "in memory")  # else every new place is told
    assert message == ""
    with open_run(path) as run:
        np.testing.assert_array_equal(run.samples.time, rows.samples(0, 4100)["time"])
        np.testing.assert_array_equal(run.samples.Q, rows.samples(0, 4100)["Q"])
        recorded = [code for code in run.events.code.tolist() if code.startswith("disk_")]
        assert recorded == said
    assert litter(tmp_path) == ["run.h5"]


TO_THE_END = """
append(0); append(1)
Store.write = refuses
for k in range(2, 20):
    append(k)
finish()
"""


def test_what_the_disk_refuses_to_the_end_is_sealed_from_elsewhere(tmp_path: Path) -> None:
    codes, message = told(tmp_path, TO_THE_END, "elsewhere")
    assert (codes, message) == ("disk_refuses", "")
    with open_run(tmp_path / "run.h5") as run:
        np.testing.assert_array_equal(run.samples.Ewe, rows.samples(0, 200)["Ewe"])
        assert (run.header.status, run.header.end_reason) == ("stopped", "limit: time")
        assert run.header.results["n"] == 1
        assert run.events.code.tolist() == ["segment", "disk_refuses", "note"]
        assert run.events.severity.tolist()[1] == ALARM
        assert str(tmp_path / "run.h5.") in run.events.message[1]  # where it is kept meanwhile
    assert litter(tmp_path) == ["run.h5"]


NOWHERE = """
append(0); append(1)
Store.write = refuses
files.rests_of = lambda path, run_id: []
for k in range(2, 20):
    append(k)
finish()
"""


def test_rows_that_no_place_takes_are_said_to_be_lost(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    codes, message = told(tmp_path, NOWHERE, "nowhere")
    assert codes == "disk_refuses"
    assert "180 samples of the last 18 reads could be kept nowhere and are lost" in message
    assert f"nakctl recover {path} gives what came before" in message
    assert not list(tmp_path.glob("**/*.rest*"))
    recovered = recover(path)
    assert (recovered.status, recovered.rows) == ("recovered", 20)
    with open_run(path) as run:
        assert run.events.code.tolist() == ["segment", "gap"]
        assert run.events.message[1].startswith("18 blocks of rows may be missing at the end")
    assert litter(tmp_path) == ["run.h5"]


KILLED = """
append(0); append(1)
Store.write = refuses
for k in range(2, 20):
    append(k)
assert recorder._journal.elsewhere
if how == "on the way home":
    journal._AT_A_TIME = 5
    Store.write = home_write
    append(20)
    assert recorder._journal.elsewhere and 0 < recorder._journal._home.last() < 20
elif how == "in the middle of a part":
    def half(self, rows, documents, *, durable):
        if self.file == files.journal_of(path):
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(journal_insert, list(rows)[:3])
            os.kill(os.getpid(), signal.SIGKILL)
        home_write(self, rows, documents, durable=durable)
    from nakctl.record.packing import INSERT as journal_insert
    Store.write = half
    append(20)
elif how == "before it is removed":
    Store.write = home_write
    def removed(self):
        os.kill(os.getpid(), signal.SIGKILL)
    Store.remove = removed
    append(20)
print(",".join(codes), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("how", "reads"),
    [
        ("elsewhere", 20),
        ("on the way home", 21),
        ("in the middle of a part", 20),
        ("before it is removed", 20),
    ],
)
def test_a_kill_while_rows_are_elsewhere_is_recovered_whole(tmp_path: Path, how: str, reads: int) -> None:
    path = tmp_path / "run.h5"
    told(tmp_path, KILLED, how, code=-signal.SIGKILL)
    assert list(tmp_path.glob("**/*.rest.journal"))
    recovered = recover(path)
    assert (recovered.status, recovered.rows) == ("recovered", reads * 10)
    assert "damaged" not in recovered.message
    with open_run(path) as run:
        for name in ("time", "Ewe", "Q", "step_count"):
            np.testing.assert_array_equal(run.samples[name], rows.samples(0, reads * 10)[name])
        # the read that was killed in: it had not been taken
        assert run.events.code.tolist() == ["segment", "disk_refuses", "note"] + ["gap"] * (
            how in ("in the middle of a part", "before it is removed")
        )
        assert run.steps.end_kind.tolist()[-1] == "unclosed"
    assert litter(tmp_path) == ["run.h5"]


def test_what_a_full_disk_left_is_named_where_it_cannot_be_taken_in(tmp_path: Path) -> None:
    """Beside a journal that lost entries in between."""
    path = tmp_path / "run.h5"
    told(tmp_path, KILLED, "elsewhere", code=-signal.SIGKILL)
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        db.execute("DELETE FROM entry WHERE seq = 6")
    (rest,) = tmp_path.glob("run.h5.*.rest.journal")
    recovered = recover(path)
    assert (recovered.status, recovered.rows) == ("recovered", 10)
    assert rest.exists()
    assert str(rest) in recovered.message
