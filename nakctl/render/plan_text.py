"""What will happen, in plain text: for the screen, for review, for golden files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from nakctl.checks.electrodes import Ece_kept_in, Ece_looked_at_in
from nakctl.checks.findings import Finding
from nakctl.device.ends import OF_THREE
from nakctl.device.instrument import Instrument
from nakctl.device.program import Done, Eis, Program, ShortRule, Tested
from nakctl.device.techniques import kind_of
from nakctl.plan import plan as p
from nakctl.plan.boundaries import furthest
from nakctl.plan.estimate import Amount, Estimate
from nakctl.plan.gaps import FOREVER, gaps
from nakctl.plan.held import WATCHED_AGAIN_s
from nakctl.plan.scene import Scene
from nakctl.render.leaf_text import may_add_rows, net_charge
from nakctl.render.tree import tree
from nakctl.render.view import View
from nakctl.text.numbers import clock_time, different, duration, listed, plural, si, size, wrapped

_INDENT = " " * 10
MOST_PLACES = 6


def plan_text(
    plan: p.Plan,
    program: Program,
    estimate: Estimate,
    findings: Sequence[Finding],
    instrument: Instrument,
    now: datetime,
    simulated: bool,
) -> str:
    """The plan as a reader wants it before the start, in at most 110 columns. now: when it would start."""
    view = View(Scene(plan, program, instrument), estimate)
    blocks = (
        _head(plan, instrument, simulated),
        tree(view),
        (
            *_electrodes(view),
            *_capacity(plan),
            *_limits(view),
            *_rules(plan),
            _boundaries(view),
            "finally   the cell is left open",
        ),
        _totals(view, now),
        _findings(plan, findings),
    )
    return "\n\n".join(text for text in map("\n".join, blocks) if text) + "\n"


def findings_text(plan: p.Plan, findings: Sequence[Finding]) -> str:
    """One line per finding; empty if there are none."""
    return "".join(f"{line}\n" for line in _findings(plan, findings))


def _head(plan: p.Plan, instrument: Instrument, simulated: bool) -> Iterator[str]:
    yield plan.name
    on = f"{instrument.name} (SIMULATED)" if simulated else instrument.name
    yield f"{Path(plan.file).name} on {on}, cell {plan.cell}, {plan.area_cm2:.6g} cm2"
    if plan.params:
        yield from _wrapped(
            "with", "; ".join(f"{name}: {_said(value)}" for name, value in plan.params.items())
        )


def _said(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _wrapped(word: str, text: str) -> list[str]:
    return wrapped(text, f"{word:<10}", _INDENT)


def _electrodes(view: View) -> Iterator[str]:
    """Where Ece of a cell with three is kept, and what its spectra are of."""
    scene = view.scene
    if not scene.plan.three_electrodes:
        return
    kept, missing = Ece_kept_in(scene), Ece_looked_at_in(scene)
    said = f"three: Ece is in rows of {listed(kept)}" if kept else "three"
    if missing:
        said += f"; in {listed(missing)} it is {'only ' if kept else ''}looked at, and not kept"
    if any(isinstance(each, Eis) for each in scene.all_techniques()):
        halves = "both half-cells" if scene.instrument.half_cells else "the working electrode alone"
        said += f"; spectra are of {halves}"
    yield from _wrapped("cell", said)


def _capacity(plan: p.Plan) -> Iterator[str]:
    """Where it comes from, if it is measured."""
    if plan.capacity is not None:
        off = f"more than {plan.capacity.within * 100:.3g} % off ends the run"
        said = f"{plan.capacity.text}; then what {plan.capacity.label} moved when it was done last: {off}"
        yield from _wrapped("capacity", said)


def _limits(view: View) -> Iterator[str]:
    limits = view.scene.plan.limits
    said = [f"Ewe {limits.window_text}"]
    said += [f"{of} {window}" for of in OF_THREE if (window := limits.window_of(of))]
    said += [f"|I| up to {each.value_text}" for each in limits.all if each.quantity == "|I|"]
    said += [f"at most {each.value_text}" for each in limits.all if each.quantity == "time"]
    said += _sensors(limits)
    yield from _wrapped("limits", ", ".join(said))
    yield from _wrapped("", _who_watches(view))
    again = f"if the program dies, another one watches within about {duration(WATCHED_AGAIN_s)}"
    yield from _wrapped("", f"{again}; until then the instrument alone")


def _sensors(limits: p.Limits) -> list[str]:
    by_name: dict[str, list[str]] = {}
    for each in limits.sensors:
        by_name.setdefault(each.sensor, []).append(each.value_text)
    return [f"{name} {' .. '.join(ends)}" for name, ends in by_name.items()]


def _who_watches(view: View) -> str:
    """Which techniques test Ewe themselves, and how late the host is in the others."""
    techniques = view.scene.all_techniques()
    alone = different([kind_of(each).name for each in techniques if not _tests_potential(each)])
    tested = different([kind_of(each).name for each in techniques if _tests_potential(each)])
    reaction = duration(view.scene.instrument.reaction_s)
    parts = [f"in {listed(tested)} by the instrument"] if tested else []
    parts += [f"in {listed(alone)} by the host within {reaction} of a reading"] if alone else []
    return f"Ewe is watched {'; '.join(parts)}" + _row_distance(techniques, view)


def _tests_potential(technique: Done) -> bool:
    return isinstance(technique, Tested) and any(test.quantity == "Ewe" for test in technique.tests)


def _row_distance(techniques: Sequence[Done], view: View) -> str:
    """During a sweep there is one row per frequency."""
    instrument = view.scene.instrument
    distances_s = [
        instrument.eis_seconds(min(each.f_first_Hz, each.f_last_Hz), each.average, each.wait_periods)
        for each in techniques
        if isinstance(each, Eis)
    ]
    return f" (rows of a spectrum are up to {duration(max(distances_s))} apart)" if distances_s else ""


def _rules(plan: p.Plan) -> Iterator[str]:
    for goal in plan.goals:
        yield from _wrapped("ends when", goal.text.replace(" ", " goes ", 1))
    if plan.short is not None:
        yield from _wrapped("ends when", _short(plan.short))
    if plan.short_of_steps is not None and any(c.quantity == "short" for c in _cutoffs(plan)):
        if plan.short is None:
            yield from _wrapped("a short", _short(plan.short_of_steps))
        else:
            yield from _wrapped("", "but a step that says so ends by it, and the run goes on")


def _cutoffs(plan: p.Plan) -> Iterator[p.Cutoff]:
    return (cutoff for leaf in p.leaves(plan.steps) for cutoff in leaf.cutoffs)


def _boundaries(view: View) -> str:
    """So long `stop --after` and `pause` may wait."""
    scene = view.scene
    found = furthest(scene.program, view.estimate, scene.instrument)
    number = scene.program.step(found.step_id).label.partition(" ")[0]
    said = f"at the end of a step within {duration(found.step_s)} (step {number})"
    if found.spectrum_s is not None:
        said += f", of a spectrum within {duration(found.spectrum_s)}"
    return f"pause     {said}; --now: at once"


def _short(rule: ShortRule) -> str:
    highest = f"its highest in {duration(rule.within_s)}"
    fall = f"Ewe along the current falls by {100 * rule.fall:.4g} % of {highest}"
    floor = f"from above {si(rule.below_V, 'V')} to below it"
    return f"the cell shorts: under current {fall}, {floor}, for {plural(rule.samples, 'sample')}"


def _totals(view: View, now: datetime) -> Iterator[str]:
    estimate, limit_s = view.estimate, view.scene.plan.limits.time_s
    total, one_pass = estimate.total, estimate.per_pass
    if total is not None and one_pass is None:
        seconds = estimate.seconds(total)
        end = f"{duration(seconds)}, until {_until(seconds, now)}, if nothing ends it before"
        yield from _wrapped("in all", end)
    if one_pass is not None:
        first = estimate.finite.duration_s
        before = f"{duration(first)}, and besides " if first else ""
        each = duration(estimate.pass_s)
        yield from _wrapped(
            "in all", f"{before}as long as the cell lasts, {each} a pass; an hour of passes is"
        )
        yield from _sums(one_pass * (3600 / estimate.pass_s), view)
        if limit_s is not None:
            yield from _wrapped("", f"until {_until(limit_s, now)} at the latest (limits.time), by then")
    if total is not None:
        yield from _sums(total, view)
        yield from _gaps(total, view)
    yield from _handed_over(view)


def _until(seconds: float, now: datetime) -> str:
    end = clock_time(now, seconds)
    return "beyond all calendars" if end is None else f"{end:%a %d %b %Y, %H:%M}"


def _sums(amount: Amount, view: View) -> Iterator[str]:
    least = "at least " if any(may_add_rows(each) for each in view.scene.all_techniques()) else ""
    said = [f"{least}{plural(amount.samples, 'row')}"]
    if amount.spectra:
        said.append(f"{plural(amount.spectra, 'spectrum', 'spectra')} with {plural(amount.points, 'point')}")
    poll_s = view.estimate.poll_s
    file, journal = size(amount.file_bytes(poll_s)), size(amount.journal_bytes(poll_s))
    yield from _wrapped(
        "", f"{', '.join(said)}, about {file} (and a journal of {journal} until it is sealed)"
    )
    charge = f"charge {net_charge(amount, view.scene.plan.area_cm2)}" if amount.moved_C else ""
    free = f"what flows in {duration(amount.free_s)} where the cell decides" if amount.free_s else ""
    if charge or free:
        yield from _wrapped("", ", and ".join(filter(None, (charge, free))))


def _gaps(total: Amount, view: View) -> Iterator[str]:
    """How often the cell lies open to load the next chain, and where."""
    count = round(total.chains) - 1
    if count <= 0:
        return
    each = f"{plural(count, 'gap')} of about {duration(view.scene.instrument.load_s)}"
    places = _places(view)
    more = f" and {plural(len(places) - MOST_PLACES, 'place')} more" if len(places) > MOST_PLACES else ""
    said = "; ".join(places[:MOST_PLACES]) + more
    yield from _wrapped("", f"{each} at open circuit, to load the next chain: {said}")


def _handed_over(view: View) -> Iterator[str]:
    """Chains that are longer than the instrument holds, and what comes of it where it does not take that."""
    instrument, rings = view.scene.instrument, view.scene.rings
    if not rings:
        return
    many = "a chain" if len(rings) == 1 else f"{plural(len(rings), 'chain')} of up"
    to = f"{'of' if len(rings) == 1 else 'to'} {max(ring.total for ring in rings)} techniques"
    given = f"the {instrument.name} holds {instrument.chain_length} and is given the rest on the way"
    else_ = f"what it does not get in time costs {duration(instrument.load_s)} at open circuit"
    yield from _wrapped("", f"{many} {to}: {given}; {else_}")


def _places(view: View) -> list[str]:
    """`2.1 to 2.2 4 times`: gaps between steps of the same numbers are told together."""
    often: dict[tuple[str, str, bool], list[int]] = {}
    for gap in gaps(view.scene.program):
        labels = [view.scene.program.step(step).label for step in (gap.before, gap.after)]
        before, after = (label.partition(" ")[0] for label in labels)
        often.setdefault((before, after, gap.under_current), []).append(gap.times)
    return [
        f"{before} to {after}{_often(times)}{' UNDER CURRENT' if under_current else ''}"
        for (before, after, under_current), times in often.items()
    ]


def _often(times: Sequence[int]) -> str:
    if FOREVER in times:
        return " in every pass"
    return "" if sum(times) == 1 else f" {plural(sum(times), 'time')}"


def _findings(plan: p.Plan, findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        place = f"{Path(plan.file).name}:{finding.mark.line}:{finding.mark.column}"
        text = f"{finding.message}; {finding.help}" if finding.help else finding.message
        yield from _wrapped(finding.severity, f"{place}  {text}")
