"""The page docs/python.md, from the docstrings of what a user meets in Python."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import nakctl
from nakctl.door.joined import Joined
from nakctl.door.numbered import NoSuch
from nakctl.door.relaxation_times import DrtMap
from nakctl.door.run import Run
from nakctl.door.sections import Between, Cycle, Cycles, Section, Step, Steps
from nakctl.door.spectra import Spectra
from nakctl.errors import InputError, NakctlError, NotInstalled, RecordError
from nakctl.record import read
from nakctl.record.columns import Columns, Log
from nakctl.record.ended import Ended
from nakctl.record.read import Header
from nakctl.results.areal import UnknownArea
from nakctl.results.spectrum import Spectrum

HEAD = """\
# A result file in Python

Made from docstrings by a test, which also runs the samples; do not edit it here. What lies where in the file, and how to read it
without nakctl: [layout.md](layout.md). A notebook to begin with: [example.ipynb](example.ipynb).

`pip install nakctl` is enough for numpy arrays. `.df` needs pandas and `.xr` xarray: `pip install "nakctl[exports]"`.

```python
import nakctl

run = nakctl.open("run.h5")  # finished, going on, or killed
print(run)
time_s, Ewe_V = run.samples.time, run.samples.Ewe  # numpy; names carry no unit, `run.samples` tells them
run.header.end_reason, run.header.area_cm2, run.header.results
```

A row, some rows, those under a condition. A part of a table is a table:

```python
run.samples[-1]
run.samples[100:200].Ewe
stripped = run.samples[run.samples.I > 0]
stripped.df  # pandas, columns named "Ewe / V"
```

Steps, cycles and spectra have the numbers that the file and `nakctl show` say; the first one is 1, and -1 is the last one:

```python
step = run.steps[2]
step.label, step.end_reason, step.samples.Ewe[-1]
for cycle in run.cycles:
    print(cycle.number, len(cycle.strip), len(cycle.plate), len(cycle.rest))
charge_Ah = run.cycles[2].strip.samples.Q
spectrum = run.spectra[2]
spectrum.f_Hz, spectrum.z_ohm_cm2, spectrum.j_mA_cm2, spectrum.time_s
gamma = spectrum.drt().gamma_ohm_cm2
drt = run.drt()  # of all complete spectra: drt.time_s, drt.tau_s, drt.gamma_ohm_cm2
```

By time, in seconds from the start. Where nothing was read nearby there is no value: NaN.

```python
part = run[4.0:12.0]
part.samples.Ewe, part.spectra, part.events.message
run.at(5.5, "Ewe")
pressure_MPa = run.at(run.samples.time, "pressure")
run.aux["pressure"].value, run.aux["pressure"].units
run.merged(["pressure"]).df
```

All of it at once, and several runs:

```python
data = run.xr  # xarray: data.Ewe, data.Z_re.sel(spectrum=2), data.pressure; units are attributes
data.to_netcdf("run.nc", engine="h5netcdf")
week = nakctl.concat(["monday.h5", "tuesday.h5"])
week.time, week.run, week.Ewe
```

A run that goes on is seen as it was when it was opened, or refreshed last:

```python
run.refresh()
len(run.samples), run.header.status
```

"""

# What a user gets, and what is only met by its name: the reference tells them in this order.
CLASSES: tuple[tuple[type, ...], ...] = (
    (Run, read.Run), (Header,), (Ended,), (Columns,), (Log,), (Steps,), (Step,), (Cycles,), (Cycle,), (Section,),
    (Between,), (Spectra,), (Spectrum,), (DrtMap,), (Joined,),
)  # fmt: skip
ERRORS = (NakctlError, InputError, NoSuch, UnknownArea, NotInstalled, RecordError)


def page() -> str:
    return HEAD + "\n".join([*_functions(), *(line for each in CLASSES for line in _class(each)), *_errors()])


def public(of: type) -> list[str]:
    """Names of what it offers beside its attributes, in the order of its source."""
    return [name for name, item in vars(of).items() if not name.startswith("_") and _is_shown(item)]


def _is_shown(item: Any) -> bool:
    return inspect.isfunction(item) or isinstance(item, property) or hasattr(item, "attrname")


def _functions() -> Iterator[str]:
    yield "## nakctl\n"
    for name in nakctl.__all__:
        item = getattr(nakctl, name)
        if inspect.isfunction(item):
            yield from _member("nakctl", name, item)
    yield "`nakctl.Run` is what `open` returns, for annotations; `nakctl.__version__` the version.\n"


def _class(parts: tuple[type, ...]) -> Iterator[str]:
    """parts: a class, and those whose members are told with it."""
    first = parts[0]
    base = first.__bases__[0]
    yield f"## {first.__name__}\n"
    yield f"{_text(first)}\n"
    if is_dataclass(first):
        yield f"Its fields: {', '.join(f'`{field.name}`' for field in fields(first))}.\n"
    if base in [each for (each, *_) in CLASSES]:
        yield f"All that a [{base.__name__}](#{base.__name__.lower()}) offers, it does as well.\n"
    for part in parts:
        for name in public(part):
            if vars(part)[name].__doc__:  # else the class tells it
                yield from _member("run" if first is Run else first.__name__, name, vars(part)[name])


def _member(of: str, name: str, item: Any) -> Iterator[str]:
    yield f"### `{of}.{name}{_parameters(item)}`\n"
    yield f"{_text(item)}\n"


def _parameters(item: Any) -> str:
    """Names and defaults; "" of a property."""
    if not inspect.isfunction(item):
        return ""
    shown = [
        each.name if each.default is each.empty else f"{each.name}={each.default!r}"
        for each in inspect.signature(item).parameters.values()
        if each.name != "self"
    ]
    return f"({', '.join(shown)})"


def _text(item: Any) -> str:
    """Sentences as they are; what is laid out in columns as it is laid out."""
    paragraphs = (inspect.getdoc(item) or "").split("\n\n")
    return "\n\n".join(map(_paragraph, paragraphs))


def _paragraph(text: str) -> str:
    laid_out = any("  " in line.strip() for line in text.splitlines())
    return f"```text\n{text}\n```" if laid_out else text


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "| | |\n|---|---|"
    for each in ERRORS:
        bases = ", ".join(base.__name__ for base in each.__bases__)
        yield f"| `{each.__module__}.{each.__name__}` ({bases}) | {inspect.getdoc(each)} |"
    yield ""
