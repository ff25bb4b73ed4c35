"""What is told of errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nakctl.errors import typed


@pytest.mark.parametrize("name", ["run.h5", "a lab/run 7.h5", "it's (1) & $x.h5"])
def test_a_path_in_a_command_is_one_word_for_the_shell(name: str) -> None:
    told = typed(Path(name))
    if os.name == "posix":
        import shlex

        assert shlex.split(f"nakctl show {told}") == ["nakctl", "show", str(Path(name))]
    else:
        assert told.strip('"') == str(Path(name))
    assert (told == str(Path(name))) == name.startswith("run")
