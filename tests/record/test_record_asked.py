"""The mailbox of a run as files: what is a request, what is none, and that nothing there holds anybody up."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from nakctl.errors import InputError
from nakctl.record import asked, files
from nakctl.record.asked import Answer, NoRequest, Request

GOOD = Request("request-1", "stop", {"after": "cycle"}, "ada@pc", "2026-03-04T10:00:00+01:00")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A run with an empty mailbox."""
    (tmp_path / "x.h5.asked").mkdir()
    return tmp_path / "x.h5"


def lay(path: Path, content: bytes | dict[str, Any], name: str = "request-1.request") -> None:
    written = content if isinstance(content, bytes) else json.dumps(content).encode()
    (files.asked_of(path) / name).write_bytes(written)


def test_a_request_and_its_answer_come_as_they_were_given(path: Path) -> None:
    request = asked.new_request("note", text="grün")
    asked.put(path, request)
    [name] = asked.lying_in(path)
    assert asked.read(path, name) == request
    given = Answer(request.id, "done", "kept", True)
    asked.answer(path, given)
    assert asked.answer_to(path, request.id) == given
    assert list(asked.lying_in(path)) == []  # an answer is no request
    asked.forget(path, request.id)
    assert list(files.asked_of(path).iterdir()) == []


def test_requests_lie_in_the_order_in_which_they_were_made(path: Path) -> None:
    made = [asked.new_request("stop") for _ in range(5)]
    for request in reversed(made):
        asked.put(path, request)
    assert [asked.read(path, name) for name in sorted(asked.lying_in(path))] == made


def test_where_there_is_no_mailbox_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        asked.put(tmp_path / "x.h5", GOOD)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": "request-2"},
        {"id": 7},
        {"verb": "start"},
        {"verb": ["stop"]},
        {"verb": "stop", "arguments": {"text": "x"}},
        {"verb": "note", "arguments": {"text": "x" * 201}},
        {"verb": "note", "arguments": {"text": "two\nlines"}},
        {"verb": "note", "arguments": {"text": " "}},
        {"arguments": {"after": 3}},
        {"arguments": ["after"]},
        {"who": ""},
        {"who": None},
        {"who": "x" * 51},
        {"who": "\x1b[2J"},
        {"when": "x" * 41},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_not_as_agreed_is_no_request(path: Path, change: dict[str, Any]) -> None:
    lay(path, asdict(GOOD) | change)
    with pytest.raises(NoRequest):
        asked.read(path, "request-1.request")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 3000,
        b'{"id": ' + b"1" * 4000 + b"}",
        b" " * 5000,
        os.urandom(900),
    ],
    ids=["empty", "cut", "list", "null", "no text", "deep", "long number", "too long", "noise"],
)
def test_noise_is_no_request(path: Path, content: bytes) -> None:
    lay(path, content)
    with pytest.raises(NoRequest):
        asked.read(path, "request-1.request")


@pytest.mark.skipif(os.name != "posix", reason="links and pipes")
def test_a_link_a_pipe_and_a_folder_are_no_requests_and_hold_nobody_up(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(json.dumps(asdict(GOOD)))
    folder = files.asked_of(path)
    (folder / "request-1.request").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(folder / "request-2.request")
    (folder / "request-3.request").mkdir()
    for name in sorted(asked.lying_in(path)):
        with pytest.raises(NoRequest, match="no plain file"):
            asked.read(path, name)
        asked.discard(path, name)
    assert list(folder.iterdir()) == []
    assert (tmp_path / "elsewhere").exists()


def test_names_that_are_none_are_shown_and_half_written_ones_are_not(path: Path) -> None:
    for name in ("readme.txt", ".request-1.request.77", "request-1.answer"):
        lay(path, b"", name)
    assert list(asked.lying_in(path)) == ["readme.txt"]
    with pytest.raises(NoRequest, match="another name"):
        asked.read(path, "readme.txt")


def test_a_folder_full_of_files_is_looked_at_in_parts(path: Path) -> None:
    for number in range(asked.MOST_FILES + 5):
        lay(path, b"", f"{number}.request")
    assert len(list(asked.lying_in(path))) == asked.MOST_FILES


@pytest.mark.parametrize("text", ["", " ", "two\nlines", "ü" * 101])
def test_a_note_that_no_run_would_take_is_not_put(text: str) -> None:
    with pytest.raises(InputError):
        asked.new_request("note", text=text)


def test_whoever_asks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "getuser", lambda: "ada" * 30)
    assert len(asked.new_request("stop").who.encode()) == asked.MOST_WHO_BYTES


def test_what_a_run_leaves_is_removed_with_its_journal(path: Path) -> None:
    lay(path, asdict(GOOD))
    files.remove_journal(path)
    assert not files.asked_of(path).exists()
