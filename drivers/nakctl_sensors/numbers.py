"""A line of text -> the one number in it. Pure.

A line is read as a person reads it who has to answer for the number: exactly one that stands free, whole,
with its sign, and with nothing touching it but a unit. What can be read in two ways is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

LONGEST = 200
_ODD_SIGNS = str.maketrans(
    {"\u2212": "-", "\u00a0": " ", "\u202f": " ", "\x02": ";", "\x03": ";"}
)  # STX, ETX
_SEPARATORS = ":;=|"
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?P<body>[0-9.,']*[0-9][0-9.,']*)(?P<exponent>[eE][+-]?[0-9]+)?"
    r"(?P<unit>(?:[A-Za-z%°µμΩΩ][A-Za-z0-9%°µμΩΩ/^²³·*]*)?)"
)
_WORD = re.compile(r"[A-Za-z%°µμΩΩ_²³]+(?:[.-][A-Za-z%°_]+)*(?:[/^·*][A-Za-z0-9µμ²³]+)*\.?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BLANKS_INSIDE = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?: [0-9]{3})+(?![0-9])")
_COMMA = re.compile(r"(?<=[^0-9.'+-]),|(?<=[0-9.']),(?![0-9+.-])|^,(?![0-9])")  # none within a number
_OPEN_UNITS = ("deg", "°", "%", "percent")  # to which another word may belong
# What instruments say instead of a number.
_NO_VALUE = re.compile(
    r"[+-]?(?:[oul]l|ov[fl]?|ovld|over\w*|under\w*|e\d*|err\w*|nan|inf\w*|open|break|fault|invalid|hi|lo"
    r"|[-.]{2,})",
    re.IGNORECASE,
)


class NoNumber(ValueError):
    """The line is no reading. no_value: it says so itself."""

    def __init__(self, message: str, no_value: bool = False) -> None:
        self.no_value = no_value
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Convention:
    """How numbers are written. decimal: its mark, "" if nobody said; thousands: what stands between groups of
    three digits, "" if nobody said. Unsaid, both must be seen in one number to be told apart."""

    decimal: str = ""
    thousands: str = ""

    def joined(self, line: str) -> str:
        """With no blanks left inside numbers, if that is how thousands are parted."""
        if self.thousands != " ":
            return line
        return _BLANKS_INSIDE.sub(lambda found: found[0].replace(" ", ""), line)

    def value(self, sign: str, body: str, exponent: str = "") -> float | None:
        """None if this is no number, or one that can be read in two ways."""
        usual = self.decimal or ("," if self.thousands == "." else ".")
        mark = re.escape(usual)
        if re.fullmatch(rf"[0-9]+(?:{mark}[0-9]*)?|{mark}[0-9]+", body):
            return float(sign + body.replace(usual, ".") + exponent)
        for decimal, thousands in [] if exponent else self._pairs():
            behind = rf"(?:{re.escape(decimal)}[0-9]+)" + ("?" if self.thousands else "")
            if re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:{re.escape(thousands)}[0-9]{{3}})+{behind}", body):
                return float(sign + body.replace(thousands, "").replace(decimal, "."))
        return None

    def _pairs(self) -> list[tuple[str, str]]:
        """Decimal mark and mark of thousands, as they may stand in one number."""
        decimals = [self.decimal] if self.decimal else [".", ","]
        marks = [self.thousands] if self.thousands.strip() else [",", ".", "'"]
        return [(decimal, mark) for decimal in decimals for mark in marks if mark != decimal]


UNSAID = Convention()


class Found(NamedTuple):
    """The number in a line.

    unit    the word that touches it or stands behind a blank, "" if there is none
    behind  if there is none, the word behind it after a mark such as a comma
    before  the word that stands before it
    """

    value: float
    unit: str
    behind: str = ""
    before: str = ""


class _Token(NamedTuple):
    """A piece of the line, and what parts it from the one before: "" or blanks, or with a mark in it."""

    text: str
    gap: str


def number_of(line: str, convention: Convention) -> Found:
    """NoNumber, in a sentence, unless there is exactly one number that can be read in one way."""
    plain = convention.joined(line.translate(_ODD_SIGNS))
    if len(plain) > LONGEST:
        raise NoNumber("in which there is no value: it is too long")
    if not all(char.isprintable() or char == "\t" for char in plain):
        raise NoNumber("in which there are characters that are no text")
    tokens = _tokens(plain)
    if any(_NO_VALUE.fullmatch(token.text) for token in tokens):
        raise NoNumber("with which it says that it has no value", no_value=True)
    at = _the_number(tokens)
    found = _NUMBER.fullmatch(tokens[at].text)
    assert found is not None
    value = convention.value(_sign(tokens, at, found["sign"]), found["body"], found["exponent"] or "")
    if value is None or (convention == UNSAID and "," in found["body"] and _parts_columns(plain, tokens[at])):
        raise NoNumber(f"and {found['sign']}{found['body']} can be read in two ways{_comma(found['body'])}")
    unit = _unit_behind(tokens, at, found["unit"])
    behind = tokens[at + 1].text if not unit and at + 1 < len(tokens) else ""
    return Found(value, unit, behind, _word_before(tokens, at))


def _tokens(plain: str) -> list[_Token]:
    pieces = re.findall(rf"([\s{_SEPARATORS}]*)([^\s{_SEPARATORS}]+)", plain)
    found: list[_Token] = []
    behind = ""  # a comma at the end of the piece before
    for gap, piece in pieces:
        parts = _COMMA.split(piece)
        for k, part in enumerate(parts):
            if part:
                found.append(_Token(part, "," if k else gap + behind))
        behind = "," if len(parts) > 1 and not parts[-1] else ""
    return found


def _parts_columns(plain: str, number: _Token) -> bool:
    """Whether there are commas beside the number: `GS,1,250.5` may have three columns."""
    return "," in plain.replace(number.text, "", 1)


def _the_number(tokens: list[_Token]) -> int:
    """Where it stands. Everything else has to be words, names such as CH1, or the number's own sign."""
    at = [k for k, token in enumerate(tokens) if _NUMBER.fullmatch(token.text)]
    if len(at) > 1:
        raise NoNumber("in which there is more than one number: say with `pattern` which is meant")
    for k, token in enumerate(tokens):
        if k in at or _WORD.fullmatch(token.text) or _NAME.fullmatch(token.text):
            continue
        if token.text in ("+", "-") and k + 1 in at:
            continue
        raise NoNumber(f"in which {token.text!r} is neither a number nor a word")
    if not at:
        raise NoNumber("in which there is no number")
    return at[0]


