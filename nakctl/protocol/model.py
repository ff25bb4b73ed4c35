"""Every word of the protocol language, on one page. The docstrings are its reference and its schema.

A step is a mapping with exactly one *kind word* (see KINDS); its other words refine it. Quantities carry
their unit. `$name` stands for a parameter or for the level of a staircase. I > 0 oxidises (strips) the
working electrode.
"""

# No `from __future__ import annotations`: pydantic would have to compile the text of each again.
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from nakctl.protocol.expect_words import FigureWords
from nakctl.text.quantities import (
    ExtentWord,
    PotentialWord,
    Quantities,
    Quantity,
    Ref,
    Relative,
    SameCharge,
    quantities,
    quantity,
    range_of,
    ranges_of,
)
from nakctl.text.units import RATE_OF, SENSED

Time = Annotated[Quantity | Ref, quantity("time")]
Times = Annotated[Quantities, quantities("time")]
Potential = Annotated[Quantity | Ref, quantity("potential")]
Held = Annotated[Quantity | Ref | Relative, PotentialWord()]
CURRENT = ("areal current", "current", "C-rate")
Current = Annotated[Quantity | Ref, quantity(*CURRENT)]
# The size of a current, and one whose word (strip, plate) is its direction already.
Magnitude = Annotated[Quantity | Ref, quantity(*CURRENT, sign="positive")]
Directed = Annotated[Quantity | Ref, quantity(*CURRENT, sign="none")]
Difference = Annotated[Quantity | Ref, quantity("potential", sign="positive")]
CHARGE = ("areal charge", "charge", "part of the capacity")
Charge = Annotated[Quantity | Ref, quantity(*CHARGE)]
Extent = Annotated[Quantity | Ref, quantity("time", *CHARGE)]
ExtentOfCurrent = Annotated[Quantity | Ref | SameCharge, ExtentWord(("time", *CHARGE))]
Capacity = Annotated[Quantity | Ref, quantity("areal charge", "charge")]
AboutCapacity = Annotated[Quantity | Ref, quantity("areal charge", "charge", sign="positive")]
Amplitude = Annotated[Quantity | Ref, quantity("current", "potential", "areal current", sign="positive")]
Frequency = Annotated[Quantity | Ref, quantity("frequency")]
Frequencies = Annotated[Quantities, quantities("frequency")]
LEVELS = (
    *CURRENT, "potential", "time", *CHARGE, "temperature", "pressure", "force", "mass", "length", "fraction",
    "frequency", "resistance", "power", "areal power",
)  # fmt: skip
Levels = Annotated[Quantities, quantities(*LEVELS)]
Level = Annotated[Quantity | Ref, quantity(*LEVELS)]
ScanRate = Annotated[Quantity | Ref, quantity("potential rate")]
RampRate = Annotated[Quantity | Ref, quantity("areal current rate", "current rate")]
Power_ = Annotated[Quantity | Ref, quantity("areal power", "power")]
Resistance = Annotated[Quantity | Ref, quantity("resistance")]
Vertices = Annotated[Quantities, quantities("potential")]
Fraction = Annotated[Quantity | Ref, quantity("fraction", sign="positive")]
CurrentRanges = Annotated[str, ranges_of("current")]
PotentialRange = Annotated[str, range_of("potential")]
Sensed = Annotated[Quantity, quantity(*SENSED, refs=False)]
SetPoint = Annotated[Quantity | Ref, quantity(*SENSED)]
SetPointRate = Annotated[Quantity | Ref, quantity(*RATE_OF.values(), sign="positive")]
Band = Annotated[Quantity, quantity(*SENSED, sign="difference")]
PotentialRate = Annotated[Quantity | Ref, quantity("potential rate", sign="positive")]
CurrentRate = Annotated[Quantity | Ref, quantity("areal current rate", "current rate", sign="positive")]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
FileName = Annotated[str, Field(min_length=1, max_length=200)]
Label = Annotated[str, Field(max_length=40, description="what this step is called in plan and record")]


