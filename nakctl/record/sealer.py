"""The process that seals: `nakctl.record.sealer NAME.h5`, `--again` a sealed file; see `process`, `seal`.

Without arguments these come as JSON on standard input, to one that was started before there was a run. It
starts the one that verifies before anything else: both load their libraries at the same time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from nakctl import isolated
from nakctl.errors import NakctlError, RecordError
from nakctl.record import files, lock
from nakctl.record.process import Beat, Outcome, answer
from nakctl.record.store import reason_of
from nakctl.record.verifier import Verifier

_ANOTHER_s = 120.0  # that somebody else may take to seal it


def main() -> None:
    """Seal, and say what came of it: then it does not return."""
    isolated.begin()
    verifier = None
    with contextlib.suppress(OSError):  # who seals tries again, and tells
        verifier = Verifier()
    with verifier or contextlib.nullcontext():
        _seal(verifier)


def _seal(verifier: Verifier | None) -> None:
    from nakctl.record.seal import seal

    sys.argv[1:] = sys.argv[1:] or json.loads(sys.stdin.read() or "[]")
    if not sys.argv[1:]:
        return  # who started it has no run
    path, beat = Path(sys.argv[1]), Beat()
    try:
        with _alone(path, beat):
            beat("sealing")
            outcome = seal(path, beat, again="--again" in sys.argv[2:], verifier=verifier)
        answer(outcome.as_json(), 0 if outcome.sealed else 1)
    except (NakctlError, OSError, RuntimeError) as error:
        said = reason_of(error)
        # Here and not later: `error` keeps the file from being closed, which could crash.
        _give_up(path, said)
    except Exception:  # noqa: BLE001  (a journal may hold anything: who waits is told in a sentence)
        traceback.print_exc()
        _give_up(path, "its journal holds something that cannot be made sense of")


@contextlib.contextmanager
def _alone(path: Path, beat: Callable[[str], None]) -> Iterator[None]:
    """While nobody else seals it; who comes second finds it sealed. RecordError: somebody takes too long."""
    file, until = files.sealer_of(path), time.monotonic() + _ANOTHER_s
    while True:
        try:
            held = lock.hold(file)
        except OSError:
            if not lock.is_held(file):
                raise
            if time.monotonic() > until:
                raise RecordError(f"another program has been sealing it for {_ANOTHER_s:g} s") from None
            beat("waiting for another program that seals it")
            continue
        if _is_that(held, file):
            break
        held.close()  # who had it before has removed it meanwhile
    try:
        yield
    finally:
        if os.name == "posix":  # else a third one could hold what is removed here
            file.unlink(missing_ok=True)
        held.close()
        if os.name != "posix":
            with contextlib.suppress(OSError):  # somebody has it open by now
                file.unlink()


def _is_that(held: BinaryIO, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(held.fileno()), file.stat())
    except FileNotFoundError:
        return False


def _give_up(path: Path, why: str) -> NoReturn:
    from nakctl.record.seal import remove_own

    remove_own(path)
    was_sealed = "--again" in sys.argv[2:] and not files.journal_of(path).exists()
    state = "stays as it was" if was_sealed else "is not sealed"
    answer(Outcome(path, False, "", 0, f"{path} {state}: {why}").as_json(), 1)


if __name__ == "__main__":
    main()
