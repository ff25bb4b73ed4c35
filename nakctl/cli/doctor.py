"""`nakctl doctor`: what is wrong with library, files, link and channels, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from nakctl.cli.devices import words
from nakctl.cli.json_output import print_json
from nakctl.device.inspection import Chassis, Diagnosis
from nakctl.errors import ExitCode
from nakctl.rig import Rig, find_rig, survey


def doctor(target: str | None, sdk_path: Path | None, rig_file: Path | None, as_json: bool) -> int:
    """Exit 3 if anything is found that keeps a run from starting."""
    patients = _patients(target, sdk_path, find_rig(rig_file))
    reports = [_examine(patient, quiet=as_json) for patient in patients]
    findings = [each for _, found in reports for each in found]
    errors = sum(each.severity == "error" for each in findings)
    warnings = sum(each.severity == "warning" for each in findings)
    if as_json:
        told = [_report(patient, found) for patient, found in reports]
        print_json({"ok": errors == 0, "errors": errors, "warnings": warnings, "devices": told})
    else:
        print(f"{errors} error(s), {warnings} warning(s)")
    return ExitCode.INSTRUMENT if errors else ExitCode.DONE


def _patients(target: str | None, sdk_path: Path | None, rig: Rig) -> list[Chassis]:
    """The one named, else all of the rig, else what the drivers themselves need."""
    if target is not None:
        return [survey.chassis(rig, target, words(sdk_path))]
    if rig.devices:
        return list(rig.devices.values())
    return [Chassis(name, name, "", {}, words(sdk_path)) for name in survey.inspectors()]


def _examine(patient: Chassis, *, quiet: bool) -> tuple[Chassis, list[Diagnosis]]:
    """Told as it comes: a connection that fails takes its time."""
    if not quiet:
        at = f" at {patient.address}" if patient.address not in ("", patient.name) else ""
        print(f"{patient.name}{at}", flush=True)
    found = []
    for each in survey.inspector(patient.driver).inspect(patient):
        found.append(each)
        if not quiet:
            print(f"  {each.severity:<7}  {each.about}: {each.fact}", flush=True)
            if each.remedy:
                print(f"           -> {each.remedy}", flush=True)
    return patient, found


def _report(patient: Chassis, found: list[Diagnosis]) -> dict[str, Any]:
    return {"name": patient.name, "address": patient.address, "findings": [asdict(each) for each in found]}
