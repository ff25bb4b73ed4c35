"""What people ask of a run that goes on, as its loop hears it: by a signal, or through its mailbox.

Thin: what an end at a boundary means is decided in `decide.after`. Every request is an entry of the record,
with the answer that it got; a request that the record has already is not heard twice.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from typing import get_args

from nakctl.booking.ending import Ending
from nakctl.booking.entry import Entry
from nakctl.decide import after
from nakctl.decide.after import After, Place, Wish
from nakctl.decide.engine import EngineState, Event
from nakctl.device.channel import Visit
from nakctl.device.program import Eis, Program, Segment, segments
from nakctl.record.asked import Answer, Request
from nakctl.run.logbook import Logbook
from nakctl.run.postman import Post

MOST_AT_ONCE = 4  # in one round, which has a limit to keep
TELL_EVERY_s = 10.0  # what was refused is told together


@dataclass(frozen=True, slots=True)
class Heard:
    """What a run was asked for before, so far as it still counts: with this a successor goes on.

    ids     of requests that are not to be heard again
    wishes  ends that are waited for; reason: why it was to end at once, if it was
    """

    ids: frozenset[str] = frozenset()
    wishes: tuple[Wish, ...] = ()
    reason: str | None = None

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Heard:
        """As the journal tells."""
        ids: set[str] = set()
        wishes: list[Wish] = []
        reason: str | None = None
        for told in (entry.facts for entry in entries if entry.kind == "asked"):
            ids.add(told.get("id", ""))
            if told["verb"] == "withdraw":
                wishes.clear()
            elif "place" in told:
                wishes.append(Wish(told["after"], told["who"], Place(*told["place"])))
            elif told["verb"] == "stop" and "after" not in told:
                reason = reason or told.get("reason") or _stopped_by(told["who"])
        return cls(frozenset(ids), tuple(wishes), reason)


class Requests:
    """Of one run. signals: the reason of whoever ends it by a signal, or None.

    wishes  the ends that somebody asked for, at a boundary that has not come yet
    """

    def __init__(
        self,
        program: Program,
        logbook: Logbook,
        post: Post,
        signals: Callable[[], str | None],
        heard: Heard = Heard(),
    ) -> None:
        self.program, self.logbook, self.post, self.signals = program, logbook, post, signals
        self.known = set(heard.ids)
        self.wishes: list[Wish] = list(heard.wishes)
        self._reason = heard.reason
        self._waiting: deque[Request] = deque()
        self._stops: list[str] = []  # who asked for these wants to know what became of the cell
        self._trouble, self._refused_told_s = "", -math.inf

    # --- hearing ---------------------------------------------------------------------------------------

    def stop_asked(self) -> str | None:
        """Why the run is to end now, if somebody wants that."""
        for request in self.post.taken():
            if request.is_stop:
                self._stop(request)
            else:
                self._waiting.append(request)
        if self._reason is None and (reason := self.signals()) is not None:
            self._reason = reason
            self.logbook.asked("stop", "operator", reason=reason)
        return self._reason

    def hear(self) -> None:
        """What else was asked for; some of it, if it is much."""
        for _ in range(min(MOST_AT_ONCE, len(self._waiting))):
            request = self._waiting.popleft()
            if self._is_new(request):
                self._take(request)
        self._tell_trouble()

    def over(self, ending: Ending, cell_open: bool) -> None:
        """The run has ended: whoever waits for that is told."""
        self.stop_asked()
        self._reason = self._reason or ending.reason
        while self._waiting:
            self.hear()
        for request_id in self._stops:
            self.post.answer(Answer(request_id, "done", ending.reason, cell_open))

    def _is_new(self, request: Request) -> bool:
        if request.id in self.known:
            self.post.answer(Answer(request.id, "done", "it was heard before"))
            return False
        self.known.add(request.id)
        return True

    def _stop(self, request: Request) -> None:
        if not self._is_new(request):
            return
        self._stops.append(request.id)
        if self._reason is None:
            self._reason = _stopped_by(request.who)
            self._answer(request, Answer(request.id, "waits", "the channel is being stopped"))
        else:
            self._answer(request, Answer(request.id, "waits", f"it is being stopped already: {self._reason}"))

    def _take(self, request: Request) -> None:
        if request.verb == "note":
            self._answer(request, Answer(request.id, "done", "the note is kept"))
        elif self._reason is not None:
            self._answer(request, Answer(request.id, "refused", f"the run is ending: {self._reason}"))
        elif request.verb == "withdraw":
            self._withdraw(request)
        else:
            self._stop_after(request)

    def _stop_after(self, request: Request) -> None:
        boundary = next((each for each in get_args(After) if each == request.arguments["after"]), None)
        if boundary is None:
            text = f"after what? One of {', '.join(after.BOUNDARIES)}"
            self._answer(request, Answer(request.id, "refused", text))
            return
        if boundary == "spectrum" and not self._has_spectra():
            self._answer(request, Answer(request.id, "refused", "this run measures no spectrum"))
            return
        place: Place | None = None
        if not any(wish.after == boundary for wish in self.wishes):
            place = self._place()
            self.wishes.append(Wish(boundary, request.who, place))
        told = ", or ".join(f"after {wish.told(self.program)} ({wish.who})" for wish in self.wishes)
        sooner = "whichever is sooner" if len(self.wishes) > 1 else "or at its own end if that is sooner"
        self._answer(request, Answer(request.id, "waits", f"the run will end {told}, {sooner}"), place)

    def _withdraw(self, request: Request) -> None:
        text = "the run goes on as planned" if self.wishes else "the run was not to end before its time"
        self.wishes.clear()
        self._answer(request, Answer(request.id, "done", text))

    def _answer(self, request: Request, answer: Answer, place: Place | None = None) -> None:
        """First to the record. place: from which on an end is waited for."""
        where = {} if place is None else {"place": astuple(place)}
        self.logbook.asked(
            request.verb,
            request.who,
            id=request.id,
            when=request.when,
            answer=answer.text,
            **request.arguments,
            **where,
        )
        self.post.answer(answer)

    def _tell_trouble(self) -> None:
        trouble = self.post.trouble
        if trouble and trouble != self._trouble:
            self.logbook.note(1, "requests", f"requests cannot be taken: {trouble}")
        elif not trouble and self._trouble:
            self.logbook.note(0, "requests", "requests are taken again")
        self._trouble = trouble
        now_s = self.logbook.now_s()
        if now_s - self._refused_told_s >= TELL_EVERY_s and (refused := self.post.refused()) is not None:
            self._refused_told_s = now_s
            many = "one request was" if refused.count == 1 else f"{refused.count} requests were"
            self.logbook.note(1, "requests", f"{many} refused: {refused.first}", {"count": refused.count})

    # --- ends at a boundary ----------------------------------------------------------------------------

    def met(self, segment: Segment, visit: Visit | None) -> Ending | None:
        """The end that the rows so far ask for."""
        if not self.wishes:
            return None
        return after.met(self.program, self.wishes, self._place(), segment, visit)

    def instead(self, state: EngineState, event: Event) -> Event:
        """What the engine gets to know instead of an event: nothing is started behind the boundary."""
        if not self.wishes:
            return event
        return after.instead(
            self.program, state, event, self.wishes, after.place_of(self.logbook.book.ledger)
        )

    def _place(self) -> Place:
        """Where the run is; in a chain that has no row yet, at its beginning."""
        book = self.logbook.book
        place = after.place_of(book.ledger)
        if book.coming is None:
            return place
        segment, new_cycle = book.coming
        return after.entered(self.program, place, segment, new_cycle=new_cycle)

    def _has_spectra(self) -> bool:
        chains = segments(self.program.nodes)
        return any(isinstance(each, Eis) for segment in chains for each in segment.techniques)


def _stopped_by(who: str) -> str:
    return f"stopped by {who}"
