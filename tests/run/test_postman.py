"""The thread that looks after the mailbox: floods, noise, a folder that goes away, a disk that hangs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_s, until
from test_supervisor import Bench, Kept, started

from nakctl.device.channel import Reading, Watch
from nakctl.record import asked, files
from nakctl.record.asked import Answer, Request
from nakctl.run import postman
from nakctl.run.postman import MOST_OPEN, Postman, Refused


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Postman]:
    one = Postman(tmp_path / "x.h5", every_s=0.01)
    one.start()
    until(files.asked_of(one.path).is_dir)
    yield one
    one.close()


def put(post: Postman, number: int, verb: str = "note", **arguments: str) -> Request:
    arguments = arguments or ({"text": "hello"} if verb == "note" else {})
    request = Request(f"request-{number:04d}", verb, arguments, "ada@pc", "now")
    asked.put(post.path, request)
    return request


def taken(post: Postman, count: int = 1) -> list[Request]:
    found: list[Request] = []
    until(lambda: found.extend(post.taken()) or len(found) >= count)
    return found


def test_a_request_is_handed_over_once_and_removed_when_it_is_answered(post: Postman) -> None:
    request = put(post, 1)
    assert taken(post) == [request]
    time.sleep(0.05)  # it lies there still
    assert post.taken() == []
    post.answer(Answer(request.id, "done", "kept"))
    until(lambda: asked.answer_to(post.path, request.id))
    until(lambda: not list(asked.lying_in(post.path)))


def test_noise_is_removed_and_counted_and_what_is_a_request_is_heard(post: Postman) -> None:
    folder = files.asked_of(post.path)
    (folder / "garbage").write_bytes(os.urandom(100))
    (folder / "request-0001.request").write_bytes(b"{")
    (folder / "a folder").mkdir()
    request = put(post, 2)
    assert taken(post) == [request]
    until(lambda: list(asked.lying_in(post.path)) == [f"{request.id}.request"])
    refused: list[Refused | None] = []
    until(lambda: refused.append(post.refused()) or sum(each.count for each in refused if each) >= 3)
    assert sum(each.count for each in refused if each) == 3


def test_of_a_flood_some_is_taken_and_a_stop_always(post: Postman) -> None:
    for number in range(1000):
        put(post, number)
    stop = put(post, 9999, "stop")
    found: list[Request] = []
    until(lambda: found.extend(post.taken()) or stop in found)
    until(lambda: len(list(asked.lying_in(post.path))) == MOST_OPEN + 1)
    assert len(found) <= MOST_OPEN + 1
    for request in found:
        post.answer(Answer(request.id, "done", "kept"))
    until(lambda: not list(asked.lying_in(post.path)))
    refused = post.refused()
    assert refused is not None
    assert refused.count == 1001 - len(found)


def test_answers_that_nobody_fetches_do_not_pile_up(post: Postman, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postman, "MOST_ANSWERS", 10)
    for number in range(30):
        post.answer(Answer(f"request-{number:04d}", "done", "kept"))
    until(lambda: asked.answer_to(post.path, "request-0029"))
    until(lambda: len(list(files.asked_of(post.path).iterdir())) == 10)


def test_a_mailbox_that_is_removed_is_made_anew(post: Postman) -> None:
    files.asked_of(post.path).rmdir()
    until(files.asked_of(post.path).is_dir)
    request = put(post, 1)
    assert taken(post) == [request]
    assert post.trouble == ""


def test_what_stands_in_its_place_is_trouble_until_it_is_gone(post: Postman) -> None:
    folder = files.asked_of(post.path)
    folder.rename(folder.with_name("away"))
    until(lambda: _file_there(folder))
    until(lambda: post.trouble)
    folder.unlink()
    until(lambda: not post.trouble)


def _file_there(folder: Path) -> bool:
    """The thread may be quicker with its folder."""
    try:
        folder.write_text("")
    except OSError:
        folder.rmdir()
        return False
    return True


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_where_no_answer_can_be_written_a_request_is_heard_once_all_the_same(post: Postman) -> None:
    request = put(post, 1)
    files.asked_of(post.path).chmod(0o500)
    try:
        assert taken(post) == [request]
        post.answer(Answer(request.id, "done", "kept"))
        until(lambda: post.trouble)
        assert post.taken() == []
    finally:
        files.asked_of(post.path).chmod(0o700)
    until(lambda: asked.answer_to(post.path, request.id))


def test_answers_that_the_disk_refuses_do_not_deafen(post: Postman, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(path: Path, given: Answer) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(asked, "answer", refuses)
    first = put(post, 1)
    assert taken(post) == [first]
    post.answer(Answer(first.id, "done", "kept"))
    until(lambda: post.trouble == "Read-only file system")
    second = put(post, 2, "stop")
    assert taken(post) == [second]


def is_empty(path: Path) -> bool:
    """The mailbox, which is for a moment no folder while it is cleared."""
    try:
        return not list(asked.lying_in(path))
    except FileNotFoundError:
        return False


def test_what_lay_there_before_was_not_meant_for_this_run(tmp_path: Path) -> None:
    files.asked_of(tmp_path / "x.h5").mkdir()
    request = Request("request-1", "stop", {}, "ada@pc", "now")
    for clear in (False, True):
        asked.put(tmp_path / "x.h5", request)
        post = Postman(tmp_path / "x.h5", clear=clear, every_s=0.01)
        post.start()
        if clear:  # a successor hears what the one before it was asked
            until(lambda: is_empty(tmp_path / "x.h5"))
            assert post.taken() == []
        else:
            assert taken(post) == [request]
        post.close()


# --- beside a loop ------------------------------------------------------------------------------------------


class Counted(Bench):
    """It ends by itself after so many reads."""

    last = 400

    def read(self, watch: Watch) -> Reading:
        reading = super().read(watch)
        if self.reads >= self.last:
            self.stopped.set()
        return reading


SOON: dict[str, Any] = {"poll_s": 0.001}  # nobody disturbs it


def rows_of(sink: Kept) -> bytes:
    return b"".join(entry.samples.tobytes() for entry in sink.entries)


def test_a_disk_that_hangs_holds_the_loop_up_for_nothing(
    post: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread stands in a call; what was asked before is answered, and the rows are the same."""
    hangs, back = threading.Event(), threading.Event()

    def hang(path: Path) -> Iterator[str]:
        hangs.set()
        back.wait(PATIENCE_s)
        return iter(())

    monkeypatch.setattr(asked, "lying_in", hang)
    monkeypatch.setattr(postman, "STILL_s", 0.5)
    assert hangs.wait(PATIENCE_s)
    usual, quiet = Kept(), Kept()
    for sink, options in ((quiet, SOON), (usual, {"post": post})):
        thread, outcomes = started(Counted(), sink, **options)
        thread.join(PATIENCE_s)
        assert not thread.is_alive()
        assert outcomes[0].samples == 400
    assert rows_of(usual) == rows_of(quiet)
    told = [event.message for event in usual.events if event.code == "requests"]
    assert told == ["requests cannot be taken: the disk has not answered for 0.5 s"]
    back.set()


