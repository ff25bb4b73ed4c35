r"""Ends of lines and escapes as they are written. YAML reads "\r\n" in double quotes as two characters, and
'\r\n' in single ones, or in none, as four.
"""

from __future__ import annotations

import re

from nakctl_sensors.spelling import Wrong

LONGEST_END = 4
_ESCAPE = re.compile(r"\\([rntex0])")
_PATH = re.compile(r"[A-Za-z]:(\\[^\\\s\"']+)+")  # C:\test is a path of the instrument
_NAMES = {
    "CR": r"\r", "LF": r"\n", "CRLF": r"\r\n", "LFCR": r"\n\r", "NL": r"\n", "NEWLINE": r"\n",
    "RETURN": r"\r", "ENTER": r"\r", "TAB": r"\t", "NUL": r"\0", "ETX": r"\x03", "EOT": r"\x04",
    "0D": r"\r", "0A": r"\n", "0D0A": r"\r\n", "13": r"\r", "10": r"\n", "1310": r"\r\n",
}  # fmt: skip


def escaped(text: str) -> Wrong | None:
    r"""A backslash before r, n, t, e, x or 0: an escape that YAML has left as it is."""
    found = _ESCAPE.search(_PATH.sub("", text))
    if found is None:
        return None
    quoted = text.replace('"', '\\"')
    why = f"has a backslash and {found[1]} in it, which YAML makes one character of in double quotes only"
    return Wrong(why, f'"{quoted}"')


def line_end(text: str) -> Wrong | None:
    """A terminator that cannot be meant so."""
    if wrong := escaped(text):
        return wrong
    if named := _NAMES.get(re.sub(r"0[xX]|[<>\s+,&_/-]", "", text).upper()):
        return Wrong(f"is the text {text}", f'"{named}"')
    if (bare := text.strip(" ")) != text and bare.strip("\r\n") == "" and bare:
        return Wrong("has a blank in it", f'"{_shown(bare)}"')
    if any(character.isalnum() for character in text):
        return Wrong(
            f'{text!r} ends no line: lines end with characters such as "\\r\\n", without letters and digits'
        )
    if len(text) > LONGEST_END:
        return Wrong(f'has {len(text)} characters: lines end with at most {LONGEST_END}, such as "\\r\\n"')
    return None


def _shown(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")
