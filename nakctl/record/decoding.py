"""Rows made anew from what the instrument had handed over, by the driver of today.

No real instrument was seen when the decoding was written: a fault in it can be mended as long as the words
are there. Drivers are asked for by their name (entry point group `nakctl.drivers`). Where one cannot decode,
or words are damaged, the rows of that chain stay as they were recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nakctl.booking.book import in_force, segment_of
from nakctl.booking.entry import Entry
from nakctl.device import program_json
from nakctl.device.driver import Decoder, Decodes
from nakctl.device.program import Program
from nakctl.errors import NakctlError, place_of
from nakctl.offered import named

GROUP = "nakctl.drivers"


class Decoding:
    """Of one run. words: reads that have any; changed: those whose rows are others now; trouble: why not all
    could be decoded.
    """

    def __init__(self, header: Mapping[str, Any], program: Mapping[str, Any]) -> None:
        self.words = self.changed = 0
        self.trouble = ""
        about = header.get("instrument")
        self._instrument = dict(about) if isinstance(about, Mapping) else {}
        self._program: Program = program_json.load(program)
        self._driver = _driver(str(self._instrument.get("driver", "")))

    def of(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The same entries, with the rows that their words stand for."""
        if self._driver is None:
            yield from entries
            return
        decoder: Decoder | None = None
        for entry in entries:
            if entry.kind == "program":
                self._program = in_force(self._program, entry)
            if entry.kind == "meant" and entry.facts.get("verb") == "load":
                decoder = self._decoder(entry)
            if entry.kind == "said" and entry.raw:
                self.words += 1
            if entry.kind == "said" and entry.raw and decoder is not None:
                decoded = self._decoded(decoder, entry)
                decoder = None if decoded is None else decoder
                entry = decoded or entry
            yield entry

    def _decoder(self, entry: Entry) -> Decoder | None:
        assert self._driver is not None
        try:
            return self._driver.decoder(self._instrument.get("facts", {}), segment_of(self._program, entry))
        except Exception as error:  # noqa: BLE001  (the rows as they were recorded are worth more)
            self._note(error)
            return None

    def _decoded(self, decoder: Decoder, entry: Entry) -> Entry | None:
        """None: it cannot be decoded, nor can what comes after it."""
        try:
            samples, points, _ = decoder.rows(entry.raw)
        except Exception as error:  # noqa: BLE001  (as above)
            self._note(error)
            return None
        same = samples.tobytes() == entry.samples.tobytes() and points.tobytes() == entry.points.tobytes()
        self.changed += not same
        return entry if same else entry._replace(samples=samples, points=points)

    def _note(self, error: Exception) -> None:
        why = str(error) if isinstance(error, NakctlError) else f"a fault of nakctl ({place_of(error)})"
        self.trouble = self.trouble or why


def _driver(name: str) -> Decodes | None:
    """By its name; None: it is not here, or cannot decode."""
    found = named(GROUP, name)
    try:
        driver = None if found is None else found.load()
    except ImportError:
        return None
    return driver if isinstance(driver, Decodes) else None
