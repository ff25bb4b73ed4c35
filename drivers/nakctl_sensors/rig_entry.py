"""The words under `sensors:` in rig.yaml, kind by kind, and the spec they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any, Literal

import regex
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nakctl.device.sensor import SensorSpec
from nakctl.text import faults
from nakctl.text.faults import Problem, did_you_mean
from nakctl.text.quantities import Quantity, quantity
from nakctl.text.units import DIMENSIONS, SENSED, UnitError, scale_of
from nakctl_sensors.addresses import in_place
from nakctl_sensors.dialogues import dialogue, dialogue_names
from nakctl_sensors.escapes import escaped, line_end
from nakctl_sensors.modbus_names import LARGEST_WRITTEN
from nakctl_sensors.unit_words import converted, scale_of_word

Time = Annotated[Quantity, quantity("time", refs=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Port = Annotated[int, Field(strict=True, ge=1, le=4_000_000)]
Sensed = Annotated[Quantity, quantity(*SENSED)]
RegisterNumber = Annotated[int, Field(strict=True, ge=0, le=LARGEST_WRITTEN)]
BLIND_PERIODS = 3  # for less a sensor that is well may show nothing


class Calibration(BaseModel):
    """What a calibration found: pairs of shown and true value in the sensor's unit, lines between them."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    points: Annotated[list[tuple[Number, Number]], Field(min_length=2)]
    date: str = ""
    by: str = ""


