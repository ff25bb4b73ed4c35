"""Writes docs/calibration.md from what `nakctl sim compare --json` printed.

nakctl sim compare --json --keep runs > table.json
python docs/make_docs.py table.json
python docs/make_gallery.py runs
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "calibration.md"
HEAD = """\
# Calibration of the simulated cells

SIMULATED. Every row is measured on result files of the shipped protocols, which ran through the whole chain:
YAML, plan, program, simulated channel with its noise and resolution, journal, HDF5. `nakctl sim compare` does
it again and prints this table; the tests do it too and fail if a value leaves its band.

*paper*: what Wu & Hatzell, EES Batteries 2025, 1, 1682 report, and where. *band*: where a simulated cell must
come out, wide enough for the scatter between real cells. One parameter set serves all rows; only the
composition changes. gamma_GB, gamma_int and gamma'_int are peaks of the distribution of relaxation times
(`nakctl/results/drt.py`); their heights are compared, because the spectra end at 5 Hz and cut gamma_int.

More: [what the model is](cell-model.md), [its runs in the form of the paper's figures](paper-figures.md).

| | paper | band | this version |
|---|---|---|---|
"""


def line(row: dict[str, Any]) -> str:
    value = row["value"]
    shown = f"{value:.3g}" if isinstance(value, float) else str(value)
    mark = "" if row["in_band"] else " **out of band**"
    return f"| {row['name']} | {row['paper']} | {row['band']} | {shown}{mark} |\n"


def main() -> None:
    rows = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    TARGET.write_text(HEAD + "".join(map(line, rows)), "utf-8", newline="\n")


if __name__ == "__main__":
    main()
