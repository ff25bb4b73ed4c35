"""`plot`: which figure of which part of which runs, and where it goes."""

from __future__ import annotations

import re
import textwrap
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nakctl.cli.pictures import check_target
from nakctl.cli.results import recover_if_killed
from nakctl.errors import ExitCode, InputError

if TYPE_CHECKING:
    from nakctl.figures.choice import Choice
    from nakctl.figures.figure import Figure
    from nakctl.figures.kinds import Kind
    from nakctl.record.read import Run

_NUMBERS = re.compile(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", re.ASCII)
_MOST = 1_000_000  # numbers of one option
_WIDTH, _INDENT = 100, 11


@dataclass(frozen=True, slots=True)
class Part:
    """What of the runs is asked for, as it was typed."""

    from_: str | None = None
    to: str | None = None
    steps: tuple[str, ...] = ()
    cycles: str | None = None
    spectra: str | None = None
    curves: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """title None: the runs' own. data: where the numbers go as well."""

    out: Path | None = None
    title: str | None = None
    data: Path | None = None


def list_kinds() -> int:
    from nakctl.figures.kinds import KINDS

    for kind in KINDS.values():
        paper = f" (paper: {kind.paper})" if kind.paper else ""
        print(_told(kind.name, f"{kind.about}{paper}"))
    return ExitCode.DONE


def plot(files: list[Path], named: str | None, part: Part, to: Target) -> int:
    if not files:
        raise InputError("which run? Give a result file: nakctl plot RUN.h5; --kinds lists what can be drawn")
    from nakctl.figures.kinds import KINDS, RUN

    kind = KINDS[_known(named or RUN)]
    target = check_target(to.out if to.out is not None else _beside(files[0], named))
    data = None if to.data is None else _check_table(to.data)
    choice = _choice(part)
    if choice.spectra and not kind.is_of_spectra:
        those = ", ".join(each.name for each in KINDS.values() if each.is_of_spectra)
        raise InputError(
            f"--spectrum chooses among spectra, and {kind.name} shows no single ones: {those} do"
        )
    for file in files:
        recover_if_killed(file)
    with ExitStack() as opened:
        figure = _figure(kind, [_opened(file, opened, kind) for file in files], choice)
    _write(figure if to.title is None else replace(figure, title=to.title), target, data)
    print(target)
    if data is not None:
        print(data)
    return ExitCode.DONE


def _opened(file: Path, opened: ExitStack, kind: Kind) -> Run:
    """InputError if it does not suit."""
    from nakctl.record.read import open_run

    run = opened.enter_context(open_run(file))
    if len(run.samples) == 0:
        raise InputError(f"{file} holds no samples yet")
    if lacks := kind.lacks(run):
        raise InputError(f"{file} lacks what {kind.name} shows: {lacks}{_others(run, kind)}")
    return run


def _others(run: Run, kind: Kind) -> str:
    from nakctl.figures.kinds import KINDS

    suits = [other.name for other in KINDS.values() if other is not kind and other.suits(run)]
    return f"; what suits it: {', '.join(suits)}" if suits else ""


def _figure(kind: Kind, runs: list[Run], choice: Choice) -> Figure:
    return kind.make(runs, choice)


def _write(figure: Figure, target: Path, data: Path | None) -> None:
    from nakctl.figures.as_table import write
    from nakctl.figures.on_paper import draw

    draw(figure, target)
    if data is not None:
        write(figure, data)


def _known(named: str) -> str:
    """The name of a kind. InputError, which tells what there is."""
    from nakctl.figures.kinds import KINDS

    if named in KINDS:
        return named
    from nakctl.text.sentences import did_you_mean

    hint = did_you_mean(named, KINDS) or "; "
    lines = [_told(kind.name, kind.about) for kind in KINDS.values()]
    raise InputError("\n".join([f"there is no kind {named!r}{hint.rstrip()} There are:", *lines]))


def _told(name: str, about: str) -> str:
    return textwrap.fill(
        f"{name:<{_INDENT - 2}} {about}", _WIDTH, initial_indent=" ", subsequent_indent=" " * _INDENT
    )


def _beside(file: Path, named: str | None) -> Path:
    """RUN.png; of another kind than the overview RUN-kind.png."""
    if not file.name:  # of ".": pathlib knows no other name beside it
        raise InputError(f"{file} is a folder")
    return file.with_suffix(".png") if named is None else file.with_name(f"{file.stem}-{named}.png")


def _check_table(path: Path) -> Path:
    if path.suffix.lower() != ".csv":
        raise InputError(f"--data {path}: the name of a table of numbers ends in .csv")
    if path.exists():
        raise InputError(f"{path} exists already; nothing is overwritten")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}")
    return path


def _choice(part: Part) -> Choice:
    from nakctl.figures.choice import Choice

    from_s, to_s = _seconds(part.from_, "--from"), _seconds(part.to, "--to")
    if from_s is not None and to_s is not None and from_s >= to_s:
        raise InputError(f"--from {part.from_} --to {part.to}: that is no time at all")
    cycles, spectra = _numbers(part.cycles, "--cycle"), _numbers(part.spectra, "--spectrum")
    return Choice(from_s, to_s, part.steps, cycles, spectra, part.curves)


def _seconds(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    from nakctl.text.units import UnitError, parse

    try:
        return parse(text, ("time",), zero=True).value
    except UnitError as error:
        raise InputError(f"{option}: {error}") from None


def _numbers(text: str | None, option: str) -> tuple[int, ...]:
    """Of `2-5` or `1,3,8`."""
    if text is None:
        return ()
    found: set[int] = set()
    for piece in text.split(","):
        match = _NUMBERS.fullmatch(piece)
        if match is None:
            raise InputError(f"{option} {text}: write numbers such as 3, or 2-5, or 1,3,8")
        low, high = int(match[1]), int(match[2] or match[1])
        if low > high or high - low > _MOST:
            raise InputError(f"{option} {text}: {low}-{high} is no range of numbers")
        found |= set(range(low, high + 1))
    return tuple(sorted(found))
