"""What stands at this port or address, and how does it talk? Tries, listens, and proposes an entry.

Two questions are put to a serial port at each baud rate: what do you send by yourself, and what do you answer
to the queries of the ready dialogues. Queries only read; no set-point is ever sent.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nakctl.device.sensor import Proposal, SensorTrouble
from nakctl.errors import RigError
from nakctl.text.units import SENSED, UnitError, scale_of
from nakctl_sensors.dialogues import dialogue, dialogue_names
from nakctl_sensors.reply import MOST_SHOWN, number_in
from nakctl_sensors.rig_entry import NUMBER_PATTERN

BAUD_RATES = (9600, 115200, 19200, 57600, 38400, 4800, 2400, 1200)
LISTEN_s, ANSWER_s = 0.6, 0.25
ENOUGH = 2  # whole lines in a row before what sends by itself is believed
_PLAIN = {"bits": 8, "parity": "N", "stop_bits": 1}
_UNIT_BEHIND = re.compile(NUMBER_PATTERN + r"\s*([A-Za-z%/]+)")


@dataclass(frozen=True, slots=True)
class Setting:
    """How a serial port is set, and what is asked there; query None: only listen."""

    baud: int
    bits: int = 8
    parity: str = "N"
    stop_bits: int = 1
    query: str | None = None
    end: str = "\r\n"
    like: str | None = None


def probe(where: str, say: Callable[[str], None]) -> Proposal:
    """A proposal for `where`. RigError, in a sentence, if nothing answers or it cannot be reached."""
    if "::" in where:
        return _probe_visa(where, say)
    return _probe_serial(where, say)


# --- serial --------------------------------------------------------------------------------------------


def _probe_serial(port: str, say: Callable[[str], None]) -> Proposal:
    garbled: list[int] = []
    for setting in settings():
        heard = _hear(port, setting)
        lines = whole_lines(heard)
        if heard and not lines:
            garbled.append(setting.baud)
        if setting.query is None:
            say(f"{setting.baud} baud: {_seen(heard) if heard else 'silence'}")
        found = propose(port, setting, lines)
        if found is not None:
            return found
    if garbled:
        rates = ", ".join(map(str, dict.fromkeys(garbled)))
        raise RigError(
            f"{port} sends characters, but no text at any baud rate tried ({rates} made some): "
            "look up its baud rate, data bits and parity in its menu"
        )
    raise RigError(
        f"{port} is open and silent: is the instrument on, is the cable a crossed one if it needs that, "
        "does it send only on a key press?"
    )


def settings() -> Iterator[Setting]:
    """Listening at every baud rate first, then the ready queries at their own settings."""
    for baud in BAUD_RATES:
        yield Setting(baud)
    for name in dialogue_names():
        words = dialogue(name) or {}
        if words["kind"] == "serial" and words.get("query") is not None:
            end = words.get("send_terminator") or words["terminator"]
            framing = {key: words.get(key, usual) for key, usual in _PLAIN.items()}
            yield Setting(words.get("baud", 9600), query=words["query"], end=end, like=name, **framing)


def _hear(port: str, setting: Setting) -> bytes:
    """What comes within a moment, after the query if there is one."""
    import serial

    from nakctl_sensors.serial_line import opened

    options = {
        "port": port,
        "baud": setting.baud,
        "bits": setting.bits,
        "parity": setting.parity,
        "stop_bits": setting.stop_bits,
    }
    try:
        link = opened(options, ANSWER_s)
        try:
            link.reset_input_buffer()
            if setting.query is not None:
                link.write((setting.query + setting.end).encode())
            return _gathered(link, ANSWER_s if setting.query is not None else LISTEN_s)
        finally:
            link.close()
    except SensorTrouble as trouble:
        raise RigError(str(trouble)) from None
    except (serial.SerialException, OSError) as error:
        raise RigError(f"{port} went away while it was tried: {error}") from None


def _gathered(link: Any, seconds: float) -> bytes:
    until, heard = time.monotonic() + seconds, b""
    while time.monotonic() < until and heard.count(b"\n") <= ENOUGH:
        heard += link.read(link.in_waiting or 1)
    return heard


def whole_lines(heard: bytes) -> list[str]:
    """Lines of printable ASCII with both ends heard; the first is dropped if it may have begun earlier."""
    parts = re.split(rb"\r\n|\r|\n", heard)[:-1]
    texts = [part.decode("ascii", errors="replace") for part in parts if part]
    return [text for text in texts if text.isprintable() and "\ufffd" not in text]


def propose(port: str, setting: Setting, lines: list[str]) -> Proposal | None:
    """An entry for what these lines look like; None if they are nothing to build on."""
    if setting.like is not None:
        known = [line for line in lines if _fits(line, dialogue(setting.like) or {})]
        words = {"kind": "serial", "like": setting.like, "port": port}
        return _told(words, known[0], f"it answers like {setting.like}") if known else None
    if len(lines) < ENOUGH:
        return None
    line = lines[-1]
    for name in dialogue_names():
        ready = dialogue(name) or {}
        if ready["kind"] == "serial" and ready.get("query") is None and _fits(line, ready):
            own: dict[str, Any] = {"kind": "serial", "like": name, "port": port, "baud": setting.baud}
            return _told(own, line, f"it sends by itself, like {name}")
    if re.search(NUMBER_PATTERN, line) is None:
        return None
    unit, remark = unit_behind(line)
    own = {"kind": "serial", "port": port, "baud": setting.baud, "terminator": "\n", "unit": unit}
    return _told(own, line, remark)


def _told(words: Mapping[str, Any], line: str, remark: str) -> Proposal:
    return Proposal(dict(words), repr(line[:MOST_SHOWN]), remark)


def _fits(line: str, words: Mapping[str, Any]) -> bool:
    try:
        number_in(line, {"says": None, **words, "pattern": words.get("pattern", f"^{NUMBER_PATTERN}$")})
    except SensorTrouble:
        return False
    return True


def unit_behind(line: str) -> tuple[str, str]:
    """The unit that follows the number, and what to look after."""
    found = _UNIT_BEHIND.search(line)
    said = found[2] if found is not None else ""
    try:
        scale_of(said, SENSED)
    except UnitError:
        return "degC", f"it sends by itself; its unit is a guess ({said or 'it shows none'}): correct it"
    return said, "it sends by itself; check the unit"


def _seen(heard: bytes) -> str:
    return repr(heard[:MOST_SHOWN])


# --- VISA ----------------------------------------------------------------------------------------------

_IDENTITIES = {
    "MODEL 2000": "keithley2000",
    "DMM6500": "keithley6500",
    "34461A": "keysight34461a",
    "MODEL 2400": "keithley2400",
    "MODEL336": "lakeshore336",
}


def _probe_visa(where: str, say: Callable[[str], None]) -> Proposal:
    """Its identity tells the dialogue. An address may name its library: ADDRESS@py, ADDRESS FILE.yaml@sim."""
    from nakctl_sensors.rig_entry import WORDS, read_words
    from nakctl_sensors.scpi import ScpiSource

    address, _, backend = where.partition(" ")
    words: dict[str, Any] = {"kind": "scpi", "address": address}
    words |= {"backend": backend} if backend else {}
    for end in ("\n", "\r\n"):
        asked = {**words, "unit": "V", "terminator": end, "timeout": "1 s", "query": "*IDN?"}
        spec, problems = read_words("probe", asked, WORDS["scpi"])
        if spec is None:
            raise RigError("; ".join(problem.message for problem in problems))
        try:
            source = ScpiSource(spec)
            try:
                identity = str(source.ask("*IDN?"))
            finally:
                source.close()
        except SensorTrouble as trouble:
            if trouble.code != "timeout":
                raise RigError(str(trouble)) from None
            say(f"*IDN? with lines that end in {end!r}: silence")
            continue
        return _known(words, identity, end)
    raise RigError(
        f"{address} is there, and does not answer *IDN?: does it speak SCPI, and is it set to remote?"
    )


def _known(words: dict[str, Any], identity: str, end: str) -> Proposal:
    for mark, name in _IDENTITIES.items():
        if mark in identity:
            made = {"kind": "scpi", "like": name, **{k: v for k, v in words.items() if k != "kind"}}
            return _told(made, identity, "check the unit: it is that of what its front panel is set to")
    made = {**words, "terminator": end, "query": "READ?", "unit": "V"}
    return _told(made, identity, "no ready dialogue knows it: correct query and unit")
