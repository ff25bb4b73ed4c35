"""The layout of YAML: what becomes the same, and that nothing else changes."""

from __future__ import annotations

import re
import textwrap
from random import Random

import loose_yaml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.text.layout import NotLaidOut, laid_out
from nakctl.text.reader import read_text
from nakctl.text.spelling import respelled

# What was written, and how it is laid out.
ROWS = [
    ("a:   1", "a: 1"),
    ("a: 1\n\n\n\nb: 2\n\n", "a: 1\n\nb: 2"),
    ("\n\n#head\na: 1", "# head\na: 1"),
    ("a: { b : 1 ,c: [ 1,2 ] , }", "a: {b: 1, c: [1, 2],}"),
    ("a:\n- 1\n-   2", "a:\n  - 1\n  - 2"),
    ("a:\n    - b: 1\n      c: 2", "a:\n  - b: 1\n    c: 2"),
    ("a:\n  -\n    b: 1", "a:\n  - b: 1"),
    ("a:\n  - # why\n    b: 1", "a:\n  -  # why\n    b: 1"),
    ("a:\n- - 1\n  - 2", "a:\n  - - 1\n    - 2"),
    ("a:\n      'long'", "a:\n  'long'"),
    # comments
    ("a: 1 # one\nbcd: 2   #two", "a: 1  # one\nbcd: 2   # two"),
    ("a:    1    # one\nbcd:  2    # two", "a: 1      # one\nbcd: 2    # two"),
    ("a: 1   # one\n       # and more\nb: 2", "a: 1   # one\n       # and more\nb: 2"),
    ("a:   1   # one\n         # and more\nb: 2", "a: 1   # one\n       # and more\nb: 2"),
    ("a:\n- b\n# of the second\n- c\n# of d\nd: 1", "a:\n  - b\n  # of the second\n  - c\n# of d\nd: 1"),
    ("a:\n- b: 1\n  # no c\n- d", "a:\n  - b: 1\n    # no c\n  - d"),
    ("#!x\n#---\n##y\n#$p: 1\na: 1", "#!x\n#---\n##y\n# $p: 1\na: 1"),
    ("a: 1\n  # indented\nb: 2", "a: 1\n# indented\nb: 2"),
    # brackets over several lines
    ("a: {b: 1,\n  c: 2}", "a: {b: 1,\n    c: 2}"),
    ("a: [\n  1,   # one\n 2\n]", "a: [\n  1,   # one\n  2\n  ]"),
    ("a: {b: 1,  # one\n\n\n  # two\n  c: 2}", "a: {b: 1,  # one\n\n    # two\n    c: 2}"),
    # texts over several lines
    ("a: >-\n     b\n       c\n\n     d\ne: 1", "a: >-\n  b\n    c\n\n  d\ne: 1"),
    ("a: |2   # why\n    b\n   c\n", "a: |2   # why\n    b\n   c"),
    ("a: |\n  no end of line", "a: |-\n  no end of line"),
    ("a:\n- |4-\n     b\n    c", "a:\n  - |2-\n     b\n    c"),
    ("a: |+\n  b\n\n\n\nc: 1", "a: |+\n  b\n\n\n\nc: 1"),
    ("a: |\n  b\n\n\n\nc: 1", "a: |\n  b\n\nc: 1"),
    ('a: "b  \n\n      c \\\n  d\\ \n  e"', 'a: "b\n\n  c \\\n  d\\ \n  e"'),
    ("a: b\n      c", "a: b\n  c"),
    ("---\na: 1", "---\na: 1"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), ROWS)
def test_rows(written: str, expected: str) -> None:
    made = laid_out(written)
    assert made == f"{expected}\n"
    assert laid_out(made) == made
    assert read_text(made, "").data == read_text(written, "").data


@settings(max_examples=200)
@given(st.integers(0, 1 << 32))
def test_values_and_comments_stay_and_a_second_time_changes_nothing(seed: int) -> None:
    r = Random(seed)
    value = loose_yaml.data(r)
    assert isinstance(value, dict)
    writer = loose_yaml.Writer(r, value)
    before, made = read_text(writer.text, "").data, laid_out(writer.text)
    assert repr(read_text(made, "").data) == repr(before)
    assert laid_out(made) == made
    assert re.findall(r"# *(c\d+)$", made, re.MULTILINE) == re.findall(
        r"# *(c\d+)$", writer.text, re.MULTILINE
    )


def test_a_word_with_a_question_mark_is_told() -> None:
    with pytest.raises(NotLaidOut) as refused:
        laid_out("a: 1\n? b\n: 2\n")
    assert refused.value.line == 2


def test_texts_are_put_in_where_they_stood() -> None:
    text = "a:   1mA   # why\nb: [1mA,2V]\n"
    made = laid_out(text, {(1, 6): "1 mA", (2, 9): "2 V"})
    assert made == "a: 1 mA   # why\nb: [1mA, 2 V]\n"


@pytest.mark.parametrize(
    ("written", "expected"),
    [line.split(" => ") for line in textwrap.dedent("""\
        1mA/cm2 => 1 mA/cm2
        5µA => 5 uA
        5  μA => 5 uA
        −3V => -3 V
        0.4 mA cm⁻² => 0.4 mA cm-2
        1 mA/cm² => 1 mA/cm2
        10kΩ => 10 kohm
        25 °C => 25 degC
        10% => 10 %
        10% of capacity => 10 % of capacity
        0.1,0.2,0.5mA => 0.1, 0.2, 0.5 mA
        1e-3A => 1e-3 A
        1.50V => 1.50 V
        C/10 => C/10
        1C => 1C
        0.75C => 0.75C
        C / 5 => C / 5
        10mV vs OCV => 10 mV vs OCV
        OCV => OCV
        $level => $level
        forever => forever""").split("\n")],
)  # fmt: skip
def test_spelling(written: str, expected: str) -> None:
    assert respelled(written) == expected
    assert respelled(expected) == expected
