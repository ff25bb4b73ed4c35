"""What a fit found, in words: for the terminal, the head of the cell's file, and each number in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from nakctl.device.fitting import Written
from nakctl.fit.certainty import ROUGHLY
from nakctl.fit.errors import Block
from nakctl.fit.findings import Combined, Fit, Found, Left
from nakctl.fit.history import Part
from nakctl.fit.misfit import free
from nakctl.text.numbers import si

Line = tuple[str, str, str, str, str, str]
MOST_STEPS = 6
MARKS = {"found": "", "roughly": "roughly: "}
HARDLY = "hardly: "
IS_OFF_V = 5e-3  # an offset of Ewe that is worth a sentence
# What is steadily left over: share of |Z|; V, and share of the span; times the noise.
NOT_IT_Z, NOT_IT_V, NOT_IT, NO_NOISE = 0.05, 2e-3, 0.1, 3.0
UNUSUAL = 3.0  # times what may well be
ERRORS = "+- are two standard errors, 95 %"


def used(fit: Fit) -> list[str]:
    """Of each run, what it was used for, and what was left out. Several have numbers."""
    many = len(fit.history.parts) > 1
    return [
        f"{f'[{number}] ' if many else ''}{part.path}: {'; '.join((*_of_part(part), *part.said))}"
        for number, part in enumerate(fit.history.parts, 1)
    ]


def _of_part(part: Part) -> Iterator[str]:
    if part.resting:
        yield f"{_spectra(part.resting)} at rest"
    if part.spectra:
        yield f"{_spectra(part.spectra)} under current"
    if part.Ewe:
        yield f"{_readings(part.Ewe)} of Ewe under current{_of_steps(part.steps)}"
    if part.Ewe_at_rest:
        yield f"{_readings(part.Ewe_at_rest)} of Ewe at rest{_of_steps(part.rests)}"


def _readings(number: int) -> str:
    return f"{number} reading{'' if number == 1 else 's'}"


def _of_steps(numbers: Sequence[str]) -> str:
    shown = [*numbers[:MOST_STEPS], *(["..."] if len(numbers) > MOST_STEPS else [])]
    return f" (step{'' if len(numbers) == 1 else 's'} {', '.join(shown)})" if numbers else ""


def _spectra(numbers: Sequence[int]) -> str:
    """`spectrum 1`, `spectra 2 to 7, 9`."""
    runs = []
    for _, group in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in group]
        runs.append(f"{members[0]} to {members[-1]}" if len(members) > 2 else ", ".join(map(str, members)))
    return f"{'spectrum' if len(numbers) == 1 else 'spectra'} {', '.join(runs)}"


def source(fit: Fit, blocks: Sequence[Block]) -> str:
    """`spectra at rest, Ewe under current`; of several runs with their numbers: `spectra at rest [1]`."""
    many = len(fit.history.parts) > 1
    return ", ".join(
        f"{'Ewe' if block.of == 'Ewe' else 'spectra'} {_where(block)}{f' [{block.run + 1}]' if many else ''}"
        for block in blocks
    )


def _where(block: Block) -> str:
    return "at rest" if block.at_rest else "under current"


def sourced(fit: Fit, blocks: Sequence[Block]) -> str:
    """The same with names of files, numbers of spectra and steps."""
    by_run: dict[int, list[str]] = {}
    for block in blocks:
        by_run.setdefault(block.run, []).append(_exactly(fit.history.parts[block.run], block))
    return "; ".join(f"{fit.history.parts[run].path}: {', '.join(words)}" for run, words in by_run.items())


def _exactly(part: Part, block: Block) -> str:
    if block.of == "Ewe":
        return f"Ewe {_where(block)}{_of_steps(part.rests if block.at_rest else part.steps)}"
    return f"{_spectra(part.resting if block.at_rest else part.spectra)} {_where(block)}"


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def error_shown(error: float | None) -> str:
    return "" if error is None else f"{error:.2g}"


def percent(error: float, value: float) -> str:
    return f"+- {100 * abs(error / value):.2g} %"


def table(fit: Fit, stood: str) -> list[str]:
    """What is known: symbol, where it stood, found, +-, from what. stood: where, as a head of its column."""
    heads = ("", "unit", stood, "found", "+-", "from")
    rows: list[Line] = [heads]
    known = sorted((one for one in fit.found if one.certain in MARKS), key=lambda one: _mark(one) != "")
    rows += [_row(one, one.symbol, _mark(one) + source(fit, one.blocks)) for one in known]
    for combined in fit.combined:
        rows.append(_row(combined, combined.name, _mark(combined) + source(fit, combined.blocks)))
        rows += [
            (f"  {one.symbol}", one.unit, shown(one.shipped), shown(one.value), "", "so that it comes out")
            for one in fit.found
            if one.symbol in combined.carried_by and one.certain == "together"
        ]
    rows += [(name, one.unit, "", shown(one.value), "", one.source) for name, one in fit.subject.read.items()]
    widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
    return ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _mark(one: Found | Combined) -> str:
    return HARDLY if (one.error or 0.0) > ROUGHLY * one.value else MARKS[one.certain]


def legend(fit: Fit, within: float) -> list[str]:
    """What the words in the table mean that stand there."""
    known: list[Found | Combined] = [*fit.found, *fit.combined]
    marks = [_mark(one) for one in known if one.certain in MARKS]
    lines = [f"({ERRORS}; found: three are within {100 * within:g} %"]
    if "roughly: " in marks:
        lines.append(f" roughly: two are within {100 * ROUGHLY:g} %")
    if HARDLY in marks:
        lines.append(" hardly: not even that, but with the value that it had the others would not fit")
    return [*lines[:-1], f"{lines[-1]})"]


def _row(one: Found | Combined, name: str, where: str) -> Line:
    return name, one.unit, shown(one.shipped), shown(one.value), error_shown(one.error), where


def unknown(fit: Fit) -> list[tuple[str, str]]:
    """Symbols that stay where they stood, and why: those with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for one in fit.found:
        if one.certain == "no":
            by_reason.setdefault(one.why, []).append(one.symbol)
    return [(", ".join(symbols), why) for why, symbols in by_reason.items()] + list(fit.subject.kept.items())


