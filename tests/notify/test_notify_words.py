"""`notify:` of a rig: what it says, and every slip with its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from notify_servers import job, rig_with

from nakctl.device.events import NEWS
from nakctl.errors import RigError
from nakctl.rig import find_rig
from nakctl.rig.notify import Event, MailWords, WayWords, WebhookWords, read_ways
from nakctl.rig.rig_yaml import read_rig

MAIL = "to: [anna@lab.example], from: rig@lab.example, smtp: mail.lab.example"


def faults(folder: Path, *ways: str) -> list[tuple[str, str]]:
    """What stands at each fault, and what is said of it."""
    file = rig_with(folder, *ways)
    with pytest.raises(RigError) as error:
        read_rig(file, ("sim",), ("sim-sp300",))
    lines = file.read_text(encoding="utf-8").splitlines()
    return [
        (lines[fault.mark.line - 1][fault.mark.column - 1 :], fault.message) for fault in error.value.faults
    ]


@pytest.mark.parametrize(
    ("way", "shown"),
    [
        (f"mail: {{{MAIL}, password: s3cret}}", "smtp: mail.lab.example, password: ***}"),
        (f"mail: {{{MAIL}, password: 's3, cret', usr: a}}", "password: ***, usr: a}"),
        ("webhook: htp://lab.example/s3cret", "- webhook: ***"),
        ("webhook: {url: htp://lab.example/s3cret, token: s3cret}", "- webhook: {url: ***, token: ***}"),
        (
            "webhook: {token: s3cret, url_from: file a.txt, tken: [}",
            "{token: ***, url_from: file a.txt, tken: [}",
        ),
    ],
)
def test_a_fault_shows_its_line_without_secrets(tmp_path: Path, way: str, shown: str) -> None:
    with pytest.raises(RigError) as error:
        find_rig(rig_with(tmp_path, way))
    assert shown in str(error.value)
    assert "cret" not in str(error.value)


def test_what_may_be_told_is_written_once_for_each_reader() -> None:
    assert get_args(Event) == NEWS


def test_ways_and_what_they_are_called(tmp_path: Path) -> None:
    file = rig_with(
        tmp_path,
        f"mail: {{{MAIL}}}",
        "{webhook: https://hooks.lab.example/s3cret, on: [start, end], channels: [sim-sp300]}",
        "webhook: {url_from: env HOOK}",
        "command: [/usr/bin/python3, tell.py, --token, s3cret]",
        "command: [curl, https://bot.example/s3cret]",
    )
    ways = read_ways(file)
    assert [(way.number, way.kind, way.label) for way in ways] == [
        (1, "mail", "mail to anna@lab.example"),
        (2, "webhook", "webhook hooks.lab.example"),
        (3, "webhook", "webhook env HOOK"),
        (4, "command", "command python3 tell.py"),
        (5, "command", "command curl"),
    ]
    assert ways[0].on == ("end", "alarm", "ask", "gap", "low disk", "taken over", "dead", "hung")
    assert (ways[1].on, ways[1].channels, ways[0].channels) == (("start", "end"), ("sim-sp300",), None)
    assert [way.label for way in find_rig(file).ways] == [way.label for way in ways]
    assert "s3cret" not in str(job(file, 2)) and "s3cret" not in repr(ways[1].words.hook)


@pytest.mark.parametrize(
    ("smtp", "server", "security"),
    [
        ("mail.lab.example", ("mail.lab.example", 587), "starttls"),
        ("mail.lab.example:465", ("mail.lab.example", 465), "tls"),
        ("mail.lab.example:25, tls: none", ("mail.lab.example", 25), "none"),
        ("mail.lab.example, tls: tls", ("mail.lab.example", 465), "tls"),
        ("'[::1]:2525'", ("::1", 2525), "starttls"),
    ],
)
def test_mail_servers(tmp_path: Path, smtp: str, server: tuple[str, int], security: str) -> None:
    way = f"mail: {{to: [anna@lab.example], from: rig@lab.example, smtp: {smtp}}}"
    mail = read_ways(rig_with(tmp_path, way))[0].words.mail
    assert mail is not None
    assert (mail.server, mail.security) == (server, security)


SLIPS = [
    (f"{{mail: {{{MAIL}}}, on: [alarms]}}", "alarms]}", "did you mean alarm?"),
    (f"mail: {{{MAIL}, usr: anna}}", "usr: anna}", "usr is no word of mail; did you mean user?"),
    (f"mail: {{{MAIL}, user: anna}}", "anna}", "user needs the word password or password_from beside it"),
    (f"mail: {{{MAIL}, password: x}}", "{to: [", "a password needs the word user beside it"),
    (
        f"mail: {{{MAIL}, user: a, password: x, tls: none}}",
        "none}",
        "everybody on the way reads the password",
    ),
    (f"mail: {{{MAIL}, user: a, password: x, password_from: env A}}", "env A}", "give one of them"),
    (f"mail: {{{MAIL}, user: a, password_from: A}}", "A}", "must be `env NAME` or `file PATH`"),
    ("mail: {to: [anna], from: rig@lab.example, smtp: m}", "[anna]", "'anna' is no mail address"),
    ("mail: {to: [], from: rig@lab.example, smtp: m}", "[]", "needs at least 1, has 0"),
    ("mail: {to: [a@b.c], from: rig@lab.example, smtp: 'm:x'}", "'m:x'}", "'m:x' is no server"),
    ("mail: {to: [a@b.c], smtp: m}", "{to: ", "mail needs the word from"),
    ("webhook: lab.example", "lab.example", "must be an address such as https://hooks.lab.example/T0/B1"),
    ("webhook: {url: 'https://a:b@c.example'}", "'https", "must be an address such as"),
    ("webhook: {token: x}", "{token: x}", "webhook needs the word url or url_from"),
    ("webhook: {url: https://a.example, headers: {'a b': c}}", "{'a b'", "one line of ASCII"),
    ("command: python tell.py", "python tell.py", "must be a list"),
    ("command: []", "[]", "needs at least 1"),
    ("{command: [a], webhook: https://a.example}", "command: [a]", "are ways of their own"),
    ("{on: [end]}", "{on: [end]}", "needs one of the words mail, webhook, command"),
    ("{command: [a], channels: [sim-sp30]}", "sim-sp30]", "did you mean sim-sp300?"),
    ("mail: anna@lab.example", "anna@lab.example", "must be words with values"),
]


@pytest.mark.parametrize(("way", "at", "said"), SLIPS)
def test_a_slip_is_told_with_its_place(tmp_path: Path, way: str, at: str, said: str) -> None:
    ((found_at, message),) = faults(tmp_path, "command: [a]", way)
    assert found_at.startswith(at)
    assert said in message


def test_all_slips_at_once(tmp_path: Path) -> None:
    assert len(faults(tmp_path, "webhook: lab.example", f"mail: {{{MAIL}, user: anna}}")) == 2


def test_a_slip_elsewhere_keeps_nobody_from_being_told(tmp_path: Path) -> None:
    file = rig_with(tmp_path, "command: [a]")
    file.write_text(file.read_text() + "devices: {x: {driver: none}}\n")
    assert [way.label for way in read_ways(file)] == ["command a"]
    with pytest.raises(RigError):
        find_rig(file)


def test_the_page_shows_words_that_exist(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "notify.md").read_text(encoding="utf-8")
    (tmp_path / "rig.yaml").write_text(page.split("```yaml\n")[1].partition("```")[0], encoding="utf-8")
    assert [way.kind for way in read_ways(tmp_path / "rig.yaml")] == ["mail", "webhook", "command"]
    rows = re.findall(r"^\| (`[^|]*) \|", page.partition("| `on` | when |")[2], re.MULTILINE)
    assert tuple(re.findall(r"`([^`]+)`", " ".join(rows))) == NEWS
    named = set(re.findall(r"`([a-z_]+)`", page))
    for words in (MailWords, WebhookWords, WayWords):
        written = {field.alias or name for name, field in words.model_fields.items()}
        assert written <= named | {"mail", "webhook", "command"}
