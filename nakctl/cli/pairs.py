"""`--set name=value`, taken apart. Cheap to import."""

from __future__ import annotations

from nakctl.errors import InputError


def pairs(sets: list[str]) -> dict[str, str]:
    found = {}
    for text in sets:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--set {text}: write it as name=value, e.g. --set rest=2s")
        found[name.strip()] = value.strip()
    return found
