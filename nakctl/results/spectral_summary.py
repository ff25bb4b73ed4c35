"""What the spectra of a run tell, in a few figures and sentences.

Names end in their unit: ohm cm2 and mA/cm2 where the area is known, else ohm and mA.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nakctl.record.read import Run
from nakctl.results.spectra import Spectra
from nakctl.results.tracks import (
    GAMMA_INT,
    GAMMA_INT_FAST,
    Track,
    gone_after_s,
    over_pristine,
    telling_places,
    there_from,
    tracks,
)
from nakctl.results.validity import LIMIT, tally
from nakctl.text.numbers import duration, plural, si

MOST_DISTRIBUTIONS = 200  # of a run: sealing a dry run is not to take longer for them
MOST_NUMBERS = 12  # of spectra that are told one by one
_DIGITS = 4
_KEY = {"valid": "valid", "drifts": "drifting", "distorted": "distorted", "noisy": "noisy"}
_WHAT = {
    "drifting": "drifting (residuals go together at low frequencies: the cell changed meanwhile)",
    "distorted": "distorted (residuals go together elsewhere)",
    "noisy": f"noisy (scatter above {100 * LIMIT:g} % of |Z|, without a trend)",
    "undetermined": "not determined (too few points, or such as are no numbers)",
}


def spectral_figures(run: Run) -> dict[str, Any]:
    """Plain numbers and texts, ready for JSON. Empty where there is no complete spectrum."""
    spectra = Spectra(run)
    if len(spectra) == 0:
        return {}
    found = _validity(spectra) | _unreached(spectra) | _first(spectra) | _changes(spectra)
    return {name: _rounded(value) for name, value in found.items()}


def _rounded(value: Any) -> Any:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _validity(spectra: Spectra) -> dict[str, Any]:
    counts = tally(spectra.validities)
    found: dict[str, Any] = {
        f"spectra_{_KEY.get(verdict, 'undetermined')}": count
        for verdict, count in counts.items()
        if count or verdict == "valid"
    }
    wrong = [k for k, one in enumerate(spectra.validities) if one.verdict in ("drifts", "distorted")]
    if wrong:
        found["spectra_not_stationary"] = _numbers(spectra, wrong)
    residuals = [one.rms for one in spectra.validities if np.isfinite(one.rms)]
    if residuals:
        found["spectra_residual_median"] = float(np.median(residuals))
    return found | _from_one_to_the_next(spectra)


def _unreached(spectra: Spectra) -> dict[str, Any]:
    """What is in no test and in no distribution: see `excitation`."""
    left_out = [spectra[k].f_Hz[~used] for k, used in enumerate(spectra.reached) if not used.all()]
    if not left_out:
        return {}
    f_Hz = np.concatenate(left_out)
    return {"spectra_unreached_points": len(f_Hz), "spectra_unreached_from_Hz": float(f_Hz.min())}


def _from_one_to_the_next(spectra: Spectra) -> dict[str, Any]:
    """The largest change at low frequencies: so much may have changed during a sweep as well."""
    changes = spectra.changes()
    if not np.isfinite(changes).any():
        return {}
    largest = int(np.nanargmax(changes))
    return {
        "spectra_largest_change": float(changes[largest]),
        "spectra_largest_change_at_s": float(spectra.time_s[largest]),
    }


def _numbers(spectra: Spectra, places: Sequence[int]) -> str:
    """As they are counted in the file: `3, 7, 12 and 40 more`."""
    told = ", ".join(str(spectra[k].number) for k in places[:MOST_NUMBERS])
    more = len(places) - MOST_NUMBERS
    return f"{told} and {more} more" if more > 0 else told


def _first(spectra: Spectra) -> dict[str, Any]:
    """Of the first spectrum: what is in series, and its peaks from fast to slow."""
    first, unit = spectra[0].drt(), _suffix(spectra)
    if not first.describes:
        return {"peaks": "not determined"} if first.determined else {}
    found: dict[str, Any] = {f"high_frequency_resistance_{unit}": first.R} if first.R > 0 else {}
    peaks = first.peaks()
    found["peaks"] = len(peaks)
    for number, peak in enumerate(peaks, 1):
        found[f"peak_{number}_tau_s"] = peak.tau_s
        found[f"peak_{number}_{unit}"] = peak.area
        found[f"peak_{number}_extrapolated"] = peak.extrapolated
    return found


def _suffix(spectra: Spectra) -> str:
    return "ohm_cm2" if spectra.area_cm2 else "ohm"


def _changes(spectra: Spectra) -> dict[str, Any]:
    """What the processes of the paper do under current, and at rest after it."""
    if bool(spectra.at_rest().all()):
        return {}
    found = tracks(spectra, telling_places(spectra, MOST_DISTRIBUTIONS))
    fast = found[GAMMA_INT_FAST]
    told: dict[str, Any] = {"spectra_looked_at": len(fast.places), **_onset(fast, spectra)}
    gone_s = gone_after_s(fast, spectra)
    if gone_s is not None:
        told["gamma_int_fast_gone_after_s"] = gone_s
    recovered = over_pristine(found[GAMMA_INT], spectra)
    if recovered is not None:
        told["gamma_int_rested_over_pristine"] = recovered
    return told


def _onset(fast: Track, spectra: Spectra) -> dict[str, Any]:
    unit = "mA_cm2" if spectra.area_cm2 else "mA"
    found: dict[str, Any] = {}
    if len(np.unique(np.round(fast.current, 3))) < 2:  # nothing that a level would be told from
        return found
    for sign, while_ in ((1, ""), (-1, "plating_")):
        level = there_from(fast, sign)
        if level is not None:
            found[f"gamma_int_fast_{while_}from_{unit}"] = level
    return found or {"gamma_int_fast": "none"}


def spectra_told(found: Mapping[str, Any]) -> Iterator[str]:
    """The figures as sentences for the screen."""
    if "spectra_valid" not in found:
        return
    yield from _validity_told(found)
    if "spectra_unreached_points" in found:
        from_Hz = si(found["spectra_unreached_from_Hz"], "Hz", 3)
        points = plural(found["spectra_unreached_points"], "point", "points")
        yield f"not used: {points} from {from_Hz} up, where less than half the usual amplitude came through"
    yield from _first_told(found)
    yield from _changes_told(found)


def _validity_told(found: Mapping[str, Any]) -> Iterator[str]:
    keys = ("valid", *_WHAT)
    total = sum(found.get(f"spectra_{key}", 0) for key in keys)
    bad = {what: found.get(f"spectra_{key}", 0) for key, what in _WHAT.items()}
    others = "".join(f", {count} {what}" for what, count in bad.items() if count)
    yield f"Kramers-Kronig: {found['spectra_valid']} of {plural(total, 'spectrum', 'spectra')} valid{others}"
    if "spectra_not_stationary" in found:
        yield f"spectra that drift or are distorted: {found['spectra_not_stationary']}"


def _first_told(found: Mapping[str, Any]) -> Iterator[str]:
    if found.get("peaks") == "not determined":
        yield "first spectrum: no distribution of relaxation times describes it"
    if not isinstance(found.get("peaks"), int):
        return
    said = []
    for unit in ("ohm_cm2", "ohm"):
        name = f"high_frequency_resistance_{unit}"
        if name in found:
            said.append(f"{found[name]:.4g} {_spelt(unit)} at high frequency")
    peaks = [_peak_told(found, number) for number in range(1, found["peaks"] + 1)]
    said.append(f"peaks of its DRT at {', '.join(peaks)}" if peaks else "no peak of its DRT stands out")
    yield f"first spectrum: {'; '.join(said)}"


def _peak_told(found: Mapping[str, Any], number: int) -> str:
    unit = "ohm_cm2" if f"peak_{number}_ohm_cm2" in found else "ohm"
    beyond = ", beyond what was measured" if found[f"peak_{number}_extrapolated"] else ""
    area = f"{found[f'peak_{number}_{unit}']:.3g} {_spelt(unit)}"
    return f"{si(found[f'peak_{number}_tau_s'], 's', 2)} ({area}{beyond})"


def _spelt(unit: str) -> str:
    return unit.replace("_", " ")


def _changes_told(found: Mapping[str, Any]) -> Iterator[str]:
    said = []
    for unit, spelt in (("mA_cm2", "mA/cm2"), ("mA", "mA")):
        for while_, told in (("", ""), ("plating_", " while plating")):
            name = f"gamma_int_fast_{while_}from_{unit}"
            if name in found:
                said.append(f"gamma'_int from {found[name]:.4g} {spelt} on{told}")
    if "gamma_int_fast" in found:
        said.append("gamma'_int: none under current")
    if "gamma_int_fast_gone_after_s" in found:
        said.append(f"gone after {duration(found['gamma_int_fast_gone_after_s'])} of rest")
    if "gamma_int_rested_over_pristine" in found:
        said.append(f"gamma_int after the rest {found['gamma_int_rested_over_pristine']:.3g} times pristine")
    if said:
        yield ", ".join(said)
