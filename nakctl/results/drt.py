"""Distribution of relaxation times of a spectrum, and the peaks that stand out of it.

Z(w) = R + j w L + integral of gamma(tau) / (1 + j w tau) over ln tau, solved for gamma by least squares
on the real and the imaginary part together, with Tikhonov's penalty lambda |gamma|^2 (lambda = 1e-3, as
in Wu & Hatzell, EES Batteries 2025, 1, 1682) and no negative value anywhere: a resistance is not
negative. R and L carry no penalty. Twice the impedance gives twice gamma: lambda weighs squares of one
unit against each other, so it means the same in ohm, in ohm cm2 and for a cell of any size. It does not
for another number of frequencies: more of them weigh more.

The paper's spectra end at 5 Hz (tau = 0.03 s), while its interface peak lies at 0.1 s: what gamma is
there rests on the upper flank of the arc. The grid therefore goes on to 10 s; compare peaks, not their
feet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nakctl.results.areal import UnknownArea
from nakctl.results.nonneg import Flags, nonnegative
from nakctl.results.peaks import PER_DECADE, STEP, Peak, peaks_of

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

LAMBDA = 1e-3
LOG_TAU_FIRST, LOG_TAU_LAST = -7.5, 1.0
FEWEST_POINTS = 5
MISFIT = 0.2  # of Z; a blocking electrode, which is not in the model, leaves as much


@dataclass(frozen=True, slots=True)
class Window:
    """A range of relaxation times (s) that belongs to one process."""

    low_s: float
    high_s: float

    def holds(self, tau_s: float) -> bool:
        return self.low_s <= tau_s < self.high_s


# After the positions the paper names: 1e-6 s, 1e-4 to 1e-3 s, 1e-1 s and, under current, less than that.
GRAIN_BOUNDARY = Window(0.0, 1e-5)
FAST_INTERFACE = Window(1e-5, 3e-3)
INTERFACE = Window(3e-3, np.inf)


@dataclass(frozen=True, slots=True)
class Top:
    """The highest point of a window, peak or not, and the resistance of all of it (area below gamma)."""

    tau_s: float
    height_ohm_cm2: float
    area_ohm_cm2: float


@dataclass(frozen=True)
class Drt:
    """tau_s rising and gamma per unit of ln tau, each (n,); NaN where a spectrum does not determine it.

    unit      of gamma and of all that follows: "ohm cm2", or "ohm" where the area is not known
    error     (n,) standard error of gamma: noise as the residuals show it, through the penalty. The penalty
              itself flattens and widens, which is not in it
    R, L      in series: resistance, and inductance in unit times s
    window_s  shortest and longest relaxation time that was measured, 1 / (2 pi f)
    residual  root mean square of what the distribution does not describe, over that of Z. Above MISFIT it
              describes something else (an inductive loop, noise as large as Z): then nothing is told of it
    """

    tau_s: Floats = field(repr=False)
    gamma: Floats = field(repr=False)
    unit: str = "ohm cm2"
    error: Floats = field(default_factory=lambda: np.zeros(0), repr=False)
    R: float = 0.0
    L: float = 0.0
    window_s: tuple[float, float] = (0.0, np.inf)
    residual: float = np.nan

    @property
    def gamma_ohm_cm2(self) -> Floats:
        """UnknownArea: see `gamma`."""
        if self.unit != "ohm cm2":
            raise UnknownArea(f"gamma is known in {self.unit} only: the area of the electrode is not known")
        return self.gamma

    @property
    def determined(self) -> bool:
        return bool(np.isfinite(self.gamma).all())

    @property
    def describes(self) -> bool:
        """Whether the spectrum is one that a distribution can describe."""
        return self.determined and not self.residual > MISFIT

    @property
    def polarisation(self) -> float:
        """The area below all of gamma: the resistance of everything that relaxes."""
        return float(self.gamma.sum() * STEP)

    def top(self, window: Window) -> Top:
        """What the paper's comparisons rest on; `peaks` says whether there is a peak."""
        inside = (self.tau_s >= window.low_s) & (self.tau_s < window.high_s)
        tau_s, gamma = self.tau_s[inside], self.gamma_ohm_cm2[inside]
        highest = int(np.argmax(gamma))
        return Top(float(tau_s[highest]), float(gamma[highest]), float(gamma.sum() * STEP))

    @cached_property
    def _peaks(self) -> tuple[Peak, ...]:
        if not self.describes:
            return ()
        return peaks_of(self.tau_s, self.gamma, self.error, self.window_s, self.R + self.polarisation)

    def peaks(self, window: Window | None = None) -> tuple[Peak, ...]:
        """Those that stand out, with rising tau; empty where none does. window: only those in it."""
        return tuple(peak for peak in self._peaks if window is None or window.holds(peak.tau_s))


