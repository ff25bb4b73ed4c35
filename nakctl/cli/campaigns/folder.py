"""The folder of a campaign's results: which it is, made, and recorded into by one process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nakctl.campaign.read import Campaign
from nakctl.cli.campaigns import carrier
from nakctl.errors import InputError


def folder_of(asked: Campaign, wanted: Path | None, *, dry: bool) -> Path:
    """A dry run never lies where a real one belongs. InputError: there can be no such folder."""
    out = wanted if wanted is not None else asked.out
    if dry and wanted is None:
        out = out.with_name(f"{out.name}-dry")
    try:
        there = next(each for each in (out, *out.parents) if each.exists())
    except OSError as error:
        raise InputError(f"{out} can be no folder: {error.strerror}") from None
    if not there.is_dir():
        raise InputError(f"{there} is a file: name a folder for the results")
    return out


def made(out: Path) -> None:
    """InputError: nobody can make it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"no folder {out} can be made: {error.strerror}") from None


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody else carries out a campaign into this folder. InputError: somebody does."""
    with ExitStack() as held:
        try:
            held.enter_context(carrier.carrying_out(out))
        except OSError as error:
            who = carrier.carrier(out)
            why = f"another one is carried out there by {who}" if who else error.strerror or error
            raise InputError(f"no campaign can record into {out}: {why}") from None
        yield
