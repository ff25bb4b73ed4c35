"""The code of another commit beside the present one."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def unpacked(commit: str) -> Iterator[Path]:
    """A folder with all files of a commit, for as long as it is needed."""
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], capture_output=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        yield Path(folder)


def environment(root: Path) -> dict[str, str]:
    """In which Python imports the code below root, and keeps it compiled as an installed package is."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": os.pathsep.join(str(root / each) for each in (".", "drivers", "sim"))}
