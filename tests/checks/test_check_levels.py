"""Checks of currents, potentials and their ranges: a plan that each is about, and one that just is not."""

from __future__ import annotations

import pytest
from plan_builders import (
    SP300,
    VMP3,
    cutoff,
    during,
    hold,
    plan,
    rules_of,
    spectrum,
    sweep,
    with_limits,
)

from nakctl.device.instrument import Instrument
from nakctl.plan import plan as p

OPEN = with_limits(Ewe_min_V=None, Ewe_max_V=None)
UP, DOWN = with_limits(Ewe_min_V=None), with_limits(Ewe_max_V=None)

# rule, severity, instrument, the plan it is about, the plan it just is not about
ROWS = [
    ("current", "error", SP300, plan(hold(level=0.51)), plan(hold(level=0.5))),
    ("current", "error", VMP3, plan(hold(level=-0.41)), plan(hold(level=-0.4))),
    (
        "current",
        "error",
        SP300,
        plan(hold(level=0.499, spectra=during(sweep(amplitude_peak=5e-3)))),
        plan(hold(level=0.499, spectra=during(sweep(amplitude_peak=1e-3)))),
    ),
    (
        "current-limit",
        "error",
        SP300,
        plan(hold(level=1e-3), limits=with_limits(I_max_A=0.9e-3)),
        plan(hold(level=1e-3), limits=with_limits(I_max_A=1e-3)),
    ),
    ("density", "error", SP300, plan(hold(level=0.1), area_cm2=0.09), plan(hold(level=0.1), area_cm2=0.11)),
    ("density", "warning", SP300, plan(hold(level=0.051)), plan(hold(level=0.049))),
    ("resolution", "error", VMP3, plan(hold(level=0.2e-9)), plan(hold(level=0.4e-9))),
    ("resolution", "warning", VMP3, plan(hold(level=5e-9)), plan(hold(level=7e-9))),
    (
        "I-range",
        "error",
        SP300,
        plan(hold(ranges=p.Ranges(I="1 A"))),
        plan(hold(ranges=p.Ranges(I="500 mA"))),
    ),
    (
        "I-range",
        "error",
        SP300,
        plan(hold(level=1.01e-3, ranges=p.Ranges(I="1 mA"))),
        plan(hold(level=1e-3, ranges=p.Ranges(I="1 mA"))),
    ),
    (
        "I-range",
        "error",
        VMP3,
        plan(hold(level=1e-6, ranges=p.Ranges(I="1 uA"))),
        plan(hold(level=1e-6, ranges=p.Ranges(I="10 uA"))),
    ),
    ("E-range", "error", SP300, plan(hold(ranges=p.Ranges(E="3 V"))), plan(hold(ranges=p.Ranges(E="10 V")))),
    (
        "E-range",
        "error",
        SP300,
        plan(hold(ranges=p.Ranges(E="2.5 V"))),
        plan(hold(ranges=p.Ranges(E="2.5 V")), limits=with_limits(Ewe_min_V=-2.475, Ewe_max_V=2.475)),
    ),
    (
        "E-range",  # readings stop at 2.5 V: none would ever be beyond it
        "error",
        SP300,
        plan(hold(ranges=p.Ranges(E="2.5 V")), limits=with_limits(Ewe_min_V=-1.0, Ewe_max_V=2.5)),
        plan(hold(ranges=p.Ranges(E="5 V")), limits=with_limits(Ewe_min_V=-1.0, Ewe_max_V=2.5)),
    ),
    (
        "E-range",
        "error",
        VMP3,
        plan(hold(ranges=p.Ranges(E="5 V")), limits=with_limits(Ewe_min_V=-4.96)),
        plan(hold(ranges=p.Ranges(E="5 V")), limits=with_limits(Ewe_min_V=-4.95)),
    ),
    (
        "unseen-limit",  # the same of currents, where the cell decides them
        "error",
        SP300,
        plan(hold("ca", 0.2, ranges=p.Ranges(I="100 uA")), limits=with_limits(I_max_A=300e-6)),
        plan(hold("ca", 0.2, ranges=p.Ranges(I="1 mA")), limits=with_limits(I_max_A=300e-6)),
    ),
    (
        "unseen-limit",
        "error",
        VMP3,
        plan(hold("ca", 0.2, ranges=p.Ranges(I="100 uA")), limits=with_limits(I_max_A=99.1e-6)),
        plan(hold("ca", 0.2, ranges=p.Ranges(I="100 uA")), limits=with_limits(I_max_A=99e-6)),
    ),
    (
        "unseen-limit",  # the largest range there is
        "error",
        SP300,
        plan(hold("ca", 0.2), limits=with_limits(I_max_A=0.5)),
        plan(hold("ca", 0.2), limits=with_limits(I_max_A=0.495)),
    ),
    (
        "unseen-limit",
        "error",
        SP300,
        plan(
            spectrum(sweep("peis", 10e-3, ranges=p.Ranges(I="1 mA")), bias=0.1),
            limits=with_limits(I_max_A=10e-3),
        ),
        plan(
            spectrum(sweep("peis", 10e-3, ranges=p.Ranges(I="100 mA")), bias=0.1),
            limits=with_limits(I_max_A=10e-3),
        ),
    ),
    (
        "unseen-limit",  # at open circuit there are only a few mV
        "warning",
        SP300,
        plan(spectrum(sweep("peis", 10e-3, ranges=p.Ranges(I="1 mA"))), limits=with_limits(I_max_A=10e-3)),
        plan(spectrum(sweep("peis", 10e-3)), limits=with_limits(I_max_A=10e-3)),
    ),
    (
        "unseen-limit",  # a cutoff that is seen comes first
        "error",
        SP300,
        plan(
            hold("ca", 0.2, ranges=p.Ranges(I="1 mA"), cutoffs=(cutoff("|I|", "below", 0.9e-3),)),
            limits=with_limits(I_max_A=10e-3),
        ),
        plan(
            hold("ca", 0.2, ranges=p.Ranges(I="1 mA"), cutoffs=(cutoff("|I|", "above", 0.9e-3),)),
            limits=with_limits(I_max_A=10e-3),
        ),
    ),
    (
        "unseen-limit",  # one that is not seen does not help
        "error",
        SP300,
        plan(
            hold("ca", 0.2, ranges=p.Ranges(I="1 mA"), cutoffs=(cutoff("|I|", "above", 1e-3),)),
            limits=with_limits(I_max_A=10e-3),
        ),
        plan(
            hold("ca", 0.2, ranges=p.Ranges(I="1 mA"), cutoffs=(cutoff("|I|", "above", 0.99e-3),)),
            limits=with_limits(I_max_A=10e-3),
        ),
    ),
    (
        "unseen-limit",  # where the current is set, it is known
        "error",
        SP300,
        plan(hold("ca", 0.2, ranges=p.Ranges(I="1 mA")), limits=with_limits(I_max_A=10e-3)),
        plan(hold(level=0.5e-3, ranges=p.Ranges(I="1 mA")), limits=with_limits(I_max_A=10e-3)),
    ),
    (
        "unseen-cutoff",
        "error",
        SP300,
        plan(hold("ca", 0.2, ranges=p.Ranges(I="1 mA"), cutoffs=(cutoff("|I|", "above", 1e-3),))),
        plan(hold("ca", 0.2, ranges=p.Ranges(I="1 mA"), cutoffs=(cutoff("|I|", "above", 0.99e-3),))),
    ),
    (
        "unseen-cutoff",  # any current would meet it
        "error",
        VMP3,
        plan(hold("ca", 0.2, ranges=p.Ranges(I="1 mA"), cutoffs=(cutoff("|I|", "below", 2e-3),))),
        plan(hold("ca", 0.2, ranges=p.Ranges(I="10 mA"), cutoffs=(cutoff("|I|", "below", 2e-3),))),
    ),
    (
        "unseen-cutoff",
        "error",
        SP300,
        plan(hold("ca", 0.2, cutoffs=(cutoff("|I|", "above", 0.5),))),
        plan(hold("ca", 0.2, cutoffs=(cutoff("|I|", "above", 0.49),))),
    ),
    (
        "bandwidth",
        "error",
        VMP3,
        plan(hold(ranges=p.Ranges(bandwidth=8))),
        plan(hold(ranges=p.Ranges(bandwidth=7))),
    ),
    (
        "unknown-current",
        "warning",
        SP300,
        plan(hold("ca", 0.1)),
        plan(hold("ca", 0.1), limits=with_limits(I_max_A=1e-3)),
    ),
    (
        "unknown-current",
        "warning",
        SP300,
        plan(spectrum(sweep("peis", 10e-3))),
        plan(spectrum(sweep("peis", 10e-3, ranges=p.Ranges(I="1 mA")))),
    ),
    ("voltage-limit", "error", SP300, plan(hold(level=1e-3), limits=OPEN), plan(hold(level=1e-3), limits=UP)),
    (
        "voltage-limit",
        "error",
        SP300,
        plan(hold(level=-1e-3), limits=UP),
        plan(hold(level=-1e-3), limits=DOWN),
    ),
    ("voltage-limit", "error", SP300, plan(hold(level=0.0), limits=UP), plan(hold(level=0.0))),
    (
        "voltage-limit",
        "error",
        SP300,
        plan(hold(), limits=OPEN),
        plan(hold(cutoffs=(cutoff("Ewe", "above", 0.0),)), limits=OPEN),
    ),
    (
        "voltage-limit",
        "error",
        SP300,
        plan(spectrum(sweep(), bias=1e-3), limits=OPEN),
        plan(spectrum(sweep(), bias=None), limits=OPEN),
    ),
    ("potential", "error", SP300, plan(hold("ca", 3.1)), plan(hold("ca", 3.0))),
    ("voltage-limit", "error", SP300, plan(hold(level=0.0), limits=DOWN), plan(hold(level=0.0))),
    (
        "voltage-limit",
        "error",
        SP300,
        plan(hold(cutoffs=(cutoff("Ewe", "below", 0.0),)), limits=OPEN),
        plan(hold(level=-1e-3, cutoffs=(cutoff("Ewe", "below", 0.0),)), limits=OPEN),
    ),
    (
        "potential",
        "error",
        SP300,
        plan(spectrum(sweep("peis", 10e-3), bias=2.995)),
        plan(spectrum(sweep("peis", 10e-3), bias=2.985)),
    ),
    (
        "potential",
        "error",
        SP300,
        plan(spectrum(sweep("peis", 10e-3), bias=-2.995)),
        plan(spectrum(sweep("peis", 10e-3), bias=-2.985)),
    ),
    (
        "potential",
        "error",
        SP300,
        plan(hold("ca", -0.1), limits=with_limits(Ewe_min_V=0.0)),
        plan(hold("ca", 0.0), limits=with_limits(Ewe_min_V=0.0)),
    ),
    (
        "I-range-full",
        "warning",
        SP300,
        plan(hold(level=-1e-3, ranges=p.Ranges(I="1 mA"))),
        plan(hold(level=-0.98e-3, ranges=p.Ranges(I="1 mA"))),
    ),
    (
        "I-range-full",
        "warning",
        VMP3,
        plan(hold(level=0.96e-3, ranges=p.Ranges(I="1 mA"), spectra=during(sweep(amplitude_peak=40e-6)))),
        plan(hold(level=1e-3)),  # chosen with head-room
    ),
    (
        "range-of-limit",
        "warning",
        SP300,
        plan(hold("ca", 0.1), limits=with_limits(I_max_A=1e-3)),
        plan(hold("ca", 0.1), limits=with_limits(I_max_A=0.99e-3)),
    ),
    (
        "range-of-limit",
        "warning",
        VMP3,
        plan(spectrum(sweep("peis", 10e-3)), limits=with_limits(I_max_A=10e-3)),
        plan(spectrum(sweep("peis", 10e-3, ranges=p.Ranges(I="10 mA"))), limits=with_limits(I_max_A=10e-3)),
    ),
    (
        "range-of-limit",
        "warning",
        SP300,
        plan(hold("rest", spectra=during(sweep("peis", 10e-3))), limits=with_limits(I_max_A=1e-3)),
        plan(hold(level=1e-3, spectra=during(sweep())), limits=with_limits(I_max_A=10e-3)),
    ),
    (
        "amplitude",
        "warning",
        SP300,
        plan(spectrum(sweep(amplitude_peak=9e-6), bias=0.9e-3)),
        plan(spectrum(sweep(amplitude_peak=10e-6), bias=0.9e-3)),
    ),
    (
        "amplitude",
        "warning",
        SP300,
        plan(spectrum(sweep(amplitude_peak=51e-6, ranges=p.Ranges(I="100 uA")))),
        plan(spectrum(sweep(amplitude_peak=50e-6, ranges=p.Ranges(I="100 uA")))),
    ),
    (
        "I-range",
        "error",
        SP300,
        plan(spectrum(sweep(amplitude_peak=101e-6, ranges=p.Ranges(I="100 uA")))),
        plan(spectrum(sweep(amplitude_peak=100e-6, ranges=p.Ranges(I="100 uA")))),
    ),
    (
        "amplitude",
        "warning",
        SP300,
        plan(spectrum(sweep("peis", 1e-3))),
        plan(spectrum(sweep("peis", 2e-3))),
    ),
    (
        "window",
        "error",
        SP300,
        plan(hold("rest"), limits=with_limits(Ewe_min_V=0.0, Ewe_max_V=0.0)),
        plan(hold("rest"), limits=with_limits(Ewe_min_V=0.0, Ewe_max_V=0.1)),
    ),
    (
        "window",
        "error",
        SP300,
        plan(hold("rest"), limits=with_limits(Ewe_max_V=9.91)),
        plan(hold("rest"), limits=with_limits(Ewe_max_V=9.9)),
    ),
    (
        "window",
        "error",
        SP300,
        plan(hold("rest"), limits=with_limits(Ewe_min_V=-10.0)),
        plan(hold("rest"), limits=with_limits(Ewe_min_V=-9.9)),
    ),
]


@pytest.mark.parametrize(("rule", "severity", "on", "about", "_"), ROWS)
def test_finds(rule: str, severity: str, on: Instrument, about: p.Plan, _: p.Plan) -> None:
    assert (rule, severity) in rules_of(about, on)


@pytest.mark.parametrize(("rule", "severity", "on", "_", "not_about"), ROWS)
def test_keeps_quiet(rule: str, severity: str, on: Instrument, _: p.Plan, not_about: p.Plan) -> None:
    assert (rule, severity) not in rules_of(not_about, on)
