"""Every word of a campaign, on one page. The docstrings are its schema.

Values of parameters are those of the protocols: what they may be, these tell when the runs are prepared.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Order = Literal["one after another", "together"]
OnFailure = Literal["stop", "go on"]
Text = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=1 << 63)]
# What can begin the name of a file, on every computer.
Stem = Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Word(BaseModel):
    """Nothing unknown passes, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunWords(Word):
    """Runs of one protocol: one for each cell, each combination of `each`, and each seed."""

    protocol: Text = Field(description="a file beside this one, or the name of a shipped protocol")
    cell: Text | Annotated[list[Text], Field(min_length=1)] | None = Field(
        None, description="of the rig, a simulated one, or its file beside this one; several: a run for each"
    )
    on: Text | None = Field(
        None, description="the channel; left out: where the rig says that the cell sits, or sim-sp300"
    )
    set: dict[str, Any] = Field({}, description="parameters that have another value than in the protocol")
    each: dict[str, Any] = Field(
        {}, description="a run for each value: [0.1 s, 1 s], or 0.1, 1, 2 s; of several: for each combination"
    )
    seed: Seed | Annotated[list[Seed], Field(min_length=1)] = Field(
        0, description="of simulated noise; several: a run for each"
    )
    may_end_by: Literal["limit"] | None = Field(
        None,
        description="limit: where a limit of the protocol ends the run, that is a result, and no failure",
    )
    name: Stem | None = Field(
        None, description="how the result files begin, in the place of protocol and `set`"
    )
    note: str = Field("", description="a sentence to keep in the files")


class CampaignWords(Word):
    """Runs that belong together: what runs where, in which order, and what happens when one of them fails."""

    version: Literal[1] = Field(alias="nakctl-campaign", description="1: of which language this file is")
    name: Text = Field(description="what it is about, in a line")
    source: str = Field("", description="where it comes from")
    about: str = Field("", description="what else there is to say")
    runs: Annotated[list[RunWords], Field(min_length=1)] = Field(description="a list: what runs where")
    order: Order = Field(
        "one after another",
        description=(
            "one after another, as they stand here; or together: a run on each channel at the same time, "
            "never two on one. Simulated channels without a clock run on all cores in either case"
        ),
    )
    on_failure: OnFailure = Field(
        "stop",
        description=(
            "stop: when a run fails no further one is begun; go on: others are, on its channel only if the "
            "cell was seen open"
        ),
    )
    out: Text | None = Field(
        None, description="folder of the results, from where one works; left out: named as this file"
    )
