"""Many `nakctl run`s without many starts of Python: a process that has everything imported and forks.

`python run_server.py FOLDER` reads one JSON list of arguments per line and answers with the number of the
process that runs them, the leader of a group of its own. Each run tells in RUN.h5.witness, past all buffers,
how many samples its journal had when `append` returned: that is what a kill must not take.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nakctl.cli import main
from nakctl.record.journal import Journal


def told_to_a_witness(path: Path) -> None:
    """Every append that returned adds how many samples are kept to the witness."""
    append = Journal.append
    kept = 0

    def witnessed(journal: Journal, tables: Mapping[str, Any], events: Any = ()) -> str | None:
        nonlocal kept
        trouble = append(journal, tables, events)
        if trouble is None:
            kept += len(tables.get("samples", ()))
            with path.open("ab", buffering=0) as witness:
                witness.write(b"%d\n" % kept)
        return trouble

    Journal.append = witnessed  # type: ignore[method-assign]


def run_here(args: list[str]) -> None:
    sys.argv = ["nakctl", *args]
    main()


def run_witnessed(args: list[str]) -> None:
    told_to_a_witness(Path(f"{args[args.index('--out') + 1]}.witness"))
    run_here(args)


def serve() -> None:
    with suppress(SystemExit):  # imports everything, and has the simulator compiled
        run_here(["run", "short.yaml", "--quiet", "--out", "first.h5"])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run_witnessed(json.loads(line))
        os.setpgid(child, child)  # here, so that the group is there when its number is told
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    serve()
