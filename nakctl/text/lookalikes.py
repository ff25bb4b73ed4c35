"""Characters that look like others: typed by word processors, other keyboards and copied papers."""

from __future__ import annotations

import unicodedata

# What is meant, by what stands there. Units understand those that mean what they look like: µ, ², ·, −.
MEANT = {
    "\u2013": "-", "\u2014": "-", "\u2010": "-", "\u2011": "-", "\u2012": "-", "\ufe63": "-", "\uff0d": "-",
    "\u201c": "", "\u201d": "", "\u201e": "", "\u2018": "", "\u2019": "", "\u201a": "", "\u00ab": "",
    "\u00bb": "",
    "\uff1a": ":", "\u2236": ":", "\ufe55": ":", "\uff0c": ",", "\u066b": ".", "\uff0e": ".",
    "\u00d7": "x", "\u2044": "/", "\u2215": "/", "\uff0f": "/", "\uff05": "%", "\u066a": "%",
    "\u0391": "A", "\u0392": "B", "\u0395": "E", "\u0396": "Z", "\u0397": "H", "\u0399": "I", "\u039a": "K",
    "\u039c": "M", "\u039d": "N", "\u039f": "O", "\u03a1": "P", "\u03a4": "T", "\u03a7": "X", "\u03bf": "o",
    "\u03bd": "v", "\u0410": "A", "\u0412": "B", "\u0415": "E", "\u041a": "K", "\u041c": "M", "\u041d": "H",
    "\u041e": "O", "\u0420": "P", "\u0421": "C", "\u0422": "T", "\u0425": "X", "\u0430": "a", "\u0435": "e",
    "\u043e": "o", "\u0440": "p", "\u0441": "c", "\u0443": "y", "\u0445": "x", "\u0456": "i",
    "\u2103": "°C", "\u00ba": "°", "\u212a": "K",
    "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\u00ad": "",
    "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ", "\u3000": " ",
}  # fmt: skip
SPACES = tuple(sign for sign, meant in MEANT.items() if meant == " ")


def plainly(text: str) -> str:
    """With what is meant in place of what looks like it."""
    plain = "".join(MEANT.get(sign, sign) for sign in text)
    return unicodedata.normalize("NFKC", plain).strip()


def found_in(text: str) -> str | None:
    """The first character that only looks like another one, by name; None: there is none.

    `– is an en dash (U+2013)`
    """
    for sign in text:
        wide = unicodedata.normalize("NFKC", sign) if "\uff01" <= sign <= "\uff5e" else sign
        if sign in MEANT or wide != sign:
            name = unicodedata.name(sign, "an invisible character").lower()
            article = "an" if name[0] in "aeiou" else "a"
            shown = sign if sign.isprintable() and sign.strip() else "here"
            return f"{shown} is {article} {name} (U+{ord(sign):04X})"
    return None