@dataclass(frozen=True)
class Grid:
    """What all spectra of the same frequencies share: the matrix and its normal equations.

    f_Hz (m,), tau_s (n,) evenly spaced in ln tau; lam: Tikhonov's lambda
    """

    f_Hz: Floats
    tau_s: Floats
    lam: float = LAMBDA

    @cached_property
    def equations(self) -> Floats:
        """Columns: gamma, R, L. Rows: what they make of Re Z and of Im Z."""
        w = 2.0 * np.pi * self.f_Hz
        relaxations = STEP / (1.0 + 1j * np.outer(w, self.tau_s))
        rest = np.column_stack([np.ones(len(w)), 1j * w * self.inductance_unit])
        model = np.hstack([relaxations, rest])
        return np.vstack([model.real, model.imag])

    @cached_property
    def gram(self) -> Floats:
        return np.asarray(self.equations.T @ self.equations + np.diag(self._penalty))

    @cached_property
    def _penalty(self) -> Floats:
        return np.append(np.full(len(self.tau_s), self.lam), [0.0, 0.0])

    @cached_property
    def inductance_unit(self) -> float:
        """Brings the column of L to the size of the others."""
        return float(1.0 / (2.0 * np.pi * self.f_Hz.max()))

    def with_lambda(self, lam: float) -> Grid:
        return Grid(self.f_Hz, self.tau_s, lam)

    @property
    def window_s(self) -> tuple[float, float]:
        return 1.0 / (2.0 * np.pi * float(self.f_Hz.max())), 1.0 / (2.0 * np.pi * float(self.f_Hz.min()))

    def solve(self, z: Complex, unit: str, start: Flags | None = None) -> tuple[Drt, Flags]:
        """And which unknowns were free: a start for the next spectrum."""
        measured = np.concatenate([z.real, z.imag])
        x, free = nonnegative(self.gram, measured @ self.equations, start)
        missing = measured - self.equations @ x
        noise = float(np.sqrt(np.mean(missing**2)))
        found = Drt(
            tau_s=self.tau_s,
            gamma=x[:-2],
            unit=unit,
            error=noise * self._spread(free)[:-2],
            R=float(x[-2]),
            L=float(x[-1] * self.inductance_unit),
            window_s=self.window_s,
            residual=noise / float(np.sqrt(np.mean(measured**2))) if measured.any() else np.nan,
        )
        return found, free

    def _spread(self, free: Flags) -> Floats:
        """Standard error of each unknown per that of Re Z and Im Z; 0 of those that are held at 0."""
        places = np.flatnonzero(free)
        inverse = np.linalg.inv(self.gram[places[:, None], places])
        variance = np.diag(inverse) - (inverse**2) @ self._penalty[places]
        spread = np.zeros(len(free))
        spread[places] = np.sqrt(np.maximum(variance, 0.0))
        return spread


def taus_s(lowest_Hz: float, highest_Hz: float) -> Floats:
    """The relaxation times looked at: 30 ns to 10 s, and further where frequencies reach further.

    Ten a decade, always on the same places: distributions of several spectra can be laid side by side.
    """
    shortest, longest = (-np.log10(2 * np.pi * f_Hz) for f_Hz in (highest_Hz, lowest_Hz))
    first = min(LOG_TAU_FIRST, np.ceil(PER_DECADE * (shortest + 0.1)) / PER_DECADE)
    last = max(LOG_TAU_LAST, np.ceil(PER_DECADE * (longest + 1.0)) / PER_DECADE)
    return np.logspace(first, last, round((last - first) * PER_DECADE) + 1)


def drt(f_Hz: Floats, z: Complex, lam: float = LAMBDA, unit: str = "ohm cm2") -> Drt:
    """f_Hz and z, (m,): one spectrum, Z = E/I (a capacitor has Im < 0), in `unit`.

    Not determined (NaN, no peaks): fewer than FEWEST_POINTS points, or such as are no numbers.
    """
    tau_s = taus_s(float(np.min(f_Hz)), float(np.max(f_Hz))) if usable(f_Hz, z) else taus_s(1.0, 1e6)
    return drt_on(Grid(f_Hz, tau_s, lam), z, unit)[0]


def drt_on(grid: Grid, z: Complex, unit: str, start: Flags | None = None) -> tuple[Drt, Flags | None]:
    """The same on a grid that several spectra share. start: of the one before."""
    if not usable(grid.f_Hz, z):
        return Drt(grid.tau_s, np.full(len(grid.tau_s), np.nan), unit), start
    return grid.solve(z, unit, start)


def usable(f_Hz: Floats, z: Complex) -> bool:
    """Whether anything follows from these points."""
    good = len(f_Hz) >= FEWEST_POINTS and bool(np.isfinite(z).all() and np.isfinite(f_Hz).all())
    return good and float(np.min(f_Hz)) > 0
