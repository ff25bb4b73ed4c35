"""The instrument as a process of its own: the same words, and a life of its own."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from eclib_bench import Api, bench, serving
from eclib_rows import Buffer, samples
from eclib_techniques import cplimit, impedance, loop, ocv
from patience import PATIENCE_s

from nakctl.errors import ChannelError, RigError
from nakctl_sim.instrument import __main__ as program
from nakctl_sim.instrument import connect_library
from nakctl_sim.instrument.calls import Answer
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.server import Server
from nakctl_sim.instrument.wire import (
    WireError,
    pack_answer,
    pack_request,
    receive,
    send,
    unpack_answer,
    unpack_request,
)

CHAIN = ocv(1.0, 0.1), cplimit(seconds=1.0, every_s=0.01), impedance(Frequency_number=4), loop(1, 2)


def run(api: Api, clock: StepClock, like: str) -> list[Buffer]:
    assert set(api.load_chain(like, *CHAIN)) == {0}
    return api.run(clock)


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_same_words_as_in_the_process(like: str) -> None:
    with bench(like) as (api, clock):
        expected = run(api, clock, like)
    with serving(like) as (api, clock):
        got = run(api, clock, like)
    assert [(b.words, str(b.infos), b.values) for b in got] == [
        (b.words, str(b.infos), b.values) for b in expected
    ]


def read_on(api: Api, buffers: list[Buffer], n: int) -> None:
    """Until n rows are there."""
    deadline_s = time.monotonic() + PATIENCE_s
    while sum(b.infos["NbRows"] for b in buffers) < n:
        buffers += api.drain()
        assert time.monotonic() < deadline_s


def test_a_client_goes_and_another_reads_on() -> None:
    with serving() as (first, clock):
        first.load_chain("SP-300", ocv(4.0, 0.1))
        first.start()
        clock.sleep(1.0)
        buffers = first.drain()
        del first.library  # its link closes with it
        gc.collect()  # ctypes.cast ties a knot around each function
        clock.sleep(1.0)
        second = Api(connect_library(first.address), first.address)
        deadline_s = time.monotonic() + PATIENCE_s
        while second.connect()[1][-1] != 1:  # the other side notices soon, not at once
            assert time.monotonic() < deadline_s
        clock.sleep(5.0)
        read_on(second, buffers, 41)
    times = samples(buffers)[:, 0]
    assert len(times) == 41
    assert (times[1:] > times[:-1]).all()


PROGRAM = """
import sys
from eclib_bench import Api, connect_library
from eclib_techniques import ocv
api = Api(connect_library(sys.argv[1]), sys.argv[1])
api.connect()
api.load_chain("SP-300", ocv(200.0, 1.0))
api.start()
print(len(api.data().rows), flush=True)
sys.stdin.read()
"""


def test_a_program_is_killed_and_the_run_goes_on() -> None:
    with process("--speed", "100", "--cell", "randles") as (_, address):
        command = [sys.executable, "-c", PROGRAM, address]
        here = Path(__file__).parent
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=here
        ) as client:
            assert client.stdout is not None
            fetched = int(client.stdout.readline())
            client.kill()
        api = Api(connect_library(address), address)
        assert api.connect()[0] == 0
        buffers: list[Buffer] = []
        read_on(api, buffers, 201 - fetched)
        times = samples(buffers)[:, 0]
        assert (times[1:] > times[:-1]).all()
        assert times[-1] == pytest.approx(200.0)
        assert api.values()["State"] == 0


def test_several_programs_are_counted() -> None:
    with serving() as (first, _):
        second = Api(connect_library(first.address), first.address)
        assert second.connect()[1][-1] == 2
        assert second("BL_Disconnect", second.device) == 0
        assert first.connect()[1][-1] == 1


def test_trouble_on_the_port_is_the_same() -> None:
    with serving(faults=("cable=3s@t1",)) as (api, clock):
        clock.sleep(2.0)
        assert api.data().code == -200
        assert api.connect()[0] == -201
        clock.sleep(3.0)
        assert api("BL_TestConnection", 0) == -1
        assert api.connect()[0] == 0


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"sim://127.0.0.1:{taken.getsockname()[1]}"
        api = Api(connect_library(address), address)
        assert api.connect(1)[0] == -201
        assert api.device == -1
        assert api("BL_TestConnection", 0) == -1


@pytest.mark.parametrize("says", [b"", b"\x04\0\0\0oops"[:5], b"\xff\xff\xff\xffoops", b"\x01\0\0\0x"])
def test_who_hangs_up_or_talks_nonsense(says: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def talk() -> None:
            link, _ = other.accept()
            with link:
                link.recv(4096)
                link.sendall(says)

        thread = threading.Thread(target=talk)
        thread.start()
        address = f"sim://127.0.0.1:{other.getsockname()[1]}"
        api = Api(connect_library(address), address)
        assert api.connect()[0] == -200
        assert api.device == -1
        assert api("BL_TestConnection", 0) == -1
        thread.join()


def test_who_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"sim://127.0.0.1:{other.getsockname()[1]}"
        api = Api(connect_library(address), address)
        started_s = time.monotonic()
        assert api.connect(1)[0] == -200
        assert time.monotonic() - started_s == pytest.approx(1.0, abs=0.9)


@pytest.mark.parametrize(
    "message",
    [b"", b"\x03abc", b"\x10BL_StartChannel", b"\x0dBL_Disconnect\xff", b"\x0dBL_Disconnect\x09\0\0\0x"],
)
def test_the_server_hangs_up_on_nonsense_and_lives_on(message: bytes) -> None:
    with serving() as (api, _):
        host, port = api.address.removeprefix("sim://").split(":")
        with socket.create_connection((host, int(port)), 5.0) as link:
            send(link, message)
            assert receive(link) is None
        assert api("BL_TestConnection", api.device) == 0


def test_messages_come_back() -> None:
    fields = (b"\0\0\0\0", b"\x07")
    assert unpack_request(pack_request("BL_StartChannel", fields)) == ("BL_StartChannel", fields)
    answer = Answer(-308, (b"", None, b"abc"))
    assert unpack_answer(pack_answer(answer)) == answer
    with pytest.raises(WireError):
        unpack_answer(b"abc")


def test_only_ports_of_this_computer() -> None:
    instrument = VirtualInstrument("SP-300", {1: "randles"}, StepClock())
    with pytest.raises(RigError):
        Server(instrument, 0, "0.0.0.0")
    with Server(instrument, 0) as server, pytest.raises(ChannelError, match="port"):
        Server(instrument, int(server.address.rpartition(":")[2]))


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`nakctl sim instrument`, and its address."""
    command = [sys.executable, "-m", "nakctl", "sim", "instrument", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline().split()[-1]
        finally:
            running.kill()


def test_the_command_keeps_time_at_its_speed() -> None:
    with process("--like", "vmp3", "--speed", "1000", "--cell", "2=randles", "--habit", "loop_from=1") as (
        _,
        address,
    ):
        api = Api(connect_library(address), address)
        code, infos = api.connect()
        assert (code, infos[0]) == (0, 5)
        assert api("BL_IsChannelPlugged", api.device, 1) is True
        assert api.load("ocv.ecc", ocv(200.0, 1.0)[1], channel=1) == 0
        started_s = time.monotonic()
        assert api.start(1) == 0
        buffers: list[Buffer] = []
        while sum(b.infos["NbRows"] for b in buffers) < 201:
            buffers.append(api.data(1))
            assert time.monotonic() < started_s + PATIENCE_s
        assert time.monotonic() - started_s > 0.19
        assert {b.infos["loop"] for b in buffers if b.infos["NbRows"]} == {1}


@pytest.mark.parametrize(
    "options",
    [
        ("--fault", "nonsense"),
        ("--habit", "nonsense=1"),
        ("--like", "toaster"),
        ("--cell", "nobody"),
        ("--cell", "17=NaK50"),
    ],
)
def test_the_command_explains_mistakes(
    options: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nakctl_sim.instrument", "--port", "0", *options])
    assert program.main() == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
