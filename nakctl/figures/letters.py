"""Texts of anybody, on paper: one line, in fonts that have its letters."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from matplotlib.font_manager import findfont, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font

PLAIN = "DejaVu Sans"  # comes with matplotlib: Latin, Greek, Cyrillic, signs of mathematics
# In the names of the files that are looked into first, because they hold many letters.
_LIKELY = (
    "unicode", "cjk", "fallback", "yahei", "yugoth", "malgun", "hiragino", "pingfang", "wqy", "segoeui",
    "notosans-", "notosansarabic-", "notosanshebrew-", "notosansdevanagari-", "symbol", "emoji", "freesans",
)  # fmt: skip
_NOT = (
    "color",
    "lastresort",
    "-bold",
    "-italic",
    "-oblique",
)  # colours cannot be drawn; boxes are no letters
_UPRIGHT = ("Regular", "Book", "Normal", "Medium", "Roman")
_MOST_FONTS = 600  # that are looked into
_SECOND = "\u2060"  # stands for the second half of a wide letter while lines are counted
_NARROW, _WIDE = 0.53, 1.0  # of the size of the letters: how wide one is


def one_line(text: str) -> str:
    """Without breaks and without signs that are no letters, such as those that turn a line round."""
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)
    kept = (sign for sign in plain if unicodedata.category(sign) not in ("Cf", "Cs", "Co"))
    return re.sub(r"\s+", " ", "".join(kept)).strip()


def width_pt(text: str, size_pt: float) -> float:
    """About; rather too much."""
    wide = sum(map(_is_wide, text))
    return size_pt * (wide * _WIDE + (len(text) - wide) * _NARROW)


def _is_wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF"


def wrapped(text: str, room_pt: float, size_pt: float, lines: int) -> str:
    """In at most so many lines of this width; what does not fit ends in a sign that says so."""
    letters = max(8, int(room_pt / (size_pt * _NARROW)))
    counted = "".join(sign + _SECOND * _is_wide(sign) for sign in one_line(text))
    found = textwrap.wrap(counted, letters)
    if len(found) > lines:
        found = [*found[: lines - 1], f"{_cut(' '.join(found[lines - 1 :]), letters - 2)} …"]
    return "\n".join(found).replace(_SECOND, "")


def _cut(text: str, letters: int) -> str:
    """After a word; within it where it is a long one, so that something is told of a name without spaces."""
    words = text[: letters + 1].rpartition(" ")[0]
    return words if len(words) > letters / 2 else text[:letters].rstrip()


def families(text: str) -> list[str]:
    """Fonts to look for letters in, in this order: others of this computer only where PLAIN lacks one."""
    plain = FT2Font(findfont(PLAIN))
    lacking = {sign for sign in text if not sign.isspace()} - _known(plain, text)
    found = [PLAIN]
    for path in _others() if lacking else ():
        face = _face(path)
        known = _known(face, lacking) if face is not None else set()
        if face is not None and known:
            found.append(_listed(path, face.family_name))
            lacking -= known
        if not lacking:
            break
    return list(dict.fromkeys(found))


def _others() -> list[str]:
    """Font files of this computer, the likely ones first. matplotlib's own list may be older than a font."""
    listed = [font.fname for font in fontManager.ttflist]
    paths = dict.fromkeys([*listed, *sorted(findSystemFonts())])
    names = {path: Path(path).name.casefold() for path in paths}
    fitting = [path for path, name in names.items() if not any(word in name for word in _NOT)]
    places = range(len(_LIKELY))
    rank = {path: next((k for k in places if _LIKELY[k] in names[path]), len(_LIKELY)) for path in fitting}
    return sorted(fitting, key=lambda path: rank[path])[:_MOST_FONTS]


def _face(path: str) -> FT2Font | None:
    try:
        face = FT2Font(path)
    except (OSError, RuntimeError):  # a file that is gone, or no font for FreeType
        return None
    return face if face.style_name in _UPRIGHT else None


def _known(face: FT2Font, wanted: Iterable[str]) -> set[str]:
    return {sign for sign in wanted if face.get_char_index(ord(sign))}


def _listed(path: str, name: str) -> str:
    """By its name, which matplotlib may have to be told."""
    if all(font.name != name for font in fontManager.ttflist):
        fontManager.addfont(path)
    return name
