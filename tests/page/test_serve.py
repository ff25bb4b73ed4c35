"""The live page: who gets in, what is told, and that it does nothing that was not allowed."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hostile
import psutil
import pytest
import results_runs as runs
from command_line import refused
from fabricated import fabricated
from hostile import Parsed
from patience import until
from serving import Serving

from nakctl.cli.serving.guard import Guard, token
from nakctl.cli.serving.lookout import Lookout
from nakctl.record import files, lock
from nakctl.record.registry import KnownRun


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def run(folder: Path) -> Iterator[KnownRun]:
    """One that seems to go on, with names that are no good."""
    nearest = {"part": 0.05, "text": hostile.SCRIPT, "quantity": "Ewe", "left": 0.1, "kind": "limit"}
    later_s = time.monotonic() + 3600  # it goes on telling, as long as anybody looks
    more = {
        "step": f"2.1 {hostile.IMAGE}", "nearest": nearest, "bench": [hostile.MATHS], "protocol": hostile.SCRIPT,
        "told_monotonic_s": later_s, "round_monotonic_s": later_s,
    }  # fmt: skip
    with fabricated(folder / "going.h5", 7, **more) as known:
        yield known


@pytest.fixture(scope="module")
def server(folder: Path, run: KnownRun) -> Iterator[Serving]:
    hostile.run(folder / "over.h5")
    with Serving(".", cwd=folder, data=folder / "data") as serving:
        yield serving


@pytest.fixture(scope="module")
def controlling(folder: Path, run: KnownRun) -> Iterator[Serving]:
    with Serving("--control", cwd=folder, data=folder / "data") as serving:
        yield serving


PATHS = (
    "/", "/wall.json", "/run/x", "/run/x/now.json", "/report/x", "/bokeh.js", "/page.css", "/nothing", "/~/",
    "/~/nothing",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_nobody_gets_in_without_the_token(path: str, server: Serving) -> None:
    for given in ("", "x" * 32, server.token[:-1], server.token + "x"):
        assert server.ask(path, token=given).code == 403
        assert server.ask(f"{path}?token={given}", token="").code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example:{}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{}.evil.example", ""]
)
def test_nobody_gets_in_by_another_name(host: str, path: str, server: Serving) -> None:
    """A name of somebody else's that leads here: DNS rebinding."""
    assert server.ask(path, Host=host.format(server.port)).code == 403


