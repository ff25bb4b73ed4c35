"""What a page says to do can be done: every sample of the README and of the docs, in the order of its page, in a folder
with a blank and an umlaut. A sample that is not followed says why, in a comment right before it (see `samples`).
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from command_line import ENVIRONMENT
from following import Reader, Runs, commands, fits, here, typed
from samples import FOLLOWED, NOTES, SHOWN, Sample, samples

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
# Followed by tests of their own, with what they need around them: tests/door, tests/protocol, tests/notify.
ELSEWHERE = {"python.md", "layout.md", "words.md", "notify.md"}
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]
HERE = [
    page for page in PAGES if page.name not in ELSEWHERE and any(each.is_followed for each in samples(page))
]


def name_of(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("runs"))


def test_every_sample_says_what_it_is() -> None:
    for page in PAGES:
        for sample in samples(page):
            place = f"{name_of(page)}:{sample.line}"
            assert sample.language in (*FOLLOWED, *SHOWN), place
            assert all(note.startswith(NOTES) for note in sample.notes), place
            assert "not run:" not in sample.notes, place


@pytest.mark.parametrize("page", HERE, ids=name_of)
def test_what_it_says_can_be_done(
    page: Path, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COLUMNS", "NO_COLOR"):
        monkeypatch.setenv(name, ENVIRONMENT[name])
    folder = tmp_path / "ein Ördner"
    folder.mkdir()
    reader = Reader(folder, runs)
    for sample in (each for each in samples(page) if each.is_followed):
        reader.follow(sample)


def test_what_is_not_followed_can_be_typed(tmp_path: Path) -> None:
    """Its commands and options exist: asked with --help, so that nothing is done."""
    asked: dict[tuple[str, ...], str] = {}
    for page in PAGES:
        for sample in (each for each in samples(page) if not each.is_followed):
            for line in typed(sample.text) if sample.language in ("console", "sh") else ():
                if line.startswith("nakctl "):
                    words = shlex.split(line.replace("\\", "/"))[1:]
                    kind = (*words[:2], *(word for word in words if word.startswith("-")))
                    asked.setdefault(kind, f"{name_of(page)}:{sample.line} {line}")
    for line in asked.values():
        said = here([*shlex.split(line.replace("\\", "/"))[2:], "--help"], tmp_path)
        assert said.code == 0, f"{line}\n{said.err}"


def test_a_page_is_read_as_its_reader_reads_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Save it as `a.yaml`:\n\n<!-- ends with 2 -->\n```yaml\nx: 1\n```\n\n- b\n  ```text\n  c\n  ```\n",
        "utf-8",
    )
    assert list(samples(page)) == [
        Sample(4, "yaml", "x: 1\n", ("ends with 2",), "a.yaml"),
        Sample(9, "text", "c\n"),
    ]
    assert list(commands("$ a b \\\n  c\nsaid\n$ d\n")) == [("a b    c", "said\n"), ("d", "")]
    assert fits("a ... e\n...\nf", "a b e\nc\nd\nf\n")
    assert not fits("a\nb", "a\n...\nb")
    assert fits("to 2026-11-23_0246_ccd.h5", "to 2027-01-02_0246_ccd.h5")
