"""`nakctl words`: the reference of the language, in the terminal."""

from __future__ import annotations

from nakctl.cli.json_output import print_json
from nakctl.errors import ExitCode, InputError
from nakctl.protocol import reference


def words(word: str | None, as_json: bool) -> int:
    if as_json:
        print_json({"words": [_row(entry) for entry in reference.entries() if word in (None, entry.word)]})
        return ExitCode.DONE
    lines = list(reference.overview()) if word is None else reference.about(word)
    if lines is None:
        near = reference.suggestions(str(word))
        hint = f"; did you mean {' or '.join(near)}?" if near else ";"
        raise InputError(f"{word} is no word of a protocol{hint} all words: nakctl words")
    print("\n".join(lines))
    return ExitCode.DONE


def _row(entry: reference.Entry) -> dict[str, str]:
    return {"word": entry.word, "place": entry.place, "text": entry.text, "example": entry.example}
