"""`nakctl format [FILE|DIR...]`"""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nakctl.cli import console
from nakctl.cli.check import errors, named
from nakctl.cli.json_output import print_json
from nakctl.convert.formatting import formatted, formatted_protocol, quantities_of, spelled_anew
from nakctl.errors import (
    ExitCode,
    Fault,
    InputError,
    Mark,
    NakctlError,
    ProtocolError,
    RecordError,
    RigError,
)
from nakctl.protocol.kind_of_file import kind_of_file
from nakctl.protocol.load import Loaded, load, understand
from nakctl.rig import SIMULATED, driver_names
from nakctl.text.numbers import plural
from nakctl.text.reader import Document, read_file, read_text

STDIN = "-"
ENDING = "\r\n"


@dataclass(frozen=True, slots=True)
class How:
    """check, diff: nothing is written; ours: files of others are passed over."""

    check: bool
    diff: bool
    ours: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class Laid:
    """What became of a file. was, now: its text, with line feeds alone."""

    file: str
    state: Literal["same", "changed", "failed"]
    was: str = ""
    now: str = ""
    error: NakctlError | None = None


def format_files(files: list[str], how: How) -> int:
    """Every file is looked at, also after one with faults. 2: one could not be read; 1: one could not be
    written or, with --check, would change."""
    if STDIN in files:
        if len(files) > 1:
            raise InputError(f"{STDIN} is standard input: it stands alone")
        return _stdin(how)
    seen = [_laid(file, how) for file in named(files, how.ours)]
    if how.as_json:
        print_json({"ok": not _code(seen, how), "files": [_json(each) for each in seen]})
    else:
        _tell(seen, how)
    return _code(seen, how)


def _code(seen: Iterable[Laid], how: How) -> int:
    errors = [each.error.exit_code for each in seen if each.error is not None]
    would_change = how.check and any(each.state == "changed" for each in seen)
    return max([*errors, ExitCode.FAILED if would_change else ExitCode.DONE])


def _laid(file: str, how: How) -> Laid:
    try:
        raw = _bytes(file)
        document = read_file(file)
        now = laid_out_anew(document, Path(file))
        written = _with_ends_of(raw, now)
        if written == raw:
            return Laid(file, "same", document.text, now)
        if not how.check and not how.diff:
            _replace(Path(file), written)
    except NakctlError as error:
        return Laid(file, "failed", error=error)
    return Laid(file, "changed", document.text, now)


def _with_ends_of(raw: bytes, text: str) -> bytes:
    """The text as it is written: with those ends of lines that most lines had."""
    ending = ENDING if raw.count(b"\r\n") * 2 > raw.count(b"\n") else "\n"
    return text.replace("\n", ending).encode()


def _bytes(file: str) -> bytes:
    """Of a file that `read_file` tells about if it cannot be read."""
    with suppress(OSError):
        return Path(file).read_bytes()
    return b""


def laid_out_anew(document: Document, path: Path | None) -> str:
    """The text of the document in our layout. path: where it stands, if tables beside it are to be read.

    InputError: it is none of ours.
    """
    match kind_of_file(document.text):
        case "protocol":
            return formatted_protocol(document, _loaded(document, path))
        case "rig":
            return formatted(document, _of_rig(document, path))
        case "cells" | "campaign":
            return formatted(document)
        case None:
            message = (
                "this is no file of nakctl: a protocol begins with `nakctl: 1`, a rig with `nakctl-rig: 1`"
            )
            raise InputError([Fault(document.file, Mark(1, 1), message)])


def _loaded(document: Document, path: Path | None) -> Loaded | None:
    """None: it has faults, which are told by `check`."""
    try:
        return understand(document, {}) if path is None else load(path)
    except ProtocolError:
        return None


def _of_rig(document: Document, path: Path | None) -> dict[Any, str]:
    """Its quantities, if it is without fault; not those of sensors and ways, whose words are their own."""
    from nakctl.rig.rig_yaml import read_rig

    if path is None:
        return {}
    try:
        return spelled_anew(
            document, quantities_of(read_rig(path, driver_names(), tuple(SIMULATED)), document.data)
        )
    except RigError:
        return {}


def _replace(path: Path, written: bytes) -> None:
    """The whole file or none of it, with the rights it had; a link stays one. RecordError: it cannot be."""
    named, path = path, path.resolve()
    try:
        if not path.stat().st_mode & 0o222:  # whoever said so meant it, though the folder would let us
            raise RecordError(f"{named} is read-only: it is left as it is")
        _put(path, written)
    except OSError as error:
        raise RecordError(f"{named} cannot be written: {error.strerror or error}") from None


def _put(path: Path, written: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(written)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(path.stat().st_mode & 0o777)
        Path(name).replace(path)
    finally:
        with suppress(OSError):  # as a rule it has become the file
            Path(name).unlink()


def _stdin(how: How) -> int:
    """From an editor: what it has goes in, and what it is to show comes out."""
    raw = sys.stdin.buffer.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("standard input is not UTF-8") from None
    document = read_text(text, "standard input")
    now = laid_out_anew(document, None)
    if how.check:
        return ExitCode.FAILED if now != document.text else ExitCode.DONE
    sys.stdout.buffer.write(_with_ends_of(raw, now))
    return ExitCode.DONE


def _tell(seen: list[Laid], how: How) -> None:
    done = "would be laid out anew" if how.check or how.diff else "laid out anew"
    for each in seen:
        if each.error is not None:
            console.say(str(each.error), to=sys.stderr)
        elif each.state == "changed":
            print(_difference(each) if how.diff else f"{done}: {each.file}", end="" if how.diff else "\n")
    changed, same, failed = (_count(seen, state) for state in ("changed", "same", "failed"))
    told = [f"{changed} {done}", f"{same} as {'it is' if same == '1 file' else 'they are'}"]
    told += [f"{failed} left alone"] if failed != "0 files" else []
    console.say(", ".join(told) if seen else "no file of nakctl among them", to=sys.stderr)


def _count(seen: Iterable[Laid], state: str) -> str:
    return plural(sum(1 for each in seen if each.state == state), "file")


def _difference(laid: Laid) -> str:
    was, now = laid.was.splitlines(keepends=True), laid.now.splitlines(keepends=True)
    lines = difflib.unified_diff(was, now, laid.file, f"{laid.file}, laid out anew")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ no end of line\n" for line in lines)


def _json(laid: Laid) -> dict[str, Any]:
    found = [] if laid.error is None else errors(laid.error)
    return {"file": laid.file, "state": laid.state, "errors": found}
