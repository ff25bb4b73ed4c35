"""Battery Data Format 1.3 of the Battery Data Alliance: names with units, charging counts as positive.

Sign. Ours is of the working electrode: I > 0 oxidises it. Oxidising the positive electrode of a battery is
charging, oxidising the negative one is discharging. So where the cell says `working_is: negative`, current,
charge and voltage are turned round; otherwise they are ours, and WE counts as the positive electrode: also in
a symmetric cell, where it is a matter of the wiring. In each case U x I > 0 is power into the cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from nakctl.errors import InputError
from nakctl.exchange.placing import Parts
from nakctl.exchange.source import Array, Block, Source, nine_digits, shortest
from nakctl.exchange.text import comma_separated, quoted

_SPECTRA = {
    "Frequency / Hz": "frequency",
    "Real Impedance / ohm": "Z_re",
    "Imaginary Impedance / ohm": "Z_im",
    "Absolute Impedance / ohm": "Z_abs",
    "Phase / deg": "Z_phase",
}


def as_csv(source: Source) -> Parts:
    _refuse_without(source)
    made: dict[str, Any] = {
        ".bdf.csv": partial(_write_csv, source, "samples"),
        ".bdf.csv.metadata.json": partial(_write_about, source),
    }
    return made | (
        {"_spectra.bdf.csv": partial(_write_csv, source, "impedance")} if source.count("impedance") else {}
    )


def as_parquet(source: Source) -> Parts:
    _refuse_without(source)
    made = {".bdf.parquet": partial(_write_parquet, source, "samples")}
    of_spectra = {"_spectra.bdf.parquet": partial(_write_parquet, source, "impedance")}
    return made | (of_spectra if source.count("impedance") else {})


def sign(source: Source) -> int:
    """-1: current, charge and voltage are turned round."""
    return -1 if source.sample.get("working_is") == "negative" else 1


def rule(source: Source) -> str:
    """How the signs came about, in words."""
    told = source.sample.get("working_is", "")
    if told == "negative":
        return "the working electrode is the negative one: current, charge and voltage are turned round"
    if told == "positive":
        return "the working electrode is the positive one: oxidising it is charging"
    return (
        "the file does not say which electrode is on WE (neither, in a symmetric cell): WE is "
        "taken for the positive one, so that oxidising (stripping) it counts as charging"
    )


def about(source: Source) -> dict[str, str]:
    voltage = "Ewe - Ece" if source.run.has_third_electrode else "Ewe"
    turned = "-" if sign(source) < 0 else ""
    return source.about | {
        "sign_in_nakctl": source.about["sign"],
        "sign": f"current > 0 is charging; {rule(source)}",
        "voltage": f"{turned}({voltage}) of nakctl's columns",
        "format": "Battery Data Format 1.3",
    }


def columns(source: Source, table: str, block: Block) -> dict[str, Array]:
    """Of one block, by the names of the format."""
    turn, of_samples = sign(source), table == "samples"
    E, I, Ece = ("Ewe", "I", "Ece") if of_samples else ("E_dc", "I_dc", "Ece_dc")
    whole_V = nine_digits(shortest(block[E]) - shortest(block[Ece])) if Ece in block else shortest(block[E])
    found: dict[str, Array] = {
        "Test Time / s": block["time"],
        "Voltage / V": turn * whole_V + 0.0,
        "Current / A": turn * shortest(block[I]) + 0.0,
        "Step Count / 1": block["step_count"],
    }
    began_s = _unix_s(source.run.header.start_time)
    if began_s is not None:
        found["Unix Time / s"] = began_s + block["time"]
    if of_samples:
        found["Cycle Count / 1"] = block["cycle"]
        found["Net Capacity / Ah"] = turn * block["Q"] + 0.0
        return found
    return found | {name: block[ours] for name, ours in _SPECTRA.items()}


def _unix_s(start_time: str) -> float | None:
    """None where the time zone is not known, as of imported files."""
    try:
        begun = datetime.fromisoformat(start_time)
    except ValueError:
        return None
    return None if begun.tzinfo is None else begun.timestamp()


def _refuse_without(source: Source) -> None:
    if not source.count("samples"):
        raise InputError(f"{source.run.path} has no samples in {source.part} to make this format of")


def _blocks(source: Source, table: str) -> Iterator[dict[str, Array]]:
    return (columns(source, table, block) for block in source.blocks(table))


def _write_csv(source: Source, table: str, path: Path) -> None:
    with path.open("wb") as file:
        for k, block in enumerate(_blocks(source, table)):
            if k == 0:
                file.write(quoted(block).replace('"', "").encode())
            file.write(comma_separated(block))


def _write_about(source: Source, path: Path) -> None:
    path.write_text(json.dumps(about(source), ensure_ascii=False, indent=2) + "\n", "utf-8", newline="\n")


def _write_parquet(source: Source, table: str, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    writer = None
    for block in _blocks(source, table):
        rows = pa.table({name: pa.array(values, from_pandas=True) for name, values in block.items()})
        if writer is None:
            schema = rows.schema.with_metadata(
                {f"nakctl_{name}": text for name, text in about(source).items()}
            )
            writer = parquet.ParquetWriter(path, schema, compression="zstd")
        writer.write_table(rows.cast(schema))
    if writer is not None:
        writer.close()
