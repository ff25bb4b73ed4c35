"""Runs as flyers of Bluesky: `from nakctl.bluesky import Experiment, with_detectors_at` (docs/bluesky.md)."""

from nakctl.errors import need

need("nakctl.bluesky", "bluesky", "bluesky", "event_model")

from nakctl.bluesky.boundaries import Boundaries
from nakctl.bluesky.experiment import Experiment, RunUnderWay
from nakctl.bluesky.flight import NotCompleted
from nakctl.bluesky.plans import collected, read_at, with_detectors_at
from nakctl.bluesky.steps import Step

__all__ = [
    "Boundaries",
    "Experiment",
    "NotCompleted",
    "RunUnderWay",
    "Step",
    "collected",
    "read_at",
    "with_detectors_at",
]
