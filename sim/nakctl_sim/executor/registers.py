"""What the machine that executes a chain is told, what it keeps, and what it writes on.

Everything is in SI units and counted in whole time bases, as in an instrument that is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass

from nakctl_sim.cell.arithmetic import Numbers

OCV, CP, CA, GEIS, PEIS, LOOP, DRAW = range(7)
CURRENT, POTENTIAL, POWER, LOAD = range(4)  # what the amplifier keeps to; an open cell: no current
HOLD, SWEEP, OVER = range(3)  # phase of the machine
N_TESTS = 3
EWE, ABS_I = 0.0, 1.0  # first number of a test: what it looks at
# Flags of a row, as in nakctl.device.channel.Flag.
I_OVERLOAD, E_OVERLOAD, TEST_MET = 1, 2, 8
# Places in a watch.
LOWEST_E, HIGHEST_E, LOWEST_I, HIGHEST_I, NEAR_0 = range(5)
LOWEST_CE, HIGHEST_CE, LOWEST_CELL, HIGHEST_CELL = range(5, 9)


@dataclass(slots=True)
class Technique:
    """keeps: to what. level: of that, in A, V, W or ohm; slope: by how much it moves per s. longest_s: a step
    of the model while it moves, else inf. delta in V, or in A (CA), inf: by time alone. means: share of the
    time between two rows that a row is the mean of; 0: it is a reading of its moment. tests (3 N_TESTS,):
    quantity, side, value. times 0: for ever. test_row, end_row: whether there is a row where a test is met,
    at the end. late_s: how far the last row's time lies behind the first row of what follows; 0: it does
    not. third: the cell has a reference electrode of its own; Ece_row: Ece is in the rows. started, passed:
    how often it was started, how many passes a loop has counted.
    """

    tests: Numbers
    kind: int = 0
    keeps: int = 0
    level: float = 0.0
    slope: float = 0.0
    longest_s: float = 0.0
    means: float = 0.0
    vs_previous: bool = False
    duration_s: float = 0.0
    every_s: float = 0.0
    delta: float = 0.0
    timebase_s: float = 0.0
    tested: bool = False
    stops: bool = False
    to: int = 0
    times: int = 0
    test_row: bool = False
    end_row: bool = False
    late_s: float = 0.0
    I_code: int = 0
    I_full_A: float = 0.0
    I_step_A: float = 0.0
    I_noise_A: float = 0.0
    I_max_A: float = 0.0
    E_low_V: float = 0.0
    E_high_V: float = 0.0
    E_step_V: float = 0.0
    E_noise_V: float = 0.0
    compliance_V: float = 0.0
    third: bool = False
    Ece_row: bool = False
    started: int = 0
    passed: int = 0


@dataclass(slots=True)
class Machine:
    """start_s + tau_s is the time in the segment, tau_s that in the technique. due_s: tau of the next row.
    kept: the value of the last row, for delta. since_s: how long I_A has been flowing. E_end_V: the reading
    at which the technique before ended. at: the technique. point: next frequency of its sweep. above: |Ewe|
    of the last row under current was above what the host watches for. sum_s, E_sum_Vs, I_sum_As: of what the
    next row is the mean, where it is one.
    """

    start_s: float = 0.0
    tau_s: float = 0.0
    due_s: float = 0.0
    kept: float = 0.0
    level: float = 0.0
    I_A: float = 0.0
    since_s: float = 0.0
    E_end_V: float = 0.0
    sum_s: float = 0.0
    E_sum_Vs: float = 0.0
    I_sum_As: float = 0.0
    at: int = 0
    phase: int = 0
    n_rows: int = 0
    n_noise: int = 0
    point: int = 0
    above: bool = False


@dataclass(slots=True)
class Cell:
    """kind, p: the model. x: its state. before: the state at the start of the step."""

    p: Numbers
    x: Numbers
    before: Numbers
    kind: int = 0


@dataclass(slots=True)
class Tape:
    """Rows in columns, which are filled up to `room`; start_s: when the visit of each began. noise: of Ewe
    and of I in turn, noise_ce: of Ece, standard normal, n_noise of each. watch: the host's, as numbers.
    """

    machine: Machine
    time_s: Numbers
    Ewe_V: Numbers
    Ece_V: Numbers
    I_A: Numbers
    technique: Numbers
    passes: Numbers
    I_range: Numbers
    flags: Numbers
    start_s: Numbers
    noise: Numbers
    noise_ce: Numbers
    watch: Numbers
    room: int = 0
    n_noise: int = 0
