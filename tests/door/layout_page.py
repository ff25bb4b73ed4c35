"""The page docs/layout.md, from the tables of `nakctl.booking.layout`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from nakctl.booking import layout
from nakctl.booking.table import Column, Table

HEAD = """\
# The layout of a result file

Made from `nakctl/booking/layout.py` by a test; do not edit it here. A run is one HDF5 file, `NAME.h5`, of any HDF5 since
1.10. It follows NeXus (NXroot, NXentry, NXdata, NXlog, NXnote) without an application definition: there is none for
electrochemistry. With Python there is a shorter way to all of it: [python.md](python.md).

- A **table** is a group; its columns are datasets of one length. A column has the attributes `units` (as UDUNITS reads them,
  `1` for a plain number), `long_name` (label of an axis), and where there is one its name in the Battery Data Format
  (`bdf_name`, `bdf_label`, `bdf_iri`) and in EC-Lab (`eclab_name`).
- The column that rows are found by is a **dimension scale** of the others, so xarray and netCDF take it for their
  coordinate. Older files have none.
- **Signs**: I > 0 oxidises (strips) the working electrode. Z = E/I, so a capacitor has Im < 0; EC-Lab's column holds the
  opposite. Potentials are against the reference electrode, or the counter electrode where that is the reference.
- **Times** are seconds from `/entry/start_time`. `time` never goes back; it may repeat.
- Text is UTF-8. NaN: not known, or not applicable.

## Tables
"""

# name: what a row is, which columns are only there sometimes
TABLES = {
    "samples": "A row per sample.",
    "impedance": "A row per frequency of a spectrum, all spectra one after the other.",
    "spectra": "A row per spectrum.",
    "steps": "A row per executed step that is over.",
    "ends": "A row per condition that could end a step or the run.",
    "chains": "A row per chain of techniques that was started. Before each but the first the cell lay open.",
    "ties": "The same moment on the instrument's clock and on the host's, once in ten minutes the best. Moves no row.",
    "events": "A row per thing worth a line. `json`, in a sealed file: all that was said of it.",
    "clock": "The run's time against the time of day.",
    "aux/NAME": "A row per reading of the sensor of that name, if there are sensors. Attributes of the group: `kind`, "
    "`address`, `every_s`, `timeout_s`, `scale`, `offset`, `about`, `calibration`, `calibration_points`, `simulated` and, in a "
    "sealed file, `time_error_s`, the largest of its column.",
    "sensor_clock": "The clock that readings of sensors are timed with, against the run's.",
}
ONLY_WITH_THREE = "only with a third electrode"

GROUPS = """\
## What stands beside the tables

| path | class | holds |
|---|---|---|
| `/` | NXroot | attributes `nakctl_format` (1), `sealed` (1: final), `simulated`, `default`, `creator`, `creator_version`, `file_time`, `crc32` (checksums of what HDF5 does not guard itself), versions of HDF5 and h5py |
| `/entry` | NXentry | `title`, `start_time` (ISO 8601 with zone; imported ones without, or empty), `end_time`, `duration`, `entry_identifier_uuid`, `run_status` (running, completed, stopped, aborted, interrupted, recovered, imported), `end_reason` and the same as codes: `end_kind`, `end_id` (row of `ends`), `end_value`; `note`, `program_name`, `git_commit`, `git_dirty`; where it applies `recovery`, `damage`, `unbooked`, `booked_again`, `not_stored` |
| `/entry/user` | NXuser | `name` |
| `/entry/sample` | NXsample | `name` of the cell, `electrode_area` (cm^2), `nominal_capacity` (C), `working_electrode`, `counter_electrode`, `reference_electrode`, `electrolyte`, `source`, `working_is`, `three_electrodes`, `facts`, `simulated` |
| `/entry/instrument` | NXinstrument | `name`; in `potentiostat` what is known of the channel |
| `/entry/protocol` | NXnote | `data`: the YAML as it was, `file_name`, `sha256`, `params` |
| `/entry/campaign` | NXnote | of a run that belongs to one: `name`, `data`: its YAML, `file_name`, `sha256`, `run`: how the campaign calls it, `made_of`: by what `nakctl campaign` knows it again |
| `/entry/plan` | NXnote | `data`: the compiled plan as JSON, `program`: what the channel was told, `rules`, `limits`, `compiler`, `sha256` |
| `/entry/environment` | NXcollection | computer, versions, `command_line`, `seed` |
| `/entry/results` | NXcollection | what `nakctl show` prints, with units; `text`: its sentences. Only in a sealed file |
| `/entry/plot` | NXdata | the default plot: links to `time`, `Ewe`, `I` of the samples |
| `/entry/nyquist` | NXdata | `neg_Z_im` against `Z_re` (a link), with `frequency` (a link). Only in a sealed file |
| `/entry/raw` | NXcollection | what the tables were made of, for `nakctl recover --again`: `entries`, `facts`, `words`, `samples`, `points`, `documents`, in SI as the channel gave it. Only in a sealed file; not meant to be read by others |

