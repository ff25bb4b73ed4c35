"""What may stand in a place of the command line, and in which order: commands, options, or values by what the
help calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nakctl.cli.completion import sources
from nakctl.cli.completion.asked import Asked, options
from nakctl.cli.completion.sources import Name, Source

KINDS = (
    "run", "voltage", "charge", "drt-map", "drt", "peaks", "nyquist", "bode", "staircase", "pulse",
    "capacity", "cycling", "dqdv", "cv", "gitt", "arrhenius",
)  # fmt: skip
FORMATS = ("csv", "bdf", "bdf-parquet", "mpt", "z", "netcdf", "xlsx")
TABLES = ("samples", "spectra", "sensors", "steps", "events")
_SUFFIXES = re.compile(r"\w+\.(\w+)")
_CHOICE = re.compile(r"[a-z0-9]+(\|[a-z0-9]+)+")


def names(asked: Asked) -> list[Name]:
    """All that may stand in the place of the word that is being typed, in the order in which to show them."""
    if asked.lost:
        return []
    if asked.param is not None:
        return fitting(asked.typed, list(_source(asked)(asked)))
    if asked.is_option:
        return fitting(asked.typed, list(_options(asked)))
    return fitting(asked.typed, list(_commands(asked)))


def fitting(typed: str, known: list[Name]) -> list[Name]:
    """Those that begin like that; if none does, without regard to capitals."""
    return [each for each in known if each.text.startswith(typed)] or [
        each for each in known if each.text.casefold().startswith(typed.casefold())
    ]


def _commands(asked: Asked) -> Iterator[Name]:
    for name, command in getattr(asked.node, "commands", {}).items():
        if not command.hidden:
            yield Name(name, command.get_short_help_str(80))


def _options(asked: Asked) -> Iterator[Name]:
    """Such as can still be given."""
    for name, param in options(asked.node).items():
        if param.multiple or param.name not in asked.given:
            yield Name(name, (param.help or "").partition("[")[0].strip())
    yield Name("--help", "Show what this command does, and its options.")


def _source(asked: Asked) -> Source:
    """What the values of a parameter come from: by its place, by its name, or by what stands for it in the
    help."""
    param = asked.param
    shown = (param.metavar or "").strip("[].")
    for key in (f"{asked.path} {param.name}", param.opts[-1], shown):
        if key in _SOURCES:
            return _SOURCES[key]
    if _CHOICE.fullmatch(shown):
        return lambda _: (Name(each) for each in shown.split("|"))
    suffixes = tuple(f".{each.lower()}" for each in _SUFFIXES.findall(shown))
    if suffixes or "FILE" in shown:
        return lambda asked: sources.files(asked.typed, suffixes)
    return lambda _: iter(())


# By place and name of the parameter, by the option, or by what stands for it in the help.
_SOURCES: Mapping[str, Source] = {
    "check files": sources.checked,
    "format files": sources.yaml_files,
    "diff files": sources.yaml_files,
    "new folder": sources.folders,
    "campaign file": sources.campaigns,
    "sim fit model": sources.fixed("nak", "circuit", "symmetric", "blocking"),
    "convert file": sources.any_files,
    "import-mps file": lambda asked: sources.files(asked.typed, (".mps",)),
    "protocols show name": sources.shipped,
    "protocols copy name": sources.shipped,
    "rig check file": sources.yaml_files,
    "sim instrument cell": sources.built_in_cells,
    "sim instrument habit": sources.fixed(),
    "--rig": sources.yaml_files,
    "--out": sources.any_files,
    "--table": sources.fixed(*TABLES),
    "--set": sources.parameters,
    "--each": sources.parameters,
    "CHANNEL": sources.channels,
    "NAME|FILE": sources.cells,
    "RUN": sources.runs,
    "RUN.h5": sources.result_files,
    "FILE": sources.protocols,
    "ADDRESS|DEVICE": sources.devices,
    "KIND": sources.fixed(*KINDS),
    "FORMAT": sources.fixed(*FORMATS),
    "WORD": sources.words,
    "DIR": sources.folders,
    "FOLDER": sources.folders,
}
