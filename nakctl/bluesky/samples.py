"""All samples of a run as a stream: documents that say where they lie in its sealed file, by column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from bluesky.protocols import StreamAsset
from event_model import ComposeStreamResource, ComposeStreamResourceBundle
from event_model.documents.event_descriptor import DataKey

from nakctl.bluesky.documents import Readings
from nakctl.booking import layout
from nakctl.errors import InputError
from nakctl.record.opening import opened

if TYPE_CHECKING:
    from nakctl.bluesky.flyer import Flyer

MIMETYPE = "application/x-hdf5"
COLUMNS = ("time", "Ewe", "Ece", "I", "Q", "step_count")  # as far as a file has them
_TABLE = layout.SAMPLES_3E


class Samples:
    """Of a flyer whose last run is sealed; its stream has to be declared:

        yield from bps.declare_stream(cell.samples, name=cell.samples.name, collect=True)
        yield from bps.collect(cell.samples, name=cell.samples.name)

    A document of this stream is of one row.
    """

    parent = None

    def __init__(self, flyer: Flyer) -> None:
        self._flyer = flyer
        self._collected: Path | None = None

    @property
    def name(self) -> str:
        return f"{self._flyer.name}_samples"

    @property
    def file(self) -> Path | None:
        """The sealed one; None: there is none yet."""
        report = self._flyer.flight.report
        return Path(report["file"]).resolve() if report is not None and report["sealed"] else None

    def describe_configuration(self) -> dict[str, DataKey]:
        return self._flyer.describe_configuration()

    def read_configuration(self) -> Readings:
        return self._flyer.read_configuration()

    def describe_collect(self) -> dict[str, DataKey]:
        uri = _uri(self._sealed())
        return {self._key(name): _data_key(name, uri) for name in self._columns()}

    def get_index(self) -> int:
        with opened(self._sealed()) as file:
            return len(file["entry/samples/time"])

    def collect_asset_docs(self, index: int | None = None) -> Iterator[StreamAsset]:
        """All rows, once."""
        file = self._sealed()
        rows = self.get_index() if index is None else index
        if self._collected == file or rows == 0:
            return
        self._collected = file
        for name in self._columns():
            bundle = self._bundle(name, file)
            yield "stream_resource", bundle.stream_resource_doc
            yield "stream_datum", bundle.compose_stream_datum({"start": 0, "stop": rows})

    def _bundle(self, name: str, file: Path) -> ComposeStreamResourceBundle:
        parameters = {"dataset": f"/entry/samples/{name}", "chunk_shape": [_TABLE.sealed_chunk]}
        return ComposeStreamResource()(MIMETYPE, _uri(file), self._key(name), parameters)

    def _key(self, name: str) -> str:
        return f"{self.name}_{name}"

    def _columns(self) -> list[str]:
        with opened(self._sealed()) as file:
            return [name for name in COLUMNS if name in file["entry/samples"]]

    def _sealed(self) -> Path:
        if (file := self.file) is None:
            raise InputError(f"{self._flyer.name} has no sealed file yet: complete it first")
        return file


def _uri(file: Path) -> str:
    """Spaces and letters stand as they are: Tiled 0.2.20 takes them so, and does not decode what is escaped.
    Whoever decodes finds the same."""
    path = file.as_posix()
    for sign in "%?#":
        path = path.replace(sign, quote(sign))
    return f"file://localhost{'' if path.startswith('/') else '/'}{path}"


def _data_key(name: str, uri: str) -> DataKey:
    column = next(each for each in _TABLE.columns if each.name == name)
    return {
        "source": uri, "dtype": "number", "dtype_numpy": column.dtype, "shape": [1],
        "units": column.units, "external": "STREAM:",
    }  # fmt: skip
