"""Checks of times, spectra and the order of steps: a plan that each is about, and one that just is not."""

from __future__ import annotations

import pytest
from plan_builders import (
    SP300,
    VMP3,
    cutoff,
    during,
    geis,
    goal,
    hold,
    plan,
    repeat,
    rules_of,
    spectrum,
    steady,
    sweep,
    with_limits,
)

from nakctl.device.instrument import Instrument
from nakctl.errors import Mark
from nakctl.plan import plan as p

# rule, severity, instrument, the plan it is about, the plan it just is not about
ROWS = [
    ("timebase", "error", SP300, plan(hold(duration_s=33e-6)), plan(hold(duration_s=35e-6))),
    ("timebase", "error", SP300, plan(hold(duration_s=33e-6)), plan(hold(duration_s=34e-6))),  # just one
    ("timebase", "error", SP300, plan(hold("rest", duration_s=19e-6)), plan(hold("rest", duration_s=21e-6))),
    (
        "record-interval",
        "error",
        SP300,
        plan(hold(record=p.Record(33e-6), duration_s=1.0)),
        plan(hold(record=p.Record(35e-6), duration_s=1.0)),
    ),
    (
        "row-rate",
        "error",
        SP300,
        plan(hold(record=p.Record(0.9e-3))),
        plan(hold(record=p.Record(1e-3))),
    ),
    (
        "row-rate",
        "warning",
        SP300,
        plan(hold(record=p.Record(0.9e-3), duration_s=1.0)),
        plan(hold(record=p.Record(1e-3), duration_s=1.0)),
    ),
    (
        "few-rows",
        "warning",
        SP300,
        plan(hold(record=p.Record(1.0), duration_s=0.9)),
        plan(hold(record=p.Record(1.0), duration_s=1.0)),
    ),
    (
        "record-change",
        "warning",
        SP300,
        plan(hold(record=p.Record(1.0, dE_V=0.1e-3))),  # one step of the 5 V range is 0.15 mV
        plan(hold(record=p.Record(1.0, dE_V=0.2e-3))),
    ),
    (
        "record-change",
        "warning",
        SP300,
        plan(hold("ca", 0.1, record=p.Record(1.0, dI_A=30e-9)), limits=with_limits(I_max_A=0.9e-3)),
        plan(hold("ca", 0.1, record=p.Record(1.0, dI_A=31e-9)), limits=with_limits(I_max_A=0.9e-3)),
    ),
    (
        "wrong-side",
        "warning",
        SP300,
        plan(hold(level=1e-3, cutoffs=(cutoff("Ewe", "below", -1.0),))),
        plan(hold(level=1e-3, cutoffs=(cutoff("Ewe", "above", -1.0),))),
    ),
    (
        "wrong-side",
        "warning",
        SP300,
        plan(hold(level=-1e-3, cutoffs=(cutoff("Ewe", "above", -0.5, "end run"),))),
        plan(hold(level=-1e-3, cutoffs=(cutoff("Ewe", "below", -0.5, "end run"),))),
    ),
    (
        "wrong-side",
        "warning",
        VMP3,
        plan(spectrum(sweep(), bias=-1e-3, cutoffs=(cutoff("Ewe", "above", 0.0),))),
        plan(spectrum(sweep(), bias=None, cutoffs=(cutoff("Ewe", "above", 0.0),))),
    ),
    (
        "wrong-side",
        "warning",
        SP300,
        plan(hold(level=1e-3, spectra=during(sweep()), cutoffs=(cutoff("Ewe", "below", 1.0),))),
        plan(hold("rest", cutoffs=(cutoff("Ewe", "below", 1.0),)), hold("ca", 0.1)),
    ),
    (
        "reference",
        "error",
        SP300,
        plan(hold("ca", 0.1, relative=p.Relative("OCV", 0.1, "100 mV vs OCV", Mark(11, 1)))),
        plan(hold("rest"), hold("ca", 0.1, relative=p.Relative("OCV", 0.1, "100 mV vs OCV", Mark(11, 1)))),
    ),
    (
        "slope",
        "error",
        SP300,
        plan(hold("rest", duration_s=600.0, cutoffs=(steady(600.0),))),
        plan(hold("rest", duration_s=601.0, cutoffs=(steady(600.0),))),
    ),
    (
        "slope",
        "error",
        SP300,
        plan(hold("rest", duration_s=3600.0, record=p.Record(240.0), cutoffs=(steady(600.0),))),
        plan(hold("rest", duration_s=3600.0, record=p.Record(200.0), cutoffs=(steady(600.0),))),
    ),
    (
        "slope",
        "warning",
        SP300,
        plan(hold("rest", duration_s=3600.0, record=p.Record(61.0), cutoffs=(steady(600.0),))),
        plan(hold("rest", duration_s=3600.0, record=p.Record(60.0), cutoffs=(steady(600.0),))),
    ),
    (
        "slope-noise",
        "warning",
        SP300,
        plan(hold("rest", duration_s=3600.0, cutoffs=(steady(600.0, 1e-4 / 3600),))),
        plan(hold("rest", duration_s=3600.0, cutoffs=(steady(600.0, 1e-3 / 3600),))),
    ),
    (
        "interruption",
        "warning",
        SP300,
        plan(hold(level=1e-3, spectra=during(sweep())), hold(level=2e-3)),
        plan(hold(level=1e-3, spectra=during(sweep())), hold(level=-2e-3)),
    ),
    (
        "interruption",
        "warning",
        SP300,
        plan(hold(level=1e-3, cutoffs=(cutoff("charge", "above", 1e-3),)), spectrum(sweep(), bias=1e-3)),
        plan(hold(level=1e-3, cutoffs=(cutoff("charge", "above", 1e-3),)), spectrum(sweep())),
    ),
    (
        "interruption",
        "warning",
        VMP3,
        plan(repeat(3, hold(level=1e-3, spectra=during(sweep())))),
        plan(repeat(3, hold(level=1e-3), spectrum(sweep(), bias=1e-3))),
    ),
    (
        "interruption",
        "warning",
        SP300,
        plan(hold(level=1e-3, spectra=during(sweep())), hold("ca", 0.1)),
        plan(hold("rest", spectra=during(sweep("peis", 10e-3))), hold("ca", 0.1)),
    ),
    (
        "cutoff",
        "warning",
        SP300,
        plan(hold(cutoffs=(cutoff("Ewe", "above", 3.1),))),
        plan(hold(cutoffs=(cutoff("Ewe", "above", 3.0),))),
    ),
    (
        "cutoff",
        "warning",
        VMP3,
        plan(hold("ca", 0.1, cutoffs=(cutoff("|I|", "above", 1.1e-3),)), limits=with_limits(I_max_A=1e-3)),
        plan(hold("ca", 0.1, cutoffs=(cutoff("|I|", "above", 1e-3),)), limits=with_limits(I_max_A=1e-3)),
    ),
    (
        "cutoff",  # met by all that the limit allows
        "warning",
        SP300,
        plan(hold("ca", 0.1, cutoffs=(cutoff("|I|", "below", 1.1e-3),)), limits=with_limits(I_max_A=1e-3)),
        plan(hold("ca", 0.1, cutoffs=(cutoff("|I|", "below", 0.1e-3),)), limits=with_limits(I_max_A=1e-3)),
    ),
    (
        "cutoff",
        "warning",
        SP300,
        plan(hold(cutoffs=(cutoff("Ewe", "above", -3.1),))),
        plan(hold(cutoffs=(cutoff("Ewe", "above", -2.9),))),
    ),
    (
        "rule",
        "warning",
        SP300,
        plan(hold(), goals=(goal("below", 3.1),)),
        plan(hold(level=-1e-3), goals=(goal("below", 2.9),)),
    ),
    (
        "wrong-side",
        "warning",
        SP300,
        plan(hold("rest"), hold(level=1e-3), spectrum(sweep()), goals=(goal("below", 1.0),)),
        plan(hold("rest"), hold(level=1e-3), spectrum(sweep()), goals=(goal("above", 1.0),)),
    ),
    (
        "wrong-side",
        "warning",
        SP300,
        plan(repeat(3, hold(level=-1e-3), hold(level=-2e-3)), goals=(goal("above", 1.0),)),
        plan(repeat(3, hold(level=-1e-3), hold(level=2e-3)), goals=(goal("above", 1.0),)),
    ),
    (
        "wrong-side",  # where a potential drives it to is not known before
        "warning",
        VMP3,
        plan(spectrum(sweep(), bias=-1e-3), goals=(goal("above", 0.0),)),
        plan(hold(level=-1e-3), hold("ca", 0.1), goals=(goal("above", 0.0),)),
    ),
    (
        "wrong-side",
        "warning",
        VMP3,
        plan(hold("rest"), hold(level=-1e-3), goals=(goal("above", 0.0),)),
        plan(hold("rest"), goals=(goal("above", 0.0), goal("below", -1.0))),
    ),
    (
        "host-cutoff",
        "warning",
        SP300,
        plan(hold("rest", duration_s=1.9, cutoffs=(cutoff("Ewe", "below", 0.0),))),
        plan(hold("rest", duration_s=2.1, cutoffs=(cutoff("Ewe", "below", 0.0),))),
    ),
    (
        "host-cutoff",
        "warning",
        SP300,
        plan(hold("rest", duration_s=1.0, cutoffs=(cutoff("Ewe", "below", 0.0),))),
        plan(hold("cp", duration_s=1.0, cutoffs=(cutoff("Ewe", "below", 0.0),))),
    ),
    (
        "frequency-above",
        "error",
        VMP3,
        plan(spectrum(geis(7e6, 5.0))),
        plan(spectrum(geis(1e6, 5.0))),
    ),
    ("frequency-above", "error", SP300, plan(spectrum(geis(7.1e6, 5.0))), plan(spectrum(geis(7e6, 5.0)))),
    ("frequency-below", "error", SP300, plan(spectrum(geis(1.0, 9e-6))), plan(spectrum(geis(1.0, 10e-6)))),
    ("edge-of-band", "warning", VMP3, plan(spectrum(geis(1e6, 5.0))), plan(spectrum(geis(500e3, 5.0)))),
    (
        "spectrum-room",
        "error",
        SP300,
        plan(hold(duration_s=1.8, spectra=during(sweep()))),  # five points of 0.37 s
        plan(hold(duration_s=1.9, spectra=during(sweep()))),
    ),
    (
        "spectrum-interval",
        "warning",
        SP300,
        plan(hold(spectra=during(sweep(), 1.8))),
        plan(hold(spectra=during(sweep(), 1.9))),
    ),
    (
        "blind",
        "warning",
        SP300,
        plan(spectrum(geis(1e3, 0.09), bias=1e-3)),
        plan(spectrum(geis(1e3, 0.2), bias=1e-3)),
    ),
    (
        "blind",
        "warning",
        SP300,
        plan(hold(duration_s=600.0, spectra=during(geis(1e3, 0.09)))),
        plan(hold("rest", duration_s=600.0, spectra=during(geis(1e3, 0.09)))),
    ),
    (
        "too-long",
        "error",
        SP300,
        plan(spectrum(geis(1.0, 20e-6))),
        plan(spectrum(geis(1.0, 100e-6))),
    ),
    (
        "rule",
        "warning",
        SP300,
        plan(hold(), goals=(goal("above", 3.1),)),
        plan(hold(), goals=(goal("above", 3.0),)),
    ),
    (
        "time",
        "warning",
        SP300,
        plan(hold(duration_s=61.0), limits=with_limits(time_s=60.0)),
        plan(hold(duration_s=60.0), limits=with_limits(time_s=60.0)),
    ),
    (
        "time",
        "warning",
        SP300,
        plan(hold(duration_s=61.0), limits=with_limits(time_s=60.0)),
        plan(repeat(None, hold(duration_s=61.0)), limits=with_limits(time_s=60.0)),
    ),
    (
        "unreachable",
        "warning",
        SP300,
        plan(repeat(None, hold()), hold("rest"), limits=with_limits(time_s=60.0)),
        plan(
            repeat(None, hold(cutoffs=(cutoff("Ewe", "above", 1.0, "end loop"),))),
            hold("rest"),
            limits=with_limits(time_s=60.0),
        ),
    ),
]


@pytest.mark.parametrize(("rule", "severity", "on", "about", "_"), ROWS)
def test_finds(rule: str, severity: str, on: Instrument, about: p.Plan, _: p.Plan) -> None:
    assert (rule, severity) in rules_of(about, on)


@pytest.mark.parametrize(("rule", "severity", "on", "_", "not_about"), ROWS)
def test_keeps_quiet(rule: str, severity: str, on: Instrument, _: p.Plan, not_about: p.Plan) -> None:
    assert (rule, severity) not in rules_of(not_about, on)
