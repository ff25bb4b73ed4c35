"""Can a run end as it is expected to?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nakctl.checks.findings import Finding, error
from nakctl.device.ends import End
from nakctl.device.program import Program
from nakctl.errors import Mark
from nakctl.protocol.expect import COMPLETED, ENDS, end_text, is_end
from nakctl.protocol.model import Expect
from nakctl.text.sentences import did_you_mean

_ALWAYS = (COMPLETED, "all steps done", "limit", "timeout")
_LACKS = {
    "rule": ("no short ends this run", "say under stop_when what counts as one, or expect another end"),
    "cutoff": (
        "no `until` ends this run",
        "write `then: end run` beside its condition, or expect another end",
    ),
}


def check_expected(expected: Iterable[tuple[Mark, Expect]], program: Program) -> tuple[Finding, ...]:
    """Ends that the program does not have. expected: of these parameters, and where `ends` stands."""
    ends = [end for end in program.ends if end.then == "end run"]
    found = [
        finding
        for mark, expect in expected
        for wanted in ([expect.ends] if isinstance(expect.ends, str) else expect.ends or ())
        for finding in _end(wanted, mark, ends)
    ]
    return tuple(dict.fromkeys(found))


def _end(wanted: str, mark: Mark, ends: list[End]) -> Iterator[Finding]:
    plain = end_text(wanted)
    if plain in _ALWAYS:
        return
    if plain in ENDS:
        if not any(end.kind == ENDS[plain] for end in ends):
            message, help = _LACKS[ENDS[plain]]
            yield error("expected-end", mark, f"{wanted}: {message}", help)
    elif not any(is_end(wanted, end.sentence) for end in ends):
        named = list(dict.fromkeys(end.sentence for end in ends))
        known = [*_ALWAYS, *(word for word in ENDS if word not in _ALWAYS), *named]
        hint = did_you_mean(plain, known) or ";"
        listed = ", ".join(dict.fromkeys([COMPLETED, "all steps done", "limit", *named]))
        yield error(
            "expected-end",
            mark,
            f"{wanted or '(nothing)'}: no run of this protocol ends so{hint} it may end by: {listed}",
        )
