"""How long a test waits for what shall happen: far longer than it takes on any machine, whatever else that does.

Who sees it goes on at once, so this is only the time after which a test fails. It is no measure of anything:
what has to be fast is measured in other ways than by a limit here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_s = 180.0
_SHORTEST_s, _LONGEST_s = 0.005, 0.05  # between two looks, which cost something as well


def until(found: Callable[[], object], turn: Callable[[], object] = lambda: None) -> None:
    """Wait for something that a thread or another process does; turn: what is to be done meanwhile."""
    begun_s = time.monotonic()
    while not found():
        waited_s = time.monotonic() - begun_s
        assert waited_s < PATIENCE_s, f"not within {PATIENCE_s:.0f} s"
        turn()
        time.sleep(min(max(_SHORTEST_s, waited_s / 20), _LONGEST_s))
