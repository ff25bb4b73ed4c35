"""`nakctl report`: a run, or several, as a page that opens offline. What is on it: `nakctl.page.report`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from nakctl.cli.results import recover_if_killed
from nakctl.errors import ExitCode, InputError, need
from nakctl.record import files

FORMATS = (".html", ".htm")


def report(runs: list[Path], out: Path | None, *, overwrite: bool = False) -> int:
    """One page of all runs. InputError: a file is none, or the page would take the place of another one."""
    need("nakctl report", "page", "bokeh")
    target = _target(out if out is not None else _name(runs), overwrite)
    for file in runs:
        recover_if_killed(file)
    from nakctl.page.report import comparison
    from nakctl.page.report import report as report_of
    from nakctl.record.read import open_run

    with ExitStack() as left:
        opened = [left.enter_context(open_run(file)) for file in dict.fromkeys(runs)]
        page = report_of(opened[0]) if len(opened) == 1 else comparison(opened)
    _write(target, page)
    print(target)
    return ExitCode.DONE


def _name(runs: list[Path]) -> Path:
    """Beside the first of them."""
    if not runs[0].name:  # of ".": pathlib knows no other name beside it
        raise InputError(f"{runs[0]} is a folder")
    return runs[0].with_suffix(".html") if len(set(runs)) == 1 else runs[0].with_name("comparison.html")


def _target(path: Path, overwrite: bool) -> Path:
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: the name of a page ends in .html")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the page another name")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; --overwrite replaces it")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}")
    return path


def _write(target: Path, page: str) -> None:
    """Whole, or not at all: who looks at the old page meanwhile has that."""
    fresh = target.with_name(f".{target.name}.new")
    try:
        fresh.write_text(page, encoding="utf-8")
        files.put_in_place(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)
