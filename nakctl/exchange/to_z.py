"""ZPlot's text, `.z`: a spectrum per file, as ZView and RelaxIS open them."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import numpy as np

from nakctl.errors import InputError
from nakctl.exchange.placing import Parts
from nakctl.exchange.source import Source, shortest
from nakctl.exchange.text import tab_separated

# As ZPlot 3 heads its columns. GD, Err and Range are its own; nobody else asks for them.
_COLUMNS = ("Freq(Hz)", "Ampl", "Bias", "Time(Sec)", "Z'(a)", "Z''(b)", "GD", "Err", "Range")


def parts(source: Source) -> Parts:
    mask = source.rows["spectra"]
    numbers = source.run.spectra["spectrum"]
    asked = (numbers if mask is None else numbers[mask]).tolist()
    if not asked:
        raise InputError(f"{source.run.path} has no spectra in {source.part} to make this format of")
    return {f"_{number:04}.z": partial(_write, source, number) for number in asked}


def _write(source: Source, number: int, path: Path) -> None:
    run = source.run
    rows = run.impedance["spectrum"] == number
    amplitude, bias, unit = _excitation(source, number, rows)
    of_points = {name: run.impedance[name][rows] for name in ("frequency", "time", "Z_re", "Z_im")}
    none = np.zeros(int(rows.sum()), np.int64)
    values = (
        of_points["frequency"], shortest(amplitude), shortest(bias), of_points["time"],
        of_points["Z_re"], of_points["Z_im"], none, none, none,
    )  # fmt: skip
    written = io.BytesIO()
    written.write("\r\n".join(_header(source, number, unit)).encode("ascii", "backslashreplace"))
    written.write(tab_separated(dict(zip(_COLUMNS, values, strict=True))))
    path.write_bytes(written.getvalue())


def _excitation(source: Source, number: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Amplitude and DC value of what was controlled, and its unit."""
    run = source.run
    count = run.spectra["step_count"][run.spectra["spectrum"] == number]
    mine = np.isin(source.steps["step_count"], count)
    galvanostatic = bool((source.steps["technique"][mine] == "GEIS").any())
    amplitude, bias = ("I_amp", "I_dc") if galvanostatic else ("E_amp", "E_dc")
    return run.impedance[amplitude][rows], run.impedance[bias][rows], "A" if galvanostatic else "V"


def _header(source: Source, number: int, unit: str) -> list[str]:
    start = source.run.header.start_time
    date, _, time = start.partition("T")
    return [
        "ZPLOT2 ASCII",
        f"  Measured Data:              nakctl, spectrum {number}",
        f"  Date:                       {date}",
        f"  Time:                       {time[:8]}",
        f"  Ampl and Bias in:           {unit}",
        f"  Surface Area (cm2):         {source.about['electrode_area'].removesuffix(' cm2')}",
        "  Begin Comments",
        *(f"  {name}: {text}" for name, text in source.about.items()),
        "\t".join(_COLUMNS),
        "End Comments",
        "",
    ]