class SensorWords(BaseModel):
    """What every kind takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True)

    kind: str
    like: str | None = Field(None, description="name of a ready dialogue")
    unit: str = Field(description="unit of the values, e.g. MPa or degC")
    scale: Number = Field(1.0, description="value = scale * what the instrument says + offset")
    offset: Number = 0.0
    calibration: Calibration | None = None
    every: Time = Quantity(1.0, "time", "1 s")
    timeout: Time = Quantity(2.0, "time", "2 s")
    frozen_after: Time | None = Field(
        None, description="a value that stays equal to the last bit for longer is told"
    )
    invalid: list[Number] = Field(
        [], description="numbers with which it says that it has no value, before scale, such as 32767"
    )
    plausible: Annotated[list[Sensed], Field(min_length=2, max_length=2)] | None = Field(
        None, description="lowest and highest value that it can show, such as [-200 degC, 850 degC]"
    )
    source: str = Field("", description="where the dialogue stands in the maker's manual")
    blind: Literal["stop", "go on"] = Field(
        "stop", description="what a run does when a limit rests on it and it cannot be seen for long"
    )
    blind_after: Time | None = Field(None, description="how long that is; left out: 10 s or 3 periods")
    note: str = ""


class AskingWords(SensorWords):
    """Instruments that talk in lines of text.

    decimal   the mark in its numbers; thousands: what parts groups of three digits
    pattern   finds the number: one group, or the groups value and unit. Left out: the line has one number
    says      the unit that it must show, in its own spelling; scale begins from there
    set       the line that writes a set-point, with {value} in it
    pause     a line that stands still for longer is cut: what was lost meanwhile nobody knows
    """

    query: str | None = None
    terminator: str = Field("\n", description="how its lines end")
    send_terminator: str | None = Field(None, description="how ours end, if otherwise")
    decimal: Literal[".", ","] | None = None
    thousands: Literal[",", ".", "'", " "] | None = None
    pattern: str | None = None
    says: str | None = None
    set: str | None = None
    set_answers: Annotated[bool, Field(strict=True)] | Annotated[str, Field(min_length=1)] = Field(
        False, description="it answers a set with a line"
    )
    setup: list[str] = Field([], description="lines sent after connecting; no answer is expected")
    pause: Time = Quantity(0.2, "time", "200 ms")


class ScpiWords(AskingWords):
    """An instrument that VISA reaches."""

    kind: Literal["scpi"]
    address: str = Field(description="VISA address, e.g. TCPIP::192.168.1.5::5025::SOCKET or GPIB::16::INSTR")
    backend: str = Field("", description="VISA library: left out, @py, or FILE.yaml@sim")
    query: str = "READ?"
    baud: Port | None = Field(None, description="for ASRL addresses")


class SerialWords(AskingWords):
    """An instrument at a serial port. Without a query its lines are taken as they come."""

    kind: Literal["serial"]
    port: str = Field(description="COM3, /dev/ttyUSB0, usb:SERIAL, or a URL of pyserial")
    baud: Port = 9600
    bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1


class ModbusWords(SensorWords):
    """A controller on Modbus: RTU at a serial port (`port`), or TCP (`address`, host or host:port)."""

    kind: Literal["modbus"]
    port: str | None = None
    address: str | None = None
    baud: Port = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    device: Annotated[int, Field(strict=True, ge=0, le=255)] = 1
    register_: RegisterNumber = Field(
        alias="register", description="number of the register, as counting says"
    )
    counting: Literal["from 0", "manual"] | None = Field(
        None, description="from 0: numbers as sent; manual: 40001 is the first holding register"
    )
    table: Literal["holding", "input"] = "holding"
    type: Literal["int16", "uint16", "int32", "uint32", "float32"] = "int16"
    words: Literal["big", "little"] = Field("big", description="which half of a 32-bit number comes first")
    bytes_: Literal["big", "little"] = Field(
        "big", alias="bytes", description="which half of a register comes first"
    )
    set_register: RegisterNumber | None = None


WORDS: dict[str, type[SensorWords]] = {"scpi": ScpiWords, "serial": SerialWords, "modbus": ModbusWords}
_COMMON = set(SensorWords.model_fields) - {"kind", "source"}


def read_words(
    name: str, given: Mapping[str, Any], model: type[SensorWords]
) -> tuple[SensorSpec | None, list[Problem]]:
    """The sensor, or everything that is wrong with its words; the words of a ready dialogue come first."""
    like = given.get("like")
    ready = dialogue(str(like)) if like is not None else {}
    if ready is None:
        hint = did_you_mean(str(like), dialogue_names()) or ";"
        known = ", ".join(dialogue_names())
        return None, [Problem(("like",), f"there is no dialogue {like}{hint} ready are: {known}")]
    if ready and ready["kind"] != given.get("kind"):
        return None, [Problem(("kind",), f"{like} is a dialogue of kind {ready['kind']}")]
    merged = {**ready, **given}
    try:
        words = model.model_validate(merged)
    except ValidationError as error:
        return None, faults.problems(error, merged, model, {}, f"a sensor of kind {given.get('kind')}")
    found = list(_problems(words))
    return (None, found) if found else (_spec(name, words), [])


def _problems(words: SensorWords) -> Iterator[Problem]:
    try:
        scale_of(words.unit, SENSED)
    except UnitError as error:
        yield Problem(("unit",), str(error))
    if words.scale == 0:
        yield Problem(("scale",), "0 makes every reading the same")
    if words.blind_after is not None and words.blind_after.value < BLIND_PERIODS * words.every.value:
        yield Problem(("blind_after",), f"is shorter than {BLIND_PERIODS} readings: it would always be blind")
    if words.calibration is not None:
        points = words.calibration.points
        for column in zip(*points, strict=True):
            if any(b <= a for a, b in pairwise(column)):
                yield Problem(
                    ("calibration", "points"), "shown and true values must both rise from pair to pair"
                )
    yield from _plausible_problems(words)
    if isinstance(words, AskingWords):
        yield from _dialogue_problems(words)
        yield from _unit_problems(words)
    for word, wrong in in_place(words.model_dump(by_alias=True), words.model_fields_set)[1]:
        yield Problem((word,) if word else (), str(wrong))


def _dialogue_problems(words: AskingWords) -> Iterator[Problem]:
    if words.pattern is not None:
        yield from _pattern_problems(words.pattern, words.says)
    if words.decimal is not None and words.decimal == words.thousands:
        yield Problem(("thousands",), f"{words.thousands} cannot part thousands and be the decimal mark, too")
    if words.set is not None and "{value" not in words.set:
        yield Problem(("set",), "has no {value} in it")
    if words.terminator == "":
        yield Problem(("terminator",), 'is empty: say how a line ends, such as "\\r\\n"')
    yield from _escape_problems(words)


def _pattern_problems(text: str, says: str | None) -> Iterator[Problem]:
    try:
        pattern = regex.compile(text)
    except regex.error as error:
        yield Problem(("pattern",), f"this is no regular expression: {error}")
        return
    if pattern.groups != 1 and "value" not in pattern.groupindex:
        yield Problem(
            ("pattern",), f"has {pattern.groups} groups: put the number in one, or name it (?P<value>...)"
        )
    if says is not None and "unit" not in pattern.groupindex:
        yield Problem(("says",), "needs a pattern with a group (?P<unit>...), or none")


def _unit_problems(words: AskingWords) -> Iterator[Problem]:
    """A unit that is shown and another one that is recorded need a way from one to the other."""
    if words.says is None or _is_scaled(words) or scale_of_word(words.says) is None:
        return
    if scale_of_word(words.unit) is not None and converted(1.0, words.says, words.unit) is None:
        text = f"{words.says} does not become {words.unit} by itself: write how, with `scale`"
        yield Problem(("says",), text)


def _is_scaled(words: SensorWords) -> bool:
    return (words.scale, words.offset) != (1.0, 0.0)


def _plausible_problems(words: SensorWords) -> Iterator[Problem]:
    if words.plausible is None or words.scale == 0 or scale_of_word(words.unit) is None:
        return
    low, high = words.plausible
    if low.dimension != high.dimension or low.value >= high.value:
        yield Problem(("plausible",), f"[{low}, {high}] is no range: write the lower value first")
    elif _raw_unit(words, low.dimension) is None:
        text = f"{low} is {DIMENSIONS[low.dimension].noun}, and it shows {words.unit}"
        yield Problem(("plausible",), text)


def _raw_unit(words: SensorWords, dimension: str) -> str | None:
    """In which unit, recorded or shown, something of this dimension can be said of its values."""
    says = getattr(words, "says", None)
    for unit in filter(None, (words.unit, says)):
        scale = scale_of_word(unit)
        if scale is not None and scale.dimension == dimension:
            return str(unit)
    return None


def _escape_problems(words: AskingWords) -> Iterator[Problem]:
    ends = {"terminator": words.terminator, "send_terminator": words.send_terminator}
    lines = {"query": words.query, "set": words.set}
    found = [((word,), line_end(end)) for word, end in ends.items() if end is not None]
    found += [((word,), escaped(line)) for word, line in lines.items() if line is not None]
    yield from (Problem(loc, str(wrong)) for loc, wrong in found if wrong is not None)
    for number, line in enumerate(words.setup):
        if (wrong := escaped(line)) is not None:
            yield Problem(("setup", number), str(wrong))


def _spec(name: str, words: SensorWords) -> SensorSpec:
    dimension, factor, offset = scale_of(words.unit, SENSED)
    own = {key: value for key, value in words.model_dump(by_alias=True).items() if key not in _COMMON}
    if isinstance(words, AskingWords):
        own["agreed"] = words.says if _is_scaled(words) else words.unit
        del own["pause"]
        own["pause_s"] = words.pause.value
    own |= in_place(own, words.model_fields_set)[0]
    calibration = words.calibration
    told = [calibration.date, calibration.by] if calibration else []
    spec = SensorSpec(
        name=name,
        kind=words.kind,
        address=str(own.get("address") or own.get("port")),
        unit=words.unit,
        dimension=dimension,
        SI_factor=factor,
        SI_offset=offset,
        every_s=words.every.value,
        timeout_s=words.timeout.value,
        scale=words.scale,
        offset=words.offset,
        points=tuple(calibration.points) if calibration else (),
        invalid=tuple(words.invalid),
        frozen_after_s=_seconds(words.frozen_after),
        blind=words.blind,
        blind_after_s=_seconds(words.blind_after),
        settable=own.get("set") is not None or own.get("set_register") is not None,
        about="; ".join(filter(None, [words.like and f"like {words.like}", words.source, words.note])),
        calibration=", ".join(filter(None, told)),
        options=own,
    )
    return replace(spec, plausible=_plausible(words, spec))


def _plausible(words: SensorWords, spec: SensorSpec) -> tuple[float, float] | None:
    """As numbers of the instrument, before scale."""
    if words.plausible is None:
        return None
    unit = _raw_unit(words, words.plausible[0].dimension)
    scale = scale_of_word(unit or "")
    assert scale is not None
    ends = [float(f"{(each.value - scale.offset) / scale.factor:.12g}") for each in words.plausible]
    low, high = sorted(map(spec.raw, ends) if unit == words.unit else ends)
    return low, high


def _seconds(time: Quantity | None) -> float | None:
    return None if time is None else time.value