def test_a_flood_changes_no_row(post: Postman) -> None:
    quiet, flooded = Kept(), Kept()
    for sink, options in ((quiet, SOON), (flooded, {"post": post})):
        thread, outcomes = started(Counted(), sink, **options)
        if sink is flooded:
            for number in range(1000):
                put(post, number, text=f"number {number}")
            (files.asked_of(post.path) / "noise").write_bytes(b"\0" * 10_000)
        thread.join(PATIENCE_s)
        assert not thread.is_alive()
        assert outcomes[0].samples == 400
    assert rows_of(flooded) == rows_of(quiet)
    kept = [entry for entry in flooded.entries if entry.kind == "asked"]
    ids = [entry.facts["id"] for entry in kept]
    assert len(ids) == len(set(ids)) > 0


def test_a_stop_through_the_mailbox_stops_the_channel(post: Postman) -> None:
    channel, sink = Bench(), Kept()
    thread, outcomes = started(channel, sink, post=post)
    until(lambda: sink.samples > 5)
    request = put(post, 1, "stop")
    thread.join(PATIENCE_s)
    assert outcomes[0].reason == "stopped by ada@pc"
    until(lambda: (asked.answer_to(post.path, request.id) or Answer("", "waits", "")).state == "done")
    assert asked.answer_to(post.path, request.id) == Answer(request.id, "done", "stopped by ada@pc", True)


def test_who_cannot_load_hears_all_the_same(post: Postman) -> None:
    """Nobody answers, and the load is tried again for ever: a stop and a note are heard meanwhile."""
    from nakctl.device.program import Segment
    from nakctl.errors import LinkLost

    class Deaf(Bench):
        def load(self, segment: Segment, mark: str = "") -> None:
            raise LinkLost("no answer from the instrument")

    sink = Kept()
    thread, outcomes = started(Deaf(), sink, post=post)
    note = put(post, 1)
    until(lambda: asked.answer_to(post.path, note.id))
    put(post, 2, "stop")
    thread.join(PATIENCE_s)
    assert outcomes[0].reason == "stopped by ada@pc"
