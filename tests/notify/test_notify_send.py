"""One notice by one way, to real servers and programs; and what is said of those that do not take it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from notify_servers import (
    NOTICE,
    PASSWORD,
    PEM,
    USER,
    free_port,
    job,
    mail_server,
    rig_with,
    silent_server,
    web_server,
)
from patience import PATIENCE_s, until

from nakctl import isolated
from nakctl.notify import log, send
from nakctl.notify.send import sent

SENT = {"sent": True, "why": ""}


def mail_words(port: int, more: str = "") -> str:
    return f'mail: {{to: [anna@lab.example, ben@lab.example], from: rig@lab.example, smtp: "localhost:{port}"{more}}}'


LOGIN = f", user: {USER}, password: {PASSWORD}"


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))


# --- mail --------------------------------------------------------------------------------------------------


def test_a_mail(tmp_path: Path) -> None:
    with mail_server() as box:
        assert sent(job(rig_with(tmp_path, mail_words(box.port, ", tls: none")))) == SENT
    (mail,) = box.mails
    assert " ".join(mail["Subject"].split()) == f"nakctl: {NOTICE.title}"
    assert (mail["From"], mail["To"]) == ("rig@lab.example", "anna@lab.example, ben@lab.example")
    assert mail["Message-ID"] == "<0123456789ab.1.nakctl@lab.example>"
    assert mail["Importance"] == "high"
    assert mail.get_content().replace("\r\n", "\n") == NOTICE.text + "\n"


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_mail_through_tls(tmp_path: Path, trusted: None, tls: str) -> None:
    more = LOGIN if tls == "starttls" else ""
    with mail_server(tls=tls) as box:
        assert sent(job(rig_with(tmp_path, mail_words(box.port, f"{more}, tls: {tls}")))) == SENT
    assert len(box.mails) == 1
    assert box.users == ([USER.encode()] if more else [])


def test_a_password_may_stand_elsewhere(
    tmp_path: Path, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.txt").write_text(f"{PASSWORD}\n")
    monkeypatch.setenv("LAB_PASSWORD", PASSWORD)
    with mail_server(tls="starttls") as box:
        for where in ("file secret.txt", "env LAB_PASSWORD"):
            words = mail_words(box.port, f", user: {USER}, password_from: {where}")
            assert sent(job(rig_with(tmp_path, words))) == SENT
        monkeypatch.delenv("LAB_PASSWORD")
        told = sent(job(rig_with(tmp_path, words)))
    assert told == {"sent": False, "why": "the environment variable LAB_PASSWORD is not set, or is empty"}
    assert len(box.mails) == 2


def test_one_of_two_is_refused(tmp_path: Path) -> None:
    """Who got it does not get it again."""
    with mail_server(refuses=("ben@lab.example",)) as box:
        told = sent(job(rig_with(tmp_path, mail_words(box.port, ", tls: none"))))
    assert told == {"sent": True, "why": f"localhost:{box.port} refuses to deliver to ben@lab.example (550)"}


def why(told: dict[str, Any]) -> str:
    assert not told["sent"]
    assert PASSWORD not in json.dumps(told) and "s3cret" not in json.dumps(told)
    return str(told["why"])


def test_what_a_mail_server_refuses(tmp_path: Path, trusted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(tls="starttls") as box:
        wrong = LOGIN.replace(PASSWORD, "falsch")
        said = why(sent(job(rig_with(tmp_path, mail_words(box.port, wrong)))))
        assert said == f"localhost:{box.port} refuses the user rig or the password (535)"
        monkeypatch.delenv("SSL_CERT_FILE")
        said = why(sent(job(rig_with(tmp_path, mail_words(box.port, LOGIN)))))
        assert said.startswith(f"the certificate of localhost:{box.port} is not trusted: self")
        said = why(sent(job(rig_with(tmp_path, mail_words(box.port, ", tls: none")))))
        assert said == f"localhost:{box.port} refuses mail from rig@lab.example (530)"
    assert not box.mails
    with mail_server(refuses=("anna@lab.example", "ben@lab.example")) as box:
        said = why(sent(job(rig_with(tmp_path, mail_words(box.port, ", tls: none")))))
        assert (
            said
            == f"localhost:{box.port} refuses to deliver to anna@lab.example (550), ben@lab.example (550)"
        )
        said = why(sent(job(rig_with(tmp_path, mail_words(box.port, LOGIN)))))
        assert said == f"localhost:{box.port} offers no STARTTLS; does tls: fit the port?"
        said = why(sent(job(rig_with(tmp_path, mail_words(box.port, f"{LOGIN}, tls: none")))))
        assert said == f"localhost:{box.port} offers no way to log in; does tls: fit the port?"
    port = free_port()
    said = why(sent(job(rig_with(tmp_path, mail_words(port)))))
    assert said == f"nobody listens at localhost:{port} (connection refused)"
    monkeypatch.setattr(send, "SILENCE_s", 0.2)
    with silent_server() as port:
        said = why(sent(job(rig_with(tmp_path, mail_words(port)))))
        assert said == f"localhost:{port} has not answered within 0.2 s"
    with web_server() as hook:
        said = why(sent(job(rig_with(tmp_path, mail_words(hook.port)))))
        assert "localhost" in said


# --- webhook -----------------------------------------------------------------------------------------------


def test_a_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "tk_42")
    with web_server() as hook:
        assert sent(job(rig_with(tmp_path, f"webhook: {hook.url}"))) == SENT
        words = f"{{url: {hook.url}, token_from: env TOKEN, headers: {{X-Lab: seven}}}}"
        assert sent(job(rig_with(tmp_path, f"webhook: {words}"))) == SENT
    (headers, plain), (more, again) = hook.posts
    assert plain == again == {"title": NOTICE.title, "text": NOTICE.text, "nakctl": NOTICE.as_json()}
    assert headers["Content-Type"] == "application/json" and "Authorization" not in headers
    assert (more["Authorization"], more["X-Lab"]) == ("Bearer tk_42", "seven")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (500, "500 Internal Server Error"),
        (404, "404 Not Found"),
        (302, "302 Found"),
        (307, "307 Temporary Redirect"),
    ],
)
def test_what_a_web_server_refuses(tmp_path: Path, code: int, said: str) -> None:
    with web_server(code) as hook:
        assert (
            why(sent(job(rig_with(tmp_path, f"webhook: {hook.url}"))))
            == f"127.0.0.1:{hook.port} answers {said}"
        )
    assert len(hook.posts) == 1  # and it went nowhere else


def test_a_web_server_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "SILENCE_s", 0.2)
    port = free_port()
    said = why(sent(job(rig_with(tmp_path, f"webhook: http://127.0.0.1:{port}/s3cret"))))
    assert said == f"nobody listens at 127.0.0.1:{port} (connection refused)"
    with silent_server() as port:
        said = why(sent(job(rig_with(tmp_path, f"webhook: http://127.0.0.1:{port}/s3cret"))))
        assert said == f"127.0.0.1:{port} has not answered within 0.2 s"
    with web_server() as hook:
        said = why(sent(job(rig_with(tmp_path, f"webhook: https://127.0.0.1:{hook.port}/s3cret"))))
        assert "no secure connection" in said
    said = why(sent(job(rig_with(tmp_path, "webhook: {url_from: env NAKCTL_TEST_URL}"))))
    assert said == "the environment variable NAKCTL_TEST_URL is not set, or is empty"
    monkeypatch.setenv("NAKCTL_TEST_URL", "ftp://s3cret")
    said = why(sent(job(rig_with(tmp_path, "webhook: {url_from: env NAKCTL_TEST_URL}"))))
    assert said == "env NAKCTL_TEST_URL holds no address such as https://hooks.lab.example/T0/B1"


# --- command -----------------------------------------------------------------------------------------------

KEEPS = """
import json, os, sys
told = {name: value for name, value in os.environ.items() if name.startswith("NAKCTL_")}
told["stdin"] = json.load(sys.stdin)
told["arguments"] = sys.argv[1:]
open("told.json", "w", encoding="utf-8").write(json.dumps(told))
"""


def command_words(*words: str) -> str:
    return f"command: {json.dumps([sys.executable, *words], ensure_ascii=False)}"


def test_a_command(tmp_path: Path) -> None:
    """In the folder of the rig, without a shell."""
    (tmp_path / "tell.py").write_text(KEEPS, encoding="utf-8")
    words = command_words("-Xutf8", "tell.py", "$HOME; rm *", "a b")
    assert sent(job(rig_with(tmp_path, words))) == SENT
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert told["stdin"] == NOTICE.as_json()
    assert told["arguments"] == ["$HOME; rm *", "a b"]
    assert (told["NAKCTL_EVENT"], told["NAKCTL_RUN"]) == ("alarm", NOTICE.run_id)
    assert (told["NAKCTL_TITLE"], told["NAKCTL_SEVERITY"]) == (NOTICE.title, "2")


def test_commands_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "COMMAND_s", 1.0)
    told = sent(job(rig_with(tmp_path, command_words("-c", "raise SystemExit('no net')"))))
    assert told == {"sent": False, "why": "left with code 1", "detail": "no net"}
    assert why(sent(job(rig_with(tmp_path, "command: [no-such-program]")))) == (
        "there is no program no-such-program"
    )
    assert why(sent(job(rig_with(tmp_path, "command: [./rig.yaml]")))).startswith(
        "rig.yaml cannot be started: "
    )


def test_a_command_needs_no_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That there is none may be what it is to tell."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    (tmp_path / "tell.py").write_text(KEEPS, encoding="utf-8")
    assert sent(job(rig_with(tmp_path, command_words("-Xutf8", "tell.py")))) == SENT
    assert json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))["stdin"] == NOTICE.as_json()
    told = sent(job(rig_with(tmp_path, command_words("-c", "raise SystemExit('no net')"))))
    assert told == {"sent": False, "why": "left with code 1", "detail": ""}


@pytest.mark.skipif(os.name != "posix", reason="asks for a process by its number")
def test_a_command_that_hangs_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "COMMAND_s", 1.5)
    script = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '600']); open('pid', 'w').write(str(p.pid)); time.sleep(600)"
    said = why(sent(job(rig_with(tmp_path, command_words("-c", script)))))
    assert said == "has not ended within 1.5 s, and was ended"
    child = int((tmp_path / "pid").read_text())
    until(lambda: not is_alive(child))


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


# --- the process -------------------------------------------------------------------------------------------


def by_process(told: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as given:
        given.write(json.dumps(told).encode())
        given.seek(0)
        process = isolated.start("nakctl.notify.send", stdin=given, stderr=subprocess.PIPE)
        out, err = process.communicate(timeout=PATIENCE_s)
    assert (process.returncode, err) == (0, "")
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_the_process_writes_down_what_became_of_it(tmp_path: Path) -> None:
    place = tmp_path / "sent.jsonl"
    with web_server() as hook:
        rig = rig_with(tmp_path, f"webhook: {hook.url}")
        assert by_process(job(rig, log=str(place), key="k/1")) == SENT
        hook.answers = 500
        assert not by_process(job(rig, log=str(place)))["sent"]
    good, bad = log.read(place)
    assert (good["sent"], good["key"], good["event"], good["run_id"]) == (
        True, "k/1", "alarm", NOTICE.run_id,
    )  # fmt: skip
    assert (good["way"], good["number"]) == ("webhook 127.0.0.1", 1)
    assert (bad["sent"], bad["why"]) == (False, f"127.0.0.1:{hook.port} answers 500 Internal Server Error")
    assert "s3cret" not in place.read_text()
    (said,) = log.complaints(tmp_path)
    assert said.startswith("NOT TOLD: webhook 127.0.0.1: 127.0.0.1:") and "Server Error (alarm, " in said


def test_a_server_that_trickles_is_left_after_a_time(tmp_path: Path) -> None:
    """Each byte comes soon enough, and the answer never ends: only the process as a whole is bounded."""
    code = (
        "import sys; from nakctl.notify import send; send.TOTAL_s = 1.5; "
        "send.sent = lambda job: __import__('time').sleep(600); send.main()"
    )
    given = json.dumps(job(rig_with(tmp_path, "webhook: http://127.0.0.1:9/s3cret")))
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_s,
    )
    assert json.loads(done.stdout) == {"sent": False, "why": "it was not done within 1.5 s"}
    assert time.monotonic() - began < 30


def test_the_rig_is_that_of_now(tmp_path: Path) -> None:
    """A mended address is tried; a way that is gone is told of."""
    with web_server() as hook:
        rig = rig_with(tmp_path, "webhook: http://127.0.0.1:9/old")
        old = job(rig)
        rig_with(tmp_path, f"webhook: {hook.url}")
        assert sent(old) == SENT
    rig_with(tmp_path, "command: [no-such-program]")
    assert why(sent(old)) == f"{rig} has no such way any more"
    rig.write_text("nakctl-rig: 1\nnotify: [{mail: {password: s3cret}}]\n")
    said = why(sent(old))
    assert said == f"{rig}: who is to be told cannot be read; what is wrong: nakctl rig check {rig}"
