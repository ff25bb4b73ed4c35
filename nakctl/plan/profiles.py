"""Helper of the compiler: the lines of a table as steps."""

from __future__ import annotations

from dataclasses import replace

from nakctl.plan import plan as p
from nakctl.plan.holds import Holds
from nakctl.plan.sweeps import Env
from nakctl.protocol import model as m
from nakctl.protocol.load import Loaded
from nakctl.text.reader import Loc


def profile(step: m.Profile, holds: Holds, loaded: Loaded, loc: Loc, env: Env, number: str) -> p.Staircase:
    """One hold per line. A cutoff that the next step follows leaves all of them, so they are a loop then."""
    table, mark = loaded.profiles[step.profile], holds.scope.mark(loc)
    label = step.label or f"profile {step.profile}"
    kind: p.HoldKind = "ca" if table.dimension == "potential" else "cp"
    levels = [holds.scope.current_A(level, env) for level in table.levels]
    most_A = max(map(abs, levels)) if kind == "cp" else None
    words = m.HoldWords(label=label, record=step.record, until=step.until)
    passes = []
    for level, duration_s in zip(levels, table.durations_s, strict=True):
        made = holds.hold(words, kind, level, duration_s, step.ranges, loc, env, f"{number}.1")
        passes.append((replace(made, of_profile_A=most_A),))
    cutoffs = passes[0][0].cutoffs
    leaves_table = any(cutoff.then == "next step" for cutoff in cutoffs)
    if leaves_table and any(cutoff.then == "end loop" for cutoff in cutoffs):
        holds.scope.fault(
            (*loc, "until"), "cutoffs of a profile leave the profile or the loop around it, not one of both"
        )
    if leaves_table:
        passes = [(replace(only, cutoffs=tuple(_leaving(c) for c in only.cutoffs)),) for (only,) in passes]
    texts = tuple(level.text for level in table.levels)
    return p.Staircase(f"{number} {label}", texts, tuple(passes), mark, is_table=True, is_loop=leaves_table)


def _leaving(cutoff: p.Cutoff) -> p.Cutoff:
    return replace(cutoff, then="end loop") if cutoff.then == "next step" else cutoff
