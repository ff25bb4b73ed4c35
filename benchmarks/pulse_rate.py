"""Pulse cycles per second of wall time through the whole chain, recording and sealing included.

    python benchmarks/pulse_rate.py [pulses]

Runs `nakctl run` as a user would, in processes of their own. The rate is that of the pulses alone: what a run
of one pulse takes, which is start-up, is taken off. NAKCTL_KERNEL=plain shows that of plain Python. PyBaMM's
cheapest model runs the same current for comparison, if it is installed; it records nothing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nakctl_sim.kernel import present

PULSES = 50_000
ON_s, REST_s = 1.0, 10.0
PYBAMM_PULSES = 200
TRIES = 3  # the fastest counts: what else the machine does only slows it down


def main() -> None:
    pulses = int(sys.argv[1]) if len(sys.argv) > 1 else PULSES
    with tempfile.TemporaryDirectory() as folder:
        startup_s = min(pulse_train(1, Path(folder)) for _ in range(TRIES))
        total_s = min(pulse_train(pulses, Path(folder)) for _ in range(TRIES))
        sgeis_s = min(timed("sgeis-strip-rest", folder=Path(folder)) for _ in range(TRIES))
    rate = pulses / (total_s - startup_s)
    print(f"simulated by           {present().told}")
    print(f"start-up               {startup_s:8.2f} s")
    print(f"{pulses} pulses           {total_s:8.2f} s in all, {rate:.0f} cycles/s beyond start-up")
    print(f"peak memory            {peak_memory()}")
    print(f"SGEIS and 15 h of rest {sgeis_s:8.2f} s in all")
    pybamm = pybamm_rate(PYBAMM_PULSES)
    if pybamm is None:
        print("PyBaMM                 not installed")
    else:
        print(f"PyBaMM, SPM            {pybamm:8.0f} cycles/s; nakctl is {rate / pybamm:.0f} times as fast")


def pulse_train(pulses: int, folder: Path) -> float:
    """Wall time of a pulse train on NaK50."""
    return timed("pulsed-strip", f"rest={REST_s} s", f"pulses={pulses}", folder=folder)


def timed(protocol: str, *sets: str, folder: Path) -> float:
    words = [word for each in sets for word in ("--set", each)]
    began_s = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "nakctl", "run", protocol, *words, "--quiet"],
        cwd=folder,
        check=True,
    )
    return time.perf_counter() - began_s


def peak_memory() -> str:
    """Of the largest process of all runs."""
    if sys.platform == "win32":
        return "not measured on Windows"
    import resource

    return f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:8.0f} MB (largest process)"


def pybamm_rate(pulses: int) -> float | None:
    """Cycles per second of its single-particle model, solved pulse by pulse; None if it is not installed."""
    try:
        import pybamm
    except ImportError:
        return None
    pybamm.set_logging_level("ERROR")
    pulse = (f"Discharge at 0.01C for {ON_s} seconds", f"Rest for {REST_s} seconds")
    simulation = pybamm.Simulation(pybamm.lithium_ion.SPM(), experiment=pybamm.Experiment([pulse] * pulses))
    simulation.build_for_experiment()
    began_s = time.perf_counter()
    simulation.solve()
    return pulses / (time.perf_counter() - began_s)


if __name__ == "__main__":
    main()
