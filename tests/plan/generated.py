"""Protocols made at random: short steps of every kind, with cutoffs and limits that a small cell may meet.

`protocol(seed)` is the text of one. All are legal, and fit an SP-300 and a VMP-3.
"""

from __future__ import annotations

import textwrap
from random import Random

SPECTRA = """\
spectra:
  g: {kind: geis, amplitude: 5 uA, frequencies: '1000, 100, 10 Hz'}
  p: {kind: peis, amplitude: 5 mV, frequencies: '1000, 300, 30 Hz'}
"""
CURRENTS = ("0.02 mA", "0.05 mA", "0.1 mA", "0.2 mA", "0.5 mA")
POTENTIALS = ("-100 mV", "-30 mV", "0 V", "20 mV", "60 mV", "150 mV")
LIMITS = ("10 mV", "25 mV", "60 mV", "150 mV", "1 V")
SECONDS = ("0.5 s", "2 s", "5 s")
KINDS = ("cp", "cp", "cp", "cp", "ca", "ca", "rest", "geis", "peis", "spectra", "pulse")


def protocol(seed: int) -> str:
    r = Random(seed)
    window = f"[-{r.choice(LIMITS)}, {r.choice(LIMITS)}]"
    most = r.choice(("", ", I: 0.6 mA", ", I: 2 mA"))
    goal = r.choice(("", "", "stop_when: {Ewe_above: 40 mV}\n", "stop_when: {Ewe_below: -40 mV}\n"))
    blocks = "".join(f"- {_block(r)}\n" for _ in range(r.randint(1, 3)))
    head = f"nakctl: 1\nname: made\nlimits: {{Ewe: {window}{most}, time: 1 h}}\n{goal}finally: rest\n"
    return f"{head}{SPECTRA}steps:\n{textwrap.indent(blocks, '  ')}"


def _block(r: Random) -> str:
    """A step, or a loop of some."""
    match r.choice(("step", "step", "repeat", "staircase", "nested")):
        case "repeat":
            return f"{{repeat: {r.randint(1, 3)}, steps: {_steps(r)}}}"
        case "staircase":
            return f"{{staircase: '0.05, 0.1, 0.3 mA', steps: {_steps(r, '$level')}}}"
        case "nested":
            return f"{{repeat: 2, steps: [{_step(r, True)}, {{repeat: 2, steps: {_steps(r)}}}]}}"
        case _:
            return _step(r, False)


def _steps(r: Random, level: str | None = None) -> str:
    return f"[{', '.join(_step(r, True, level) for _ in range(r.randint(1, 3)))}]"


def _step(r: Random, in_loop: bool, level: str | None = None) -> str:
    current, way = level or r.choice(CURRENTS), r.choice(("strip", "plate"))
    record = f"record: {{every: {r.choice(('0.1 s', '0.5 s'))}}}"
    match kind := r.choice(KINDS):
        case "cp":
            return f"{{{way}: {current}, for: {r.choice(SECONDS)}, {record}{_until(r, kind, in_loop)}}}"
        case "ca":
            potential = r.choice(POTENTIALS)
            return f"{{ca: {potential}, for: {r.choice(SECONDS)}, {record}{_until(r, kind, in_loop)}}}"
        case "rest":
            return f"{{rest: {r.choice(SECONDS)}, {record}{_until(r, kind, in_loop)}}}"
        case "geis":
            during = r.choice((f", during: {{{way}: {current}}}", ""))
            return f"{{geis: g{during}{_until(r, kind, in_loop)}}}"
        case "peis":
            during = r.choice((f", during: {{ca: {r.choice(POTENTIALS)}}}", ""))
            return f"{{peis: p{during}}}"
        case "spectra":
            use = r.choice(("g", "{use: g, every: 2 s}"))
            return f"{{{way}: {current}, for: 5 s, spectra: {use}{_until(r, kind, in_loop)}}}"
        case _:
            train = f"pulse: {{{way}: {current}}}, on: 0.2 s, off: 0.2 s, repeat: 3, record: {{every: 0.1 s}}"
            until = (
                f", until: {{Ewe_above: {r.choice(POTENTIALS)}, then: end run}}" if r.random() < 0.3 else ""
            )
            return f"{{{train}{until}}}"


def _until(r: Random, kind: str, in_loop: bool) -> str:
    """Up to four cutoffs that a step of this kind can have."""
    words = ["Ewe_above", "Ewe_below"]
    words += ["I_above", "I_below", "charge"] if kind == "ca" else ["charge"] if kind == "cp" else []
    values = {"E": POTENTIALS, "I": CURRENTS, "c": ("20 nAh", "0.2 uAh")}
    thens = ["next step", "next step", "end run", *(["end loop"] if in_loop else [])]
    many = r.choice((0, 0, 1, 1, 2, 3, 4))
    chosen = [
        f"{{{word}: {r.choice(values[word[0]])}, then: {r.choice(thens)}}}"
        for word in r.choices(words, k=many)
    ]
    return f", until: [{', '.join(chosen)}]" if chosen else ""
