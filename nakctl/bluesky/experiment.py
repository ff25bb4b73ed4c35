"""What flies: a protocol on a channel, or a run that goes on already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from types import NoneType

from nakctl.bluesky.flyer import Flyer, IfPlanEnds
from nakctl.bluesky.ready import Ready, plan_of, to_begin, under_way
from nakctl.cli.one_run import Options
from nakctl.cli.prepare import Wishes, prepare
from nakctl.errors import InputError


class Experiment(Flyer):
    """A protocol on a channel.

    protocol       a file, or the name of a shipped one
    on, cell, params, rig, seed, note  as --on, --cell, --set, --rig, --seed and --note of `nakctl run`
    dry            on the simulator, whatever the rig says of the channel, as --dry
    name           of the device: keys of documents begin with it
    folder         where result files go
    speed          of a simulated channel, times as fast as real time
    if_plan_ends   what becomes of a run that goes on when its plan is over, however that came
    """

    def __init__(
        self,
        protocol: str | Path,
        *,
        on: str | None = None,
        cell: str | Path | None = None,
        params: Mapping[str, object] | None = None,
        dry: bool = False,
        name: str = "cell",
        folder: str | Path = ".",
        speed: float | None = None,
        if_plan_ends: IfPlanEnds = "stop",
        rig: str | Path | None = None,
        seed: int = 0,
        note: str = "",
    ) -> None:
        super().__init__(name, if_plan_ends)
        for word, given, kinds, right in (
            ("on", on, (str, NoneType), "the name of a channel"),
            ("cell", cell, (str, Path, NoneType), "the name of a cell, or its file"),
            ("dry", dry, (bool,), "True, or False"),
            ("speed", speed, (Real, NoneType), "a number above 0"),
            ("seed", seed, (Integral,), "a whole number"),
            ("note", note, (str,), "a text"),
        ):
            if not isinstance(given, kinds):
                raise InputError(f"{word}={given!r}: {right}")
        self._protocol, self._folder = str(protocol), Path(folder)
        self._wishes = Wishes(
            on, None if cell is None else str(cell), _texts("params", params or {}),
            None if rig is None else Path(rig), dry, sets_by="params",
        )  # fmt: skip
        self._options = Options(
            None, int(seed), None if speed is None else float(speed), note, as_json=False, quiet=True
        )

    def plan(self) -> str:
        """What would happen, as `nakctl plan` prints it. InputError and its kin: it cannot be read."""
        return plan_of(prepare(self._protocol, self._wishes))

    def _made_ready(self, value: Mapping[str, object]) -> Ready:
        """value: parameters of this run alone."""
        wishes = replace(self._wishes, sets={**self._wishes.sets, **_texts("prepare", value)})
        return to_begin(self._protocol, wishes, self._options, self._folder)


class RunUnderWay(Flyer):
    """A run that goes on already, whoever began it: a terminal, or a session of Bluesky that is gone.

    run  as `nakctl status` names it: its file, its channel, its id

    Its `kickoff` starts nothing, and its steps are told from its beginning.
    """

    def __init__(self, run: str | Path, *, name: str = "cell", if_plan_ends: IfPlanEnds = "go on") -> None:
        super().__init__(name, if_plan_ends)
        self._run = str(run)

    def _made_ready(self, value: Mapping[str, object]) -> Ready:
        return under_way(self._run)


def _texts(given_by: str, values: Mapping[str, object]) -> dict[str, str]:
    if not isinstance(values, Mapping):
        raise InputError(f"{given_by}: {values!r}: values by their names, such as {{'hold': '5 min'}}")
    return {str(name): str(value) for name, value in values.items()}
