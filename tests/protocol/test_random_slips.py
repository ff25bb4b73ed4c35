"""Shipped protocols, broken at random: a ProtocolError with places inside the file, or nothing at all."""

from __future__ import annotations

import re
from functools import cache

from hypothesis import event, given, settings
from hypothesis import strategies as st

from nakctl.errors import Fault, ProtocolError
from nakctl.protocol import library
from nakctl.protocol.load import understand
from nakctl.text.reader import Loc, read_text

OFTEN = settings(max_examples=150)
VALUES = """3|-1|0 s|3 V|-3 mA/cm2|5 parsecs|true|null|[1, 2]|{a: 1}|[]|{}|$level|$nothing|1e999|'|"|&a x|*a
!t x|on|1:30||[1, 2] mA|{|rest|operando""".replace("\n", "|").split("|")
CHARACTERS = "\t\x00:{}[],#&*!|>'\"%@`$-?\n 0aµ\u2028\ufeff"


@cache
def source(name: str) -> str:
    return library.find(name).read_text(encoding="utf-8")


def faults_of(text: str) -> tuple[Fault, ...]:
    """Also asserts what holds for every slip: a sentence each, inside the file, in order, without jargon."""
    try:
        understand(read_text(text, "p.yaml", ProtocolError), {})
    except ProtocolError as error:
        faults = error.faults
    else:
        return ()
    assert faults
    lines = text.split("\n")
    assert [fault.mark for fault in faults] == sorted(fault.mark for fault in faults)
    for fault in faults:
        assert 1 <= fault.mark.line <= len(lines)
        assert 1 <= fault.mark.column <= len(lines[fault.mark.line - 1]) + 1
        assert fault.message
        assert not any(
            jargon in fault.message for jargon in ("Input should", "permitted", "BaseModel", "tagged")
        )
    return faults


@cache
def word_lines(text: str) -> dict[int, Loc]:
    """Lines (from 0) that begin with a word, and what it is: where one slip is made."""
    found: dict[int, Loc] = {}
    for loc, place in read_text(text, "p.yaml").places.items():
        if loc and isinstance(loc[-1], str):
            found.setdefault(place.key.line - 1, loc)
    return found


def is_free(loc: Loc) -> bool:
    """Names of parameters and sweeps are anybody's; a wrong one is found where it is used."""
    return len(loc) == 2 and loc[0] in ("params", "spectra")


protocols = st.sampled_from(library.names()).map(source)


@OFTEN
@given(protocols, st.data())
def test_another_value(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    i = data.draw(st.sampled_from(sorted(word_lines(text))))
    word = lines[i].partition(":")[0]
    lines[i] = f"{word}: {data.draw(st.sampled_from(VALUES))}"
    faults = faults_of("\n".join(lines))
    event("refused" if faults else "accepted")


@OFTEN
@given(protocols, st.data())
def test_any_characters_anywhere(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 20))
    faults_of(text[:start] + data.draw(st.text(CHARACTERS, max_size=5)) + text[start + length :])


@OFTEN
@given(protocols, st.data())
def test_lines_deleted_doubled_moved_and_cut(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["delete", "double", "swap", "cut", "indent"])):
            case "delete" if len(lines) > 1:
                del lines[i]
            case "double":
                lines.insert(i, lines[i])
            case "swap":
                lines[i], lines[-1 - i] = lines[-1 - i], lines[i]
            case "cut":
                lines[i] = lines[i][: data.draw(st.integers(0, len(lines[i])))]
            case _:
                lines[i] = " " + lines[i]
    faults_of("\n".join(lines))


@OFTEN
@given(protocols, st.data())
def test_a_misspelt_word_is_found_on_its_line(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    i = data.draw(st.sampled_from([i for i, loc in word_lines(text).items() if not is_free(loc)]))
    word = str(word_lines(text)[i][-1])
    wrong = data.draw(st.sampled_from([word + "x", word[:-1] + "q", "x" + word, word.swapcase()]))
    lines[i] = lines[i].replace(word, wrong, 1)
    assert i + 1 in [fault.mark.line for fault in faults_of("\n".join(lines))]


@OFTEN
@given(protocols, st.data())
def test_a_wrong_unit_is_found_where_it_stands_or_is_used(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    measured = re.compile(r": ([\d., ]*\d) (s|h|d|min|MHz|V|mA/cm2)( |$)")
    i = data.draw(st.sampled_from([i for i in word_lines(text) if measured.search(lines[i])]))
    wrong = data.draw(st.sampled_from(["", " parsec", " degC", " 1"]))
    lines[i] = measured.sub(lambda found: f": {found[1]}{wrong}", lines[i], count=1)
    assert any(_concerns(fault, i + 1) for fault in faults_of("\n".join(lines)))


def _concerns(fault: Fault, line: int) -> bool:
    """On this line, or, for a value under params, saying that it came from there."""
    return fault.mark.line == line or f", line {line})" in fault.message


@OFTEN
@given(protocols, st.data())
def test_a_word_said_twice_is_found_on_the_second(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    whole = [i for i in word_lines(text) if not _goes_on(lines, i) and "- {" not in lines[i]]
    i = data.draw(st.sampled_from(whole))
    lines.insert(i + 1, lines[i].replace("- ", "  ", 1) if lines[i].lstrip().startswith("- ") else lines[i])
    (fault,) = faults_of("\n".join(lines))
    assert (fault.mark.line, "a second time" in fault.message) == (i + 2, True)


def _goes_on(lines: list[str], i: int) -> bool:
    """The next line belongs to this one's word."""
    return _indent(lines[i + 1]) > _indent(lines[i].replace("- ", "  ", 1))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
