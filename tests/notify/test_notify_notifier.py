"""The door for who looks at all runs: real runs' files, real processes, real servers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fabricated import journal, state
from fabricated import known as run_of
from notify_servers import Hook, rig_with, silent_server, web_server
from patience import until

from nakctl.cli.health import look as _seen
from nakctl.notify import log, notifier, outbox
from nakctl.notify.notifier import Notifier
from nakctl.record import files, lock, registry
from nakctl.record.registry import KnownRun, known_runs
from nakctl.record.slot import Slot

NEWS = {"severity": 2, "code": "not_heard", "text": "for 70 s", "time_s": 1.0}


class Going:
    """A run that somebody records, as it is seen from outside."""

    live: ClassVar[list[Going]] = []

    def __init__(self, folder: Path, rig: Path, k: int = 1) -> None:
        path = folder / f"run-{k}.h5"
        self.run: KnownRun = replace(run_of(path, k), rig=str(rig))
        assert registry.enter(self.run) == ""
        journal(path, self.run)
        self.slot = Slot(path)
        self.held = lock.hold(files.lock_of(path))
        self.news: list[dict[str, Any]] = []
        self.more: dict[str, Any] = {}
        self.tell()
        self.live.append(self)

    def tell(self, **more: Any) -> None:
        self.more |= more
        self.slot.tell(state(self.run, pid=self.run.pid, news=self.news, **self.more))

    def alarm(self, **more: Any) -> None:
        item = {**NEWS, "number": len(self.news) + 1, "unix_s": time.time(), **more}
        self.news = [*self.news, item][-6:]
        self.tell()

    def seal(self) -> None:
        """As its program does: nothing is left but the file, which here is none that can be read."""
        self.close()
        files.remove_journal(self.run.path)
        self.run.path.write_bytes(b"")
        registry.forget(self.run.run_id)

    def close(self) -> None:
        if self in self.live:
            self.live.remove(self)
        self.slot.close()
        self.held.close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path / "runs"))
    return tmp_path / "runs" / "notify"


@pytest.fixture
def going(tmp_path: Path, place: Path) -> Iterator[Callable[..., Going]]:
    made: list[Going] = []

    def make(rig: Path, k: int = 1) -> Going:
        made.append(Going(tmp_path, rig, k))
        return made[-1]

    yield make
    for each in made:
        each.close()


def look(told: Notifier) -> None:
    """Runs that live say so."""
    for each in Going.live:
        each.tell()
    told.look([_seen(run) for run in known_runs()])


def events(hook: Hook) -> list[str]:
    return [post["nakctl"]["event"] for _, post in hook.posts]


def settled(told: Notifier) -> None:
    """All that is to be sent was sent."""
    look(told)
    until(lambda: not (told._errands or told._outbox.letters), lambda: look(told))


def test_from_an_alarm_to_the_end(tmp_path: Path, going: Callable[..., Going]) -> None:
    with web_server() as hook:
        run = going(rig_with(tmp_path, f"{{webhook: {hook.url}, channels: [bench-1]}}"))
        told = Notifier()
        look(told)
        run.alarm()
        run.alarm()
        settled(told)
        assert events(hook) == ["alarm"]  # the second one waits for more
        run.tell(state="ended", status="stopped", reason="limit: Ewe above 3 V", cell_open=True)
        settled(told)
        run.seal()
        settled(told)
        assert events(hook) == ["alarm", "end"]
        post = hook.posts[1][1]
        assert "Not told yet:\n  1 more: ALARM: for 70 s" in post["text"]
        assert "stopped, limit: Ewe above 3 V" in post["title"]
        look(told)
        assert told.is_idle
        assert [line["sent"] for line in log.read(log.log_of(log.folder()))] == [True, True]


def test_nothing_is_held_up_by_who_does_not_answer(tmp_path: Path, going: Callable[..., Going]) -> None:
    """A mail server that says nothing, a command that does not end, and one that is not there."""
    hangs = json.dumps([sys.executable, "-c", "import time; open('began', 'w').close(); time.sleep(600)"])
    with silent_server() as port, web_server() as hook:
        rig = rig_with(
            tmp_path,
            f"mail: {{to: [anna@lab.example], from: rig@lab.example, smtp: '127.0.0.1:{port}'}}",
            f"command: {hangs}",
            "command: [no-such-program]",
            f"webhook: {hook.url}",
        )
        run = going(rig)
        told = Notifier(most=3)
        longest_s = 0.0

        def turn() -> None:
            nonlocal longest_s
            began = time.process_time()
            look(told)
            longest_s = max(longest_s, time.process_time() - began)

        run.alarm()
        until(lambda: hook.posts and (tmp_path / "began").exists(), turn)
        assert {key[0] for key in told._errands} == {"send"}  # they are at it still
        run.alarm(code="link")
        until(lambda: len(hook.posts) == 2, turn)
        assert events(hook) == ["alarm", "alarm"]
        assert longest_s < 1.0
        (said,) = log.complaints(log.folder())
        assert said.startswith(
            "NOT TOLD: command no-such-program: there is no program no-such-program (alarm"
        )
        assert said.endswith("tried again)")
        for errand, _ in told._errands.values():
            errand.end()
        until(lambda: not told._errands, told._hear)


def test_what_was_not_sent_is_tried_again(
    tmp_path: Path, going: Callable[..., Going], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by who comes after, and with an address that was mended meanwhile."""
    monkeypatch.setattr(outbox, "PAUSES_s", (0.1,))
    with web_server(500) as hook:
        rig = rig_with(tmp_path, "webhook: http://127.0.0.1:9/old")
        run = going(rig)
        told = Notifier()
        run.alarm()
        until(lambda: log.complaints(), lambda: look(told))
        rig_with(tmp_path, f"webhook: {hook.url}")
        until(lambda: hook.posts, lambda: look(told))
        until(lambda: not told._errands, told._hear)
        hook.answers = 200
        told = Notifier()
        settled(told)
        assert log.complaints() == []
        assert set(events(hook)) == {"alarm"}
        sent = len(hook.posts)
        settled(Notifier())
        assert len(hook.posts) == sent


