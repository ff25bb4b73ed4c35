"""Every quantity that `nakctl show` prints and /entry/results holds: one definition each, in
`catalogue.toml`.

A new quantity is a table of that file and a name in the figures; `docs/results.md` follows from it. Tests
hold both to each other.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from nakctl import __version__
from nakctl.protocol.result_names import written

_NUMBERED = re.compile(r"_\d+_")
VERSION = "results_version"  # name under which a file says by what its figures were drawn

Kind = Literal["number", "numbers", "count", "truth", "text", "table"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity.

    name    as `show --json` and /entry/results have it: it ends in its unit
    kind    number, count, truth, text; numbers: one for each level, cycle, scan or pulse; table: of names
    units   as UDUNITS reads them; "": of counts, truths and texts
    text    what it is, in one line
    source  of the definition; "": arithmetic, or a word of the file
    error   how uncertain it is; "": exact, or as its parts
    """

    name: str
    kind: Kind
    units: str
    text: str
    source: str = ""
    error: str = ""

    @property
    def unit(self) -> str:
        """As people write it, mAh/cm2; "" of plain numbers."""
        return written(self.units)


@cache
def quantities() -> dict[str, Quantity]:
    """By name, in the order of the page."""
    return {one.name: one for _, those in sections() for one in those}


def quantity(name: str) -> Quantity | None:
    """What a name of the figures means; of numbered ones (peak_1_tau_s) there is one definition
    (peak_N_tau_s)."""
    return quantities().get(_NUMBERED.sub("_N_", name))


@cache
def sections() -> tuple[tuple[str, tuple[Quantity, ...]], ...]:
    """The headings of the page, and what stands below each."""
    told = tomllib.loads(_data().joinpath("catalogue.toml").read_text("utf-8"))
    return tuple(
        (heading, tuple(_quantity(name, **words) for name, words in section.items()))
        for heading, section in told.items()
    )


def _quantity(name: str, kind: Kind = "number", units: str = "", **words: str) -> Quantity:
    return Quantity(name, kind, units, **words)


@cache
def version() -> str:
    """Of whoever draws the figures: it changes with each line of what draws them."""
    said = hashlib.sha256()
    for file in sorted(_data().iterdir(), key=lambda file: file.name):
        if file.name.endswith((".py", ".toml")):
            said.update(file.read_bytes())
    return f"{__version__} {said.hexdigest()[:12]}"


def _data() -> Traversable:
    return files("nakctl.results")


_HEAD = """\
# Results

What `nakctl show` prints, `nakctl show --json` gives by these names, and `/entry/results` of a result file
holds with `units` and `definition` as attributes. A quantity that does not apply to a run, or that cannot be
told from it, is not there: there is no zero that means "not known".

I > 0 oxidises (strips) the working electrode. Areal values are per geometric area; of a cell without a known
area there are none. Names end in their unit. *per* level, cycle, scan or pulse: one number for each, NaN
where one has none.

This page is written from `nakctl/results/catalogue.toml` (`pytest --update-golden tests/results`).
"""


def page() -> str:
    """docs/results.md."""
    return _HEAD + "".join(_section(heading, those) for heading, those in sections())


def _section(heading: str, those: tuple[Quantity, ...]) -> str:
    rows = "".join(_row(one) for one in those)
    columns = "| name | unit | what it is | uncertain by | source |\n|---|---|---|---|---|\n"
    return f"\n## {heading}\n\n{columns}{rows}"


def _row(one: Quantity) -> str:
    unit = one.units or one.kind
    parts = (f"`{one.name}`", unit, one.text, one.error, one.source)
    return "| " + " | ".join(part.replace("|", "\\|") for part in parts) + " |\n"
