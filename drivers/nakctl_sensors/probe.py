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

from nakctl.device.sensor import Proposal, Raw, SensorTrouble
from nakctl.errors import RigError
from nakctl_sensors.dialogues import dialogue, dialogue_names
from nakctl_sensors.numbers import Convention, Found, NoNumber, number_of
from nakctl_sensors.reply import MOST_SHOWN, decoded, number_in, shown, value_of
from nakctl_sensors.rig_entry import WORDS, read_words
from nakctl_sensors.unit_words import our_spelling, scale_of_word

BAUD_RATES = (9600, 115200, 19200, 57600, 38400, 4800, 2400, 1200)
LISTEN_s, ANSWER_s = 1.2, 0.25  # many send once in a second
LINES_s = 4.0
ENOUGH = 2  # whole lines in a row before what sends by itself is believed
_PLAIN = {"bits": 8, "parity": "N", "stop_bits": 1}


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


def probe(where: str, known: Mapping[str, str], say: Callable[[str], None]) -> Proposal:
    """A proposal for `where`. known: words of its entry that are known already, such as unit. RigError, in a
    sentence, if nothing answers or it cannot be reached."""
    if "::" in where:
        return _probe_visa(where, known, say)
    return _probe_serial(where, known, say)


# --- serial --------------------------------------------------------------------------------------------


def _probe_serial(port: str, known: Mapping[str, str], say: Callable[[str], None]) -> Proposal:
    garbled: list[int] = []
    for setting in settings():
        heard = _hear(port, setting)
        if heard and not whole_lines(heard, answers=True):
            garbled.append(setting.baud)
        if setting.query is None:
            say(f"{setting.baud} baud: {_seen(heard) if heard else 'silence'}")
        found = propose(port, setting, heard, known)
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
            end = words.get("send_terminator", words["terminator"])
            if not end:  # single characters are key presses to others
                continue
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
    except serial.SerialTimeoutException:  # nobody takes what is asked, so nobody answers
        return b""
    except (serial.SerialException, OSError) as error:
        raise RigError(f"{port} went away while it was tried: {error}") from None


def _gathered(link: Any, seconds: float) -> bytes:
    """All that comes in this time; where it looks like text, until there are enough lines."""
    begun, heard = time.monotonic(), b""
    while len(_pieces(heard)) <= ENOUGH + 1:
        longest_s = max(seconds, LINES_s) if heard and _is_text(heard) else seconds
        if time.monotonic() - begun > longest_s:
            break
        heard += link.read(link.in_waiting or 1)
    return heard


def _is_text(heard: bytes) -> bool:
    return all(byte in b"\t\r\n\x02\x03" or 0x20 <= byte < 0x7F for byte in heard)


def _pieces(heard: bytes) -> list[bytes]:
    return re.split(rb"\r\n|\r|\n", heard)


def whole_lines(heard: bytes, answers: bool) -> list[str]:
    """Lines of text with both ends heard. answers: it was asked, so what it says first begins a line."""
    found = []
    for piece in _pieces(heard)[0 if answers else 1 : -1]:
        try:
            line = decoded(piece)
        except SensorTrouble:
            continue
        if line.strip() and line.isprintable():
            found.append(line)
    return found


def line_end(heard: bytes) -> str:
    """How its lines end."""
    for end in ("\r\n", "\n", "\r"):
        if end.encode() in heard:
            return end
    return "\n"


def propose(port: str, setting: Setting, heard: bytes, known: Mapping[str, str]) -> Proposal | None:
    """An entry for what was heard; None if that is nothing to build on."""
    lines = whole_lines(heard, answers=setting.query is not None)
    if setting.like is not None:
        words = {"kind": "serial", "like": setting.like, "port": port}
        return _if_it_fits(words, lines, known, f"it answers like {setting.like}") if lines else None
    if len(lines) < ENOUGH:
        return None
    at = {"kind": "serial", "port": port, "baud": setting.baud}
    for name in _most_particular_first():
        found = _if_it_fits({"like": name, **at}, lines, known, f"it sends by itself, like {name}")
        if found is not None:
            return found
    return _of_plain_lines({**at, "terminator": line_end(heard)}, lines, known)


def _most_particular_first() -> list[str]:
    """Ready dialogues of what sends by itself. A short pattern fits lines that are others' too."""
    patterns = {name: (dialogue(name) or {}).get("pattern", "") for name in dialogue_names()}
    own = [name for name in patterns if patterns[name] and "query" not in (dialogue(name) or {})]
    return sorted(own, key=lambda name: -len(patterns[name]))


def _if_it_fits(
    words: dict[str, Any], lines: list[str], known: Mapping[str, str], remark: str
) -> Proposal | None:
    """The ready dialogue, if it can read a line of them. What it makes of the others is shown, too."""
    own = {**words, **known}
    made = _told(own, lines, remark)
    return made if any(value is not None for value in _values(own, lines)) else None