A field that is neither a number nor a text is JSON, and has the attribute `type` = `application/json`.

## A file that is being written

While a run goes on, the same file is there without `sealed`, without compression, in small chunks and in HDF5's
SWMR mode: open it with `swmr=True` (h5py) or `H5F_ACC_SWMR_READ`, and without locks. All groups and columns are there from
the start and grow within a second. Columns of a table may differ in length for a moment: take the shortest. Neither
`results` nor `nyquist` nor `raw` is there yet, and `run_status` is `running`.
When the run has ended, a **sealed** file takes its place in one step: compressed (gzip and shuffle, with checksums), verified
against the journal, and open to every program. A run that was killed leaves the live file and its journal, `NAME.h5.journal`:
`nakctl recover NAME.h5` makes the sealed file of them; until then h5py opens it as a live one.
"""

SNIPPETS = """\
## Reading it elsewhere

The snippets for Python and Octave are run by the tests; those for MATLAB, R and Julia were **not run here**.

### Python

```python
import h5py

with h5py.File("run.h5") as file:  # of a run that goes on: h5py.File("run.h5", swmr=True, locking=False)
    samples = file["entry/samples"]
    time_s, Ewe_V, I_A = (samples[name][:] for name in ("time", "Ewe", "I"))
    units = samples["Q"].attrs["units"]
    labels = file["entry/steps/label"].asstr()[:]
    area_cm2 = file["entry/sample/electrode_area"][()]  # KeyError: it is not known
    first = file["entry/spectra/first_row"][0]
    rows = slice(first, first + file["entry/spectra/row_count"][0])
    f_Hz = file["entry/impedance/frequency"][rows]
    z_ohm = file["entry/impedance/Z_re"][rows] + 1j * file["entry/impedance/Z_im"][rows]
```

pandas and xarray:

```python
import h5py
import pandas
import xarray

with h5py.File("run.h5") as file:
    frame = pandas.DataFrame({name: column[:] for name, column in file["entry/samples"].items()})

with xarray.open_dataset("run.h5", group="entry/samples", engine="h5netcdf") as data:  # or engine="netcdf4"
    late = data.Ewe.sel(time=slice(10.0, 20.0)).values
```

### MATLAB (R2021b or later; not run here)

```matlab
time_s = h5read('run.h5', '/entry/samples/time');
Ewe_V = h5read('run.h5', '/entry/samples/Ewe');
units = h5readatt('run.h5', '/entry/samples/Ewe', 'units');
labels = string(h5read('run.h5', '/entry/steps/label'));
area_cm2 = h5read('run.h5', '/entry/sample/electrode_area');
spectrum = h5read('run.h5', '/entry/impedance/spectrum');
f_Hz = h5read('run.h5', '/entry/impedance/frequency');
z_ohm = complex(h5read('run.h5', '/entry/impedance/Z_re'), h5read('run.h5', '/entry/impedance/Z_im'));
plot(real(z_ohm(spectrum == 1)), -imag(z_ohm(spectrum == 1)), 'o'); axis equal
```