def _sign(tokens: list[_Token], at: int, own: str) -> str:
    """Its own, or one that stands before it, apart by blanks."""
    apart = tokens[at - 1] if at and tokens[at - 1].text in ("+", "-") else None
    if apart is None:
        return own
    first = at == 1 or apart.gap.strip() != "" or apart.text == "+"  # a dash behind a name is no minus
    if own or not first or tokens[at].gap.strip():
        raise NoNumber(f"in which nobody can tell whether {apart.text} is the sign of the number")
    return apart.text


def _unit_behind(tokens: list[_Token], at: int, glued: str) -> str:
    """What touches the number, or the word behind it: `kg`, `% RH`, `deg C`."""
    words = [glued] if glued else []
    for token in tokens[at + 1 : at + 3]:
        if token.gap.strip() or (words and words[-1] not in _OPEN_UNITS):
            break
        words.append(token.text)
    return " ".join(words)


def _word_before(tokens: list[_Token], at: int) -> str:
    before = tokens[at - 1].text if at else ""
    if before in ("+", "-"):
        before = tokens[at - 2].text if at > 1 else ""
    return before


def _comma(body: str) -> str:
    if "," not in body:
        return ""
    return ': if the comma is its decimal mark, write `decimal: ","` in the entry of this sensor'


# --- numbers that a user's pattern finds -----------------------------------------------------------------


def number_at(line: str, start: int, end: int, seen: tuple[int, int], convention: Convention) -> Found:
    """The number that a pattern found at start:end, within what it matched in all, seen. NoNumber if more
    belongs to it than was found, or it is none.

    What the pattern matched beside its group, it names on purpose, as the comma between two columns; but a
    sign, the digits before a point and an exponent are never beside a number.
    """
    plain = line.translate(_ODD_SIGNS)
    text = "".join(plain[start:end].split())
    left, right = plain[:start], plain[end:]
    if _torn_left(left, text, start > seen[0]) or _torn_right(right, end < seen[1]):
        raise NoNumber(f"in which {plain[start:end]!r} is only a part of a number: correct the pattern")
    found = _NUMBER.fullmatch(text)
    value = (
        None
        if found is None or found["unit"]
        else convention.value(found["sign"], found["body"], found["exponent"] or "")
    )
    if value is None:
        raise NoNumber(f"in which {text!r} is no number that can be read in one way{_comma(text)}")
    behind = re.match(r"\s?(?:deg |% ?)?[^\s;,:=|]*", right)
    return Found(value, behind[0].strip() if behind else "")


def _torn_left(left: str, text: str, named: bool) -> bool:
    """Whether a number goes on to the left of its text. named: the pattern matched there on purpose."""
    if text[:1] not in "+-" and re.search(r"(?:^|[^A-Za-z0-9_)])[+-]\s*$", left):
        return True
    if re.search(r"[0-9.][eE][+-]?$", left) or re.search(r"(?:^|[^A-Za-z])\.$", left):
        return True
    return not named and re.search(r"[0-9]$|[0-9][,']$|0[xXbB]$|[+-]\s*$", left) is not None


def _torn_right(right: str, named: bool) -> bool:
    if re.match(r"\.[0-9]|[eE]\s*[+-]?\s*[0-9]", right):
        return True
    return not named and re.match(r"[0-9.]|[,'][0-9]|[+-]|[A-Za-z]+[0-9]", right) is not None
