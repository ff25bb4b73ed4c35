"""Compiled where it can be, plain where it cannot."""

from __future__ import annotations

import sys

import pytest

from nakctl_sim.cell.jit import cache_folder, jit


def double(value: float) -> float:
    return 2.0 * value


def test_plain_when_asked(monkeypatch):
    monkeypatch.setenv("NAKCTL_NO_NUMBA", "1")
    assert jit(double) is double


def test_plain_without_numba(monkeypatch):
    monkeypatch.delenv("NAKCTL_NO_NUMBA", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    assert jit(double) is double


def test_compiled_and_the_settings_of_numba_left_as_they_were(monkeypatch):
    numba = pytest.importorskip("numba")
    monkeypatch.delenv("NAKCTL_NO_NUMBA", raising=False)
    folder = numba.config.CACHE_DIR
    compiled = jit(double)
    assert compiled is not double
    assert compiled(1.5) == 3.0
    assert folder == numba.config.CACHE_DIR


def test_compiled_anew_each_time_where_nothing_can_be_kept(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.delenv("NAKCTL_NO_NUMBA", raising=False)
    homeless: dict[str, object] = {}
    exec("def triple(value):\n    return 3.0 * value", homeless)  # numba finds no folder for such a function
    assert jit(homeless["triple"])(2.0) == 6.0


def test_other_sources_are_kept_in_another_folder(monkeypatch, tmp_path):
    (tmp_path / "cell").mkdir()
    monkeypatch.setattr("nakctl_sim.cell.jit.PACKAGE", tmp_path)
    folders = []
    for text in ("a = 1", "a = 2", "a = 1"):
        (tmp_path / "cell" / "physics.py").write_text(text)
        cache_folder.cache_clear()
        folders.append(cache_folder(""))
    cache_folder.cache_clear()
    assert folders[0] == folders[2] != folders[1]