def test_the_first_visit_leaves_a_cookie_and_no_token_in_the_address(server: Serving) -> None:
    answer = server.ask(f"/~/?token={server.token}", token="")
    assert (answer.code, answer.headers["Location"]) == (302, f"{server.root}/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert server.ask("/").code == 200
    assert server.ask("/", Host=f"localhost:{server.port}").code == 200


def test_a_server_of_somebody_else_is_not_given_the_cookie(server: Serving) -> None:
    """A browser gives it to every port of this computer: but only below a path that nobody guesses."""
    cookie = server.ask(f"/~/?token={server.token}", token="").headers["Set-Cookie"]
    assert f"Path={server.root};" in f"{cookie};"
    assert len(server.root) > 30
    assert server.token not in server.root
    assert server.ask("/~/").code == 403  # with the cookie of another path


@pytest.mark.parametrize(
    "path", ["/~//evil.example", "/~/\\evil.example", "/~/%5cevil.example", "//evil.example"]
)
def test_the_first_visit_leads_nowhere_else(path: str, server: Serving) -> None:
    answer = server.ask(f"{path}?token={server.token}", token="")
    assert (answer.code, answer.headers.get("Location")) == (403, None)


def test_who_opens_many_connections_keeps_nobody_out(server: Serving) -> None:
    """None of them has a token, and none says anything."""
    with ExitStack() as left:
        for _ in range(150):
            left.enter_context(socket.create_connection(("127.0.0.1", server.port))).sendall(b"GET / HT")
        assert server.ask("/wall.json").code == 200
        assert len(psutil.Process(server.process.pid).net_connections("tcp")) < 110


def test_a_page_may_load_nothing_from_elsewhere(server: Serving) -> None:
    answer = server.ask("/")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert all(each.startswith(f"{server.root}/") for each in Parsed(answer.body).values("src", "href"))


def test_the_wall_tells_of_runs_and_of_files(server: Serving, run: KnownRun) -> None:
    told = server.ask("/wall.json").json
    [card] = told["runs"]
    assert card["id"] == run.run_id
    assert (card["title"], card["word"], card["Ewe"], card["I"]) == (
        hostile.SCRIPT,
        "running",
        "+0.0123 V",
        "25 uA",
    )
    assert card["nearest"] == {
        "part": 0.95, "text": f"nearest limit: {hostile.SCRIPT}", "left": "100 mV left", "level": "warning"
    }  # fmt: skip
    assert card["bench"] == [hostile.MATHS]
    assert hostile.IMAGE in card["where"]
    assert [each["file"] for each in told["files"]] == ["over.h5"]


def test_a_run_has_a_page(server: Serving, run: KnownRun) -> None:
    page = server.ask(f"/run/{run.run_id}")
    assert page.code == 200
    assert "Stop" not in Parsed(page.body).shown
    told = server.ask(f"/run/{run.run_id}/now.json").json
    assert (told["word"], told["over"], told["asked"]) == ("running", [], None)
    assert server.ask("/run/none").code == 404
    assert server.ask("/run/none/now.json").code == 404


@pytest.mark.parametrize("name", ["none", "../../etc/passwd", "%2e%2e%2fover.h5", "over.h5"])
def test_there_is_a_report_of_what_is_told_of_and_of_nothing_else(name: str, server: Serving) -> None:
    assert server.ask(f"/report/{name}").code == 404


def test_a_finished_file_has_its_report(server: Serving) -> None:
    [file] = server.ask("/wall.json").json["files"]
    address = f"/report/{file['id']}"
    until(lambda: "being drawn" not in server.ask(address).body)
    answer = server.ask(address)
    assert answer.code == 200
    assert "Look at this first" in Parsed(answer.body).shown
    assert "Content-Security-Policy" not in answer.headers  # it brings its own
    assert any(each.startswith("default-src 'none'") for each in Parsed(answer.body).values("content"))


def test_it_only_shows(server: Serving, run: KnownRun) -> None:
    ours = {"Origin": f"http://127.0.0.1:{server.port}", "X_Nakctl": "1"}
    assert server.ask(f"/run/{run.run_id}/stop", "POST", **ours).code == 403
    for path in ("/", "/wall.json", f"/run/{run.run_id}"):
        assert server.ask(path, "POST", **ours).code == 405


def test_only_a_page_of_ours_may_stop_a_run(controlling: Serving, run: KnownRun) -> None:
    stop = f"/run/{run.run_id}/stop"
    ours = f"http://127.0.0.1:{controlling.port}"
    assert "Stop" in Parsed(controlling.ask(f"/run/{run.run_id}").body).shown
    assert controlling.ask(stop, "POST").code == 403
    assert controlling.ask(stop, "POST", Origin=ours).code == 403
    assert controlling.ask(stop, "POST", X_Nakctl="1").code == 403
    for origin in (
        "http://evil.example",
        f"https://127.0.0.1:{controlling.port}",
        "null",
        "http://127.0.0.1:1",
    ):
        assert controlling.ask(stop, "POST", Origin=origin, X_Nakctl="1").code == 403
    assert controlling.ask(stop, "POST", token="", Origin=ours, X_Nakctl="1").code == 403
    assert controlling.ask(stop, "POST", body="never", Origin=ours, X_Nakctl="1").code == 404
    assert controlling.ask(stop).code == 405
    assert controlling.ask(f"/run/{run.run_id}/now.json").json["asked"] is None


def test_a_stop_is_that_of_the_command(controlling: Serving, run: KnownRun) -> None:
    """This run only seems to go on: it has no mailbox, and that is told."""
    ours = {"Origin": f"http://127.0.0.1:{controlling.port}", "X_Nakctl": "1"}
    assert controlling.ask(f"/run/{run.run_id}/stop", "POST", **ours).code == 200
    now = f"/run/{run.run_id}/now.json"
    until(lambda: "has no mailbox" in controlling.ask(now).json["asked"]["text"])
    assert controlling.ask(now).json["asked"]["level"] == "alarm"


def test_it_is_found_again_after_it_was_killed(tmp_path: Path) -> None:
    with Serving(cwd=tmp_path, data=tmp_path) as first:
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    with Serving(cwd=tmp_path, data=tmp_path, port=first.port) as second:
        assert second.url == first.url
        assert second.ask("/").code == 200
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait() == 130


def test_a_port_that_is_taken_is_told(server: Serving, here) -> None:  # type: ignore[no-untyped-def]
    assert f"port {server.port} is taken" in refused(here("serve", "--port", str(server.port)))
    assert "port 99999 is none" in refused(here("serve", "--port", "99999"))
    assert "there is no folder none" in refused(here("serve", "none"))
    Path("run.h5").touch()
    assert "run.h5 is a file: name the folder" in refused(here("serve", "run.h5"))


# --- without a server --------------------------------------------------------------------------------------


def test_a_token_is_kept_for_its_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    first = token()
    [file] = tmp_path.rglob("serve.token")
    assert file.stat().st_mode & 0o077 == 0
    assert token() == first
    other = token(new=True)
    assert other != first
    file.write_text("short", "ascii")
    assert len(token()) > 20
    assert not Guard(1, other).knows(first)


def test_runs_come_and_go(tmp_path: Path) -> None:
    lookout = Lookout(tmp_path)
    assert lookout.wall() == {"runs": [], "ended": [], "files": []}
    with fabricated(tmp_path / "a.h5", 1) as one, fabricated(tmp_path.parent / "elsewhere.h5", 2):
        lookout._wall_s = -1.0
        assert [each["id"] for each in lookout.wall()["runs"]] == [one.run_id]
    for left in tmp_path.glob("a.h5*"):
        left.unlink()
    lookout._wall_s = -1.0
    assert lookout.wall()["ended"] == []
    runs.written(tmp_path / "a.h5", [runs.rest(2)])
    lookout._wall_s = -1.0
    wall = lookout.wall()
    assert [each["id"] for each in wall["ended"]] == [one.run_id]
    assert wall["runs"] == wall["files"] == []
    assert lookout.file(one.run_id) == tmp_path / "a.h5"


@pytest.mark.parametrize("told", [{"Ewe_V": None}, {"nearest": {"part": "x"}}, {"point": 1}])
def test_a_run_that_nobody_understands_hides_no_other(tmp_path: Path, told: dict[str, Any]) -> None:
    """It is of a version that tells something else."""
    lookout = Lookout(tmp_path)
    with fabricated(tmp_path / "a.h5", 1, **told) as odd, fabricated(tmp_path / "b.h5", 2) as other:
        words = {each["id"]: each["word"] for each in lookout.wall()["runs"]}
        assert words == {odd.run_id: "unknown", other.run_id: "running"}
        page = lookout.page(odd.run_id)
        assert page is not None
        assert "cannot be read" in page["text"]
        assert page["Ewe_curve"] == [[], []]


def test_who_is_not_looked_at_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nakctl.cli.serving import lookout as room

    lookout = Lookout(tmp_path)
    with fabricated(tmp_path / "a.h5", 1) as one, fabricated(tmp_path / "b.h5", 2) as two:
        monkeypatch.setattr(room, "FOLLOWED", 1)
        assert lookout.page(one.run_id) is not None
        assert lookout.page(two.run_id) is not None
        assert list(lookout._followed) == [two.run_id]
        monkeypatch.setattr(room, "FORGOTTEN_s", 0.0)
        time.sleep(0.01)
        assert lookout.page("none") is None
        assert not lookout._followed


def test_a_run_that_was_left_is_seen_again_once_somebody_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl.cli.serving import lookout as room

    monkeypatch.setattr(room, "FRESH_s", -1.0)
    lookout = Lookout(tmp_path)
    with fabricated(tmp_path / "a.h5", 1, held=False) as left:
        dead = lookout.page(left.run_id)
        assert dead is not None
        assert (dead["word"], dead["status"], dead["sealed"]) == ("DEAD", "", False)
        assert "its program is gone" in dead["over"][0]
        with lock.hold(files.lock_of(left.path)):
            again = lookout.page(left.run_id)
            assert again is not None
            assert (again["word"], again["over"]) == ("running", [])
