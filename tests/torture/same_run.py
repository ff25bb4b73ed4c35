"""Is a run the one that nobody disturbed? What its file says, chain by chain, beside that of the other one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nakctl.booking.layout import GAP_CODE
from nakctl.record.raw_tables import RawReader

DZ, DE_V, DI_A = 0.02, 0.02, 1e-6


class Failed(Exception):
    """Why a run is not the one that nobody disturbed."""


@dataclass
class Chain:
    """Rows, points and the entries that they are of; how often it was started."""

    number: int
    starts: int = 0
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    values: list[tuple[float, float]] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    points: list[tuple[Any, ...]] = field(default_factory=list)
    Z: list[complex] = field(default_factory=list)
    point_seqs: list[int] = field(default_factory=list)


@dataclass
class Run:
    """What a file says. gaps: (seq, blocks) of what is told to be missing."""

    status: str
    reason: str
    chains: list[Chain]
    gaps: list[tuple[int, int]]
    events: Counter[str]
    steps: list[tuple[Any, ...]]
    sensed_s: np.ndarray


def read(path: Path) -> Run:
    chains: dict[int, Chain] = {}
    gaps: list[tuple[int, int]] = []
    events: Counter[str] = Counter()
    with h5py.File(path, "r") as file:
        entry = file["entry"]
        for each in RawReader(file).entries():
            chain = chains.setdefault(each.segment, Chain(each.segment))
            facts = each.facts
            if each.kind == "done" and facts["verb"] == "start" and "refused" not in facts:
                chain.starts += 1
            if each.kind == "event":
                events[facts["code"]] += 1
                if facts["code"] == GAP_CODE:
                    gaps.append((each.seq, int(facts.get("facts", {}).get("blocks", 0))))
            if each.kind == "said":
                for told in facts.get("notices", []):
                    events[told[2]] += 1
                    if told[2] == GAP_CODE:
                        gaps.append((each.seq, int(told[4].get("blocks", 0))))
                names = ("time_s", "technique", "passes")
                chain.rows += [tuple(row[name].item() for name in names) for row in each.samples]
                chain.values += [(float(row["Ewe_V"]), float(row["I_A"])) for row in each.samples]
                chain.seqs += [each.seq] * len(each.samples)
                names = ("frequency_Hz", "technique", "passes")
                chain.points += [tuple(row[name].item() for name in names) for row in each.points]
                chain.Z += [complex(row["Z_re_ohm"], row["Z_im_ohm"]) for row in each.points]
                chain.point_seqs += [each.seq] * len(each.points)
        steps = entry["steps"]
        columns = [steps[name][()].tolist() for name in ("step_id", "cycle", "label", "end_kind")]
        return Run(
            str(entry["run_status"].asstr()[()]),
            str(entry["end_reason"].asstr()[()]),
            [chain for _, chain in sorted(chains.items()) if chain.starts or chain.rows or chain.points],
            gaps,
            events,
            list(zip(*columns, strict=True)),
            entry["aux/press/time"][()] if "aux/press" in entry else np.zeros(0),
        )


def check_sensed(found: Run) -> None:
    """Failed: its sensor showed nothing, or not in the order of time."""
    if np.any(np.diff(found.sensed_s) < 0):
        raise Failed("what the sensor showed is not in the order of time")
    if not len(found.sensed_s):
        raise Failed("the sensor showed nothing")


def check_steps(found: Run, whole: Run) -> None:
    """Failed: others than those of the whole run."""
    if found.steps != whole.steps:
        differ = [pair for pair in zip(found.steps, whole.steps, strict=False) if pair[0] != pair[1]]
        raise Failed(f"{len(found.steps)} steps instead of {len(whole.steps)}: {differ[:2]}")


def last_lost(found: Run) -> bool:
    """Blocks are missing behind the newest row."""
    seqs = [seq for chain in found.chains for seq in (*chain.seqs, *chain.point_seqs)]
    return any(seq > max(seqs, default=0) for seq, _ in found.gaps)


def holes_of(found: Run, whole: Run, died: int, *, is_whole: bool, at_once: int = 1) -> tuple[int, int, int]:
    """Holes, rows of the largest, blocks told to be missing: no more than it died, and few at_once."""
    if len(found.chains) != len(whole.chains) and is_whole:
        numbers = [chain.number for chain in found.chains]
        raise Failed(f"{len(found.chains)} chains instead of {len(whole.chains)}: {numbers}")
    twice = [chain.number for chain in found.chains if chain.starts > 1]
    if twice:
        raise Failed(f"chains {twice} were started twice")
    sizes: list[int] = []
    for k, (mine, all_of_it) in enumerate(zip(found.chains, whole.chains, strict=False)):
        ends_here = k + 1 == len(found.chains)
        limit = min(
            (min([*c.seqs, *c.point_seqs], default=1 << 60) for c in found.chains[k + 1 :]), default=1 << 60
        )
        for name, keys, all_keys, seqs in (
            ("row", mine.rows, all_of_it.rows, mine.seqs),
            ("point", mine.points, all_of_it.points, mine.point_seqs),
        ):
            if not is_whole and ends_here:
                all_keys = all_keys[: len(keys)]
            sizes += holes(f"chain {mine.number}", name, keys, all_keys, seqs, limit, found.gaps)
        same_values(mine, all_of_it)
    told = sum(blocks for _, blocks in found.gaps)
    if max((blocks for _, blocks in found.gaps), default=0) > at_once:
        raise Failed(f"more than {at_once} blocks at once: {found.gaps}")
    if told > died:
        raise Failed(f"{told} blocks are told to be missing, and it died {died} times")
    return len(sizes), max(sizes, default=0), told


def holes(
    chain: str,
    name: str,
    keys: list[Any],
    all_keys: list[Any],
    seqs: list[int],
    limit: int,
    gaps: list[tuple[int, int]],
) -> list[int]:
    """How many are missing at each place; Failed if one is not told there, or a row is none of the whole run."""
    at = {key: k for k, key in enumerate(all_keys)}
    strange = [key for key in keys if key not in at]
    if strange or len(at) != len(all_keys):
        raise Failed(f"{chain}: {len(strange)} {name}s that the whole run has not, as {strange[:2]}")
    places = [-1, *(at[key] for key in keys), len(all_keys)]
    around = [0, *seqs, limit]
    sizes = []
    for (before, after), (since, until) in zip(pairwise(places), pairwise(around), strict=True):
        if after <= before:
            raise Failed(f"{chain}: a {name} twice, or in another order, at {all_keys[min(before, after)]}")
        if after > before + 1:
            sizes.append(after - before - 1)
            if not any(since <= seq <= until for seq, _ in gaps):
                raise Failed(
                    f"{chain}: {sizes[-1]} {name}s are missing between entries {since} and {until}, and only "
                    f"{gaps} are told"
                )
    return sizes


def same_values(mine: Chain, whole: Chain) -> None:
    """Of cells that rested differently."""
    values = dict(zip(whole.rows, whole.values, strict=True))
    for key, (Ewe_V, I_A) in zip(mine.rows, mine.values, strict=True):
        expected = values[key]
        if abs(Ewe_V - expected[0]) > DE_V or abs(I_A - expected[1]) > DI_A:
            raise Failed(f"chain {mine.number}: {Ewe_V:g} V, {I_A:g} A instead of {expected} at {key}")
    Z = dict(zip(whole.points, whole.Z, strict=True))
    for key, value in zip(mine.points, mine.Z, strict=True):
        if abs(value - Z[key]) > DZ * abs(Z[key]):
            raise Failed(f"chain {mine.number}: {value} instead of {Z[key]} at {key}")
