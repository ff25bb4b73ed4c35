"""What people ask of a run that goes on, as its loop hears it: by a signal, or through its mailbox.

Thin: what an end at a boundary means is decided in `decide.after`. Every request is an entry of the record,
with the answer that it got; a request that the record has already is not heard twice.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, replace

from nakctl.booking.ending import Ending
from nakctl.booking.entry import Entry, Kind
from nakctl.decide import after
from nakctl.decide.after import BOUNDARIES, After, Place, Verb, Wish
from nakctl.decide.engine import EngineState, Event, Phase
from nakctl.device.channel import Visit
from nakctl.device.program import Eis, Program, Segment, segments
from nakctl.record.asked import Answer, Request
from nakctl.run.logbook import Logbook
from nakctl.run.postman import Post

MOST_AT_ONCE = 4  # in one round, which has a limit to keep
SOONER: Mapping[Verb, str] = {
    "stop": "or at its own end if that is sooner",
    "pause": "if something follows there",
}
TELL_EVERY_s = 10.0  # what was refused is told together


HEARD_IN: tuple[Kind, ...] = ("asked", "program")  # entries that tell what was asked, and what came of it


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
        """As the journal tells. entries: in their order, those HEARD_IN at least."""
        ids: set[str] = set()
        wishes: list[Wish] = []
        reason: str | None = None
        for entry in entries:
            told = entry.facts
            if entry.kind == "program":
                wishes = _still_waiting(wishes, "pause" if told["waits"] else "skip")
            if entry.kind != "asked":
                continue
            ids.add(told.get("id", ""))
            if told["verb"] == "withdraw":
                wishes.clear()
            elif told.get("withdrawn"):
                wishes = _still_waiting(wishes, "pause")
            elif "place" in told:
                after_, why = told.get("after", "now"), told.get("why", "")
                wishes.append(Wish(after_, told["who"], Place(*told["place"]), told["verb"], why))
            elif told["verb"] == "stop" and "after" not in told:
                reason = reason or told.get("reason") or _stopped_by(told["who"])
        return cls(frozenset(ids), tuple(wishes), reason)


class Requests:
    """Of one run. signals: the reason of whoever ends it by a signal, or None.

    wishes  the ends, pauses and skipped steps that somebody asked for, and that have not come yet
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
        self._pauses: list[str] = []  # as well
        self._resumed = ""  # by whom
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

    def hear(self, state: EngineState) -> None:
        """What else was asked for; some of it, if it is much."""
        for _ in range(min(MOST_AT_ONCE, len(self._waiting))):
            request = self._waiting.popleft()
            if self._is_new(request):
                self._take(request, state)
        self._tell_trouble()

    def resumed(self) -> str:
        """By whom a run that is paused was resumed since the last time, "": by nobody."""
        who, self._resumed = self._resumed, ""
        return who

    def came(self, verb: Verb, ending: Ending) -> None:
        """What somebody asked for is done: a step was skipped, or the run pauses with its cell open."""
        self.wishes = _still_waiting(self.wishes, verb)
        if verb == "pause":
            for request_id in self._pauses:
                self.post.answer(Answer(request_id, "done", ending.reason, True))
            self._pauses.clear()

    def over(self, ending: Ending, cell_open: bool) -> None:
        """The run has ended: whoever waits for that is told."""
        self.stop_asked()
        self._reason = self._reason or ending.reason
        while self._waiting:
            self.hear(EngineState(Phase.ENDED))
        for request_id in self._stops + self._pauses:
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

    def _take(self, request: Request, state: EngineState) -> None:
        if request.verb == "note":
            self._answer(request, Answer(request.id, "done", "the note is kept"))
        elif self._reason is not None:
            self._answer(request, Answer(request.id, "refused", f"the run is ending: {self._reason}"))
        elif request.verb == "withdraw":
            self._withdraw(request)
        elif request.verb == "resume":
            self._resume(request, state)
        elif state.phase is Phase.PAUSED and request.verb != "stop":
            text = "the run is paused already" if request.verb == "pause" else "the run is paused"
            self._refuse(request, f"{text}: nakctl resume goes on with it, nakctl stop ends it")
        elif request.verb == "skip":
            self._skip(request, state)
        else:
            self._wish(request)

    def _wish(self, request: Request) -> None:
        """An end or a pause at a boundary; without one a pause is made now."""
        boundary: After | None = "now" if request.verb == "pause" else None
        if "after" in request.arguments:
            boundary = next((each for each in BOUNDARIES if each == request.arguments["after"]), None)
        if boundary is None:
            self._refuse(request, f"after what? One of {', '.join(BOUNDARIES)}")
            return
        if boundary == "spectrum" and not self._has_spectra():
            self._refuse(request, "this run measures no spectrum")
            return
        place, verb = None, _verb_of(request)
        if not any((wish.after, wish.verb) == (boundary, verb) for wish in self.wishes):
            place = self._place()
            self.wishes.append(Wish(boundary, request.who, place, verb, request.arguments.get("why", "")))
        if boundary == "now":
            self._pauses.append(request.id)
            self._answer(request, Answer(request.id, "waits", "the channel is being stopped"), place)
        else:
            self._answer(request, Answer(request.id, "waits", self._what_waits()), place)

    def _what_waits(self) -> str:
        """As a sentence, ends before pauses."""
        said = []
        for verb, does in (("stop", "end"), ("pause", "pause")):
            told = [
                f"after {wish.told(self.program)} ({wish.who})"
                for wish in self.wishes
                if wish.verb == verb and wish.after != "now"
            ]
            if told:
                said.append(f"{does} {', or '.join(told)}")
        sooner = "whichever is sooner" if len(self.wishes) > 1 else SOONER[self.wishes[0].verb]
        return f"the run will {', or '.join(said)}, {sooner}"

    def _skip(self, request: Request, state: EngineState) -> None:
        if state.phase is Phase.STOPPING and state.ending is not None:
            self._refuse(request, f"the step is ending already: {state.ending.reason}")
            return
        if any(wish.verb == "skip" for wish in self.wishes):
            self._refuse(request, "the step is being skipped already")
            return
        place = self._place()
        if not place.step_id:
            self._refuse(request, "no step has begun that could be skipped")
            return
        self.wishes.append(Wish("now", request.who, place, "skip", request.arguments.get("why", "")))
        label = self.program.step(place.step_id).label
        self._answer(request, Answer(request.id, "done", f"step {label} is being skipped"), place)

    def _resume(self, request: Request, state: EngineState) -> None:
        if state.phase is Phase.PAUSED and not self._resumed:
            self._resumed = request.who
            self._answer(request, Answer(request.id, "done", "the run goes on"), resumed=True)
        elif any(wish.verb == "pause" for wish in self.wishes):
            self._take_back_pauses()
            text = "the run was not paused yet, and goes on without a pause"
            self._answer(request, Answer(request.id, "done", text), withdrawn=True)
        else:
            goes_on = "is being resumed already" if self._resumed else "is not paused"
            self._refuse(request, f"the run {goes_on}")

    def _withdraw(self, request: Request) -> None:
        waits = [wish for wish in self.wishes if wish.verb != "skip"]
        text = "the run goes on as planned" if waits else "the run was not to end before its time"
        self._take_back_pauses()
        self.wishes.clear()
        self._answer(request, Answer(request.id, "done", text))

    def _take_back_pauses(self) -> None:
        self.wishes = _still_waiting(self.wishes, "pause")
        for request_id in self._pauses:
            self.post.answer(Answer(request_id, "refused", "it was taken back before it came to that"))
        self._pauses.clear()

    def _refuse(self, request: Request, text: str) -> None:
        self._answer(request, Answer(request.id, "refused", text))

    def _answer(self, request: Request, answer: Answer, place: Place | None = None, **facts: bool) -> None:
        """First to the record. place: from which on something is waited for."""
        where = {} if place is None else {"place": astuple(place)}
        self.logbook.asked(
            request.verb,
            request.who,
            id=request.id,
            when=request.when,
            answer=answer.text,
            **request.arguments,
            **where,
            **facts,
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
        place = self._place()
        self.wishes = [wish for wish in self.wishes if not after.is_too_late(wish, place)]
        return after.met(self.program, self.wishes, place, segment, visit)

    def instead(self, program: Program, state: EngineState, event: Event) -> Event:
        """What the engine gets to know instead of an event: nothing is started behind the boundary. program:
        the one in force.
        """
        if not self.wishes:
            return event
        ledger = self.logbook.book.ledger
        place, known = after.place_of(ledger), ledger.last_times()
        return after.instead(program, state, event, self.wishes, place, known)

    def in_time(self, ending: Ending) -> Ending:
        """That of a chain that was cut. The step to be skipped may have come to its own end meanwhile."""
        place = self._place()
        if ending.kind != "skipped" or not any(after.is_too_late(wish, place) for wish in self.wishes):
            return ending
        return replace(ending, then="go on", reason="the step was over before it was skipped")

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


def _verb_of(request: Request) -> Verb:
    return "pause" if request.verb == "pause" else "stop"


def _still_waiting(wishes: Iterable[Wish], came: Verb) -> list[Wish]:
    return [wish for wish in wishes if wish.verb != came]


def _stopped_by(who: str) -> str:
    return f"stopped by {who}"
