"""What a protocol that changed does otherwise than at the base: by the comparison of `nakctl diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nakctl.cli import revision
from nakctl.cli.ci.base import Base
from nakctl.cli.ci.files import Found, rig_of, rigs_around
from nakctl.cli.ci.outcome import Changed
from nakctl.cli.ci.runs import Planned
from nakctl.cli.prepare import Prepared, prepare
from nakctl.errors import InputError
from nakctl.plan.scene import Scene
from nakctl.protocol.kind_of_file import is_yaml, kind_of_path
from nakctl.render.difference import Difference, compare
from nakctl.render.difference.told import markdown
from nakctl.render.view import View
from nakctl.text.markdown import block, plain


class Then:
    """The repository as it was at the base. top: of it now; folder: the copy."""

    def __init__(self, top: Path, folder: Path) -> None:
        self.top, self.folder = top, folder

    def place(self, now: Path) -> Path:
        """Where it was; a file outside of the repository stays where it is."""
        here = now.resolve()
        return self.folder / here.relative_to(self.top) if here.is_relative_to(self.top) else here


@contextmanager
def at_base(base: Base, folder: Path) -> Iterator[Then | None]:
    """None: there is nothing to compare with."""
    if not base.commit:
        yield None
        return
    top = revision.top(folder.resolve()).resolve()
    with revision.unpacked(base.commit, top) as copy:
        yield Then(top, copy)


def differences(
    planned: Sequence[Planned], then: Then | None, base: Base, rig: Path | None
) -> Iterator[Changed]:
    """Of each protocol, on all that it runs on. rig: the one that was named for all."""
    of_file: dict[str, list[Planned]] = {}
    for one in planned if then is not None else ():
        of_file.setdefault(one.outcome.case.file, []).append(one)
    for file, those in of_file.items():
        assert then is not None
        found = _difference(file, those, then, base, rig)
        if found is not None:
            yield found


def _difference(
    file: str, those: Sequence[Planned], then: Then, base: Base, rig: Path | None
) -> Changed | None:
    """None: neither its text nor what it does is another one."""
    if not then.place(Path(file)).is_file():
        return Changed(file, f"#### {plain(file)}\n\nnew\n")
    found: dict[Difference, list[str]] = {}  # what is the same on several cells is told once
    unplanned: dict[str, None] = {}
    same_text = True
    for one in those:
        try:
            was = _prepared_then(one, then, rig)
        except InputError as error:
            unplanned[str(error).replace(str(then.folder), base.name)] = None
            continue
        same_text = same_text and was.loaded.document.text == one.ready.loaded.document.text
        difference = compare(_view(was), _view(one.ready), f"{base.name}:{file}", file)
        found.setdefault(replace(difference, on=one.ready.instrument.name), []).append(one.outcome.case.label)
    told = {each: cells for each, cells in found.items() if not each.same}
    if not told and not same_text:
        told = dict(list(found.items())[:1])
    if not told and not unplanned:
        return None
    parts = [f"#### {plain(file)}\n"]
    for each, cells in told.items():
        on = replace(each, on=f"{each.on}, {' and '.join(cells)}")
        parts.append(markdown(on, same_text, heading=False))
    for why in unplanned:
        lines = "\n".join(block(why))
        parts.append(f"could not be planned at {plain(base.name)}:\n\n{lines}\n")
    return Changed(file, "\n".join(parts), sum(len(each.alarming) for each in told))


def _prepared_then(one: Planned, then: Then, rig: Path | None) -> Prepared:
    """With the rig that was its own at that time, else the one of now, as it was then."""
    wishes, before = one.outcome.case.wishes, then.place(Path(one.outcome.case.file))
    own = rig_of(before, rigs_around(before, then.folder)) if rig is None else None
    if own is None and wishes.rig is not None and then.place(wishes.rig).is_file():
        own = then.place(wishes.rig)
    return prepare(str(before), wishes if own is None else replace(wishes, rig=own))


def _view(ready: Prepared) -> View:
    return View(Scene(ready.plan, ready.program, ready.instrument), ready.estimate)


def removed(base: Base, then: Then | None, found: Found) -> Iterator[str]:
    """Protocols that were there, and are gone."""
    below = found.folder.resolve()
    for path in sorted(base.changed) if then is not None and not found.is_one else ():
        assert then is not None
        if path.exists() or not is_yaml(path) or not path.is_relative_to(below):
            continue
        if kind_of_path(then.place(path)) == "protocol":
            yield path.relative_to(below).as_posix()
