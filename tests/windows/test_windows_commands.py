"""The commands on Windows, and a dry run from its start to its file."""

from __future__ import annotations

import h5py
from under_wine import Wine

from nakctl import __version__


def test_commands_say_what_they_say_elsewhere_also_to_an_old_code_page(wine: Wine) -> None:
    protocol = wine.protocol("20 s")
    assert wine.nakctl("--version") == (0, f"nakctl {__version__}\n", "")
    code, out, err = wine.nakctl("plan", protocol)
    assert (code, err) == (0, "")
    assert out.startswith("Short in \\u03a9\n")
    assert wine.nakctl("status") == (0, "no run is going on, and none was left unsealed\n", "")
    (wine.folder / "short.yaml").write_text("nakctl: 1\nnam: x\n", encoding="utf-8")
    code, _, err = wine.nakctl("check", protocol)
    assert code == 2, err
    assert "short.yaml:2:1" in err


def test_a_dry_run_becomes_a_file(wine: Wine) -> None:
    code, _, err = wine.nakctl("run", wine.protocol("20 s"), "--out", "out.h5", "--quiet")
    assert (code, err) == (0, "")
    assert sorted(each.name for each in wine.folder.glob("out*")) == ["out.h5"]
    with h5py.File(wine.folder / "out.h5") as file:
        assert len(file["entry/samples/time"]) > 20
    code, out, _ = wine.nakctl("show", "out.h5")
    assert code == 0
    assert "completed: all steps done" in out
    assert wine.nakctl("run", "short.yaml", "--out", "out.h5")[0] == 2  # never overwritten