class Word(BaseModel):
    """Base of all words: nothing unknown passes, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Record(Word):
    """When to keep a sample. Either criterion is enough."""

    every: Time | None = Field(None, description="at least this often")
    dE: Difference | None = Field(
        None,
        description="a change of Ewe since the last sample (not in ca, ramp, geis, peis)",
    )
    dI: Magnitude | None = Field(None, description="a change of I since the last sample (ca, ramp)")


class Cutoff(Word):
    """Ends the step before its time. Exactly one condition, and what follows."""

    Ewe_above: Potential | None = Field(None, description="Ewe rose above this")
    Ewe_below: Potential | None = Field(None, description="Ewe fell below this")
    I_above: Magnitude | None = Field(None, description="|I| rose above this (where no current is set)")
    I_below: Magnitude | None = Field(None, description="|I| fell below this (where no current is set)")
    charge: Charge | None = Field(None, description="|charge| of this step")
    dEwe_dt_above: PotentialRate | None = Field(None, description="Ewe changes faster than this, up or down")
    dEwe_dt_below: PotentialRate | None = Field(None, description="Ewe changes more slowly than this: steady")
    dI_dt_above: CurrentRate | None = Field(None, description="|I| changes faster than this, up or down (ca)")
    dI_dt_below: CurrentRate | None = Field(
        None, description="|I| changes more slowly than this: steady (ca)"
    )
    over: Time | None = Field(
        None, description="of dEwe_dt and dI_dt: the slope is fitted to the last so long of the step"
    )
    short: Literal[True] | None = Field(
        None, description="the cell shorts, by the rule under `rules` or `stop_when` (under current)"
    )
    Ece_above: Potential | None = Field(None, description="Ece rose above this (three electrodes)")
    Ece_below: Potential | None = Field(None, description="Ece fell below this (three electrodes)")
    Ewe_minus_Ece_above: Potential | None = Field(
        None, description="the voltage of the whole cell rose above this (three electrodes)"
    )
    Ewe_minus_Ece_below: Potential | None = Field(
        None, description="the voltage of the whole cell fell below this (three electrodes)"
    )
    then: Literal["next step", "end loop", "end run"] = Field(
        "next step", description="what follows; the loop is the nearest repeat, staircase or pulse around"
    )


Until = Annotated[Cutoff | list[Cutoff], Field(description="one cutoff, or a list of them")]


class Ranges(Word):
    """Fixes a range that nakctl would choose, by its end.

    In a staircase `I` may list one for each level: [1 uA, 10 uA, 100 uA].
    """

    I: CurrentRanges | None = Field(
        None, description="current range, e.g. 1 mA; or one for each level of a staircase"
    )
    E: PotentialRange | None = Field(None, description="potential range, e.g. 5 V for -5 V to 5 V")
    bandwidth: Annotated[int, Field(strict=True, ge=1, le=9)] | None = Field(
        None, description="1 (slow) to 9 (fast)"
    )


class Sweep(Word):
    """The frequencies of one spectrum, and how each is measured."""

    amplitude: Amplitude = Field(description="peak value: a current for geis, a potential for peis")
    from_: Frequency | None = Field(None, alias="from", description="first frequency, usually the highest")
    to: Frequency | None = Field(None, description="last frequency")
    per_decade: Number | None = Field(None, gt=0, le=1000, description="points per decade (spacing: log)")
    points: Count | None = Field(None, le=10_000, description="points in all, both ends included")
    frequencies: Frequencies | None = Field(None, description="a list, instead of from, to and per_decade")
    spacing: Literal["log", "linear"] = Field("log", description="of the frequencies between from and to")
    average: Count = Field(1, description="measurements per frequency")
    wait_periods: Number = Field(0.1, ge=0, description="periods to wait before each frequency")
    drift_correction: Annotated[bool, Field(strict=True)] = Field(
        False, description="subtract the drift of Ewe; doubles the time per frequency"
    )
    ranges: Ranges = Ranges()


class NamedSweep(Sweep):
    """A sweep under `spectra:`, with the control it is measured under."""

    kind: Literal["geis", "peis"] = Field(description="geis: a current excites; peis: a potential")


class SpectraUse(Word):
    """Which named sweep to take during a step, and when (left out: back to back)."""

    use: Name = Field(description="a name under spectra")
    every: Time | None = Field(None, description="from start to start; left out: back to back")
    growing_by: Number | None = Field(
        None, gt=1, description="each distance is so many times the one before; every is the first one"
    )
    at: Times | None = Field(None, description="times since the beginning of the step: 10 s, 1 min, 1 h")


class OneCurrent(Word):
    """A current: that of pulses, or at the end of a ramp. Exactly one word."""

    strip: Directed | None = None
    plate: Directed | None = None
    charge: Directed | None = None
    discharge: Directed | None = None
    cp: Current | None = None


class During(OneCurrent):
    """The DC bias under which one spectrum is taken. Exactly one word."""

    ca: Held | None = None


UNTIL_MET = "a time or a charge; left out: until an `until` is met, at most limits.time"
SAME_CHARGE = (
    "a time, a charge, or the |charge| that the step of a label moved when it was done last; left out: "
)
SAME_CHARGE += "until an `until` is met, at most limits.time"


TriggerOut = Annotated[
    Time | None,
    Field(
        description="a pulse at the trigger output as the step begins, so long (TTL, high)", examples=["1 ms"]
    ),
]


class HoldWords(Word):
    """Words that refine rest, strip, plate, cp and ca."""

    label: Label | None = None
    trigger_out: TriggerOut = None
    spectra: Name | SpectraUse | None = Field(None, description="operando spectra: a name, or {use, every}")
    record: Record = Record()
    until: Until | None = None


class Rest(HoldWords):
    """Leave WE open for this long (OCV)."""

    rest: Annotated[Quantity | Ref | Literal["forever"], quantity("time", words=("forever",))] = Field(
        description="how long WE stays open; forever: until an `until` is met, or limits.time is over"
    )


class CurrentWords(HoldWords):
    """Words that refine strip, plate, charge, discharge and cp."""

    for_: ExtentOfCurrent | None = Field(None, alias="for", description=SAME_CHARGE)
    ranges: Ranges = Ranges()


class Strip(CurrentWords):
    """Oxidise WE at this current, given without sign, for a time or a charge."""

    strip: Directed = Field(description="current that oxidises WE, without sign")


class Plate(CurrentWords):
    """Reduce WE at this current, given without sign, for a time or a charge."""

    plate: Directed = Field(description="current that reduces WE, without sign")


class ChargeStep(CurrentWords):
    """Charge the cell at this current, given without sign: strips WE where that is the positive electrode."""

    charge: Directed = Field(description="current that charges the cell, without sign")


class DischargeStep(CurrentWords):
    """Discharge the cell at this current, given without sign: the other way round than charge."""

    discharge: Directed = Field(description="current that discharges the cell, without sign")


class Cp(CurrentWords):
    """Constant signed current (I > 0 strips WE), for a time or a charge."""

    cp: Current = Field(description="signed current, > 0 oxidises WE")


class Ca(HoldWords):
    """Constant potential of WE against RE, for a time."""

    ca: Held = Field(description="Ewe, e.g. 3 V, or 10 mV vs OCV | start | last")
    for_: Time | None = Field(None, alias="for", description="a time; left out: until an `until` is met")
    ranges: Ranges = Ranges()


class DrivenWords(Word):
    """Words that refine cv, lsv, ramp, power and load."""

    label: Label | None = None
    record: Record = Record()
    until: Until | None = None
    ranges: Ranges = Ranges()


class Cv(DrivenWords):
    """Cyclic voltammetry: from `from` to the first vertex, to the second, and again; then to `to`.

    A cutoff turns a scan over: the next one begins.
    """

    cv: Vertices = Field(description="two potentials between which Ewe goes to and fro, e.g. 5 V, -0.2 V")
    from_: Held = Field(alias="from", description="where the first scan begins, e.g. OCV")
    rate: ScanRate = Field(description="e.g. 1 mV/s")
    cycles: Count = Field(1, description="how often it comes to the second vertex")
    to: Potential | None = Field(None, description="where it ends; left out: at the second vertex")


class Lsv(DrivenWords):
    """Linear sweep voltammetry: one scan of Ewe."""

    lsv: Potential = Field(description="where the scan ends")
    from_: Held = Field(alias="from", description="where the scan begins, e.g. OCV")
    rate: ScanRate = Field(description="e.g. 0.1 mV/s")


class Ramp(DrivenWords):
    """A current that changes evenly."""

    ramp: OneCurrent = Field(description="the current at its end, e.g. {strip: 2 mA/cm2}")
    from_: Current = Field(
        alias="from", description="the current at its beginning, in the direction of the end"
    )
    rate: RampRate = Field(description="e.g. 0.05 mA/cm2/min")


class Power(DrivenWords):
    """Constant power between WE and RE: > 0 is put into the cell where Ewe and I have one sign."""

    power: Power_ = Field(description="signed power, e.g. -5 mW/cm2")
    for_: Extent | None = Field(None, alias="for", description=UNTIL_MET)


class Load(DrivenWords):
    """A constant load across the cell, which discharges it."""

    load: Resistance = Field(description="e.g. 1 kohm")
    for_: Extent | None = Field(None, alias="for", description=UNTIL_MET)


class Profile(DrivenWords):
    """Currents or potentials one after the other, from a table beside the protocol.

    A cutoff leaves the rest of the table.
    """

    profile: FileName = Field(description="a CSV file whose header names its units: `time/s,I/mA`")


class SpectrumWords(Word):
    """Words that refine geis and peis."""

    label: Label | None = None
    during: During | None = Field(None, description="the DC bias; left out: at open circuit")
    trigger_out: TriggerOut = None
    record: Record = Record()
    until: Until | None = None


class Geis(SpectrumWords):
    """One spectrum with a current as excitation: the name of a sweep, or the sweep itself."""

    geis: Name | Sweep = Field(description="a name under spectra, or a sweep")


class Peis(SpectrumWords):
    """One spectrum with a potential as excitation: the name of a sweep, or the sweep itself."""

    peis: Name | Sweep = Field(description="a name under spectra, or a sweep")


class Pulse(Word):
    """A train of current pulses with rest between them, run by the instrument's own clock."""

    pulse: OneCurrent = Field(description="the current, e.g. {strip: 1 mA/cm2}")
    on: Time = Field(description="how long it flows")
    off: Time = Field(description="how long the cell rests after it, open")
    repeat: Count | Literal["forever"] = Field(description="number of pulses, or forever")
    label: Label | None = None
    record: Record = Field(Record(), description="during the pulse")
    record_off: Record | None = Field(None, description="during the rest; left out: as record")
    until: Until | None = Field(None, description="tested under current; charge counts the whole train")
    ranges: Ranges = Ranges()


