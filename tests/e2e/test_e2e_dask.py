"""A campaign on a Dask cluster of which a worker is killed: the same files as here."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest
from command_line import Going, nakctl, processes
from patience import until

from nakctl.cli.campaigns.on_dask import Cluster
from nakctl.cli.signals import StopAsked
from nakctl.errors import InputError, NakctlError

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="kills processes, and looks for their rests"
)

CAMPAIGN = """\
nakctl-campaign: 1
name: Two runs
runs:
  - protocol: rest.yaml
    cell: cells.yaml#mine
    each: {rest: [3 d, 4 d]}
"""
REST = """\
nakctl: 1
name: A long rest
params: {rest: 1 d}
record: {every: 10 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 90 d}
steps:
  - rest: $rest
finally: rest
"""
CELLS = """\
model: nak
cells:
  mine: {working: NaK50, composition_wt_percent_K: 50}
"""
# What two runs of the same may differ in: identity, time, who wrote, and in whose name.
OWN = ("uuid", "_time", "command_line", "/raw/", "plan/data", "plan/sha256", "@crc32")


@pytest.fixture(scope="module")
def cluster() -> Iterator[subprocess.Popen[str]]:
    script = Path(__file__).with_name("dask_cluster.py")
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # a test has killed it
            process.stdin.close()


@pytest.fixture(scope="module")
def address(cluster: subprocess.Popen[str]) -> str:
    assert cluster.stdout is not None
    return cluster.stdout.readline().strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"c.yaml": CAMPAIGN, "rest.yaml": REST, "cells.yaml": CELLS}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_the_same_files_though_a_worker_is_killed(
    cluster: subprocess.Popen[str], address: str, folder: Path
) -> None:
    assert cluster.stdin is not None and cluster.stdout is not None
    here = nakctl("campaign", "c.yaml", "--out", "here", "--json", cwd=folder)
    assert here.code == 0
    with Going("campaign", "c.yaml", "--out", "there", "--dask", address, "--json", cwd=folder) as going:
        cluster.stdin.write("kill one\n")
        cluster.stdin.flush()
        assert int(cluster.stdout.readline())
        said = going.end()
    assert (said.code, said.err) == (0, "")
    assert {run["state"] for run in said.json["runs"]} == {"done"}
    names = sorted(path.name for path in (folder / "here").glob("*.h5"))
    assert sorted(path.name for path in (folder / "there").glob("*.h5")) == names
    assert len(names) == 2
    for name in names:
        assert different(folder / "here" / name, folder / "there" / name) == []
    again = nakctl(
        "campaign", "c.yaml", "--out", "there", "--json", cwd=folder
    )  # and known here for what it is
    assert {run["state"] for run in again.json["runs"]} == {"done"}


def different(one: Path, other: Path) -> list[str]:
    with h5py.File(one) as a, h5py.File(other) as b:
        mine, others = everything(a), everything(b)
    assert mine.keys() == others.keys()
    found = [name for name, value in mine.items() if not np.array_equal(value, others[name])]
    return [name for name in found if not any(own in name for own in OWN)]


def everything(file: h5py.File) -> dict[str, np.ndarray]:
    found = {f"@{name}": np.asarray(value) for name, value in file.attrs.items()}

    def add(name: str, item: h5py.Dataset | h5py.Group) -> None:
        found.update(
            {f"{name}@{each}": np.asarray(v) for each, v in item.attrs.items() if not each.endswith("_LIST")}
        )
        if isinstance(item, h5py.Dataset):
            found[name] = (
                np.frombuffer(np.asarray(item[()]).tobytes(), np.uint8)
                if item.dtype.kind != "O"
                else np.asarray(item[()])
            )

    file.visititems(add)
    return found


@pytest.mark.slow
def test_ctrl_c_ends_what_goes_on_there(cluster: subprocess.Popen[str], address: str, folder: Path) -> None:
    """And leaves nothing half done."""
    (folder / "c.yaml").write_text(CAMPAIGN.replace("[3 d", "[80 d"), encoding="utf-8")
    with Going("campaign", "c.yaml", "--dask", address, cwd=folder) as going:
        until(lambda: bool(recording(cluster.pid)))
        said = going.end(signal.SIGINT)
    assert said.code == 130
    assert list((folder / "c").glob("*.h5")) == []
    until(lambda: not recording(cluster.pid))


@pytest.mark.slow
def test_a_scheduler_that_is_gone_is_told_once(
    cluster: subprocess.Popen[str], address: str, folder: Path
) -> None:
    """The last test with this one."""
    (folder / "c.yaml").write_text(CAMPAIGN.replace("[3 d", "[80 d"), encoding="utf-8")
    with Going("campaign", "c.yaml", "--dask", address, cwd=folder) as going:
        until(lambda: bool(recording(cluster.pid)))
        cluster.kill()
        said = going.end()
    assert said.code == 1
    gone = f"the Dask scheduler at {address} is gone, and with it the runs that went on; the same command goes on"
    assert said.err == f"{gone} with what is missing\n"
    assert "failed" not in said.out
    assert list((folder / "c").glob("*.h5")) == []


def recording(cluster: int) -> list[int]:
    """Workers of nakctl below a cluster that record a run now; other tests have some of their own."""
    found = []
    below = {each.pid for each in psutil.Process(cluster).children(recursive=True)}
    for pid in below & processes("nakctl.cli.worker").keys():
        with suppress(OSError):
            links = [each.readlink().name for each in Path(f"/proc/{pid}/fd").iterdir()]
            found += [pid] if any(".journal" in name for name in links) else []
    return found


def test_another_version_is_refused() -> None:
    from nakctl.cli.campaigns.dask_task import done

    report, why, code, file = done({}, "0.0.1")
    assert (report, code, file) == (None, 2, b"")
    assert "here 0.0.1: install the same" in why


NOBODY = [
    ("nonsense://x", "unknown address scheme"),
    ("localhost", "missing port number"),
    ("tcp://127.0.0.1:99999", "there is no port 99999"),
    ("tcp://127.0.0.1:{closed}", "Connection refused"),
    ("tcp://127.0.0.1:{other}", "something else does"),
]


@pytest.mark.parametrize(("address", "told"), NOBODY)
def test_where_no_scheduler_answers(address: str, told: str) -> None:
    """Said at once: distributed itself tries for a while, or waits for ever, or believes what it gets."""
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as other:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        threading.Thread(target=_greet, args=(other,), daemon=True).start()
        place = address.format(closed=closed.getsockname()[1], other=other.getsockname()[1])
        with (
            pytest.raises(NakctlError, match=f"no Dask scheduler answers at {place} .*{told}"),
            Cluster(place, StopAsked()),
        ):
            pass


def _greet(server: socket.socket) -> None:
    with suppress(OSError):  # nobody came
        caller, _ = server.accept()
        caller.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        caller.close()


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    from nakctl import errors

    monkeypatch.setattr(errors, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "nakctl\[dask\]"'), Cluster("x", StopAsked()):
        pass
