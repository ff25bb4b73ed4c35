"""The numbers behind a figure, read back: all of them, to the last digit."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nakctl.figures.as_table import write
from nakctl.figures.figure import Axis, Figure, Heat, Line, Mark, Panel
from nakctl.figures.kinds import KINDS
from nakctl.record.read import open_run


@pytest.mark.parametrize("kind", ["run", "drt-map", "staircase", "nyquist"])
def test_what_is_written_is_what_the_figure_holds(kind: str, scan: Path, tmp_path: Path) -> None:
    figure = KINDS[kind].make([open_run(scan)])
    write(figure, tmp_path / "x.csv")
    table = pd.read_csv(tmp_path / "x.csv", encoding="utf-8-sig", dtype=str)
    for number, panel in enumerate(figure.panels, start=1):
        names = [name for name in table.columns if name.startswith(f"{number} ")]
        block = table[names].dropna(how="all")
        assert names[1:3] == [f"{number} {' '.join(axis.label.split())}" for axis in (panel.x, panel.y)]
        for line in panel.lines:
            mine = block[(block[names[0]] == line.name)].astype(dict.fromkeys(names[1:3], float))
            pairs = list(zip(line.x.tolist(), line.y.tolist(), strict=True))
            assert set(pairs) <= set(zip(mine[names[1]], mine[names[2]], strict=True))
        for heat in (each for each in panel.drawn if isinstance(each, Heat)):
            mine = block[block[names[0]] == heat.name].astype(dict.fromkeys(names[1:], float))
            square = mine.pivot(index=names[2], columns=names[1], values=names[3])
            assert square.to_numpy().tolist() == heat.z.tolist()
            assert square.columns.tolist() == heat.x.tolist()


def test_blocks_stand_beside_each_other_and_say_that_they_are_simulated(tmp_path: Path) -> None:
    long = Line(np.array([1.0, 2.0, np.nan]), np.array([0.1, 0.2, 0.3], np.float32), 'a, "b"')
    short = Mark("threshold", x=0.6)
    rows = (
        (Panel(Axis("t / s"), Axis("j\n(> 0)"), (long, Mark("", y=0.0))),),
        (Panel(Axis("x / 1"), Axis("y / 1"), (short,)),),
    )
    write(Figure("any", "title", rows, simulated=True), tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.reader(file))
    assert found[0] == [
        "1 curve, SIMULATED",
        "1 t / s",
        "1 j (> 0)",
        "2 curve, SIMULATED",
        "2 x / 1",
        "2 y / 1",
    ]
    assert found[1] == ['a, "b"', "1.0", repr(float(np.float32(0.1))), "threshold", "0.6", ""]
    assert found[2][3:] == ["", "", ""]
    assert len(found) == 4
