"""Checks of cells with three electrodes: what of Ece is seen, and where it is kept."""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.checks.findings import Finding, error, warning
from nakctl.device.ends import OF_THREE
from nakctl.device.program import Eis
from nakctl.device.techniques import Ece_is_recorded, kind_of
from nakctl.plan.scene import Leaf, Scene
from nakctl.text.numbers import different, duration, listed, si


def half_cells(scene: Scene) -> Iterator[Finding]:
    """Spectra whose impedance of the counter electrode is not to be had."""
    sweeps = [each for each in scene.all_techniques() if isinstance(each, Eis)]
    if scene.plan.three_electrodes and sweeps and not scene.instrument.half_cells:
        mark = scene.program.step(sweeps[0].step).mark
        message = "spectra are of the working electrode alone: what a "
        message += f"{scene.instrument.name} tells of the counter electrode in them is not to be used, its "
        message += "maker says, so Zce stays empty"
        yield warning("half-cells", mark, message, "a VMP-3 measures both half-cells")


def rows_without(scene: Scene) -> Iterator[Finding]:
    """Values of Ece that something is judged by, and that no row keeps."""
    unseen = Ece_looked_at_in(scene)
    judged = [end for end in scene.program.ends if end.quantity in OF_THREE]
    if scene.plan.three_electrodes and unseen and judged:
        message = f"rows of {listed(unseen)} have no Ece on a {scene.instrument.name}: there it is judged by "
        message += f"what the channel shows, within {duration(scene.instrument.reaction_s)}"
        yield warning("Ece-rows", judged[0].mark, message, "the file does not have it in those steps")


def Ece_looked_at_in(scene: Scene) -> list[str]:
    every = scene.all_techniques()
    return different([kind_of(each).name for each in every if not Ece_is_recorded(each, scene.instrument)])


def Ece_kept_in(scene: Scene) -> list[str]:
    every = scene.all_techniques()
    return different([kind_of(each).name for each in every if Ece_is_recorded(each, scene.instrument)])


def unseen(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Ends of Ece that lie where readings stop."""
    limits = [(each.text, each.value) for each in scene.plan.limits.all if each.quantity == "Ece"]
    cutoffs = [(each.text, each.value) for each in leaf.cutoffs if each.quantity == "Ece"]
    if not (limits or cutoffs):
        return
    for name in dict.fromkeys(each.hardware.E_range for each in scene.techniques(leaf)):
        found = scene.E_range(name)
        for text, value_V in (*limits, *cutoffs):
            if found is not None and not found.shows(value_V):
                message = f"{leaf.label}: {text} is not seen in the {name} range"
                shown = f"it shows {si(found.least_V, 'V')} to {si(found.most_V, 'V')}"
                yield error("unseen-Ece", leaf.mark, message, shown)


ELECTRODE_CHECKS = (half_cells, rows_without)