def left_over(fit: Fit) -> list[str]:
    """How near the fitted cell is to what was read, and whether it is what the model is."""
    rms = [f"{source(fit, [one.block])} {_rms(one)}" for one in fit.left]
    lines = [f"left over (rms, with the noise): {', '.join(rms)}"]
    wrong = [one for one in fit.left if _is_not_it(one)]
    rough = [one for one in fit.left if one not in wrong and one.steady > NO_NOISE * one.noise]
    for which, words in ((wrong, "not"), (rough, "not quite")):
        if which:
            where = "; ".join(f"{sourced(fit, [one.block])}, {_times_noise(one)}" for one in which)
            lines.append(f"the cell is {words} what the model {fit.subject.model} describes, in {where}")
    lines += _unusual(fit)
    for part, offset_V in zip(fit.history.parts, fit.offsets_V, strict=True):
        if offset_V is not None and abs(offset_V) > IS_OFF_V:
            lines.append(
                f"{part.path}: Ewe is {1e3 * offset_V:+.1f} mV from the model's, left out of the fit: the "
                "reference is off, or the electrode is of another composition"
            )
    return lines


def _rms(one: Left) -> str:
    return f"{100 * one.rms:.2g} %" if one.block.of == "Z" else si(one.rms, "V", 2)


def _times_noise(one: Left) -> str:
    return f"{one.rms / one.noise:.2g} times the noise"


def _is_not_it(one: Left) -> bool:
    return one.steady > (NOT_IT_Z if one.block.of == "Z" else max(NOT_IT_V, NOT_IT * one.span))


def _unusual(fit: Fit) -> Iterator[str]:
    """What would rather be another cell, or is no minimum."""
    known = {one.symbol: one for one in fit.found if one.certain != "no"}
    for symbol in fit.subject.symbols:
        if symbol.name not in known:
            continue
        value, place = known[symbol.name].value, free(symbol, fit.subject.start[symbol.name])
        if symbol.value > 0 and abs(place.x({symbol.name: value}) - place.centre) > UNUSUAL * symbol.spread:
            yield (
                f"{symbol.name} is {value / symbol.value:.2g} times what is usual: are model, area, "
                "thickness and composition right?"
            )


def written(fit: Fit) -> list[Written]:
    """All symbols, for the file of the cell."""
    made = []
    of: Mapping[str, Combined] = {name: one for one in fit.combined for name in one.carried_by}
    for one in fit.found:
        if one.certain == "no":
            told = one.why
        elif one.certain == "together" and one.symbol in of:
            sum_ = of[one.symbol]
            known = (
                f"{sum_.name} = {shown(sum_.value)} {sum_.unit} is known, {percent(sum_.error, sum_.value)}"
            )
            told = f"{sourced(fit, sum_.blocks)}; only {known}"
        else:
            told = f"{sourced(fit, one.blocks)}; {percent(one.error or 0.0, one.value)}"
        made.append(Written(one.symbol, fit.values[one.symbol], one.certain, told))
    made += [Written(name, one.value, "read", one.source) for name, one in fit.subject.read.items()]
    return made