### Octave (tried with 7.3)

Octave's own `load` does not read the texts of such a file, and gives up; it has no `h5read`. Its package netcdf (in Debian
`octave-netcdf`) reads all numbers, but neither texts nor attributes.

```octave
pkg load netcdf
time_s = ncread('run.h5', '/entry/samples/time');
Ewe_V = ncread('run.h5', '/entry/samples/Ewe');
area_cm2 = ncread('run.h5', '/entry/sample/electrode_area');
spectrum = ncread('run.h5', '/entry/impedance/spectrum');
f_Hz = ncread('run.h5', '/entry/impedance/frequency');
z_ohm = complex(ncread('run.h5', '/entry/impedance/Z_re'), ncread('run.h5', '/entry/impedance/Z_im'));
first_z_ohm = z_ohm(spectrum == 1);
```

### R (not run here)

```r
library(rhdf5)  # BiocManager::install("rhdf5")
samples <- as.data.frame(h5read("run.h5", "/entry/samples"))
steps <- as.data.frame(h5read("run.h5", "/entry/steps", bit64conversion = "double"))
impedance <- as.data.frame(h5read("run.h5", "/entry/impedance"))
one <- subset(impedance, spectrum == 1)
plot(one$Z_re, -one$Z_im, asp = 1)
```

### Julia (not run here)

```julia
using HDF5
h5open("run.h5") do file
    samples = file["entry/samples"]
    time_s, Ewe_V = read(samples["time"]), read(samples["Ewe"])
    units = read_attribute(samples["Ewe"], "units")
    impedance = file["entry/impedance"]
    one = read(impedance["spectrum"]) .== 1
    z_ohm = complex.(read(impedance["Z_re"])[one], read(impedance["Z_im"])[one])
end
```
"""


def page() -> str:
    parts = [HEAD, *(part for name in TABLES for part in _table(name)), GROUPS, SNIPPETS]
    return "\n".join(parts)


def documented() -> dict[str, Table]:
    sensor = layout.sensor({"name": "NAME", "unit": "its unit"})
    return {
        **layout.tables({"three_electrode": True}),
        "aux/NAME": sensor,
        "sensor_clock": layout.SENSOR_CLOCK,
    }


def _table(name: str) -> Iterator[str]:
    table = documented()[name]
    two = layout.tables({}).get(name, table)
    yield f"### /entry/{name}\n\n{TABLES[name]} {table.nx_class}; found by `{table.scale}`.\n"
    yield "| column | type | unit | label | Battery Data Format | EC-Lab | meaning |\n|---|---|---|---|---|---|---|"
    for column in table.columns:
        yield _row(column, next((each for each in two.columns if each.name == column.name), None))
    yield ""


def _row(column: Column, with_two: Column | None) -> str:
    """with_two: as it is without a third electrode."""
    notes = [] if with_two else [ONLY_WITH_THREE]
    notes += [_note(name, text) for name, text in column.notes.items()]
    of = column if with_two is None else with_two
    bdf = f"{of.bdf_label} (`{of.bdf_name}`)" if of.bdf_name else ""
    if bdf and not column.bdf_name:
        bdf += " without a third electrode"
    eclab = of.eclab_name and f"`{of.eclab_name}`"
    cells = (f"`{column.name}`", _type(column), of.units, of.long_name, bdf, eclab, "; ".join(notes))
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _note(name: str, text: str) -> str:
    if not text:
        return f"its codes are named in the attribute `{name}`"
    return text if name in ("meaning", "sign", "gaps") else f"{name}: {text}"


def _type(column: Column) -> str:
    kind = np.dtype(column.dtype)
    return f"text, {kind.itemsize} bytes" if kind.kind == "S" else kind.name


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def code(text: str, language: str) -> Iterable[str]:
    """The blocks of this language on a page."""
    for part in text.split(f"```{language}\n")[1:]:
        yield part.split("```")[0]
