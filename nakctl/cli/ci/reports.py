"""What is written where somebody asked for it: files, and lines for GitHub."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nakctl.cli import console
from nakctl.cli.ci.annotations import annotated
from nakctl.cli.ci.for_machines import as_json
from nakctl.cli.ci.junit import junit
from nakctl.cli.ci.outcome import Everything
from nakctl.cli.ci.summary import markdown
from nakctl.cli.ci.wanted import Wanted
from nakctl.cli.json_output import print_json
from nakctl.errors import ExitCode, InputError


def refuse_unwritable(wanted: Wanted) -> None:
    """Before anything runs. Folders that are not there are made."""
    for option, path in (("--junit", wanted.junit), ("--summary", _summary_file(wanted))):
        if path is None:
            continue
        if path.is_dir():
            raise InputError(f"{option} {path} is a folder: name a file")
        _make(option, path, path.parent)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise InputError(f"{option} {path} cannot be written")


def _summary_file(wanted: Wanted) -> Path | None:
    return Path(wanted.summary) if wanted.summary and wanted.summary != "-" else None


def _make(option: str, named: Path, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{option} {named} cannot be written: {error.strerror or error}") from None


@contextmanager
def results(keep: Path | None) -> Iterator[Path]:
    """Where the result files go: a folder of the user's, or one that vanishes."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="nakctl-ci-", ignore_cleanup_errors=True) as passing:
            yield Path(passing)
        return
    if keep.exists() and not keep.is_dir():
        raise InputError(f"--keep {keep}: name a folder")
    _make("--keep", keep, keep)
    if any(keep.glob("*.h5")):
        raise InputError(f"--keep {keep} holds result files: name another folder; nothing is overwritten")
    yield keep


def write(done: Everything, wanted: Wanted) -> ExitCode:
    """All of it, also after something that cannot be written. How the command ends."""
    files: list[tuple[str, Path | None, Callable[[Path], None]]] = [
        ("--junit", wanted.junit, lambda path: _put(junit(done), path)),
        ("--summary", _summary_file(wanted), lambda path: _put(markdown(done), path, _how(path))),
    ]
    failed = [
        f"{option} {path} cannot be written: {why}"
        for option, path, put in files
        if path is not None and (why := _tried(put, path))
    ]
    if wanted.summary == "-":
        console.say(markdown(done).rstrip())
    if os.environ.get("GITHUB_ACTIONS") == "true":
        to = sys.stderr if wanted.as_json or wanted.summary == "-" else sys.stdout
        console.say(*annotated(done, _in_repository), to=to)
    code = ExitCode.FAILED if failed and done.exit_code == ExitCode.DONE else done.exit_code
    if wanted.as_json:
        print_json({**as_json(done), "exit_code": int(code)})
    console.say(*failed, to=sys.stderr)
    return code


def _tried(put: Callable[[Path], None], path: Path) -> str:
    """Why it did not work, if so."""
    try:
        put(path)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _put(text: str, path: Path, how: str = "w") -> None:
    with path.open(how, encoding="utf-8", newline="\n", errors="backslashreplace") as stream:
        stream.write(text)


def _how(path: Path) -> str:
    """That of a step of GitHub's is what all of its commands have to say."""
    steps = os.environ.get("GITHUB_STEP_SUMMARY", "")
    return "a" if steps and path.resolve() == Path(steps).resolve() else "w"


def _in_repository(file: str) -> str:
    top = os.environ.get("GITHUB_WORKSPACE") or "."
    path = Path(file)
    try:
        return Path(os.path.relpath(path, top)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.as_posix()