def _of_plain_lines(words: dict[str, Any], lines: list[str], known: Mapping[str, str]) -> Proposal | None:
    """An instrument that no dialogue knows, with one number in each line."""
    readable = [each for each in _conventions(known.get("decimal")) if _numbers(lines, each) is not None]
    if not readable:
        return None
    shown_units = [found.unit for found in _numbers(lines, readable[0]) or [] if found.unit]
    shown_unit = shown_units[0] if shown_units else ""
    is_known = scale_of_word(shown_unit) is not None
    own = {**words, "unit": our_spelling(shown_unit) if is_known else "V", **readable[0], **known}
    if shown_unit and not is_known:
        own["says"] = shown_unit
    doubt = ""
    if len(readable) > 1 and readable[0] and "decimal" not in known:
        doubt = "its comma may be a decimal mark or part thousands: say --decimal , or --decimal ."
    elif not is_known and "unit" not in known:
        doubt = f"its unit is a guess, as it shows {shown_unit or 'none'}: say --unit MPa, or what it is"
    return _told(own, lines, "it sends by itself, and no ready dialogue knows it", doubt)


def _conventions(decimal: str | None) -> list[dict[str, str]]:
    """How its numbers may be written, the simplest first."""
    commas, points = {"decimal": ","}, {"decimal": ".", "thousands": ","}
    if decimal == ",":
        return [commas, {**commas, "thousands": "."}]
    return [{"decimal": "."}, points] if decimal == "." else [{}, commas, points]


def _numbers(lines: list[str], words: Mapping[str, str]) -> list[Found] | None:
    convention = Convention(words.get("decimal", ""), words.get("thousands", ""))
    try:
        return [number_of(line, convention) for line in lines]
    except NoNumber:
        return None


def _told(words: dict[str, Any], lines: list[str], remark: str, doubt: str = "") -> Proposal:
    """With what these very words make of the lines. One that they cannot read puts them in doubt."""
    heard = []
    for line in lines:
        try:
            heard.append((shown(line), _read(words, line)))
        except (SensorTrouble, RigError) as trouble:
            heard.append((shown(line), f"not read: it {trouble}"))
            doubt = doubt or f"it cannot read {shown(line)}"
    return Proposal(words, tuple(heard), remark, doubt)


def _values(words: Mapping[str, Any], lines: list[str]) -> list[str | None]:
    found: list[str | None] = []
    for line in lines:
        try:
            found.append(_read(words, line))
        except (SensorTrouble, RigError):
            found.append(None)
    return found


def _read(words: Mapping[str, Any], line: str) -> str:
    """The value of a line, as a run would read it. SensorTrouble, or RigError if the words make no sensor."""
    spec, problems = read_words("probe", words, WORDS[words["kind"]])
    if spec is None:
        raise RigError("; ".join(problem.message for problem in problems))
    value = value_of(Raw(number_in(line, spec.options).value, 0.0, 0.0), spec)
    return f"{value:g} {spec.unit}"


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


def _probe_visa(where: str, known: Mapping[str, str], say: Callable[[str], None]) -> Proposal:
    """Its identity tells the dialogue. An address may name its library: ADDRESS@py, ADDRESS FILE.yaml@sim."""
    address, _, backend = where.partition(" ")
    words: dict[str, Any] = {"kind": "scpi", "address": address}
    words |= {"backend": backend} if backend else {}
    for end in ("\n", "\r\n"):
        asking = {**words, "unit": "V", "terminator": end, "timeout": "1 s"}
        try:
            identity = _asked(asking, "*IDN?")
        except SensorTrouble as trouble:
            if trouble.code not in ("timeout", "half_line"):
                raise RigError(str(trouble)) from None
            say(f"*IDN? with lines that end in {end!r}: silence")
            continue
        say(f"*IDN? with lines that end in {end!r}: {shown(identity)}")
        return _known(words, identity, end, known)
    raise RigError(
        f"{address} is there, and does not answer *IDN?: does it speak SCPI, and is it set to remote?"
    )


def _asked(words: Mapping[str, Any], query: str) -> str:
    """What it answers. SensorTrouble if nothing; RigError if these words make no sensor."""
    from nakctl_sensors.scpi import ScpiSource

    spec, problems = read_words("probe", words, WORDS["scpi"])
    if spec is None:
        raise RigError("; ".join(problem.message for problem in problems))
    source = ScpiSource(spec)
    try:
        return source.ask(query)
    finally:
        source.close()


def _known(words: dict[str, Any], identity: str, end: str, known: Mapping[str, str]) -> Proposal:
    like = next((name for mark, name in _IDENTITIES.items() if mark in identity), None)
    if like is not None:
        made = {"kind": "scpi", "like": like, **{k: v for k, v in words.items() if k != "kind"}, **known}
        query = str((dialogue(like) or {})["query"])
        remark = f"{shown(identity)}: like {like}; its unit is that of what its front panel is set to"
    else:
        made, query = {**words, "terminator": end, "query": "READ?", "unit": "V", **known}, "READ?"
        remark = f"no ready dialogue knows {shown(identity)}"
    try:
        return _told(made, [_asked({**made, "timeout": "5 s"}, query)], remark)
    except SensorTrouble as trouble:
        return Proposal(made, (), remark, f"{query} was tried, and it {trouble}: correct the query")
