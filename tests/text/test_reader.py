from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nakctl.errors import Mark, ProtocolError, RigError
from nakctl.text.reader import DEEPEST, MOST_BYTES, Document, read_file, read_text


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("3", 3),
        ("-3", -3),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        # YAML 1.1 would make something else of these
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("True", "True"),
        ("1:30", "1:30"),
        ("2025-01-01", "2025-01-01"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("0o10", "0o10"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("'3'", "3"),
        ('"true"', "true"),
        ("=", "="),
        ("10 %", "10 %"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: object) -> None:
    found = read_text(f"word: {written}", "f").data["word"]
    assert (found, type(found)) == (value, type(value))


def test_on_and_no_are_words() -> None:
    assert read_text("on: 1\nno: 2\n", "f").data == {"on": 1, "no": 2}


NESTED = """\
steps:
  - rest: 1 h
    record: {every: 1 s, dE: 5 mV}
  - rest:
      deep
"""


@pytest.mark.parametrize(
    ("loc", "key", "value"),
    [
        ((), (1, 1), (1, 1)),
        (("steps",), (1, 1), (2, 3)),
        (("steps", 0), (2, 5), (2, 5)),
        (("steps", 0, "rest"), (2, 5), (2, 11)),
        (("steps", 0, "record", "dE"), (3, 26), (3, 30)),
        (("steps", 1, "rest"), (4, 5), (5, 7)),
        (("steps", 1, "for"), (4, 5), (4, 5)),
        (("steps", 7, "for"), (1, 1), (2, 3)),
        (("nothing",), (1, 1), (1, 1)),
    ],
)
def test_marks(loc: tuple[str | int, ...], key: tuple[int, int], value: tuple[int, int]) -> None:
    document = read_text(NESTED, "f")
    assert (document.key_mark(loc), document.mark(loc)) == (Mark(*key), Mark(*value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: [0.15, 0.45] mA/cm2\n", ["0.15 mA/cm2", "0.45 mA/cm2"]),
        ("a: [1,2,  3]V # why\n", ["1 V", "2 V", "3 V"]),
        ("a: [-1e-3, .5] µV", ["-1e-3 µV", ".5 µV"]),
        ("a: [10, 90] %", ["10 %", "90 %"]),
        ("a: [1, 2]\n", [1, 2]),
        ("a: [[1, 2] V, 3]\n", [["1 V", "2 V"], 3]),
        ("a: see [1, 2] mA\n", "see [1, 2] mA"),
        ("a: '[1, 2] mA'\n", "[1, 2] mA"),
        ("a: |\n  of [1, 2] mA\n", "of [1, 2] mA\n"),
    ],
)
def test_a_unit_after_a_list_is_that_of_each_number(text: str, value: object) -> None:
    assert read_text(text, "f").data["a"] == value


def test_numbers_that_share_a_unit_keep_their_places() -> None:
    document = read_text("x: {a: [0.1, 0.25] mA, b: 1}  # [1, 2] V\n", "f")
    assert document.data["x"]["b"] == 1
    marks = [document.mark(("x", *loc)) for loc in (("a",), ("a", 0), ("a", 1), ("b",))]
    assert marks == [Mark(1, 8), Mark(1, 9), Mark(1, 14), Mark(1, 27)]


def test_all_that_is_refused_is_told_at_once() -> None:
    with pytest.raises(ProtocolError) as caught:
        read_text("a: &x 1\nb: *x\nb: 2\n<<: {c: 1}\nd: !int 3\n5: 6\n", "f", ProtocolError)
    assert [fault.mark.line for fault in caught.value.faults] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "line", "phrase"),
    [
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("- a\n- b\n", 1, "expected words with values"),
        ("just text", 1, "expected words with values"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: 1\n...\nb: 2\n", 3, ""),
        ("%YAML 1.1\n---\na: 1\n", 1, "a line with %"),
        ("a:\t1\n", 1, "a tab stands here: use spaces"),
        ("a: 1 # \t\n", 1, "a tab stands here: use spaces"),
        ("a: 1\n\u2028b: 2\n", 2, "U+2028"),
        ("a: 1\nb: \ufeff2\n", 2, "U+FEFF"),
        ("a: 1\nb: \x002\n", 2, "U+0000"),
        ("? [a]\n: 1\n", 1, "cannot be a word"),
        ("true: 1\n", 1, "true cannot be a word"),
        ("a: " + "[" * 100_000, 1, f"nested more than {DEEPEST} deep"),
        ("a: {" * 100_000, 1, f"nested more than {DEEPEST} deep"),
        ("\n".join("  " * i + "a:" for i in range(100)), DEEPEST + 2, "nested more than"),
        ("a: *a\n", 1, "anchors and aliases"),
        ("levels: [1 mA, 2] mA\n", 1, "write `1 mA, 2 mA`, without brackets"),
        ("s: {levels: [1, 2 V] mA/cm2, b: 2}\n", 1, "write `1, 2 V mA/cm2`, without brackets"),
        ("a: 1\nb 2\nc: 3\n", 2, "a word without its colon"),
        ('a: "C:\\lab"\n', 1, "a backslash in double quotes"),
        ("a: - b\n", 1, "a list begins on a line of its own"),
        ("a: `x`\n", 1, "begins with ` needs quotes"),
    ],
)
def test_what_is_no_part_of_the_language(text: str, line: int, phrase: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_text(text, "f", ProtocolError)
    (fault,) = caught.value.faults
    assert fault.mark.line == line
    assert phrase in fault.message
    assert len(str(fault)) < 500


@pytest.mark.parametrize(
    ("raw", "line", "phrase"),
    [
        (b"a: 1\nb: 5 \xb5A\n", 2, "byte 0xb5 is not UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "saved as UTF-16"),
        (b"a: " + b"x" * MOST_BYTES, 1, "longer than 256 kB"),
        (b"\x89PNG\r\n\x1a\n", 1, "not UTF-8"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, raw: bytes, line: int, phrase: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(raw)
    with pytest.raises(RigError) as caught:
        read_file(path, RigError)
    (fault,) = caught.value.faults
    assert (fault.file, fault.mark.line) == (str(path), line)
    assert phrase in fault.message


def test_a_byte_order_mark_and_windows_line_ends_are_welcome(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes("\ufeffa: 1\r\nb: µA\r\n".encode())
    document = read_file(path)
    assert document.data == {"a": 1, "b": "µA"}
    assert document.mark(("b",)) == Mark(2, 4)
    assert document.line_text(2) == "b: µA"


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="there is no such file"):
        read_file(tmp_path / "none.yaml", ProtocolError)
    with pytest.raises(ProtocolError, match="is a folder"):
        read_file(tmp_path, ProtocolError)


OURS = [
    path
    for folder in ("protocols", "sim/nakctl_sim/cell", "drivers/nakctl_sensors/dialogues")
    for path in sorted((Path(__file__).parents[2] / folder).glob("*.yaml"))
]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_what_is_ours_is_read_alike_by_the_faster_parser(path: Path) -> None:
    assert read_file(path, ours=True) == read_file(path)


def test_a_fault_shows_its_line() -> None:
    document = read_text("a: 1\nb: 2\n", "f")
    assert str(document.fault(Mark(2, 4), "wrong")) == "f:2:4  wrong\n   2 | b: 2"


def _is_no_number(text: str) -> bool:
    """PyYAML writes YAML 1.1, where 0E0 and 1e5 are text and go without quotation marks; in 1.2 they are numbers."""
    try:
        float(text)
    except ValueError:
        return True
    return False


WORDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_ -]{0,8}[a-z]", fullmatch=True)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(exclude_categories=["Cc", "Cn", "Co", "Cs", "Zl", "Zp"], exclude_characters="\ufeff"),
        max_size=20,
    ).filter(_is_no_number)
)
NESTED_DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


@given(st.dictionaries(WORDS, NESTED_DATA, min_size=1, max_size=4), st.booleans())
def test_what_another_program_wrote_is_read_as_it_was(data: dict[str, object], flow: bool) -> None:
    text = yaml.dump(data, Dumper=_Plain, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    document = read_text(text, "f")
    assert document.data == data
    for loc, place in document.places.items():
        if loc and isinstance(loc[-1], str):
            line = document.text.split("\n")[place.key.line - 1]
            assert line[place.key.column - 1 :].lstrip("'\"? ").startswith(loc[-1])


@given(st.text(alphabet=" \n:-[]{}ab1&*!|>'\"%@`#,?~<$\t\x00µ", max_size=60))
def test_any_text_is_read_or_refused_inside_the_file(text: str) -> None:
    try:
        found = read_text(text, "f", ProtocolError)
    except ProtocolError as error:
        assert all(1 <= fault.mark.line <= text.count("\n") + 1 for fault in error.faults)
    else:
        assert isinstance(found, Document)
        assert all(isinstance(word, str) for word in found.data)
