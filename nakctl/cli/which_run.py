"""RUN, as people name a run of this computer: its id, its file, its channel, its protocol."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from nakctl.errors import InputError, NakctlError
from nakctl.record import files, lock, peek
from nakctl.record.registry import KnownRun, known_runs
from nakctl.text.meant import did_you_mean

__all__ = ["KnownRun", "find_run", "is_live", "known_runs"]

_LEAST_OF_AN_ID = 3  # letters that name a run
_NOTHING = "no run is known here; give the path of its file"


def find_run(text: str) -> KnownRun:
    """RUN is one of these, the first that fits:

    the id of the run; the path of its file, with or without .h5; the name of its channel; its protocol, the
    file of that, or the name of its own file; the beginning of its id. A name that several runs have means
    the one that lives. InputError, with what there is, if no run or more than one fits.
    """
    runs = known_runs()
    for run in runs:
        if run.run_id == text:
            return run
    if _looks_like_a_path(text) and (found := _at_path(text, runs)):
        return found
    for names in (_places, _titles):
        if found := _the_one(text, [run for run in runs if text.casefold() in names(run)]):
            return found
    if found := _at_path(text, runs):
        return found
    if len(text) >= _LEAST_OF_AN_ID:
        begun = [run for run in runs if run.run_id.startswith(text.lower())]
        if len(begun) == 1:
            return begun[0]
        if begun:
            raise _several(text, begun)
    raise _none(text, runs)


def is_live(run: KnownRun) -> bool:
    """Whether a program records it now."""
    return lock.is_held(files.lock_of(run.path))


def _the_one(text: str, fitting: list[KnownRun]) -> KnownRun | None:
    live = [run for run in fitting if is_live(run)] if len(fitting) > 1 else fitting
    if len(live) == 1:
        return live[0]
    if fitting:
        raise _several(text, live or fitting)
    return None


def _places(run: KnownRun) -> set[str]:
    return _folded([run.place])


def _titles(run: KnownRun) -> set[str]:
    protocol = Path(run.protocol_file)
    return _folded([run.protocol, protocol.name, protocol.stem, run.path.name, run.path.stem])


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names if name}


def _looks_like_a_path(text: str) -> bool:
    return text.endswith(".h5") or any(mark in text for mark in {"/", os.sep, os.altsep or os.sep})


def _at_path(text: str, runs: list[KnownRun]) -> KnownRun | None:
    """The run that records, or has recorded, there; of any user, and also if it was never listed."""
    asked = [Path(text)] if text.endswith(".h5") else [Path(f"{text}.h5"), Path(text)]
    for path in asked:
        try:
            whole = path.resolve()
            for run in runs:
                if run.path == whole or (run.path.name == whole.name and _same(run.path, whole)):
                    return run
            if files.journal_of(whole).is_file():
                return of_header(whole, peek.header(whole) or {})
            if whole.is_file():
                return _sealed(whole)
        except (OSError, ValueError, RuntimeError):  # no path at all
            continue
    return None


def _same(one: Path, other: Path) -> bool:
    try:
        return files.journal_of(one).samefile(files.journal_of(other))
    except OSError:
        return False


def of_header(path: Path, header: Mapping[str, object]) -> KnownRun:
    """Of a run that is not listed."""

    def part(name: str) -> dict[str, object]:
        found = header.get(name)
        return found if isinstance(found, dict) else {}

    sample, area, pid = part("sample"), part("sample").get("area_cm2"), header.get("pid")
    return KnownRun(
        run_id=str(header.get("run_id", "")),
        path=path,
        place=str(part("place").get("name") or part("instrument").get("channel", "")),
        protocol=str(header.get("title", "")),
        cell=str(sample.get("name", "")),
        pid=pid if isinstance(pid, int) else 0,
        started=str(header.get("start_time", "")),
        protocol_file=str(part("protocol").get("file_name", "")),
        driver=str(part("instrument").get("driver", "")),
        area_cm2=float(area) if isinstance(area, int | float) else 0.0,
        simulated=header.get("simulated") is True,
        outlives=header.get("place", ...) is not None,
    )


def _sealed(path: Path) -> KnownRun | None:
    """None: it is no result file."""
    from nakctl.record.read import open_run

    try:
        with open_run(path) as run:
            about = run.header
            return KnownRun(
                run_id=about.run_id,
                path=path,
                protocol=str(about.plan.get("name") or about.title),
                cell=about.cell,
                started=about.start_time,
                protocol_file=about.protocol_file,
                area_cm2=about.area_cm2 or 0.0,
                simulated=about.simulated,
            )
    except NakctlError:
        return None


def _none(text: str, runs: list[KnownRun]) -> InputError:
    if not runs:
        return InputError(f"{text}: no such run: {_NOTHING}")
    names = {each for run in runs for each in (run.place, run.protocol, run.path.stem, run.short_id)}
    hint = did_you_mean(text, sorted(each for each in names if len(each) >= _LEAST_OF_AN_ID)) or ";"
    return InputError(f"{text}: no such run{hint} there are: {', '.join(map(_named, runs))}")


def _several(text: str, runs: list[KnownRun]) -> InputError:
    return InputError(f"{text}: more than one run fits: {', '.join(map(_named, runs))}; name one by its id")


def _named(run: KnownRun) -> str:
    on = f" on {run.place}" if run.place else ""
    return f"{run.short_id} ({run.path.name}{on})"
