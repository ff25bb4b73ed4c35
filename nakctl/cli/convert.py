"""`nakctl import-mps FILE.mps`, `nakctl export-mps FILE`, `nakctl convert FILE`"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, cast

from nakctl.cli import console
from nakctl.cli.prepare import Wishes, where
from nakctl.convert import from_eclab, pybamm, settings, to_eclab, unicycler
from nakctl.convert.asked import Asked
from nakctl.convert.draft import Draft, text
from nakctl.device.instrument import instrument
from nakctl.errors import ExitCode, Fault, InputError, ProtocolError
from nakctl.plan.compile import compile_protocol
from nakctl.protocol import library
from nakctl.protocol.load import load, understand
from nakctl.text.quantities import share_unit
from nakctl.text.reader import read_text


def import_mps(file: Path, out: Path | None) -> int:
    if file.suffix.lower() in (".mpr", ".mpt"):
        raise InputError(f"{file} holds data of EC-Lab: nakctl import makes a result file of them")
    draft, told = from_eclab.draft(settings.read(_bytes(file), str(file)))
    return _write(draft, told, out)


def export_mps(
    file: str,
    out: Path | None,
    decimal: str,
    on: str | None,
    cell_name: str | None,
    sets: Mapping[str, str],
    rig: Path | None,
) -> int:
    at = where(Wishes(on, cell_name, sets, rig))
    place, cell = at.place, at.cell
    loaded = load(file, sets)
    target = out or Path(f"{Path(file).stem}.mps")
    _require_new(target)
    plan = compile_protocol(loaded, cell)
    device = instrument(place.instrument)
    raw, told = to_eclab.settings(plan, loaded.document, cell, device, target.name, decimal)
    target.write_bytes(raw)
    _tell(told)
    print(f"{target} (for a {device.name}, currents for {cell.name} of {cell.area_cm2:g} cm2)")
    return ExitCode.DONE


def convert(
    file: Path, out: Path | None, working: str, capacity: str | None, limits: str | None, longest: str | None
) -> int:
    asked = Asked(capacity, cast(Literal["positive", "negative"], working), _window(limits), longest)
    written = _text(_bytes(file), str(file))
    if file.suffix == ".json" and unicycler.is_one(written):
        draft, told = unicycler.draft(written, str(file), asked)
    else:
        draft, told = pybamm.draft(written, str(file), asked)
    return _write(draft, told, out)


def _write(draft: Draft, told: Iterable[Fault], out: Path | None) -> int:
    """Only what the loader takes is written."""
    if out is not None:
        for each in (out, *(out.parent / name for name in draft.tables)):
            _require_new(each)
    written = text(draft)
    try:
        understand(read_text(written, "the protocol made of it", ProtocolError), {})
    except ProtocolError as error:
        raise InputError(f"this cannot be said in a protocol:\n{error}") from None
    if out is None:
        print(written, end="")
        for name in draft.tables:
            console.say(f"note: with -o FILE its table {name} is written beside it", to=sys.stderr)
    else:
        for name, table in draft.tables.items():
            (out.parent / name).write_text(table, encoding="utf-8", newline="\n")
        out.write_text(written, encoding="utf-8", newline="\n")
        beside = library.schema_beside(out)
        print(f"{', '.join([str(out), *draft.tables])} (and {beside.name}, which editors use)")
    _tell(told)
    return ExitCode.DONE


def _tell(told: Iterable[Fault]) -> None:
    console.say(*(f"note: {fault}" for fault in told), to=sys.stderr)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{file} is a folder: name one file in it") from None
    except OSError as problem:
        raise InputError(f"{file} cannot be read: {problem.strerror}") from None


def _text(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise InputError(
            f"{file}:{line}  byte {raw[problem.start]:#x} is not UTF-8: save the file as UTF-8"
        ) from None


def _require_new(target: Path) -> None:
    if target.is_dir():
        raise InputError(f"{target} is a folder: name a file in it")
    if target.exists():
        raise InputError(f"{target} exists already; nothing is overwritten")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder {target.parent}")


def _window(limits: str | None) -> tuple[str, str] | None:
    if limits is None:
        return None
    ends = share_unit(limits.strip("[] ").split(","))
    if len(ends) != 2:
        raise InputError(f'--limits {limits}: write it as two potentials, e.g. --limits "-0.1 V, 4.5 V"')
    return ends[0], ends[1]
