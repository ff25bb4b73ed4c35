"""The tables of a result file: every name, type, unit and attribute, as data.

How a table lies in memory and in HDF5: `table`.

Sign: I > 0 oxidises (strips) the working electrode. Z = E/I: a capacitor has Z_im < 0.
Source of the bdf_* terms: Battery Data Format 1.3 of the Battery Data Alliance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from nakctl.booking.table import Column, Table
from nakctl.device.channel import OF_COUNTER, POINT, SAMPLE, Flag
from nakctl.device.ends import ENDED_BY
from nakctl.device.events import EVENTS as EVENTS_TOLD

FORMAT = 1
SIMULATED = "SIMULATED"
I_SIGN = "I > 0 oxidises (strips) the working electrode"
GAP_CODE = "gap"  # code of the events that tell of rows which are known to be missing


def title(header: Mapping[str, Any]) -> str:
    """As the file has it: nobody is to take a dry run for a measurement."""
    own = str(header.get("title", ""))
    return f"{SIMULATED} {own}" if header.get("simulated") else own


def _flag_bits() -> str:
    return ", ".join(f"{flag.value} {flag.name}" for flag in Flag)


def _time(long_name: str = "time / s") -> Column:
    return Column("time", "<f8", "s", long_name, "test_time_second", "Test Time / s", "time/s")


def _step_count() -> Column:
    notes = {"meaning": "number of the executed step, counted through the run; never repeats"}
    return Column("step_count", "<u4", "1", "step count", "step_count", "Step Count / 1", notes=notes)


def _step_id() -> Column:
    notes = {"meaning": "number of the step in the plan; repeats when the step does"}
    return Column("step_id", "<u4", "1", "step id", "step_id", "Step ID", "Ns", notes)


def _cycle() -> Column:
    return Column("cycle", "<u4", "1", "cycle", "cycle_count", "Cycle Count / 1", "cycle number")


def _flags() -> Column:
    return Column("flags", "<u2", "1", "flags", notes={"bits": _flag_bits()})


def _spectrum() -> Column:
    return Column("spectrum", "<u4", "1", "spectrum", notes={"meaning": "number of the spectrum in the run"})


def samples(three_electrode: bool, I_ranges: Mapping[Any, str] | None = None) -> Table:
    """The main table: one row per sample.

    three_electrode  adds Ece. The Battery Data Format calls the voltage across the cell `voltage_volt`: that
                     is Ewe only when the counter electrode is the reference.
    I_ranges         names of the codes in I_range
    """
    voltage = ("", "") if three_electrode else ("voltage_volt", "Voltage / V")
    ranges = ", ".join(f"{code} {name}" for code, name in (I_ranges or {}).items())
    Ece = (Column("Ece", "<f4", "V", "Ece / V", "", "", "Ece/V"),) if three_electrode else ()
    columns = (
        _time(),
        Column("Ewe", "<f4", "V", "Ewe / V", *voltage, "Ewe/V"),
        *Ece,
        Column("I", "<f4", "A", "I / A", "current_ampere", "Current / A", "I/mA", {"sign": I_SIGN}),
        Column("Q", "<f8", "A*h", "Q / A h", "net_capacity_ah", "Net Capacity / Ah", "(Q-Qo)/mA.h"),
        _step_count(),
        _step_id(),
        _cycle(),
        _flags(),
        Column("I_range", "<i2", "1", "I range", "", "", "I Range", {"enum": ranges}),
        Column("control", "<f4", "V or A", "control / V or A", "", "", "control/V/mA"),
    )
    return Table("samples", "NXdata", columns, 1024, 16384, "Ewe", "time", ("I",))


def impedance(three_electrode: bool) -> Table:
    """One row per frequency. three_electrode: adds the counter electrode."""

    def ohm(name: str, label: str, bdf_name: str, bdf_label: str, eclab: str, sign: str = "") -> Column:
        notes = {"sign": sign} if sign else {}
        return Column(name, "<f8", "ohm", label, bdf_name, bdf_label, eclab, notes)

    capacitive = "as Z = E/I gives it: capacitive is negative (EC-Lab's column holds the opposite)"
    peak = {"amplitude": "peak"}
    columns = (
        _time(),
        _spectrum(),
        _step_count(),
        Column("frequency", "<f8", "Hz", "f / Hz", "frequency_hertz", "Frequency / Hz", "freq/Hz"),
        ohm("Z_re", "Re(Z) / ohm", "real_impedance_ohm", "Real Impedance / ohm", "Re(Z)/Ohm"),
        ohm(
            "Z_im",
            "Im(Z) / ohm",
            "imaginary_impedance_ohm",
            "Imaginary Impedance / ohm",
            "-Im(Z)/Ohm",
            capacitive,
        ),
        ohm("Z_abs", "|Z| / ohm", "absolute_impedance_ohm", "Absolute Impedance / ohm", "|Z|/Ohm"),
        Column("Z_phase", "<f8", "deg", "phase(Z) / deg", "phase_degree", "Phase / deg", "Phase(Z)/deg"),
        Column("E_dc", "<f4", "V", "Ewe (DC) / V", "", "", "<Ewe>/V"),
        Column("I_dc", "<f4", "A", "I (DC) / A", "", "", "<I>/mA", {"sign": I_SIGN}),
        Column("E_amp", "<f4", "V", "Ewe amplitude / V", "", "", "|Ewe|/V", peak),
        Column("I_amp", "<f4", "A", "I amplitude / A", "", "", "|I|/A", peak),
        *(_of_counter(ohm, capacitive, peak) if three_electrode else ()),
        _flags(),
    )
    return Table("impedance", "NXdata", columns, 256, 4096, "Z_abs", "frequency", ("Z_phase",))


def _of_counter(
    ohm: Callable[..., Column], capacitive: str, peak: dict[str, str]
) -> tuple[Column, Column, Column, Column]:
    turned = f"-Ece/I: that of the whole cell is Z + Zce; {capacitive}"
    return (
        ohm("Zce_re", "Re(Zce) / ohm", "", "", "Re(Zce)/Ohm", turned),
        ohm("Zce_im", "Im(Zce) / ohm", "", "", "-Im(Zce)/Ohm", turned),
        Column("Ece_dc", "<f4", "V", "Ece (DC) / V", "", "", "<Ece>/V"),
        Column("Ece_amp", "<f4", "V", "Ece amplitude / V", "", "", "|Ece|/V", peak),
    )


def _row_columns(of: str, count: str) -> tuple[Column, Column]:
    return (
        Column("first_row", "<u8", "1", f"first row in {of}"),
        Column("row_count", count, "1", f"rows in {of}"),
    )


def _spectra() -> Table:
    complete = {"meaning": "1: every frequency that was asked for is there"}
    columns = (
        _spectrum(),
        _step_count(),
        _cycle(),
        _time("start / s"),
        *_row_columns("impedance", "<u4"),
        Column("complete", "u1", "1", "complete", notes=complete),
    )
    return Table("spectra", "NXcollection", columns, 64, 1024)


def _steps() -> Table:
    columns = (
        _step_count(),
        _step_id(),
        _cycle(),
        Column("technique", "S16", "", "technique"),
        Column("label", "S64", "", "label"),
        Column("t_start", "<f8", "s", "start / s"),
        Column("t_end", "<f8", "s", "end / s"),
        *_row_columns("samples", "<u8"),
        Column("end_reason", "S128", "", "why it ended"),
        *_end_columns(),
    )
    return Table("steps", "NXcollection", columns, 64, 1024)


def _end_columns() -> tuple[Column, Column, Column]:
    """Why a step is over, as codes. The sentence beside them is for people."""
    kinds = {"meaning": "; ".join(f"{kind}: {text}" for kind, text in ENDED_BY.items())}
    seen = {"meaning": "what was read of the quantity that ended it, in SI; NaN where no reading did"}
    return (
        Column("end_kind", "S16", "", "what ended it", notes=kinds),
        Column("end_id", "<u2", "1", "row of `ends` that ended it", notes={"meaning": "0: none of them"}),
        Column("end_value", "<f8", "V, A, C, s, V/s or A/s", "value that ended it", notes=seen),
    )


def _ends() -> Table:
    """Every condition of the program that may end a step or the run."""
    step = {"meaning": "step_id that it belongs to; 0: every step"}
    columns = (
        Column("end_id", "<u2", "1", "number"),
        Column("kind", "S16", "", "kind"),
        Column("quantity", "S16", "", "quantity"),
        Column("side", "S8", "", "side"),
        Column("value", "<f8", "V, A, C, s, V/s or A/s", "value"),
        Column("then", "S16", "", "what follows"),
        Column("by", "S16", "", "who watches"),
        Column("step_id", "<u4", "1", "step id", notes=step),
        Column("line", "<u4", "1", "line of the protocol"),
        Column("text", "S64", "", "in the words of the protocol"),
    )
    return Table("ends", "NXcollection", columns, 64, 256)


def _chains() -> Table:
    """Every chain that was loaded and started. Before each but the first the cell lay open: an interruption.

    The times of its rows count from `time`. Ties between the two clocks stand in `ties`, and move no row.
    """
    before = {"meaning": "step_count of the step before the interruption; 0: nothing ran before"}
    after = {"meaning": "step_id of the first step of the chain"}
    error = {"meaning": "the instrument began within this much of `time`"}
    open_s = {"meaning": "from the last row before it to `time`"}
    columns = (
        Column("chain", "<u4", "1", "chain"),
        _time("start / s"),
        Column("time_error", "<f8", "s", "+- of start / s", notes=error),
        Column("open_from", "<f8", "s", "cell open from / s"),
        Column("open", "<f8", "s", "cell open for / s", notes=open_s),
        Column("step_before", "<u4", "1", "step before", notes=before),
        Column("step_after", "<u4", "1", "step after", notes=after),
        Column("I_before", "<f4", "A", "I before / A"),
    )
    return Table("chains", "NXcollection", columns, 64, 256)


def _ties() -> Table:
    """The same moment on the instrument's clock and on the host's, once in ten minutes the best."""
    columns = (
        Column("chain", "<u4", "1", "chain"),
        Column("elapsed", "<f8", "s", "instrument's clock since the start of the chain / s"),
        _time("host's clock / s"),
        Column("time_error", "<f8", "s", "+- of time / s"),
    )
    return Table("ties", "NXcollection", columns, 64, 256)


def _events() -> Table:
    meanings = {"meaning": "; ".join(f"{code}: {meaning.text}" for code, meaning in EVENTS_TOLD.items())}
    columns = (
        _time(),
        Column("severity", "u1", "1", "severity", notes={"enum": "0 note, 1 warning, 2 alarm"}),
        Column("code", "S32", "", "code", notes=meanings),
        _step_count(),
        Column("message", "S256", "", "message"),
    )
    return Table("events", "NXcollection", columns, 64, 256)


def _clock() -> Table:
    unix = Column("unix_time", "<f8", "s", "Unix time / s", "unix_time_second", "Unix Time / s")
    return Table("clock", "NXcollection", (_time(), unix), 64, 256)


def sensor(spec: Mapping[str, Any]) -> Table:
    """The readings of one sensor, /entry/aux/NAME. spec: as `device.sensor.SensorSpec.as_json` gives it."""
    label = f"{spec['name']} / {spec['unit']}"
    broken = {"gaps": "NaN where readings break off; the events say why"}
    error = {"meaning": "the reading was taken within this much of its time"}
    columns = (
        _time(),
        Column("value", "<f8", spec["unit"], label, notes=broken),
        Column("time_error", "<f4", "s", "+- of time / s", notes=error),
    )
    return Table(f"aux/{spec['name']}", "NXlog", columns, 1024, 16384, "value", "time")


def _sensor_clock() -> Table:
    monotonic = {"meaning": "the clock that readings of sensors are timed with; its zero means nothing"}
    columns = (
        _time(),
        Column("monotonic", "<f8", "s", "monotonic time / s", notes=monotonic),
        Column("time_error", "<f4", "s", "+- of time / s"),
    )
    return Table("sensor_clock", "NXcollection", columns, 64, 1024)


def raw(three_electrode: bool) -> tuple[Table, ...]:
    """What the tables were booked from, see `record.raw_tables`. three_electrode: as `samples`."""

    def table(name: str, columns: Iterable[tuple[str, str, str]], chunk: int = 16384) -> Table:
        described = tuple(Column(column, dtype, units, column) for column, dtype, units in columns)
        return Table(f"raw/{name}", "NXcollection", described, 1024, chunk)

    def as_given(name: str, dtype: np.dtype[np.void]) -> Table:
        fields: Mapping[str, Any] = dtype.fields or {}
        kept = (field for field in fields if three_electrode or field not in OF_COUNTER)
        return table(name, ((field, fields[field][0].str, _unit_of(field)) for field in kept))

    entries = (
        ("seq", "<u8", "1"), ("epoch", "<u4", "1"), ("kind", "S8", ""), ("segment", "<u4", "1"),
        ("block", "<u8", "1"), ("time", "<f8", "s"), ("unix_time", "<f8", "s"), ("facts_end", "<u8", "1"),
        ("words_end", "<u8", "1"), ("samples_end", "<u8", "1"), ("points_end", "<u8", "1"),
    )  # fmt: skip
    in_bytes = (("byte", "u1", "1"),)
    return (
        table("entries", entries),
        table("facts", in_bytes, 1 << 18),
        table("words", in_bytes, 1 << 18),
        as_given("samples", SAMPLE),
        as_given("points", POINT),
        table("documents", in_bytes, 1 << 18),
    )


def _unit_of(name: str) -> str:
    """As its end says."""
    return {"s": "s", "V": "V", "A": "A", "Hz": "Hz", "ohm": "ohm"}.get(name.rpartition("_")[2], "1")


RAW = raw(three_electrode=False)
RAW_ENTRIES = RAW[0]
SENSOR_CLOCK = _sensor_clock()
SAMPLES = samples(three_electrode=False)
SAMPLES_3E = samples(three_electrode=True)
IMPEDANCE = impedance(three_electrode=False)
IMPEDANCE_3E = impedance(three_electrode=True)
SPECTRA = _spectra()
STEPS = _steps()
ENDS = _ends()
CHAINS = _chains()
TIES = _ties()
EVENTS = _events()
CLOCK = _clock()


def impedance_beside(samples: np.dtype[np.void]) -> np.dtype[np.void]:
    """That of the run whose main table is of this type."""
    return (IMPEDANCE_3E if "Ece" in (samples.names or ()) else IMPEDANCE).dtype


def tables(header: Mapping[str, Any]) -> dict[str, Table]:
    """The tables of the run that `header` describes, by name."""
    three = bool(header.get("three_electrode"))
    main = samples(three, header.get("I_ranges"))
    others = (IMPEDANCE_3E if three else IMPEDANCE, SPECTRA, STEPS, ENDS, CHAINS, TIES, EVENTS, CLOCK)
    return {table.name: table for table in (main, *others)}
