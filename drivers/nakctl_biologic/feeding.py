"""A chain that is longer than the channel holds, handed over while it runs: what is changed when.

One call changes one technique, of at most ten parameters, and only one that does not run: the slot was
passed, or lies behind a fence. In this order: the new fence, then what lies before it, from the last to the
first, and at last the fence that stands is made what belongs there. Each call may be made again, and whenever
it stops, a fence stands ahead.

From the last to the first, because a successor does not know where the fence stands that it found: whoever
was there before may have opened the one that is known, and have set another behind it. Whichever it is, all
behind it is as it should be when its turn comes to be opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nakctl.device.feeding import Ring, fence, ring_of
from nakctl.device.instrument import HEADROOM, Instrument
from nakctl.device.program import Eis, Loop, Segment, Tested, Timed
from nakctl.device.techniques import kind_of, level_of
from nakctl.text.numbers import si
from nakctl_biologic.codes import Board
from nakctl_biologic.flags import ranges_of
from nakctl_biologic.params import Loaded, load_as
from nakctl_biologic.places import Places
from nakctl_biologic.records import Param
from nakctl_biologic.rows import Block

MOST_PARAMS = 10  # of one call
ALONE = "I_Range"  # in a call of its own, as Matlab4Potentiostat has it
SOON_s = 1.0  # before a technique begins it is not touched any more: the instrument may have it already
EARLY_PART = 0.25  # of what a technique takes that may be over sooner
OLD_PART = 0.1  # of the way from the level before: so near to it a reading is one of it
REFUSALS = 3  # in a row, before it is taken for its word
# What makes a technique a fence, and no fence any more.
GATE = {"Current_step", "Voltage_step", "Duration_step", "Exit_Cond"}
GATE |= {f"Test{n}_{what}" for n in (1, 2) for what in ("Config", "Value")}

FIXED = {"E_Range", "Bandwidth", "Step_number", "N_Cycles", "tb", "xctr"}  # the same in all of a slot

Values = dict[tuple[str, int], Param]


@dataclass(frozen=True, slots=True)
class Call:
    """One BL_UpdateParameters: of what is to be in this place. opens: with it a fence is gone."""

    place: int
    slot: int
    entry: Loaded
    opens: bool = False


class Feeder:
    """Of one chain, from its load to its end.

    handed_over  so many techniques the channel has for certain; after a call that was not answered, and for a
                 successor, it may have more
    given_up     why nothing more is handed over; "": it is
    """

    def __init__(
        self, ring: Ring, segment: Segment, loaded: tuple[Loaded, ...], instrument: Instrument, board: Board
    ) -> None:
        self.ring, self.places = (
            ring,
            Places(ring, segment.techniques, board, [entry.extras for entry in loaded]),
        )
        self.handed_over, self.given_up = ring.first_fence, ""
        self._fence_at: int | None = ring.first_fence  # None: nobody knows for certain where one stands
        self._opened: set[int] = set()  # where one stood, and is gone if that was taken: rows have to tell
        self._techniques, self._loaded = segment.techniques, loaded
        self._instrument, self._board = instrument, board
        self._known: dict[int, Values] = {}  # what stands in a slot
        self._calls: list[Call] = []  # that are left of what is being handed over
        self._from = self._until = ring.first_fence  # the fence that goes with them, and the one that comes
        self._sure_from = 0  # the technique from which on all is known again
        self._refusals = 0

    @classmethod
    def of(
        cls,
        segment: Segment,
        loaded: tuple[Loaded, ...],
        instrument: Instrument,
        board: Board,
        length: int | None = None,
    ) -> Feeder | None:
        """None: the chain is loaded as it is. length: of the ring that is there."""
        ring = ring_of(segment.techniques, instrument, length)
        if ring is None:
            return None
        kinds = [_kind(entry) for entry in loaded]
        if any(kinds[at] != kinds[at % ring.period] for at in range(ring.total)):
            return None
        return cls(ring, segment, loaded, instrument, board)

    def chain(self) -> tuple[Loaded, ...]:
        """What is loaded: the ring with its first fence, and the loop."""
        slots = [*self._loaded[: self.ring.length]]
        at = self.ring.slot(self.handed_over)
        slots[at] = _with(slots[at], self._fence(self.handed_over))
        self._known = {place: _values(entry) for place, entry in enumerate(slots)}
        loop = Loop(0, self.ring.passes, passes=False)
        return (*slots, load_as(loop, self._instrument, self._board))

    # --- what comes from the channel -------------------------------------------------------------------

    def placed(self, block: Block) -> Block | None:
        """As `Places.placed`. What lies behind a fence shows that it is gone."""
        placed = self.places.placed(block, self._stands)
        newest = self.places.newest
        if self._calls and self._calls[0].opens and newest >= self._from:  # it was heard, and not answered
            self._has_opened()
        if self._fence_at is not None and newest >= self._sure_from:
            self.handed_over = self._fence_at
        if newest >= self.handed_over:
            self.handed_over = self.ring.fence_before(newest + self.ring.period + 1)
        self._opened = {place for place in self._opened if place > newest}
        return placed

    def _stands(self, place: int) -> bool | None:
        if place == self._fence_at:
            return True
        return False if place < self.handed_over and place not in self._opened else None

    def ends_before(self) -> int | None:
        """Of a chain that has stopped by itself: the technique whose place a fence had, if that was it;
        None: there was none, or it was that at the end of the chain."""
        place = self.places.newest + 1
        may_stand = place < self.ring.total and self.ring.is_fence(place)
        return place if may_stand and self._stands(place) is not False else None

    def strange(self, block: Block) -> str:
        """What is wrong with the first block of a technique, if it shows what was in its slot before; "":
        nothing that is known."""
        place, before = block.technique, block.technique - self.ring.length
        if not 0 <= before < self.ring.total - self.ring.length:
            return ""
        asked, old = level_of(self._techniques[place]), level_of(self._techniques[before])
        value, technique = self.places.value_of(block, place), self._techniques[place]
        assert not isinstance(technique, Loop)
        what = ""
        if abs(value - old) < OLD_PART * abs(asked - old):
            what = "technique"
        elif kind_of(technique).imposes == "I" and self._is_at_the_end(before, value, asked):
            what = "the current range of technique"
        said = f"{si(value, kind_of(technique).unit)} instead of {si(asked, kind_of(technique).unit)}"
        return what and f"did not take {what} {place + 1} of its chain, given to it while it ran: {said}"

    def _is_at_the_end(self, before: int, value_A: float, asked_A: float) -> bool:
        """Whether a current is the most that the range shows which was there before."""
        technique = self._techniques[before]
        assert not isinstance(technique, Loop)
        full_A = ranges_of(technique.hardware, self._instrument).current.full_A
        return abs(asked_A) > full_A and abs(value_A) < full_A * (1 + HEADROOM)

    # --- what goes to the channel ----------------------------------------------------------------------

    def due(self, elapsed_s: float, start_s: float) -> Call | None:
        """The call to make now; None: none. elapsed_s: on the channel's clock; start_s: when the newest
        technique began by that."""
        if self.given_up or self.places.fence is not None:
            return None
        running_s = elapsed_s - start_s
        if not self._calls:
            self._plan(running_s)
        if self._calls and self._is_late(self._calls[0], running_s):
            self._be_late()
        return self._calls[0] if self._calls else None

    @property
    def is_handing_over(self) -> bool:
        """Whether calls are left of what was begun."""
        return bool(self._calls)

    def answered(self, call: Call) -> None:
        """It was taken."""
        self._refusals = 0
        self._known.setdefault(call.slot, {}).update(_values(call.entry))
        if call.opens:
            self._has_opened()
        else:
            self._calls.remove(call)

    def unheard(self, call: Call) -> None:
        """It was not answered, and may have been heard: it is made again."""
        self._known.pop(call.slot, None)
        if call.opens:
            self._fence_at = None

    def refused(self, why: str) -> None:
        """It is made again, for a while."""
        self._refusals += 1
        if self._refusals >= REFUSALS:
            self.given_up = f"it refuses that ({why})"

    def _has_opened(self) -> None:
        self._calls.clear()
        if self._from <= self.handed_over:
            self.handed_over = self._until
        else:
            self._sure_from = self._from
        self._opened.add(self._from)
        self._fence_at = self._until

    def _is_late(self, call: Call, running_s: float) -> bool:
        """While nobody knows where the fence stands, it may be in any place that is written."""
        return (call.opens or self._fence_at is None) and not self._is_far(call.place, running_s)

    def _be_late(self) -> None:
        self._calls.clear()
        if self._fence_at is not None:
            self.given_up = "its host was late"

    def _plan(self, running_s: float) -> None:
        """Hand over as much as has room. running_s: of the newest technique."""
        ring, first = self.ring, self._fence_at
        until = ring.fence_before(max(self.places.newest, 0) + ring.length)
        if first is None:  # the next one that can still be told: those before may be open, or are not
            first = self.handed_over
            while first < until and not self._is_far(first, running_s):
                first += ring.period
        if first >= until:
            return
        if not self._is_far(first, running_s):
            self._be_late()
            return
        self._from, self._until = first, until
        made = self._fence(until)
        file = self._loaded[until - ring.period].file
        self._calls = [Call(until, ring.slot(until), Loaded(file, None, made))]
        for place in range(until - 1, first - 1, -1):
            self._calls += self._writes(place)
        self._calls[-1] = replace(self._calls[-1], opens=True)

    def _writes(self, place: int) -> Iterator[Call]:
        """What makes a slot the technique of this place: what is not as it should be, or not known, and last,
        where a fence may stand, what stops there. What is the same in all that had their turn in a slot is
        not sent."""
        entry, slot = self._loaded[place], self.ring.slot(place)
        known = self._known.get(slot, {})
        wanted = [
            each
            for each in entry.params
            if each.label not in FIXED and known.get((each.label, each.index)) != each
        ]
        gate = [each for each in entry.params if each.label in GATE] if self.ring.is_fence(place) else []
        alone = [each for each in wanted if each.label == ALONE]
        others = [each for each in wanted if each.label != ALONE and each not in gate]
        parts = [alone, *(others[at : at + MOST_PARAMS] for at in range(0, len(others), MOST_PARAMS)), gate]
        return (Call(place, slot, Loaded(entry.file, None, tuple(part))) for part in parts if part)

    def _fence(self, place: int) -> tuple[Param, ...]:
        """The parameters that make a fence."""
        made = fence(self._techniques, self.ring, place, self._instrument.longest_s)
        entry = load_as(made, self._instrument, self._board)
        return tuple(each for each in entry.params if each.label in GATE)

    def _is_far(self, place: int, running_s: float) -> bool:
        """Whether the technique before this place does not begin soon, however fast the others are over."""
        left_s = -running_s
        for at in range(max(self.places.newest, 0), place - 1):
            left_s += self._least_s(at)
            if left_s >= SOON_s:
                return True
        return False

    def _least_s(self, place: int) -> float:
        """Of a technique, as a rule. A cutoff may end it sooner."""
        technique = self._techniques[place]
        if isinstance(technique, Eis):
            each_s = technique.average * self._instrument.eis_s_per_average
            return technique.hold_s + EARLY_PART * technique.n_frequencies * each_s
        assert isinstance(technique, Timed)
        leads_on = isinstance(technique, Tested) and technique.on_test == "next" and technique.tests
        return technique.duration_s * (EARLY_PART if leads_on else 1.0)

    # --- for whoever goes on with the chain ------------------------------------------------------------

    def memo(self) -> dict[str, Any]:
        """As JSON values."""
        sure = min([self.handed_over, *self._opened])
        return {"ring": self.ring.length, "sure": sure, "given_up": self.given_up} | self.places.memo()

    def recall(self, memo: Mapping[str, Any]) -> None:
        """Be as the one was who made the memo, and not certain how far it came after that. KeyError,
        TypeError, ValueError: it is none."""
        self.places.recall(memo)
        self.handed_over, self.given_up = int(memo["sure"]), str(memo["given_up"])
        self.be_uncertain()

    def be_uncertain(self) -> None:
        """Somebody else handed over this much, and maybe more."""
        self._fence_at = None
        self._opened.clear()
        self._known.clear()
        self._calls.clear()


def _kind(entry: Loaded) -> object:
    """What no call changes."""
    fixed = {each for each in entry.params if each.label in FIXED}
    return entry.file, fixed, {(each.label, each.index) for each in entry.params}


def _values(entry: Loaded) -> Values:
    return {(each.label, each.index): each for each in entry.params}


def _with(entry: Loaded, params: tuple[Param, ...]) -> Loaded:
    """The same with some other parameters."""
    changed = {(each.label, each.index): each for each in params}
    made = tuple(changed.get((each.label, each.index), each) for each in entry.params)
    return replace(entry, params=made)
