"""What the instrument holds now, and what it held at another commit: shipped and generated protocols.

    python benchmarks/held_limits.py [COMMIT]

Lowers every shipped protocol and 300 generated ones for both families, with this code and with that of the
commit, and compares step by step what CP and CA techniques test. A step holds less if a test of before has no
successor that is met as early; then the script says where, and fails. Its tables are those of docs/limits.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from commits import ROOT, environment, unpacked

GENERATED = 300
INSTRUMENTS = ("SP-300", "VMP-3")
BEFORE = "cad51e8"  # the last one whose chains went on from a limit
Step = dict[str, Any]


def texts() -> Iterator[tuple[str, str]]:
    """(name, text) of every protocol, the same for both commits."""
    sys.path.append(str(ROOT / "tests" / "plan"))
    from generated import protocol

    for path in sorted((ROOT / "protocols").glob("*.yaml")):
        yield path.stem, path.read_text("utf-8")
    for seed in range(GENERATED):
        yield f"generated {seed}", protocol(seed)


def listing() -> dict[str, Step]:
    """By protocol, instrument and step: what its techniques are, and what they test. Runs on both commits."""
    from nakctl.device.cell import Cell
    from nakctl.plan.compile import compile_protocol
    from nakctl.plan.lower import lower
    from nakctl.protocol.load import understand
    from nakctl.text.reader import read_text

    try:
        from nakctl.device.instrument import instrument
    except ImportError:  # as it was called at commits before
        from nakctl.device.limits import instrument

    found: dict[str, Step] = {}
    for name, text in texts():
        plan = compile_protocol(understand(read_text(text, f"{name}.yaml"), {}), Cell("NaK50", 0.4418))
        limits = {"Ewe below": plan.limits.Ewe_min_V, "Ewe above": plan.limits.Ewe_max_V}
        limits["|I| above"] = plan.limits.I_max_A
        for on in INSTRUMENTS:
            for before, technique in techniques(lower(plan, instrument(on)).nodes):
                key = f"{name} on {on}, step {technique.step}"
                step = found.setdefault(key, {"limits": limits, "techniques": []})
                step["techniques"].append(described(technique) | {"before": described(before)})
    return found


def techniques(nodes: Any) -> Iterator[tuple[Any, Any]]:
    """Each with the one before it in its chain."""
    for node in nodes:
        if hasattr(node, "body"):
            yield from techniques(node.body)
        elif hasattr(node, "techniques") and not getattr(node, "tops_up", False):
            for before, technique in pairwise((None, *node.techniques)):
                if hasattr(technique, "step"):
                    yield before, technique


def described(technique: Any) -> Step:
    tests = [(f"{each.quantity} {each.side}", each.value) for each in getattr(technique, "tests", ())]
    driven = hasattr(technique, "tests")
    if hasattr(technique, "control"):
        driven = bool(technique.bias) if technique.control == "GEIS" else not technique.vs_previous
    return {
        "kind": getattr(technique, "control", type(technique).__name__.upper()),
        "driven": driven,
        "stops": getattr(technique, "on_test", "") == "stop",
        "sentinel": getattr(technique, "sentinel", False),
        "whole": not getattr(technique, "continues", False),
        "tests": tests,
    }


def covers(tests: list[tuple[str, float]], asked: tuple[str, float], slack: float = 1e-3) -> bool:
    """A test of the same side is met as early. slack: sentinels test a little inside, never outside."""
    word, value = asked
    sign = 1 if word.endswith("above") else -1
    return any(each[0] == word and sign * each[1] <= sign * value + slack * abs(value) for each in tests)


def holds(step: Step, limit: tuple[str, float]) -> str:
    """What becomes of a limit of the run in a step, with nobody watching."""
    plain = [each for each in step["techniques"] if each["kind"] in ("CP", "CA") and not each["sentinel"]]
    sweeps = [
        each["before"] for each in step["techniques"] if each["kind"] in ("GEIS", "PEIS") and each["whole"]
    ]
    sentinel = any(each["sentinel"] and covers(each["tests"], limit) for each in step["techniques"])
    if sweeps:
        stopped = (each["stops"] and covers(each["tests"], limit) for each in sweeps)
        return "before each spectrum" if all(stopped) else "host"
    if not all(covers(each["tests"], limit) for each in plain):
        return "at its end" if sentinel else "host"
    if all(each["stops"] for each in plain) or sentinel:
        return "all through"
    return "seen, and gone on from"


def table(before: dict[str, Step], now: dict[str, Step]) -> dict[str, Counter[tuple[str, str]]]:
    """By kind of step: how many (step, limit) were held how, before and now."""
    rows: dict[str, Counter[tuple[str, str]]] = {}
    for key, step in now.items():
        kinds = {each["kind"] for each in step["techniques"] if not each["sentinel"]}
        sweeps = sorted(kinds & {"GEIS", "PEIS"})
        if not any(each["driven"] for each in step["techniques"]):
            continue
        kind = " ".join([*(sorted(kinds & {"CP", "CA"})), *sweeps]) if sweeps else kinds.pop()
        words = ("|I| above",) if kind in ("CA", "PEIS", "CA PEIS") else ("Ewe below", "Ewe above")
        for word in words:
            value = step["limits"][word]
            if value is not None:
                was, is_now = holds(before[key], (word, value)), holds(step, (word, value))
                rows.setdefault(kind, Counter())[(was, is_now)] += 1
    return rows


def losses(before: dict[str, Step], now: dict[str, Step]) -> list[str]:
    """Tests of before that nothing replaces."""
    lost = []
    for key, step in before.items():
        tests = [test for each in now[key]["techniques"] for test in each["tests"]]
        for each in step["techniques"]:
            lost += [f"{key}: {test}" for test in each["tests"] if not covers(tests, test)]
    return lost


def listed_by(root: Path) -> dict[str, Step]:
    """The listing of the code that lies under root."""
    ran = subprocess.run(
        [sys.executable, __file__, "--list"],
        env=environment(root),
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, Step] = json.loads(ran.stdout)
    return found


def main(commit: str) -> int:
    with unpacked(commit) as folder:
        before = listed_by(folder)
    now = listed_by(ROOT)
    print(f"{len(now)} steps of shipped and {GENERATED} generated protocols, before: {commit}\n")
    print("| step | a limit of Ewe (CA, PEIS: of |I|) was held | is held | pairs |\n|---|---|---|---|")
    for kind, row in sorted(table(before, now).items()):
        for (was, is_now), count in sorted(row.items()):
            print(f"| {kind} | {was} | {is_now} | {count} |")
    lost = losses(before, now)
    print(f"\ntests of before that nothing replaces: {len(lost)}")
    print("\n".join(lost[:20]))
    return 1 if lost else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        json.dump(listing(), sys.stdout)
    else:
        sys.exit(main(*(sys.argv[1:] or [BEFORE])))
