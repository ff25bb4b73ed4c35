"""Which notices wait, for whom, and when they are tried: pure, every time is given. Kept as one JSON object.

The first of a kind goes out at once; more of the same kind (run, event, code) within TOGETHER_s go together.
What ends or loses a run goes at once, and takes along what was held back. A notice that could not be sent is
tried again with growing pauses, the end of a run for a day, anything else for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nakctl.notify.notice import Notice

TOGETHER_s = 600.0
PAUSES_s = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # between two tries; the last one again and again
TRIED_FOR_s, END_TRIED_FOR_s = 3600.0, 86400.0
MOST_LETTERS = 200
_AT_ONCE = ("start", "end", "dead", "hung", "taken over")
_LASTING = ("end", "dead")


@dataclass(frozen=True, slots=True)
class WayTold:
    """A way of the rig, without its secrets, see `nakctl.rig.notify`. channels None: all."""

    number: int
    kind: str
    label: str
    on: tuple[str, ...]
    channels: tuple[str, ...] | None

    def wants(self, notice: Notice) -> bool:
        return notice.event in self.on and (self.channels is None or notice.channel in self.channels)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> WayTold:
        channels = told["channels"]
        return cls(
            int(told["number"]), str(told["kind"]), str(told["label"]), tuple(told["on"]),
            None if channels is None else tuple(channels),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice on one way; number 0: which ways there are is not known yet.

    first_s, next_s  when it was tried first (or came), and when it is next; tries: so far
    """

    rig: str
    notice: Notice
    number: int = 0
    kind: str = ""
    label: str = ""
    first_s: float = 0.0
    next_s: float = 0.0
    tries: int = 0

    @property
    def key(self) -> str:
        """By which the log tells whether it was sent."""
        return f"{self.notice.id}/{self.number}"

    @property
    def lane(self) -> tuple[str, int]:
        """Only one at a time goes by a way."""
        return self.rig, self.number

    @property
    def tried_for_s(self) -> float:
        return END_TRIED_FOR_s if self.notice.event in _LASTING else TRIED_FOR_s


@dataclass(slots=True)
class _Held:
    """More of a kind that was told at until_s - TOGETHER_s."""

    until_s: float
    rig: str
    count: int = 0
    last: Notice | None = None


@dataclass(slots=True)
class Outbox:
    letters: list[Letter] = field(default_factory=list)
    held: dict[str, _Held] = field(default_factory=dict)

    # --- what comes in -----------------------------------------------------------------------------------

    def take(self, rig: str, notices: Iterable[Notice], now_s: float) -> None:
        """rig "": there is nobody to tell."""
        for notice in notices if rig else ():
            if notice.event in _AT_ONCE:
                self._write(rig, self._with_held(notice), now_s)
                continue
            kind = f"{notice.run_id}|{notice.event}|{notice.code}"
            held = self.held.get(kind)
            if held is None:
                self.held[kind] = _Held(now_s + TOGETHER_s, rig)
                self._write(rig, notice, now_s)
            else:
                held.count, held.last = held.count + 1, notice

    def _with_held(self, notice: Notice) -> Notice:
        """What was held back of the run goes with it."""
        mine = [kind for kind in self.held if kind.startswith(f"{notice.run_id}|")]
        if notice.event not in _LASTING or notice.code:
            return notice
        lines = [
            f"  {held.count} more: {held.last.title}"
            for held in map(self.held.pop, mine)
            if held.last is not None
        ]
        if not lines:
            return notice
        return replace(notice, text="\n".join([notice.text, "", "Not told yet:", *lines]))

    def turn(self, now_s: float) -> None:
        """What was held back for long enough goes out."""
        for kind, held in list(self.held.items()):
            if now_s < held.until_s <= now_s + TOGETHER_s:  # later: the clock was set back
                continue
            if held.last is None:
                del self.held[kind]
                continue
            more = f"({held.count} of this kind within {TOGETHER_s / 60:g} min; this is the last one)"
            told = replace(held.last, text=f"{held.last.text}\n\n{more}") if held.count > 1 else held.last
            self._write(held.rig, told, now_s)
            self.held[kind] = _Held(now_s + TOGETHER_s, held.rig)

    def _write(self, rig: str, notice: Notice, now_s: float) -> None:
        self.letters.append(Letter(rig, notice, first_s=now_s, next_s=now_s))

    def overflow(self) -> list[Letter]:
        """Takes out what is too much, the oldest first; the end of a run stays longest."""
        too_many = len(self.letters) - MOST_LETTERS
        if too_many <= 0:
            return []
        order = sorted(range(len(self.letters)), key=lambda n: self.letters[n].notice.event in _LASTING)
        gone = set(order[:too_many])
        out = [letter for n, letter in enumerate(self.letters) if n in gone]
        self.letters = [letter for n, letter in enumerate(self.letters) if n not in gone]
        return out

    # --- what goes out -----------------------------------------------------------------------------------

    def address(self, rig: str, ways: Iterable[WayTold], now_s: float) -> None:
        """Now it is known who is to be told by this rig."""
        ways = list(ways)
        self.letters = [new for letter in self.letters for new in _addressed(letter, rig, ways, now_s)]

    def rigs(self, now_s: float) -> list[str]:
        """Whose ways have to be asked for."""
        return list(dict.fromkeys(each.rig for each in self._due(now_s) if each.number == 0))

    def due(self, now_s: float, busy: Iterable[tuple[str, int]] = ()) -> Iterator[Letter]:
        """Letters to be tried now, one per way. busy: ways on which one is under way."""
        taken = set(busy)
        for letter in self._due(now_s):
            if letter.number and letter.lane not in taken:
                taken.add(letter.lane)
                yield letter

    def _due(self, now_s: float) -> Iterator[Letter]:
        for letter in self.letters:
            if letter.next_s <= now_s or letter.next_s > now_s + PAUSES_s[-1]:  # the clock was set back
                yield letter

    def sent(self, letter: Letter) -> None:
        self.letters = [each for each in self.letters if each.key != letter.key]

    def failed(self, letter: Letter, now_s: float) -> bool:
        """Tried again later; False: no more."""
        pause_s = PAUSES_s[min(letter.tries, len(PAUSES_s) - 1)]
        gives_up = now_s + pause_s - letter.first_s > letter.tried_for_s
        again = replace(letter, tries=letter.tries + 1, next_s=now_s + pause_s)
        self.letters = [
            again if each.key == letter.key else each
            for each in self.letters
            if not (gives_up and each.key == letter.key)
        ]
        return not gives_up

    # --- kept --------------------------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        return {
            "letters": [asdict(letter) for letter in self.letters],
            "held": {kind: asdict(held) for kind, held in self.held.items()},
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Outbox:
        letters = [Letter(**{**each, "notice": Notice.from_json(each["notice"])}) for each in told["letters"]]
        held = {
            kind: _Held(**{**each, "last": each["last"] and Notice.from_json(each["last"])})
            for kind, each in told["held"].items()
        }
        return cls(letters, held)


def _addressed(letter: Letter, rig: str, ways: list[WayTold], now_s: float) -> list[Letter]:
    if letter.number or letter.rig != rig:
        return [letter]
    return [
        replace(letter, number=way.number, kind=way.kind, label=way.label, next_s=now_s, tries=0)
        for way in ways
        if way.wants(letter.notice)
    ]
