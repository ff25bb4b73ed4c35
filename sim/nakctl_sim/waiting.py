"""Rows that a channel made and nobody fetched yet, in the order in which they were made."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from nakctl.device.channel import Notice, Rows, Visit
from nakctl_sim.executor.execution import ROWS_AT_ONCE
from nakctl_sim.potentiostat import Output


@dataclass(frozen=True, slots=True)
class Block:
    """What one read hands over. visit: that of its newest row; None: it has no rows."""

    samples: Rows
    points: Rows
    notices: tuple[Notice, ...]
    visit: Visit | None


class Waiting:
    def __init__(self) -> None:
        self._outputs: deque[Output] = deque()
        self.n_rows = 0

    def __bool__(self) -> bool:
        return bool(self._outputs)

    def add(self, output: Output) -> None:
        if len(output.samples) or len(output.points) or output.notices:
            self._outputs.append(output)
            self.n_rows += size(output)

    def take(self) -> Block:
        """The oldest: one output, and those behind it as long as they fit into one block with it."""
        taken: list[Output] = []
        room = ROWS_AT_ONCE
        while self._outputs and (not taken or size(self._outputs[0]) <= room):
            taken.append(self._outputs.popleft())
            room -= size(taken[-1])
            self.n_rows -= size(taken[-1])
        return block(taken)


def size(output: Output) -> int:
    return len(output.samples) + len(output.points)


def block(outputs: list[Output]) -> Block:
    """outputs: at least one."""
    return Block(
        samples=joined([each.samples for each in outputs]),
        points=joined([each.points for each in outputs]),
        notices=tuple(notice for each in outputs for notice in each.notices),
        visit=next((found for each in reversed(outputs) if (found := newest_visit(each)) is not None), None),
    )


def joined(parts: list[Rows]) -> Rows:
    """Most blocks are of one part: it is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, dtype=parts[0].dtype)


def newest_visit(output: Output) -> Visit | None:
    """Of the sample or the point that was made last."""
    kinds = ((output.samples, output.sample_starts_s), (output.points, output.point_starts_s))
    last = [
        (float(starts_s[-1]), int(rows["technique"][-1]), int(rows["passes"][-1]))
        for rows, starts_s in kinds
        if len(rows)
    ]
    if not last:
        return None
    start_s, technique, passes = max(last)
    return Visit(technique, passes, start_s)
