"""EC-Lab's columns as our quantities: V, A, Ah, s; what is missing is NaN, and never a guess."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.errors import InputError
from nakctl.exchange.recording import Floats, Recording

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]
Complexes = npt.NDArray[np.complex128]

_EWE = ("Ewe/V", "<Ewe>/V", "<Ewe/V>", "Ecell/V", "<Ecell>/V")
ECE = ("Ece/V", "<Ece>/V", "<Ece/V>")
_I = ("<I>/mA", "I/mA")
_LARGEST = 2.0**31
_BY_MODE = {1: "CP", 2: "CA", 3: "OCV"}  # as the two bits of EC-Lab's `mode` mean
_USED = {
    *_EWE, *ECE, *_I, "time/s", "mode", "Ns", "cycle number", "control/V/mA", "control/V", "control/mA",
    "(Q-Qo)/mA.h", "(Q-Qo)/C", "dQ/mA.h", "dq/mA.h", "dQ/C", "I Range", "freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm",
    "|Z|/Ohm", "Phase(Z)/deg", "|Ewe|/V", "|I|/A", "|Ece|/V", "Re(Zce)/Ohm", "-Im(Zce)/Ohm", "z cycle",
    "half cycle", "Ns changes", "control changes", "counter inc.", "ox/red",
}  # fmt: skip


@dataclass(frozen=True)
class Quantities:
    """The rows of one recording, each (n,). kind: technique of our steps, "" where no row says.

    Q_Ah      from the first row of the recording on, or of the pass of a loop: EC-Lab begins anew there
    control   V or A, as kind says; NaN: nothing was controlled, or nobody says
    f_Hz      0: no row of a spectrum
    left_out  columns that have no place with us
    """

    recording: Recording
    time_s: Floats
    kind: Texts
    Ewe_V: Floats
    I_A: Floats
    Q_Ah: Floats
    control: Floats
    Ns: Ints
    cycle: Ints
    I_range: Ints
    f_Hz: Floats
    z_ohm: Complexes
    left_out: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.time_s)


def quantities(recording: Recording) -> Quantities:
    """InputError if there are no rows, or none with a time and a potential."""
    found = recording.find("time/s"), recording.find(*_EWE)
    if len(recording) == 0:
        raise InputError(f"{recording.name} has no rows: nothing was recorded, or exported")
    if found[0] is not None and not np.isfinite(found[0]).any():
        raise InputError(f"{recording.name} has no row with a time: it is damaged")
    if found[0] is None or found[1] is None:
        raise InputError(
            f"{recording.name} has no {'time/s' if found[0] is None else 'Ewe/V'} among its columns: export "
            f"it from EC-Lab with time, Ewe and I; it has {', '.join(list(recording.columns)[:12])}"
        )
    f_Hz = _or(recording.find("freq/Hz"), 0.0, recording)
    f_Hz = np.where(np.isfinite(f_Hz), f_Hz, 0.0)
    kind = _kind(recording, f_Hz)
    I_A = _current(recording, kind)
    return Quantities(
        recording=recording,
        time_s=found[0],
        kind=kind,
        Ewe_V=found[1],
        I_A=I_A,
        Q_Ah=_charge(recording, found[0], I_A),
        control=_control(recording, kind),
        Ns=np.maximum(_whole(_or(recording.find("Ns"), 0.0, recording)), 0),
        cycle=_cycle(recording),
        I_range=_whole(_or(recording.find("I Range"), 0.0, recording)),
        f_Hz=f_Hz,
        z_ohm=_impedance(recording),
        left_out=tuple(name for name in recording.columns if name not in _USED),
    )


def passes(recording: Recording) -> tuple[int, ...]:
    """Rows at which EC-Lab came round to this technique again, and began to count its charge anew. At the
    loops within a Modulo Bat it does not.
    """
    Q = recording.find("(Q-Qo)/mA.h", "(Q-Qo)/C")
    inside = (row for row in recording.loops if 0 < row < len(recording))
    return tuple(row for row in inside if Q is None or not abs(Q[row]) > abs(Q[row] - Q[row - 1]))


def _or(column: Floats | None, value: float, recording: Recording) -> Floats:
    return np.full(len(recording), value) if column is None else column


def _whole(column: Floats) -> Ints:
    """Within what a table can hold: a number that is larger was never one."""
    known = np.where(np.abs(column) < _LARGEST, column, 0.0)
    return known.round().astype(np.int64)


def _kind(recording: Recording, f_Hz: Floats) -> Texts:
    if recording.ours:
        return np.full(len(recording), recording.ours, "U16")
    mode = _whole(_or(recording.find("mode"), 0.0, recording)) & 3
    kind = np.full(len(recording), "", "U16")
    for number, name in _BY_MODE.items():
        kind[mode == number] = name
    for spectra in _spectra_by_step(recording, f_Hz):
        kind[spectra] = "GEIS" if np.count_nonzero(mode[spectra] == 1) * 2 > len(spectra) else "PEIS"
    return kind


def _spectra_by_step(recording: Recording, f_Hz: Floats) -> Iterator[Ints]:
    """Points with the same Ns, whose mode is the same: in EC-Lab's files it is seen to change in a sweep."""
    place = np.flatnonzero(f_Hz > 0)
    of = _whole(_or(recording.find("Ns"), 0.0, recording))[place]
    return (place[of == each] for each in np.unique(of))


