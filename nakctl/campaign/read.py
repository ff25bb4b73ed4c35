"""A campaign's file -> the runs that it asks for, each with its place in the file."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nakctl.campaign.model import CampaignWords, RunWords
from nakctl.errors import InputError
from nakctl.text import faults
from nakctl.text.faults import Problem
from nakctl.text.quantities import refuse_close_commas, share_unit
from nakctl.text.reader import Document, Loc, plain, read_file
from nakctl.text.units import UnitError

MOST = 10_000  # runs: more are a slip
_CELLS = (".yaml", ".yml")
_NOT_BARE = re.compile(r"""[:#\[\]{}&*!|>'"%@`]|^[-?] |^\s|\s$""")  # what YAML would read as more than text


@dataclass(frozen=True, slots=True)
class Asked:
    """One of its runs.

    protocol  a path, or the name of a shipped one; begins: how its result is called, before the values;
              named: so by its entry, which says what all runs of it share
    cell, on  None: nobody said
    given     parameters that all runs of the entry share; swept: those that only this one has so. As text
    may_end_by  "limit": that is a result, too
    loc       of its entry in the file; places: of what else it says there: protocol, cell, on, each parameter
    """

    protocol: str
    begins: str
    named: bool
    cell: str | None
    on: str | None
    given: Mapping[str, str]
    swept: Mapping[str, str]
    seed: int
    note: str
    may_end_by: str
    loc: Loc
    places: Mapping[str, Loc]

    @property
    def sets(self) -> dict[str, str]:
        return {**self.given, **self.swept}

    def place(self, word: str) -> Loc:
        """Where the file says this; else where it asks for the run."""
        return self.places.get(word, self.loc)


@dataclass(frozen=True, slots=True)
class Campaign:
    """Without fault as far as its own words go. out: as it is said, or made of the name of the file."""

    document: Document
    words: CampaignWords
    asked: tuple[Asked, ...]
    out: Path


def read(path: Path) -> Campaign:
    """InputError with every fault in it."""
    document = read_file(path)
    if "nakctl" in document.data and "nakctl-campaign" not in document.data:
        raise InputError(
            f"{path} is a protocol, for nakctl run; a campaign begins with `nakctl-campaign: 1`, and says "
            "which protocols run where"
        )
    try:
        words = CampaignWords.model_validate(document.data)
    except ValidationError as error:
        found = [*faults.problems(error, document.data, CampaignWords, {}, "a campaign")]
        raise InputError(faults.in_order(found, document)) from None
    slips: list[Problem] = []
    asked: list[Asked] = []
    for k, entry in enumerate(words.runs):
        loc: Loc = ("runs", k)
        asked += itertools.islice(_runs(entry, loc, path.parent, slips), MOST + 1 - len(asked))
        if len(asked) > MOST:
            text = f"with these there are more than {MOST} runs; that is the most that a campaign takes"
            slips.append(Problem(loc, text))
            break
    if slips:
        raise InputError(faults.in_order(slips, document))
    return Campaign(document, words, tuple(asked), Path(words.out or path.stem))


def _runs(entry: RunWords, loc: Loc, folder: Path, slips: list[Problem]) -> Iterator[Asked]:
    given = {name: _text(value, (*loc, "set", name), slips) for name, value in entry.set.items()}
    swept = {name: _values(value, (*loc, "each", name), slips) for name, value in entry.each.items()}
    for name in swept:
        if name in given:
            text = f"{name} is given under `set`, too: leave it out there or here"
            slips.append(Problem((*loc, "each", name), text, at_key=True))
    cells = entry.cell if isinstance(entry.cell, list) else [entry.cell]
    seeds = entry.seed if isinstance(entry.seed, list) else [entry.seed]
    for word, several in ("cell", cells), ("seed", seeds):
        slips += [
            Problem((*loc, word, k), f"{each} stands here twice: that is the same run")
            for k, each in enumerate(several)
            if each in several[:k]
        ]
    for number, cell in enumerate(cells):
        places = _places(entry, loc, number)
        for values in itertools.product(*map(enumerate, swept.values())):
            chosen = dict(zip(swept, values, strict=True))
            own = {
                f"${name}": _place(entry.each[name], (*loc, "each", name), k)
                for name, (k, _) in chosen.items()
            }
            for seed in seeds:
                yield Asked(
                    protocol=beside(folder, entry.protocol),
                    begins=entry.name or Path(entry.protocol).stem,
                    named=entry.name is not None,
                    cell=cell and _cell_beside(folder, cell),
                    on=entry.on,
                    given=given,
                    swept={name: text for name, (_, text) in chosen.items()},
                    seed=seed,
                    note=entry.note,
                    may_end_by=entry.may_end_by or "",
                    loc=loc,
                    places=places | own,
                )


def _places(entry: RunWords, loc: Loc, number: int) -> dict[str, Loc]:
    """Of what all runs with this cell share."""
    found: dict[str, Loc] = {
        word: (*loc, word) for word in ("protocol", "cell", "on") if getattr(entry, word)
    }
    if isinstance(entry.cell, list):
        found["cell"] = (*loc, "cell", number)
    return found | {f"${name}": (*loc, "set", name) for name in entry.set}


def _place(said: Any, loc: Loc, number: int) -> Loc:
    """Of one value of several; all of a text stand at one place."""
    return (*loc, number) if isinstance(said, list) else loc


def beside(folder: Path, name: str) -> str:
    """The file of this name beside the campaign's, if it is there; else the name itself."""
    path = folder / name
    return str(path) if path.is_file() else name


def _cell_beside(folder: Path, cell: str) -> str:
    """The same for a file of cells, of which one may be named: cells/mine.yaml#thick."""
    file, number, chosen = cell.partition("#")
    return f"{beside(folder, file)}{number}{chosen}" if file.lower().endswith(_CELLS) else cell


# --- values of parameters ----------------------------------------------------------------------------------


def _values(said: Any, loc: Loc, slips: list[Problem]) -> list[str]:
    """`[0.1 s, 1 s]`, or `0.1, 1, 2 s`: a bare number takes the unit of the last."""
    if isinstance(said, str):
        try:
            refuse_close_commas(said)
        except UnitError as error:
            slips.append(Problem(loc, str(error)))
            return []
        parts = share_unit(said.split(","))
    elif isinstance(said, list) and said:
        texts = [_text(each, (*loc, k), slips) for k, each in enumerate(said)]
        parts = texts if any(isinstance(each, list | dict) for each in said) else share_unit(texts)
    else:
        slips.append(Problem(loc, "give its values, such as [0.1 s, 1 s] or 0.1, 1, 2 s"))
        return []
    for k, part in enumerate(parts):
        if not part:
            slips.append(Problem(_place(said, loc, k), "a value is missing"))
        elif part in parts[:k]:
            slips.append(Problem(_place(said, loc, k), f"{part} stands here twice: that is the same run"))
    return parts


def _text(value: Any, loc: Loc, slips: list[Problem]) -> str:
    """As it is written behind --set, to be read again as what it is."""
    if value is None:
        slips.append(Problem(loc, "a value is missing"))
        return ""
    bare = isinstance(value, str) and plain(value) == value and not _NOT_BARE.search(value)
    return str(value) if bare else in_yaml(value)


def in_yaml(value: Any) -> str:
    """On one line. Raises nothing: what the reader gives is text, numbers, truth values, lists, mappings."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{in_yaml(key)}: {in_yaml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(in_yaml, value))}]"
    return json.dumps(value, ensure_ascii=False)
