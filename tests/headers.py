"""What the header of every run must say, for files that tests write by hand."""

from __future__ import annotations

import uuid
from typing import Any

from nakctl.booking import layout


def header_of(title: str, **more: Any) -> dict[str, Any]:
    known = {
        "format": layout.FORMAT,
        "run_id": str(uuid.uuid4()),
        "start_time": "2026-03-01T09:30:00+01:00",
        "title": title,
        "simulated": True,
    }
    return known | more
