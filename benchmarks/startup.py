"""What it costs to start: `nakctl --help` against the smallest typer program, and the commands before a run.

python benchmarks/startup.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from timing import medians, python, table

ROUNDS = 15
HELLO = """
import typer

def hello(name: str = "you") -> None:
    print(f"hello {name}")

typer.run(hello)
"""


def dry_run() -> object:
    """A short one, up to its sealed file."""
    with tempfile.TemporaryDirectory() as folder:
        return python("-m", "nakctl", "run", "pristine-eis", "--json", "--out", f"{folder}/run.h5")()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO, encoding="utf-8")
        taken = medians(
            {
                "python -c pass": python("-c", "pass"),
                "typer hello --help": python(str(hello), "--help"),
                "nakctl --help": python("-m", "nakctl", "--help"),
                "nakctl check ccd": python("-m", "nakctl", "check", "ccd"),
                "nakctl plan ccd": python("-m", "nakctl", "plan", "ccd"),
                "nakctl run pristine-eis": dry_run,
            },
            ROUNDS,
        )
    base_s = taken["typer hello --help"]
    rows = [(name, f"{time_s * 1e3:.0f} ms", f"{time_s / base_s:.2f}") for name, time_s in taken.items()]
    table([("command", "median", "of typer hello"), *rows])


if __name__ == "__main__":
    main()
