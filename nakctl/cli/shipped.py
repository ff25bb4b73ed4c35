"""What comes with nakctl: `protocols`, `cells`, `schema`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from nakctl.campaign import library as campaigns
from nakctl.cli.json_output import print_json
from nakctl.errors import ExitCode, InputError
from nakctl.protocol import library
from nakctl.text.meant import did_you_mean
from nakctl.text.numbers import plural
from nakctl.text.reader import read_file


def list_all(as_json: bool) -> int:
    listed = [{"name": name, "title": _title(library.find(name))} for name in library.names()]
    several = [{"name": name, "title": _title(campaigns.find(name))} for name in campaigns.names()]
    if as_json:
        print_json({"protocols": listed, "campaigns": several})
    else:
        width = max(len(each["name"]) for each in listed)
        for each in listed:
            print(f"{each['name']:<{width}}  {each['title']}")
        print("campaigns, of several runs (nakctl campaign NAME):")
        for each in several:
            print(f"{each['name']:<{width}}  {each['title']}")
    return ExitCode.DONE


def _title(file: Path) -> str:
    return str(read_file(file, ours=True).data.get("name", ""))


def _shipped(name: str) -> Path:
    """The file of a protocol, or of a campaign."""
    if name in campaigns.names():
        return campaigns.find(name)
    if name not in library.names():
        hint = did_you_mean(name, (*library.names(), *campaigns.names())) or ";"
        raise InputError(f"{name} is no shipped protocol{hint} shipped are: {', '.join(library.names())}")
    return library.folder() / f"{name}.yaml"


def show(name: str) -> int:
    print(_shipped(name).read_text(encoding="utf-8"), end="")
    return ExitCode.DONE


def copy(name: str, to: Path | None) -> int:
    """The copy finds its schema beside it: editors complete protocols only then."""
    source = _shipped(name)
    target = to if to is not None else Path(f"{name}.yaml")
    if target.is_dir():
        target = target / f"{name}.yaml"
    if target.exists():
        raise InputError(f"{target} exists already; nothing is overwritten")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder {target.parent}")
    target.write_bytes(source.read_bytes())
    beside = library.schema_beside(target, source.parent)
    print(f"{target} (and {beside.name}, which editors use)")
    return ExitCode.DONE


def cells(as_json: bool) -> int:
    """The cells of every driver that brings some."""
    from nakctl.rig import driver_names, load_driver

    found = [cell for name in driver_names() for cell in load_driver(name).cells()]
    if as_json:
        names = (
            "name", "area_cm2", "capacity_C", "working_is", "three_electrodes",
            "working", "counter", "reference", "electrolyte", "facts",
        )  # fmt: skip
        print_json({"cells": [{name: getattr(cell, name) for name in names} for cell in found]})
        return ExitCode.DONE
    print("simulated cells (--cell NAME, or a file of your own):")
    width = max(len(cell.name) for cell in found)
    for cell in found:
        stack = " | ".join(part for part in (cell.working, cell.electrolyte, cell.counter) if part)
        print(f"  {cell.name:<{width}}  {cell.area_cm2:<7g} cm2  {stack or cell.facts.get('note', '')}")
    return ExitCode.DONE


def schema(file: Path | None, rig: Path | None) -> int:
    """That of the language, printed; or, written beside a protocol, one that offers its names as well."""
    if file is None:
        from nakctl.protocol.schema import schema

        print(json.dumps(schema(), indent=1, ensure_ascii=False))
        return ExitCode.DONE
    return _own_schema(file, rig)


def _own_schema(file: Path, rig: Path | None) -> int:
    from nakctl.protocol.names import names_in, text
    from nakctl.rig import find_rig

    if not file.exists() and str(file) in library.names():
        raise InputError(f"{file} is shipped: bring it here first, with `nakctl protocols copy {file}`")
    document = read_file(file)
    if "nakctl" not in document.data:
        raise InputError(f"{file} is no protocol: one begins with `nakctl: 1`")
    found = find_rig(rig)
    names = replace(
        names_in(document.data),
        sensors={name: spec.dimension for name, spec in found.sensors.items()},
        settable=tuple(name for name, spec in found.sensors.items() if spec.settable),
    )
    target = file.with_suffix(".schema.json")
    target.write_text(text(names), encoding="utf-8", newline="\n")
    counts = [(names.sweeps, "sweep"), (names.params, "parameter"), (names.labels, "label")]
    counts += [(names.sensors, "sensor")]
    offered = ", ".join(plural(len(each), what) for each, what in counts if each) or "no names yet"
    print(f"{target}: offers {offered}")
    line = f"# yaml-language-server: $schema=./{target.name}"
    if document.text.split("\n", 1)[0].rstrip() != line:
        print(f"for an editor to use it, the first line of {file} has to be:\n{line}")
    return ExitCode.DONE
