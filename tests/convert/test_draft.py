"""The text of a draft is YAML that says what the draft says, whatever letters are in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nakctl.convert.draft import Draft, text
from nakctl.text.reader import read_text


@given(st.text(max_size=40), st.text(max_size=80))
def test_any_title_can_be_read_again(name: str, source: str) -> None:
    made = text(Draft(name, source, [{"rest": "1 s"}], limits={"Ewe": ["0 V", "1 V"]}))
    data = read_text(made, "x.yaml").data
    shown = "".join(letter if letter.isprintable() else " " for letter in source).strip()
    assert data["source"] == shown.lstrip("$ ")
    assert isinstance(data["name"], str) and data["name"] and not data["name"].startswith("$")


def test_words_keep_their_order_and_comments_stand_beside_them() -> None:
    step = {
        "#": ["technique 1"],
        "cp": "1 uA",
        "#cp": "a current",
        "for": "1 h",
        "until": [{"Ewe_above": "1 V"}],
    }
    made = text(Draft("a", "b", [{"repeat": 2, "steps": [step]}], ["remark"], limits={"Ewe": ["0 V", "1 V"]}))
    assert made.endswith("""\
# remark
nakctl: 1
name: a
source: b
limits:
  Ewe: [0 V, 1 V]
steps:
  - repeat: 2
    steps:
      # technique 1
      - cp: 1 uA                             # a current
        for: 1 h
        until: [{Ewe_above: 1 V}]
finally: rest
""")
