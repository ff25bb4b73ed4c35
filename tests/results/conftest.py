"""Sealing here asks no other process: hundreds of small runs, whose way through one is tried elsewhere."""

from __future__ import annotations

import in_this_process
import pytest

no_other_process = pytest.fixture(autouse=True)(in_this_process.no_other_process)
