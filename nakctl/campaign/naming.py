"""How the results of a campaign are called: by what the run is, whatever else stands in the file.

So a second call finds what is there, also when runs were added or put in another order meanwhile.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Mapping

SUFFIX = ".h5"
# Without the suffix; there is a path before it, and more behind it while it is recorded: 255 bytes in all.
LONGEST, LONGEST_BYTES = 120, 180


def result_name(
    begins: str, cell: str, given: Mapping[str, str], swept: Mapping[str, str], seed: int = 0
) -> str:
    """NAME.h5. begins: protocol or name; given, swept: parameters with their values, as text."""
    values = {**given, **swept}
    parts = [begins, plain(cell), *(f"{name}-{plain(value)}" for name, value in values.items())]
    stem = "_".join([*parts, *([f"seed-{seed}"] if seed else [])])
    if len(stem) > LONGEST or len(stem.encode()) > LONGEST_BYTES:
        digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
        short = stem[: LONGEST - 9].encode()[: LONGEST_BYTES - 9].decode(errors="ignore")
        stem = f"{short}_{digest}"
    return f"{stem}{SUFFIX}"


def plain(text: str) -> str:
    """What can stand in the name of a file, here and on other computers."""
    known = text.encode(sys.getfilesystemencoding(), "ignore").decode(sys.getfilesystemencoding())
    return re.sub(r"[^\w.+-]+", "", re.sub(r"\s*,\s*", "+", known))


def twins(names: Iterable[str]) -> dict[int, int]:
    """Which of them are called as one before, by number; large letters are small ones on some disks."""
    first: dict[str, int] = {}
    return {k: at for k, name in enumerate(names) if (at := first.setdefault(name.casefold(), k)) != k}
