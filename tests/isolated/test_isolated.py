"""What a process of ours imports: what is installed, wherever that is, and nothing that lies around."""

from __future__ import annotations

import random
import site
import subprocess
import sys
from pathlib import Path

import pytest

from nakctl import isolated

SAYS = "import sys, {name}; print({name}.__file__, sys.argv[1:])"


def said(module: str, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        isolated.command(module, *arguments), cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A folder, not installed, with a module that says which `random` it has."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "tool.py").write_text(SAYS.format(name="random"), encoding="utf-8")
    (folder / "random.py").write_text("raise SystemExit('not me')", encoding="utf-8")
    return folder


def test_modules_of_the_working_folder_are_not_imported(
    tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("random", "json", "typing", "runpy", "site", "not_installed"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hostile')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), str(tool), *sys.path])
    assert Path(said("tool", cwd=tmp_path).partition(" [")[0]).parent == Path(random.__file__).parent
    (tool / "tool.py").write_text("import not_installed", encoding="utf-8")  # not even if there is no other
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), str(tool)])
    with pytest.raises(subprocess.CalledProcessError) as failed:
        said("tool", cwd=tmp_path)
    assert "hostile" not in failed.value.stderr


def test_what_the_parent_had_is_found_after_what_is_installed(
    tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tool), *sys.path])
    found = said("tool", "a b", "Ω", cwd=tmp_path)
    assert found.endswith("['a b', 'Ω']")
    assert str(tool) not in found


def test_a_users_site_and_an_editable_installation_in_it_are_found(
    tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "site"
    users.mkdir()
    (users / "editable.pth").write_text(f"{tool}\n", encoding="utf-8")
    monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
    monkeypatch.setattr(site, "getusersitepackages", lambda: str(users))
    assert "random.py" in said("tool", cwd=tmp_path)


def test_warnings_are_as_in_the_parent(tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tool / "warns.py").write_text("import warnings; warnings.warn('old')", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tool), *sys.path])
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    with pytest.raises(subprocess.CalledProcessError):
        said("warns", cwd=tmp_path)
