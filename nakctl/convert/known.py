"""Techniques of EC-Lab that nakctl does not read, with what to write instead."""

from __future__ import annotations

from nakctl.text.meant import did_you_mean

READ = (
    "Open Circuit Voltage", "Chronopotentiometry", "Chronoamperometry / Chronocoulometry",
    "Galvanostatic Cycling with Potential Limitation", "Galvanostatic Cycling with Potential Limitation 6",
    "Galvano Electrochemical Impedance Spectroscopy", "Potentio Electrochemical Impedance Spectroscopy",
    "Cyclic Voltammetry", "Linear Sweep Voltammetry", "Modulo Bat", "Loop",
)  # fmt: skip
_STAIRCASE = "write a staircase with `geis` or `peis` in it; no public file shows how EC-Lab writes its rows"
_CYCLING = "write it as GCPL in EC-Lab, or as cp, ca and rest here"
_PROFILE = (
    "write `profile: FILE.csv` by hand, a table of `time/s,I/mA` or `time/s,Ewe/V`; or put the profile "
    "into a Modulo Bat (UP) in EC-Lab, whose tables are read"
)
# By the beginning of the name; the first that fits.
_INSTEAD = {
    "Cyclic Voltammetry Advanced": "write each of its sequences as Cyclic Voltammetry",
    "Cyclic Voltammetry": "write it as Cyclic Voltammetry in EC-Lab, or as cv here",
    "Staircase Potentio": _STAIRCASE,
    "Staircase Galvano": _STAIRCASE,
    "Galvanostatic Cycling with Potential Limitation": _CYCLING,
    "Special Galvanostatic": _CYCLING,
    "Constant Power": "write `power: ...` by hand; no public file shows its rows",
    "Constant Load": "write `load: ...` by hand; no public file shows its rows",
    "Constant Current": "write it as Chronopotentiometry in EC-Lab, or as cp here",
    "Constant Voltage": "write it as Chronoamperometry in EC-Lab, or as ca here",
    "Wait": "write a rest for as long",
    "Pause": "write a rest for as long",
    "Special Open Circuit Voltage": "write it as Open Circuit Voltage in EC-Lab, or as rest here",
    "Fast": "write it as the technique without `Fast`",
    "Potentiodynamic Cycling": "write the potentials as steps of ca",
    "Potentiodynamic": "write it as cv or lsv by hand",
    "Galvanodynamic": "write it as ramp by hand",
    "Modular": "write its steps as cp or ca",
    "Special Modular": "write its steps as cp or ca",
    "Coulombic Efficiency": "write it as cp steps with `until`",
    "Battery Capacity": "write it as cp steps with `until`",
    "Trigger": "leave it out; a pulse is `trigger_out` in the step that begins with it",
    "External Application": "other programs are no part of a protocol: leave it out",
    "External Device": "write `set` for what stands beside the cell",
    "Temperature Control": "write `set` and `wait` for what stands beside the cell",
    "Send E-Mail": "who is told stands in rig.yaml (notify): leave it out",
    "Urban Profile": _PROFILE,
    "Galvano Profile": _PROFILE,
    "Potentio Profile": _PROFILE,
    "Power Profile": "write its rows as steps of `power` by hand; no public file shows them",
    "IR compensation": "nakctl does not compensate for IR: leave it out",
    "Manual IR": "nakctl does not compensate for IR: leave it out",
}


def refusal(name: str) -> str:
    """A sentence for a technique that is not read."""
    instead = next((told for begins, told in _INSTEAD.items() if name.startswith(begins)), None)
    if instead is not None:
        return f"{name} is not read: {instead}"
    hint = did_you_mean(name, READ) or f"; read are: {', '.join(READ)}"
    return f"{name} is no technique that nakctl reads{hint}"
