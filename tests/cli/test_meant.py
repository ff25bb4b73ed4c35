"""Wherever a name is asked for and there is a list of those that are, a slip is told what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import results_runs as runs
from typer.testing import CliRunner

from nakctl.cli.app import app
from nakctl.device.sensor import load_kind
from nakctl.errors import InputError
from nakctl.record import registry
from nakctl.rig import load_driver
from nakctl.text.meant import file_like
from nakctl_sim.habits import ChannelHabits, with_words

RIG = """\
nakctl-rig: 1
devices:
  bench: {driver: sim, model: SP-300}
channels:
  left: {device: bench, channel: 1}
cells:
  nak50-017: {channel: left, area: 0.4418 cm2, simulated_as: NaK50}
"""
ROWS = [
    # the command line itself
    ("chek ccd", "there is no command chek; did you mean check?"),
    ("sim compar", "there is no command compar; did you mean compare?"),
    ("protocols shwo ccd", "there is no command shwo; did you mean show?"),
    ("xyzzy", "there is no command xyzzy\n"),
    ("run ccd --one X", "there is no option --one; did you mean --on?"),
    ("run ccd --se=7", "there is no option --se; did you mean --set?"),
    ("stop --aftr step", "there is no option --aftr; did you mean --after?"),
    ("--versio", "there is no option --versio; did you mean --version?"),
    ("check ccd -x", "there is no option -x\n"),
    ("completion bsh", "bsh is no shell that is known here; did you mean bash?"),
    # protocols, and files
    ("check cdc --on left", "cdc is neither a file nor a shipped protocol; did you mean ccd? shipped are: "),
    ("plan mine.yml --on left", "mine.yml is neither a file nor a shipped protocol; did you mean mine.yaml? shipped are: "),
    ("protocols show cdc", "cdc is no shipped protocol; did you mean ccd?"),
    ("show rnu.h5", "rnu.h5: no such file; did you mean run.h5?"),
    ("words strp", "strp is no word of a protocol; did you mean strip?"),
    ("run ccd --on left --set level=1", "level is no parameter of this protocol; did you mean levels?"),
    # channels, cells, devices
    ("run ccd --on lfet", "there is no channel lfet in rig.yaml; did you mean left? channels are: "),
    ("run ccd --on left --cell nak50-071", "there is no cell nak50-071; did you mean nak50-017? cells of rig.yaml are: "),
    ("run ccd --on sim-sp300 --cell NaK5O", "there is no cell NaK5O; did you mean NaK50 or NaK65? name one of "),
    ("run ccd --on sim-sp300 --cell randel", "there is no cell randel; did you mean randles? name one of "),
    ("run ccd --on sim-sp300 --cell two.yaml#NaK56", "two.yaml holds no cell NaK56; did you mean NaK50 or NaK65? it holds "),
    ("run ccd --on sim-sp300 --cell tow.yaml", "tow.yaml: there is no such file; did you mean two.yaml?"),
    ("doctor bnch", "bnch is neither an address nor a device; did you mean bench?"),
    # runs, figures, exports
    ("stop lft", "lft: no such run; did you mean left? there are: "),
    ("wait 1234567a", "1234567a: no such run; did you mean 12345678? there are: "),
    ("stop left --after stp", "--after stp: after what? One of step, cycle, spectrum; did you mean step?"),
    ("plot run.h5 --kind nyqist", "there is no kind 'nyqist'; did you mean nyquist? There are:"),
    ("export run.h5 --as cvs", "--as cvs: there is no such format; did you mean csv? There are:"),
    ("export run.h5 --as origin", "--as origin: there is no such format:\n"),
    ("export run.h5 --as csv --table sample", "--table sample; did you mean samples? there are "),
    ("export run.h5 --as csv --step stpe", "run.h5 has no step 'stpe'; did you mean step? it has "),
]  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab")
    (folder / "rig.yaml").write_text(RIG, "utf-8")
    (folder / "mine.yaml").touch()
    cells = "model: nak\ncells:\n  NaK50: {composition_wt_percent_K: 50, working: NaK}\n  NaK65: {composition_wt_percent_K: 65, working: NaK}\n"
    (folder / "two.yaml").write_text(cells, "utf-8")
    runs.written(folder / "run.h5", [runs.strip(1e-3, [0.1] * 10, 10.0)])
    return folder


@pytest.mark.parametrize(("line", "said"), ROWS, ids=[line for line, _ in ROWS])
def test_what_was_meant_is_told(
    line: str, said: str, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lab)
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path))
    path = tmp_path / "going-on.h5"
    path.with_name(path.name + ".journal").touch()
    assert registry.enter(registry.KnownRun("1234567890", path, "left", "CCD")) == ""
    done = CliRunner().invoke(app, line.split())
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: load_driver("biologik"), "there is no driver biologik; did you mean biologic? installed are: "),
        (lambda: load_driver("arbin"), "there is no driver arbin; installed are: "),
        (lambda: load_kind("modbux"), "there is no kind of sensor modbux; did you mean modbus? installed are: "),
        (lambda: with_words(ChannelHabits(), ["eis_factr=1"]), "there is no habit eis_factr; did you mean eis_factor?"),
    ],
)  # fmt: skip
def test_so_it_is_below_the_command_line(ask: object, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        ask()  # type: ignore[operator]


def test_files_like_one_that_is_not_there(tmp_path: Path) -> None:
    for name in ("run-1.h5", "run-2.h5", "other.txt"):
        (tmp_path / name).touch()
    (tmp_path / "run-7.h5").mkdir()
    assert file_like(tmp_path / "rnu-2.h5") == f"; did you mean {tmp_path / 'run-2.h5'}?"
    assert file_like(tmp_path / "xyz") == ""
    assert file_like(tmp_path / "nowhere" / "run-1.h5") == ""
    assert file_like(Path("no\0name")) == ""
