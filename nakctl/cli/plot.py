"""`plot`: which figure of which part of which runs, and where it goes."""

from __future__ import annotations

import textwrap
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nakctl.cli.part_asked import Asked
from nakctl.cli.pictures import check_target
from nakctl.cli.results import recover_if_killed
from nakctl.errors import ExitCode, InputError

if TYPE_CHECKING:
    from nakctl.figures.figure import Figure
    from nakctl.figures.kinds import Kind
    from nakctl.record.read import Run

_WIDTH, _INDENT = 100, 11


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


def plot(files: list[Path], named: str | None, asked: Asked, curves: int | None, to: Target) -> int:
    if not files:
        raise InputError("which run? Give a result file: nakctl plot RUN.h5; --kinds lists what can be drawn")
    from nakctl.figures.kinds import KINDS, RUN

    kind = KINDS[_known(named or RUN)]
    target = check_target(to.out if to.out is not None else _beside(files[0], named))
    data = None if to.data is None else check_target(to.data, "a table of numbers", (".csv",))
    choice = asked.choice(curves)
    if choice.spectra and not kind.is_of_spectra:
        those = ", ".join(each.name for each in KINDS.values() if each.is_of_spectra)
        raise InputError(
            f"--spectrum chooses among spectra, and {kind.name} shows no single ones: {those} do"
        )
    for file in files:
        recover_if_killed(file)
    with ExitStack() as opened:
        figure = kind.make([_opened(file, opened, kind) for file in files], choice)
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
    from nakctl.text.meant import did_you_mean

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
