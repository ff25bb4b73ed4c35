"""Every run of a campaign, prepared before the first one begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nakctl.campaign.made_of import MadeOf, digest
from nakctl.campaign.naming import result_name, twins
from nakctl.campaign.read import Asked, Campaign
from nakctl.cli.beginning import made_of_run
from nakctl.cli.one_run import Options, is_free, refuse_real_time, refuse_speed
from nakctl.cli.prepare import Prepared, Wishes, prepared, where
from nakctl.cli.run_sensors import logged
from nakctl.errors import NO_MARK, CellError, Fault, InputError, RigError
from nakctl.protocol.load import Loaded, document_of, filled
from nakctl.rig import Rig, find_rig
from nakctl.text.reader import Document

_BY_SET = "--set "  # how faults of the values of parameters begin
_BROUGHT = re.compile(r" \(\$(\w+) is [^()]*, by --set\)")  # and how those end that they bring to a protocol


@dataclass(frozen=True, slots=True)
class Planned:
    """One run. options: with which it is run; they hold what its file says of the campaign."""

    asked: Asked
    file: str
    wishes: Wishes
    ready: Prepared
    out: Path
    made_of: MadeOf
    options: Options

    @property
    def name(self) -> str:
        return self.out.stem

    @property
    def channel(self) -> str | None:
        """That it needs for itself; None: it is done in virtual time."""
        return None if is_free(self.ready, self.options) else self.ready.place.name


def planned(
    campaign: Campaign, rig_file: Path | None, *, dry: bool, out: Path, speed: float | None = None
) -> list[Planned]:
    """All of them, free of errors. InputError with the faults of all."""
    refuse_speed(speed)
    rig, document = find_rig(rig_file), campaign.document
    found: list[Planned] = []
    faults: dict[tuple[Any, ...], Fault] = {}

    def note(error: InputError, asked: Asked) -> None:
        for fault in _placed(error, asked, document):
            faults.setdefault((fault.file, fault.mark, fault.message), fault)

    protocols = _Protocols()
    for asked in campaign.asked:
        wishes = Wishes(_channel(asked, rig), asked.cell, asked.sets, rig_file, dry)
        try:
            at = where(wishes, rig)
        except InputError as error:
            note(error, asked)
            at = None
        try:
            loaded = protocols.loaded(asked)
            if at is None:
                continue
            ready = prepared(loaded, at, dry=dry)
            ready.require_no_errors()
            one = _planned(asked, wishes, ready, out, campaign, speed)
            refuse_real_time(ready, one.options)
            logged(ready, is_free(ready, one.options))
        except InputError as error:
            note(error, asked)
            continue
        found.append(one)
    told = [*faults.values(), *_twins(found, document)]
    if told:  # those of this file first, as one reads it
        raise InputError(
            sorted(told, key=lambda fault: (fault.file != document.file, fault.file, fault.mark))
        )
    return found


class _Protocols:
    """Each is read once: all its runs are of the same text, and there may be thousands."""

    def __init__(self) -> None:
        self._read: dict[str, Document] = {}

    def loaded(self, asked: Asked) -> Loaded:
        """InputError with every fault."""
        if asked.protocol not in self._read:
            self._read[asked.protocol] = document_of(asked.protocol)
        return filled(self._read[asked.protocol], asked.sets)


def _channel(asked: Asked, rig: Rig) -> str | None:
    """Said, or where the cell sits."""
    return asked.on if asked.on is not None else rig.cell_places.get(asked.cell or "")


def _planned(
    asked: Asked, wishes: Wishes, ready: Prepared, out: Path, campaign: Campaign, speed: float | None
) -> Planned:
    name = result_name(
        asked.begins, ready.cell.name, {} if asked.named else asked.given, asked.swept, asked.seed
    )
    made = made_of_run(ready, asked.seed)
    document = campaign.document
    about = {
        "name": campaign.words.name,
        "file_name": Path(document.file).name,
        "data": document.text,
        "sha256": digest(document.text),
        "run": Path(name).stem,
        "made_of": made,
    }
    options = Options(
        out / name, asked.seed, speed, asked.note, as_json=False, quiet=True, said={"campaign": about}
    )
    return Planned(asked, asked.protocol, wishes, ready, out / name, made, options)


# --- faults, where the campaign's file says what they come from ---------------------------------------------


def _placed(error: InputError, asked: Asked, document: Document) -> Iterator[Fault]:
    if not error.faults:
        word = next((word for kind, word in _OF.items() if isinstance(error, kind)), "protocol")
        loc = asked.place("cell" if word == "on" and "on" not in asked.places else word)
        yield document.fault(document.mark(loc), str(error))
        return
    for fault in error.faults:
        brought = _BROUGHT.search(fault.message)
        if fault.mark == NO_MARK and fault.file.startswith(_BY_SET):
            yield _of_parameter(fault, asked, document)
        elif brought is not None and brought[1] in asked.sets:
            said = f"{_BROUGHT.sub('', fault.message)} (for line {fault.mark.line} of {fault.file})"
            yield document.fault(document.mark(asked.place(f"${brought[1]}")), said)
        else:
            line = document.mark(asked.loc).line
            yield replace(fault, message=f"{fault.message} (run of line {line}, {document.file})")


_OF: Mapping[type[InputError], str] = {CellError: "cell", RigError: "on"}


def _of_parameter(fault: Fault, asked: Asked, document: Document) -> Fault:
    """At its value; that there is no such parameter, at its name."""
    name = fault.file.removeprefix(_BY_SET).partition("=")[0]
    loc = asked.place(f"${name}")
    if f"{name} is no parameter" in fault.message:
        entry, word = asked.loc, "set" if name in asked.given else "each"
        return document.fault(document.key_mark((*entry, word, name)), fault.message)
    return document.fault(document.mark(loc), f"{name}: {fault.message}")


def _twins(found: Sequence[Planned], document: Document) -> Iterator[Fault]:
    for number, first in twins(one.out.name for one in found).items():
        one, other = found[number], found[first]
        line = document.mark(other.asked.loc).line
        is_same = one.made_of == other.made_of
        why = "is the same run as" if is_same else "would be called as"
        better = "leave one of them out" if is_same else "give this one a `name`"
        text = f"{one.name} {why} one of line {line}: {better}"
        yield document.fault(document.mark(one.asked.loc), text)