class Settling(Word):
    """When a sensor counts as settled, how long to wait for that, and what to do if it does not come."""

    sensor: Name = Field(description="a name under sensors in rig.yaml")
    within: Band = Field(description="how far its value may be off; of temperatures in K")
    of: SetPoint = Field(description="the value to come to")
    for_: Time = Field(alias="for", description="how long it must have stayed there")
    at_most: Time = Field(description="the longest wait")
    then: Literal["next step", "end run"] = Field(description="what follows if it has not settled by then")


class Wait(Word):
    """Leave WE open until a sensor has settled."""

    wait: Settling = Field(description="which sensor, where, how long")
    label: Label | None = None
    record: Record = Record()


class SetRamp(Word):
    """A set-point that moves evenly, while the steps that follow go on."""

    to: SetPoint = Field(description="where it ends, e.g. 80 degC")
    rate: SetPointRate = Field(description="how fast, without sign, e.g. 1 K/min")
    from_: SetPoint | None = Field(
        None,
        alias="from",
        description="where it begins; left out: where it was set to last, or else what the sensor shows",
    )


class Set(Word):
    """Set what stands beside the cell, such as a chamber, at once or with a ramp. The next step begins at
    once; a later `set` of the same sensor takes its place."""

    set: Annotated[dict[Name, SetPoint | SetRamp], Field(min_length=1)] = Field(
        description="set-points by sensor: {chamber: 60 degC}, or {chamber: {to: 80 degC, rate: 1 K/min}}"
    )
    label: Label | None = None


