"""Plans for a flyer beside detectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bluesky import plan_stubs as bps
from bluesky import preprocessors as bpp
from bluesky.utils import MsgGenerator

from nakctl.bluesky.boundaries import Which
from nakctl.bluesky.flyer import Flyer
from nakctl.bluesky.steps import Step

AtEach = Callable[[Sequence[Any], Flyer, Step], MsgGenerator[Any]]


def read_at(detectors: Sequence[Any], flyer: Flyer, step: Step) -> MsgGenerator[Any]:
    """One event of the stream `primary`: the detectors, and where the run is."""
    yield from bps.trigger_and_read([*detectors, flyer])


def with_detectors_at(
    flyer: Flyer,
    detectors: Sequence[Any],
    steps: Which = None,
    *,
    after_s: float = 0.0,
    value: Mapping[str, object] | None = None,
    at_each: AtEach = read_at,
    md: Mapping[str, Any] | None = None,
) -> MsgGenerator[str]:
    """Fly, and read the detectors once in each of these steps. Returns the uid.

    steps, after_s  in which, and how long after its beginning, see `Flyer.steps`
    value           parameters of this run, as for `prepare`
    at_each         what is done in each of them, if it is more than one reading: a plan, within this run
    """

    @bpp.stage_decorator([*detectors, flyer])
    def staged() -> MsgGenerator[str]:
        yield from bps.prepare(flyer, value, wait=True)
        boundaries = flyer.steps(steps, after_s=after_s)
        boundaries.check()
        names = [detector.name for detector in detectors]
        known = {"detectors": names, "plan_name": "with_detectors_at", **flyer.md, **(md or {})}
        run = bpp.finalize_wrapper(flying(boundaries), lambda: collected(flyer))
        return (yield from bpp.run_wrapper(run, md=known))

    def flying(boundaries: Any) -> MsgGenerator[None]:
        yield from bps.kickoff(flyer, wait=True)
        yield from bps.checkpoint()
        while (step := (yield from boundaries.next())) is not None:
            yield from at_each(detectors, flyer, step)
            yield from bps.checkpoint()
        yield from bps.complete(flyer, wait=True)

    return (yield from staged())


def collected(flyer: Flyer) -> MsgGenerator[None]:
    """What a run came to, whatever ended it; if the plan ends before the run does, see `if_plan_ends`.

    Its steps as the stream NAME_steps, and its samples, if it is sealed, as NAME_samples.
    """
    if not flyer.has_run:
        return
    if flyer.goes_on or flyer.flight.is_left:
        group = f"the end of {flyer.name}"  # without one it would be waited for what has failed already, too
        stopping = bps.unstage(flyer, group=group, wait=True)
        yield from bpp.finalize_wrapper(stopping, lambda: _told(flyer))
    else:
        yield from _told(flyer)


def _told(flyer: Flyer) -> MsgGenerator[None]:
    yield from bps.collect(flyer)
    samples = flyer.samples
    if samples.file is not None:
        yield from bps.declare_stream(samples, name=samples.name, collect=True)
        yield from bps.collect(samples, name=samples.name)
