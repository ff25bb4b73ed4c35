"""The words of rig.yaml that tell where the maker's library comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from nakctl.errors import RigError
from nakctl.rig import find_rig, load_driver

RIG = """\
nakctl-rig: 1
devices:
  box:
    driver: biologic
    model: SP-300
    address: 192.109.209.128
    {words}
channels:
  left: {{device: box, channel: 3}}
"""


def written(folder: Path, words: str) -> Path:
    file = folder / "rig.yaml"
    file.write_text(RIG.format(words=words), "utf-8")
    return file


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("", {}),
        ("provider: easy_biologic", {"provider": "easy_biologic"}),
        ("sdk_path: C:/EC-Lab SDK/lib", {"sdk_path": "C:/EC-Lab SDK/lib"}),
        ("provider: sdk_path\n    sdk_path: lib", {"provider": "sdk_path", "sdk_path": "lib"}),
    ],
)
def test_words_reach_the_driver(tmp_path: Path, words: str, options: dict[str, str]) -> None:
    place = find_rig(written(tmp_path, words)).place("left")
    assert (place.driver, place.instrument, place.channel) == ("biologic", "SP-300", 3)
    assert place.options == {"address": "192.109.209.128"} | options
    assert load_driver("biologic").simulated(place) is False


@pytest.mark.parametrize(
    ("words", "line", "says"),
    [
        ("provider: easybiologic", 7, "easy_biologic"),
        ("provider: sdk_path", 7, "needs the word sdk_path"),
        ("provider: easy_biologic\n    sdk_path: lib", 8, "not used with provider easy_biologic"),
        ("sdk_path: ''", 7, "sdk_path"),
        ("sdkpath: lib", 7, "did you mean sdk_path?"),
    ],
)
def test_words_that_do_not_fit(tmp_path: Path, words: str, line: int, says: str) -> None:
    file = written(tmp_path, words)
    with pytest.raises(RigError) as caught:
        find_rig(file)
    assert f"rig.yaml:{line}:" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize("word", ["provider: easy_biologic", "sdk_path: lib"])
def test_a_virtual_instrument_brings_its_own_library(tmp_path: Path, word: str) -> None:
    file = written(tmp_path, word)
    file.write_text(file.read_text("utf-8").replace("192.109.209.128", "sim://127.0.0.1:5025"), "utf-8")
    with pytest.raises(RigError, match=r"rig\.yaml:7:.*brings its own library"):
        find_rig(file)
