"""Which part of a run is meant: steps, cycles, spectra, a time. All that is given has to be true of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.errors import InputError
from nakctl.record.read import Run
from nakctl.results.under_way import steps as steps_of
from nakctl.text.meant import did_you_mean
from nakctl.text.numbers import duration

Bools = npt.NDArray[np.bool_]
Ranges = tuple[tuple[int, int], ...]
_SHOWN = 12  # labels, where none is as asked
_A_DAY_s = 86400.0  # from which on it may leave out minutes, too


@dataclass(frozen=True, slots=True)
class Part:
    """Empty and None: all of it.

    steps    numbers as `plan` and `show` count them ("2.1"; "2" is 2, 2.1, 2.2, ...); labels or techniques;
             where none is called so, a part of labels
    cycles, spectra  from, to: both included
    from_s, to_s     of the time of the run
    """

    steps: tuple[str, ...] = ()
    cycles: Ranges = ()
    spectra: Ranges = ()
    from_s: float | None = None
    to_s: float | None = None

    def __bool__(self) -> bool:
        return self.is_of_samples or bool(self.spectra)

    @property
    def is_of_samples(self) -> bool:
        """Whether it leaves out samples, and not spectra alone."""
        return bool(self.steps or self.cycles) or self.from_s is not None or self.to_s is not None

    def __str__(self) -> str:
        said = [f"step {each}" for each in self.steps]
        said += [f"cycle {_range(*each)}" for each in self.cycles]
        said += [f"spectrum {_range(*each)}" for each in self.spectra]
        if self.from_s is not None:
            said.append(f"from {_time(self.from_s)}")
        if self.to_s is not None:
            said.append(f"to {_time(self.to_s)}")
        return ", ".join(said) or "the whole run"


def ranges(text: str, option: str) -> Ranges:
    """`3`, `2-5`, `1,4-6`. InputError for anything else; option: whose value it is, for its sentence."""
    try:
        parts = [each.strip().partition("-") for each in text.split(",")]
        found = tuple((int(low), int(high) if dash else int(low)) for low, dash, high in parts)
    except ValueError:
        raise InputError(f"{option} {text}: write numbers, as in {option} 3, {option} 2-5 or 1,4-6") from None
    if any(high < low for low, high in found):
        raise InputError(f"{option} {text}: a range begins with its smaller number")
    return found


def chosen(run: Run, part: Part) -> Mapping[str, Bools | None]:
    """By table, which rows: (n,), None for all of them. InputError if the part is empty.

    --spectrum means those spectra, their steps, and the samples from the first to the last point of each.
    """
    if not part:
        return dict.fromkeys(("samples", "impedance", "spectra", "steps", "events"))
    table = steps_of(run)
    steps, spectra = _steps(run, table, part), spectra_of(run, part)
    if part.spectra:
        steps &= np.isin(table["step_count"], run.spectra["step_count"][spectra])
    samples = samples_of(run, part)
    if part.spectra:
        samples &= _during(run, spectra)
    found = {
        "samples": samples,
        "impedance": np.isin(run.impedance["spectrum"], run.spectra["spectrum"][spectra]),
        "spectra": spectra,
        "steps": steps[: len(run.steps)],
        "events": _in_time(run.events["time"], part),
    }
    if not (found["samples"].any() or found["impedance"].any()):
        raise nothing(run, "rows", part)
    return found


def samples_of(run: Run, part: Part) -> Bools:
    """(n,) of samples, whatever spectra are meant. Columns that nobody asks of are not read."""
    mask = np.ones(len(run.samples), bool)
    if part.cycles:
        mask &= in_ranges(run.samples["cycle"], part.cycles)
    if part.from_s is not None or part.to_s is not None:
        mask &= _in_time(run.samples["time"], part)
    if part.steps:
        mask &= np.isin(run.samples["step_count"], _counts(run, part))
    return mask


def spectra_of(run: Run, part: Part) -> Bools:
    """(n,) of spectra, those that broke off included."""
    table = run.spectra
    mask = in_ranges(table["spectrum"], part.spectra) & in_ranges(table["cycle"], part.cycles)
    if part.steps:
        mask &= np.isin(table["step_count"], _counts(run, part))
    return mask & _in_time(table["time"], part)


def over_steps(run: Run, part: Part) -> Bools:
    """(n,) of the table of steps: those of which something lies in the time asked for."""
    return _steps(run, steps_of(run), part)[: len(run.steps)]


def nothing(run: Run, what: str, part: Part) -> InputError:
    """That no rows are left, with what there is."""
    return InputError(f"{run.path} holds no {what} of: {part}; it has {_known(run)}")


def in_ranges(values: npt.NDArray[Any], wanted: Ranges) -> Bools:
    """(n,): whether each lies in one of them; with none, all do."""
    if not wanted:
        return np.ones(len(values), bool)
    inside: Bools = np.any([(values >= low) & (values <= high) for low, high in wanted], axis=0)
    return inside


def _steps(run: Run, table: Mapping[str, npt.NDArray[Any]], part: Part) -> Bools:
    mask = in_ranges(table["cycle"], part.cycles)
    if part.from_s is not None:
        mask &= table["t_end"] >= part.from_s
    if part.to_s is not None:
        mask &= table["t_start"] <= part.to_s
    return mask & _named(run, table, part) if part.steps else mask


def _counts(run: Run, part: Part) -> npt.NDArray[Any]:
    """Of the steps that are named, whenever they were."""
    table = steps_of(run)
    return table["step_count"][_named(run, table, part)]


def _named(run: Run, table: Mapping[str, npt.NDArray[Any]], part: Part) -> Bools:
    """InputError for a word that no step goes by."""
    called = list(zip(table["label"].tolist(), table["technique"].tolist(), strict=True))
    kinds = list(dict.fromkeys(called))
    meant: set[tuple[str, str]] = set()
    for word in part.steps:
        mine = [kind for kind in kinds if _is_called(word, *kind)] or [
            kind for kind in kinds if _is_part_of(word, kind[0])
        ]
        if not mine:
            known = {text for label, technique in kinds for text in (label.partition(" ")[2], technique)}
            hint = did_you_mean(word, sorted(known)) or ";"
            raise InputError(f"{run.path} has no step {word!r}{hint} it has {_known(run)}")
        meant.update(mine)
    return np.array([each in meant for each in called], bool)


def _is_called(word: str, label: str, technique: str) -> bool:
    number, _, words = label.partition(" ")
    asked = word.casefold()
    texts = (number, words.casefold(), label.casefold(), technique.casefold())
    return (asked in texts and asked != "") or number.startswith(f"{asked}.")


def _is_part_of(word: str, label: str) -> bool:
    """Of a number that is none of a step, 5, no part is looked for: 0.05 mA is another thing."""
    is_number = word.replace(".", "").isdigit()
    return bool(word) and not is_number and word.casefold() in label.casefold()


def _during(run: Run, spectra: Bools) -> Bools:
    """Whether a sample was taken while one of these spectra was."""
    time_s = run.samples["time"]
    mask = np.zeros(len(time_s), bool)
    first = run.spectra["first_row"][spectra].astype(int)
    last = first + run.spectra["row_count"][spectra].astype(int) - 1
    starts, ends = run.spectra["time"][spectra], run.impedance["time"][last]
    for start_s, end_s in zip(starts, ends, strict=True):
        mask |= (time_s >= start_s) & (time_s <= end_s)
    return mask


def _in_time(time_s: npt.NDArray[np.float64], part: Part) -> Bools:
    mask = np.ones(len(time_s), bool)
    if part.from_s is not None:
        mask &= time_s >= part.from_s
    if part.to_s is not None:
        mask &= time_s <= part.to_s
    return mask


def _known(run: Run) -> str:
    labels = list(dict.fromkeys(steps_of(run)["label"].tolist()))
    steps = _listed(labels) if labels else "none"
    cycles = run.samples["cycle"]
    numbers = run.spectra["spectrum"]
    told = [f"the steps {steps}"]
    told.append(f"cycles {_range(int(cycles.min()), int(cycles.max()))}" if len(cycles) else "no samples")
    told.append(f"spectra {_range(int(numbers[0]), int(numbers[-1]))}" if len(numbers) else "no spectra")
    return f"{'; '.join(told)}, and lasted {duration(run.header.duration_s)}"


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return ", ".join(repr(each) for each in labels[:_SHOWN]) + more


def _time(at_s: float) -> str:
    """To the last digit, which `duration` leaves out of what is no whole number of minutes."""
    return duration(at_s) if at_s % 60 == 0 and at_s < _A_DAY_s else f"{at_s:.12g} s"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