KILLED = """
import sys, time
from nakctl.cli.health import look as _seen
from nakctl.notify.notifier import Notifier
from nakctl.record.registry import known_runs
told = Notifier()
while True:
    told.look([_seen(run) for run in known_runs()])
    time.sleep(0.02)
"""


def test_who_comes_after_a_kill_neither_repeats_nor_forgets(
    tmp_path: Path, going: Callable[..., Going], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "LONGEST_s", 0.5)  # the process it had sent off has ended by then
    with web_server() as hook:
        run = going(rig_with(tmp_path, f"webhook: {hook.url}"))
        first = subprocess.Popen([sys.executable, "-c", KILLED])
        try:
            until((place / "told.json").exists)
            run.alarm()
            until(lambda: hook.posts)
        finally:
            first.kill()
            first.wait()
        until(lambda: [line for line in log.read(log.log_of(place)) if line["sent"]])
        run.alarm(code="link")  # while nobody looks
        told = Notifier()
        settled(told)
        assert [post["nakctl"]["code"] for _, post in hook.posts] == ["not_heard", "link"]


def test_a_run_whose_end_nobody_saw(
    tmp_path: Path, going: Callable[..., Going], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended and was sealed between two looks: that is asked of its file, here of one that is damaged."""
    monkeypatch.setattr(notifier, "ASK_AGAIN_s", 0.1)
    with web_server() as hook:
        run = going(rig_with(tmp_path, f"webhook: {hook.url}"))
        told = Notifier()
        look(told)
        run.seal()
        told = Notifier()
        until(lambda: hook.posts, lambda: look(told))
        settled(told)
        assert events(hook) == ["end"]
        assert "how it ended is not known" in hook.posts[0][1]["title"]
        assert told._known == {}


def test_a_run_that_is_not_listed_for_a_moment_has_not_ended(
    tmp_path: Path, going: Callable[..., Going]
) -> None:
    with web_server() as hook:
        run = going(rig_with(tmp_path, f"webhook: {hook.url}"))
        told = Notifier()
        look(told)
        told.look([])
        until(lambda: not told._errands, told._hear)
        assert list(told._known) == [run.run.run_id]
        run.alarm()
        settled(told)
        assert events(hook) == ["alarm"]


def test_a_rig_that_cannot_be_read_is_told_of(tmp_path: Path, going: Callable[..., Going]) -> None:
    rig = rig_with(tmp_path, "webhook: lab.example")
    run = going(rig)
    told = Notifier()
    run.alarm()
    until(lambda: log.complaints(), lambda: look(told))
    (said,) = log.complaints()
    assert said.startswith(f"NOT TOLD: everybody: {rig}: who is to be told cannot be read; ")


def test_a_fault_is_written_down_once_and_raises_nothing(
    tmp_path: Path, going: Callable[..., Going], monkeypatch: pytest.MonkeyPatch
) -> None:
    going(rig_with(tmp_path, "command: [a]"))
    told = Notifier()
    seen = [_seen(run) for run in known_runs()]
    bad = replace(seen[0], state={**(seen[0].state or {}), "news": [{"number": "x"}]})
    good = going(tmp_path / "rig.yaml", 2).run
    for _ in range(2):
        told.look([bad, _seen(good)])
    (line,) = log.read(log.log_of(log.folder()))
    assert line["why"].startswith("a fault: ")
    assert good.run_id in told._known


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"outbox": 1}', '{"outbox": {"letters": [{}], "held": {}}}']
)
def test_what_was_kept_may_be_damaged(
    tmp_path: Path, going: Callable[..., Going], place: Path, content: str
) -> None:
    going(rig_with(tmp_path, "command: [a]"))
    place.mkdir(parents=True)
    (place / "told.json").write_text(content)
    told = Notifier()
    look(told)
    assert len(told._known) == 1


def test_where_nothing_can_be_kept_it_is_told_all_the_same(
    tmp_path: Path, going: Callable[..., Going], place: Path
) -> None:
    with web_server() as hook:
        run = going(rig_with(tmp_path, f"webhook: {hook.url}"))
        place.write_text("a file stands where the folder should")
        told = Notifier()
        run.alarm()
        settled(told)
        assert events(hook) == ["alarm"]


def test_a_log_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_BYTES", 500)
    file = log.log_of(tmp_path)
    for number in range(100):
        log.append(file, {"way": "a", "sent": True, "why": "", "number": number})
    assert file.stat().st_size < 700
    assert log.read(file)[-1]["number"] == 99


def test_on_the_way_lie_no_heavy_imports() -> None:
    code = "import sys, nakctl.notify.notifier; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "h5py", "pydantic", "yaml", "smtplib", "urllib.request", "ssl"}
    assert not heavy & set(found.stdout.split())
