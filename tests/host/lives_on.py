"""A process that was started by `start_detached`: it waits to be asked, through a pipe with a name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    pipe, answer = map(Path, sys.argv[1:])
    print(f"its folder is {Path.cwd().name}, and it sees {os.environ.get('NAKCTL_RUNS')}", flush=True)  # noqa: T201
    question = pipe.read_text(encoding="utf-8")
    answer.write_text(f"{question}: yes", encoding="utf-8")
    sys.exit(7)
