"""Objects on standard output, for machines (`--json`)."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

from nakctl.cli import console


def print_json(data: Any) -> None:
    print(_json(data))


def print_last(data: Any) -> None:
    """The same at the end of a run, which no terminal holds up."""
    console.say(_json(data))


def _json(data: Any) -> str:
    """What is no number becomes null. ASCII, unless standard output takes every letter."""
    takes_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return json.dumps(_finite(data), indent=1, ensure_ascii=not takes_all, allow_nan=False)


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {name: _finite(value) for name, value in data.items()}
    return [_finite(each) for each in data] if isinstance(data, list | tuple) else data