class Ask(Word):
    """Ask a person for something, such as another pressure. The run waits with the cell open until Enter is
    pressed where it is shown, or `nakctl resume` is said. The time of the run goes on."""

    ask: Annotated[str, Field(min_length=1, max_length=120)] = Field(description="what to do, in a sentence")
    label: Label | None = None


EndsBy = Literal["duration", "cutoff", "short", "settled", "timeout", "skipped"]


class EndedBy(Word):
    """How a step of that label ended when it was done last."""

    step: Label = Field(description="the label of a step")
    ended_by: EndsBy = Field(
        description="duration: its time or charge; cutoff: an `until`; settled, timeout: of wait"
    )


class LoopEnd(Word):
    """Ends a repeat after whole passes: by the charge that all passes together have moved, or by how a step
    ended."""

    charge: Charge | None = Field(None, description="|charge| moved by all passes together")
    step: Label | None = Field(None, description="the label of a step of the pass, with `ended_by`")
    ended_by: EndsBy | None = Field(None, description="how that step ended in the pass")


Gapless = Annotated[
    bool,
    Field(strict=True, description="true: refused where the cell would be open under current in between"),
]


def _words_of(step: Any) -> set[str]:
    fields = type(step).model_fields.items() if isinstance(step, Word) else ()
    return {field.alias or name for name, field in fields}


