"""The helper that keeps NAME.h5 readable while the run goes on, and seals it at the end.

`nakctl.record.live NAME.h5` (see `process`), started by the recorder. It follows the journal and appends to
an HDF5 file in SWMR mode: one writer, any number of readers. Rows are seen within a second of being recorded.

A libhdf5 handle that failed one write must not be used again, nor closed: once there is room again it goes on
"successfully" and writes zeros, and closing it on a full disk crashes (h5py issue 914). So on a write error
this process leaves at once, and the recorder starts another one, which begins anew from the journal.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import h5py

from nakctl import isolated
from nakctl.errors import RecordError
from nakctl.record import files, lock, seal, sealer
from nakctl.record.hdf5_writer import LIBVER, Hdf5Writer
from nakctl.record.journal_reader import JournalReader
from nakctl.record.process import Beat

_LOOK_S = 0.05  # how soon the end of the run is noticed
_WRITE_S = 0.5  # each flush writes the last chunk of every column again, so not more often than needed


def main() -> int:
    isolated.begin()  # Ctrl-C ends the run, and then the record is sealed here
    path = Path(sys.argv[1])
    beat = Beat()
    beat("starting")
    try:
        journal = JournalReader(path)
        if journal.end() is None and lock.is_held(files.lock_of(path)):
            follow(path, journal, beat)
        ended = journal.end() is not None
        journal.close()
    except RecordError as error:
        return _complain(error)
    if ended:
        sealer.main()
    return 0


def follow(path: Path, journal: JournalReader, beat: Beat) -> None:
    """Keep the live view until the run has ended, or the process that writes it is gone."""
    try:
        if not _removed(path):
            return
        # Without locks: on Windows they are mandatory, and a viewer that locks would break the writer.
        file = h5py.File(path, "x", libver=LIBVER, locking=False)
        writer = Hdf5Writer(file, journal, sealed=False)
        file.swmr_mode = True
        while not _ends_within(_WRITE_S, journal) and lock.is_held(files.lock_of(path)):
            beat("following")
            for entries in seal.batches(journal.entries(after=writer.seq)):
                writer.add(entries)
                beat("catching up")
            writer.write()
            file.flush()
        file.close()
    except (OSError, RuntimeError) as error:  # what h5py makes of the errors of libhdf5
        _complain(error)
        os._exit(1)


def _removed(path: Path) -> bool:
    """The view of a helper that died. If the run died just now, somebody may have sealed it since the journal
    was looked at: then the file that is put away is looked at, and comes back. False: it is sealed."""
    old = files.old_view_of(path)
    try:
        files.put_in_place(path, old)
    except FileNotFoundError:
        return True
    if seal.is_sealed(old):
        files.put_in_place(old, path)
        return False
    files.remove(old)
    return True


def _ends_within(seconds: float, journal: JournalReader) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if journal.end() is not None:
            return True
        time.sleep(_LOOK_S)
    return False


def _complain(error: Exception) -> int:
    sys.stderr.write(f"{error}\n")
    sys.stderr.flush()
    return 1


if __name__ == "__main__":
    sys.exit(main())
