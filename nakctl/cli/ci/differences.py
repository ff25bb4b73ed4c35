"""What a protocol that changed does otherwise than at the base: by the comparison of `nakctl diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nakctl.cli import revision
from nakctl.cli.ci.base import Base
from nakctl.cli.ci.outcome import Changed
from nakctl.cli.ci.runs import Planned
from nakctl.cli.prepare import Prepared, prepare
from nakctl.errors import InputError
from nakctl.plan.scene import Scene
from nakctl.protocol.kind_of_file import SUFFIXES, kind_of_path
from nakctl.render.difference import compare
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


def differences(planned: Sequence[Planned], then: Then | None, base: Base) -> Iterator[Changed]:
    """Of each protocol, on the first of its cells."""
    first: dict[str, Planned] = {}
    for one in planned:
        first.setdefault(one.outcome.case.file, one)
    for one in first.values() if then is not None else ():
        assert then is not None
        found = _difference(one, then, base)
        if found is not None:
            yield found


def _difference(one: Planned, then: Then, base: Base) -> Changed | None:
    """None: neither its text nor what it does is another one."""
    case = one.outcome.case
    heading = f"#### {plain(case.file)}\n\n"
    before = then.place(Path(case.file))
    if not before.is_file():
        return Changed(case.file, f"{heading}new\n")
    rig = case.wishes.rig if case.wishes.rig is None else then.place(case.wishes.rig)
    wishes = replace(case.wishes, rig=rig if rig is None or rig.is_file() else case.wishes.rig)
    try:
        was = prepare(str(before), wishes)
    except InputError as error:
        why = "\n".join(block(str(error).replace(str(then.folder), base.name)))
        return Changed(case.file, f"{heading}could not be planned at {plain(base.name)}:\n\n{why}\n")
    same_text = was.loaded.document.text == one.ready.loaded.document.text
    found = compare(_view(was), _view(one.ready), f"{base.name}:{case.file}", case.file)
    if found.same and same_text:
        return None
    return Changed(case.file, markdown(found, same_text), len(found.alarming))


def _view(ready: Prepared) -> View:
    return View(Scene(ready.plan, ready.program, ready.instrument), ready.estimate)


def removed(base: Base, then: Then | None, below: Path) -> Iterator[str]:
    """Protocols that were there, and are gone."""
    for path in sorted(base.changed):
        if then is None or path.exists() or path.suffix not in SUFFIXES or not path.is_relative_to(below):
            continue
        if kind_of_path(then.place(path)) == "protocol":
            yield path.relative_to(below).as_posix()