def kind_of(step: Any) -> str | None:
    """The kind word of a step as written; None unless there is exactly one (a pulse may say `repeat`)."""
    words = step if isinstance(step, dict) else _words_of(step)
    if "pulse" in words:
        return "pulse"
    kinds = [word for word in KINDS if word in words]
    return kinds[0] if len(kinds) == 1 else None


class _ByKind:
    """Tells a step by its kind word. The model of a kind is built when the first step of it is read: most
    protocols have few kinds."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def reading(model: type[Word]) -> CoreSchema:
            return core_schema.no_info_plain_validator_function(model.model_validate)

        choices = {kind: reading(model) for kind, model in KINDS.items()}
        return core_schema.tagged_union_schema(choices, discriminator=kind_of)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(A_STEP)


A_STEP = {"$comment": "a step"}  # stands in a JSON schema where one does
if TYPE_CHECKING:
    _WithSteps: TypeAlias = "If | Repeat | Staircase"
    Step = (
        Rest | Strip | Plate | ChargeStep | DischargeStep | Cp | Ca | Geis | Peis | Cv | Lsv | Ramp | Power
        | Load | Profile | Pulse | Wait | Set | Ask | _WithSteps
    )  # fmt: skip
else:
    Step = Annotated[Any, _ByKind()]
Steps = Annotated[list[Step], Field(min_length=1, description="in order; each begins with its kind")]


class Repeat(Word):
    """Do these steps again and again."""

    repeat: Count | Literal["forever"] = Field(description="number of passes, or forever")
    label: Label | None = None
    until: LoopEnd | None = None
    gapless: Gapless = False
    steps: Steps


class If(Word):
    """Do these steps if a labelled step ended in some way, when it was done last; else others, or none."""

    if_: EndedBy = Field(alias="if", description="{step: LABEL, ended_by: short}")
    then: Steps = Field(description="what is done if it did")
    otherwise: Steps | None = Field(
        None, alias="else", description="what is done if it did not; left out: nothing"
    )
    label: Label | None = None


class LevelRange(Word):
    """Levels from one to another, both included: by a step, by a factor, or so many points."""

    from_: Level = Field(alias="from", description="first level")
    to: Level = Field(description="last level, reached in whole steps")
    step: Level | None = Field(
        None, description="distance between levels, without sign; of temperatures in K"
    )
    factor: Number | None = Field(None, gt=0, description="each level is so many times the one before")
    points: Count | None = Field(None, ge=2, description="how many levels, both ends included")
    spacing: Literal["log", "linear"] = Field("linear", description="of points: evenly, or evenly in log")


class Staircase(Word):
    """Do these steps once per level; `$level` (or the name given by `as`) stands for the level."""

    staircase: LevelRange | Levels = Field(
        description="a list of levels of any quantity, or {from, to, step}"
    )
    as_: Name = Field("level", alias="as", description="the name of the level in the steps below")
    label: Label | None = None
    gapless: Gapless = False
    steps: Steps


KINDS: dict[str, type[Word]] = {
    "rest": Rest, "strip": Strip, "plate": Plate, "charge": ChargeStep, "discharge": DischargeStep,
    "cp": Cp, "ca": Ca, "geis": Geis, "peis": Peis,
    "cv": Cv, "lsv": Lsv, "ramp": Ramp, "power": Power, "load": Load, "profile": Profile, "pulse": Pulse,
    "wait": Wait, "set": Set, "ask": Ask, "if": If, "repeat": Repeat, "staircase": Staircase,
}  # fmt: skip


class Limits(Word):
    """Safety for the whole run: beyond them it stops, wherever it is. 0 V is a limit."""

    Ewe: tuple[Potential, Potential] = Field(description="lowest and highest Ewe, e.g. [-3 V, 3 V]")
    Ece: tuple[Potential, Potential] | None = Field(
        None, description="lowest and highest potential of the counter electrode (three electrodes)"
    )
    Ewe_minus_Ece: tuple[Potential, Potential] | None = Field(
        None, description="lowest and highest voltage of the whole cell (three electrodes)"
    )
    I: Magnitude | None = Field(None, description="highest |I|")
    time: Time | None = Field(None, description="longest run")
    sensors: dict[Name, tuple[Sensed, Sensed]] = Field(
        {}, description="lowest and highest value by sensor, e.g. {pressure: [8 MPa, 12 MPa]}"
    )


class Short(Word):
    """A short circuit: under current Ewe (counted along the current) fell by `Ewe_falls_by` from its highest
    value of the last `within` of the step, which was above `below`, and now |Ewe| stays under `below` for
    `samples` samples."""

    Ewe_falls_by: Fraction = Field(description="part of the highest Ewe that is lost, e.g. 75 %")
    within: Time = Field(description="how far back that highest Ewe may lie")
    below: Difference = Field(description="|Ewe| of a cell that is shorted is below this")
    samples: Count = Field(3, description="in a row, so that one bad reading ends nothing")


class Rules(Word):
    """What `until: {short: true}` of a step means, in a run that goes on after a short."""

    short: Short | None = Field(None, description="when a cell is shorted")


class StopWhen(Word):
    """Ends the run, as wanted, by what the cell does."""

    short: Short | None = None
    Ewe_above: Potential | None = Field(None, description="Ewe rose above this")
    Ewe_below: Potential | None = Field(None, description="Ewe fell below this")


class MeasuredCapacity(Word):
    """A capacity that a step of the run measures: what follows it uses the |charge| that it moved when it was
    done last."""

    measured_in: Label = Field(description="the label of the step that measures it")
    about: AboutCapacity = Field(description="what is planned with, and used until that step has been done")
    within: Fraction = Field(
        description="by which part of `about` it may be off, e.g. 30 %; beyond that the run ends"
    )


if TYPE_CHECKING:
    from nakctl.protocol.expect import Expected

    Figures: TypeAlias = dict[str, Expected]
else:
    Figures = Annotated[dict[str, Any], FigureWords()]
EXPECT = ("cell", "cells", "set", "ends", "at_least", "at_most")


class Expect(Word):
    """What a dry run comes to if all is right. `nakctl ci` and `nakctl run --dry` judge by it, a run on an
    instrument does not. It also takes the names of docs/results.md, without their unit, as in
    `ccd: [0.15 mA/cm2, 0.45 mA/cm2]`, `charge: {above: 1 mAh/cm2}`, `cycles: 20`. Of what there is one of for
    each level, cycle or pulse, all are meant; of cycles, the whole ones."""

    cell: str | None = Field(
        None,
        min_length=1,
        description="the cell of rig.yaml that this is for, or a simulated cell by name; left out: all cells "
        "that are not simulated alike",
    )
    cells: Annotated[list[str], Field(min_length=1)] | None = Field(None, description="several of them")
    set: Annotated[dict[Name, str | int | float | bool], Field(min_length=1)] | None = Field(
        None, description="the parameters with which this is expected, as with --set"
    )
    ends: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="how it ends, as a run tells it: short, all steps done, completed (in any way that is "
        "wanted), cutoff, limit, timeout, or one by its text; left out: completed",
        examples=["short", "all steps done", "Ewe above 3 V", "limit"],
    )
    at_least: Time | None = Field(None, description="how long it takes at least")
    at_most: Time | None = Field(None, description="how long it takes at most")
    figures: Figures = {}

    @property
    def sets(self) -> dict[str, str]:
        """As --set has them."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in (self.set or {}).items()
        }

    @property
    def named_cells(self) -> list[str]:
        """[]: it names none."""
        return self.cells or ([] if self.cell is None else [self.cell])

    def is_for(self, *names: str) -> bool:
        """names: what a cell is called; one of a file (cells/my.yaml#NaK65) also without the file."""
        known = {part for name in self.named_cells for part in (name, name.rpartition("#")[2])}
        return not known or not known.isdisjoint(names)

    @model_validator(mode="before")
    @classmethod
    def _figures_apart(cls, given: Any) -> Any:
        """All other words are figures."""
        if not isinstance(given, dict):
            return given
        others = {word: value for word, value in given.items() if word not in EXPECT}
        return {word: value for word, value in given.items() if word in EXPECT} | {"figures": others}