def _current(recording: Recording, kind: Texts) -> Floats:
    """At open circuit there is none, and EC-Lab writes no column for it."""
    if (I_mA := recording.find(*_I)) is not None:
        return I_mA / 1000
    if (moved_Ah := _moved(recording)) is not None:
        return _mean_current(recording, moved_Ah)
    return np.where(kind == "OCV", 0.0, np.nan)


def _mean_current(recording: Recording, moved_Ah: Floats) -> Floats:
    """In A. GCPL's files hold none; EC-Lab shows <I> all the same: the charge of a row over its time."""
    since_s = np.diff(recording.columns["time/s"], prepend=np.nan)
    since_s[list(passes(recording))] = np.nan
    known = since_s > 0
    mean_A = np.divide(moved_Ah * 3600, since_s, out=np.full(len(since_s), np.nan), where=known)
    return np.where(moved_Ah == 0, 0.0, mean_A)


def _control(recording: Recording, kind: Texts) -> Floats:
    """control/V/mA holds what `mode` says; NaN where no column tells."""
    of_current = np.isin(kind, ("CP", "GEIS"))
    either = recording.find("control/V/mA")
    I_mA = recording.find("control/mA") if either is None else either
    E_V = recording.find("control/V") if either is None else either
    found = np.full(len(recording), np.nan)
    if I_mA is not None:
        found[of_current] = I_mA[of_current] / 1000
    if E_V is not None:
        of_potential = np.isin(kind, ("CA", "CV", "LSV", "PEIS"))
        found[of_potential] = E_V[of_potential]
    return found


def _charge(recording: Recording, time_s: Floats, I_A: Floats) -> Floats:
    """As EC-Lab counted it; else as its steps add up; else from the current, by trapezia."""
    for name, per_Ah in (("(Q-Qo)/mA.h", 1e3), ("(Q-Qo)/C", 3600.0)):
        if (column := recording.find(name)) is not None:
            return column / per_Ah
    if (moved_Ah := _moved(recording)) is not None:
        return _within_passes(recording, np.nan_to_num(moved_Ah))
    flows = np.nan_to_num(I_A)
    pieces = np.zeros(len(recording))
    pieces[1:] = (flows[1:] + flows[:-1]) / 2 * np.maximum(np.diff(time_s), 0) / 3600
    pieces[list(passes(recording))] = 0.0
    return _within_passes(recording, pieces)


def _moved(recording: Recording) -> Floats | None:
    """From row to row, in Ah. EC-Lab's dq is that; its dQ is counted from the beginning of each Ns, and of
    each pass.
    """
    if (dq := recording.find("dq/mA.h")) is not None:
        return dq / 1e3
    for name, per_Ah in (("dQ/mA.h", 1e3), ("dQ/C", 3600.0)):
        if (dQ := recording.find(name)) is not None:
            return np.where(_begins(recording), dQ, np.diff(dQ, prepend=0.0)) / per_Ah
    return None


def _begins(recording: Recording) -> npt.NDArray[np.bool_]:
    """(n,): the first rows of each Ns, and of each pass."""
    sequence = _whole(_or(recording.find("Ns"), 0.0, recording))
    found = np.diff(sequence, prepend=sequence[:1]) != 0
    found[[0, *passes(recording)]] = True
    return np.asarray(found)


def _within_passes(recording: Recording, pieces: Floats) -> Floats:
    parts = np.split(pieces, list(passes(recording)))
    return np.concatenate([np.cumsum(part) for part in parts])


def _cycle(recording: Recording) -> Ints:
    column = recording.find("cycle number")
    if column is not None:
        return np.maximum(_whole(column), 0)
    halves = recording.find("half cycle")
    if halves is not None:  # of which EC-Lab makes the cycle number when it writes text
        return np.maximum(_whole(halves), 0) // 2
    begun = np.zeros(len(recording), np.int64)
    begun[list(passes(recording))] = 1
    counted: Ints = 1 + np.cumsum(begun)
    return counted


def _impedance(recording: Recording) -> Complexes:
    """Z = E/I; EC-Lab writes -Im, or |Z| and phase. NaN: no spectra."""
    re, im = recording.find("Re(Z)/Ohm"), recording.find("-Im(Z)/Ohm")
    if re is not None and im is not None:
        return np.asarray(re - 1j * im, np.complex128)
    size, phase = recording.find("|Z|/Ohm"), recording.find("Phase(Z)/deg")
    if size is None or phase is None:
        return np.full(len(recording), complex(np.nan, np.nan))
    return np.asarray(size * np.exp(1j * np.radians(phase)), np.complex128)