class _OneOrMore:
    """A list of expectations, or the only one by itself; read by their own model once there is one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def listed(value: object) -> object:
            return [value] if isinstance(value, dict) else value

        each = core_schema.no_info_plain_validator_function(Expect.model_validate)
        return core_schema.no_info_before_validator_function(
            listed, core_schema.list_schema(each, min_length=1)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {}  # see `schema`


if TYPE_CHECKING:
    Expectations: TypeAlias = list[Expect]
else:
    Expectations = Annotated[Any, _OneOrMore()]


class Protocol(Word):
    """One experiment."""

    nakctl: Literal[1] = Field(description="version of the language")
    name: str = Field(min_length=1, max_length=100, description="a title")
    source: str | None = Field(None, description="the sentence of the paper, or where the procedure stands")
    about: str | None = Field(None, description="anything else a reader should know")
    three_electrodes: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="only for cells whose reference is an electrode of its own, as their entry says"
    )
    params: dict[Name, Any] = Field({}, description="values that --set can change; used as $name")
    capacity: Capacity | MeasuredCapacity | None = Field(
        None,
        description="that of the cell, instead of what its entry says: C-rates and parts refer to it; or the "
        "step that measures it",
    )
    spectra: dict[Name, NamedSweep] = Field({}, description="sweeps by name, used in steps")
    record: Record = Field(Record(), description="for every step that does not say otherwise")
    limits: Limits
    rules: Rules = Field(Rules(), description="what a step may end by, though the run goes on")
    stop_when: StopWhen = StopWhen()
    gapless: Gapless = False
    steps: Steps
    finally_: Literal["rest"] = Field(
        "rest", alias="finally", description="what happens to the cell at the end: it is left open"
    )
    expect: Expectations = Field(
        [], description="what a dry run comes to; or a list, for several cells or sets of parameters"
    )
