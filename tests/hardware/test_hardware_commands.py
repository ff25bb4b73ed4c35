"""`devices`, `doctor`, `channels` and `rig` as a person meets them: exit codes, sentences, no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml
from command_line import Said, nakctl, refused, virtual_instrument

from nakctl.device.driver import Place
from nakctl.protocol import library
from nakctl.rig import schema
from nakctl.rig.claim import claimed
from nakctl_sim.instrument.habits import Habits

Here = Callable[..., Said]
Virtual = Callable[..., str]


def rig(folder: Path, address: str, model: str = "SP-300") -> None:
    (folder / "rig.yaml").write_text(
        f"""\
nakctl-rig: 1
devices:
  glovebox-2: {{driver: biologic, model: {model}, address: "{address}"}}
channels:
  glovebox-2/ch1: {{device: glovebox-2, channel: 1}}
  glovebox-2/ch4: {{device: glovebox-2, channel: 4}}
cells:
  dummy: {{channel: glovebox-2/ch1, area: 1 cm2}}
""",
        encoding="utf-8",
    )


# --- doctor ----------------------------------------------------------------------------------------------


def test_a_healthy_instrument(here: Here, virtual: Virtual) -> None:
    said = here("doctor", virtual())
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == "0 error(s), 0 warning(s)"


def test_a_warning_is_no_reason_to_fail(here: Here, virtual: Virtual) -> None:
    said = here("doctor", virtual(faults=["guest"]))
    assert said.code == 0
    assert said.out.splitlines()[-1] == "0 error(s), 1 warning(s)"
    assert "           -> Close EC-Lab" in said.out


@pytest.mark.parametrize("name", ["glovebox-2", "glovebox-2/ch1", None])
def test_an_error_is(here: Here, virtual: Virtual, tmp_path: Path, name: str | None) -> None:
    rig(tmp_path, virtual(faults=["eclab=1"]))
    said = here("doctor", *([name] if name else []))
    assert said.code == 3
    assert "  error    glovebox-2/ch1: " in said.out
    assert said.out.splitlines()[-1] == "1 error(s), 0 warning(s)"


def test_for_machines(here: Here, virtual: Virtual) -> None:
    said = here("doctor", virtual(faults=["cable"]), "--json")
    assert said.code == 3
    assert said.json["ok"] is False
    (device,) = said.json["devices"]
    assert [each["severity"] for each in device["findings"]] == ["ok", "error", "ok"]
    assert device["findings"][1]["remedy"].startswith("Check the cable")


def test_a_name_that_nobody_has(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    rig(tmp_path, virtual())
    assert "did you mean glovebox-2?" in refused(here("doctor", "glovebox2"))


def test_no_library_to_be_had_is_a_finding(here: Here) -> None:
    said = here("doctor", "192.0.2.7", "--sdk-path", "nowhere")
    assert said.code == 3
    assert "sdk_path: there is no nowhere" in said.out
    assert "-> Give the device in rig.yaml an sdk_path" in said.out


def test_a_simulated_device_needs_nothing(here: Here, tmp_path: Path) -> None:
    text = "nakctl-rig: 1\ndevices: {bench: {driver: sim, model: VMP-3}}\nchannels: {left: {device: bench}}\n"
    (tmp_path / "rig.yaml").write_text(text, encoding="utf-8")
    assert here("doctor").code == 0
    assert here("channels", "--json").json["channels"][0]["state"] == "simulated"


REST = """\
nakctl: 1
name: A rest
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 1 h}
steps: [{rest: 5 s}]
finally: rest
"""


def test_the_firmware_of_ec_lab_is_replaced_only_when_that_is_said(here: Here, tmp_path: Path) -> None:
    instrument, address = virtual_instrument("--speed", "50", "--fault", "eclab=1", cwd=tmp_path)
    try:
        rig(tmp_path, address)
        (tmp_path / "rest.yaml").write_text(REST, encoding="utf-8")
        run = ("run", "rest.yaml", "--on", "glovebox-2/ch1", "--speed", "50", "--out", "rest.h5")
        said = nakctl(*run, cwd=tmp_path)
        assert said.code == 3
        assert "GEN_ECLAB_LOADED -9" in said.err
        assert "--load-firmware" in said.err
        assert not (tmp_path / "rest.h5").exists()
        assert nakctl(*run, "--load-firmware", "--json", cwd=tmp_path).json["status"] == "completed"
    finally:
        instrument.kill()
        instrument.communicate()


# --- devices ---------------------------------------------------------------------------------------------


def test_an_address_is_asked(here: Here, virtual: Virtual) -> None:
    address = virtual("VMP-3")
    said = here("devices", address, "--json")
    assert said.code == 0
    (device,) = said.json["devices"]
    assert (device["address"], device["kind"], device["channels"]) == (address, "VMP-3", [1, 2, 4])


def test_the_rig_says_what_is_whose(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    address = virtual()
    rig(tmp_path, address)
    said = here("devices")
    assert said.code == 0
    assert said.out.splitlines()[1].split() == [address, "SP-300", "-", "sim", "glovebox-2"]


def test_who_does_not_answer_is_named(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    address = virtual(faults=["cable"])
    rig(tmp_path, address)
    said = here("devices")
    assert said.code == 3
    assert said.out.startswith(f"{address}: BL_Connect: the connection cannot be made")


# --- channels --------------------------------------------------------------------------------------------


def test_every_channel_with_its_owner(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    address = virtual(faults=["eclab=4"])
    rig(tmp_path, address)
    place = Place("glovebox-2/ch1", "biologic", "SP-300", 1, {"address": address})
    with claimed(place, "CCD, cell 7", tmp_path / "ccd.h5"):
        said = here("channels")
    assert said.code == 0
    rows = {line.split()[0]: line for line in said.out.splitlines()}
    assert "CCD, cell 7" in rows["glovebox-2/ch1"]
    assert "ccd.h5 (process" in rows["glovebox-2/ch1"]
    assert "firmware: EC-Lab" in rows["glovebox-2/ch4"]
    assert "simulated" in rows["sim-sp300"]


def test_channels_of_an_instrument_that_does_not_answer(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    rig(tmp_path, virtual(faults=["cable"]))
    said = here("channels", "--json")
    assert said.code == 3
    assert [row["state"] for row in said.json["channels"]] == ["does not answer"] * 2 + ["simulated"] * 2


def test_a_channel_that_is_not_plugged(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    rig(tmp_path, virtual(faults=["missing=4"]))
    said = here("channels")
    assert said.code == 3
    assert "not plugged" in said.out


def test_without_a_rig_there_are_the_simulated_ones(here: Here) -> None:
    said = here("channels", "--json")
    assert said.code == 0
    assert [row["channel"] for row in said.json["channels"]] == ["sim-sp300", "sim-vmp3"]


# --- rig -------------------------------------------------------------------------------------------------


def test_a_first_rig_is_valid_and_names_every_channel(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    addresses = [virtual("SP-300"), virtual("VMP-3"), virtual("VMP-3")]
    assert here("rig", "init", *addresses).code == 0
    text = (tmp_path / "rig.yaml").read_text(encoding="utf-8")
    written = yaml.safe_load(text)
    assert [device["address"] for device in written["devices"].values()] == addresses
    assert list(written["devices"]) == ["sp300", "vmp3", "vmp3-2"]
    jsonschema.validate(written, schema.schema())
    assert max(map(len, text.splitlines())) <= 110
    said = here("rig", "check", "--json")
    assert said.json["channels"]["vmp3-2/ch4"] == "VMP-3"
    assert here("doctor").code == 0
    uncommented = text.replace("# cells:", "cells:").replace("#   ", "  ")
    (tmp_path / "rig.yaml").write_text(uncommented, encoding="utf-8")
    assert here("check", "pristine-eis", "--on", "sp300/ch1").code == 0


def test_a_rig_is_never_overwritten(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    (tmp_path / "rig.yaml").write_text("mine", encoding="utf-8")
    assert "nothing is overwritten" in refused(here("rig", "init", virtual()))
    assert (tmp_path / "rig.yaml").read_text(encoding="utf-8") == "mine"


def test_without_an_instrument_nothing_is_written(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    said = here("rig", "init", virtual(faults=["cable"]))
    assert said.code == 3
    assert "COMM_CONNECTIONFAILED" in said.err
    assert "answers there; nakctl devices looks for them" in said.err
    assert list(tmp_path.iterdir()) == []


BROKEN = [
    ("channel: 4}", "channel: 17}", "6:49", "16"),
    ("channel: 4}", "channel: 1}", "6:3", "is channel 1 of"),
    ("model: SP-300", "model: SP-301", "3:41", "SP-301"),
    ("driver: biologic", "driver: biologik", "3:24", "there is no driver biologik"),
    ("area: 1 cm2", "area: $area", "8:42", "a rig has no parameters"),
    ("area: 1 cm2", "area: 1", "8:42", "has no unit"),
]


@pytest.mark.parametrize(("right", "broken", "mark", "told"), BROKEN)
def test_slips_are_told_with_their_line(
    here: Here, tmp_path: Path, right: str, broken: str, mark: str, told: str
) -> None:
    rig(tmp_path, "192.0.2.7")
    text = (tmp_path / "rig.yaml").read_text(encoding="utf-8")
    (tmp_path / "rig.yaml").write_text(text.replace(right, broken), encoding="utf-8")
    said = refused(here("rig", "check"))
    assert said.startswith(f"rig.yaml:{mark}  ")
    assert told in said
    as_json = here("rig", "check", "--json")
    assert (as_json.code, as_json.json["ok"]) == (2, False)
    assert f"{as_json.json['errors'][0]['line']}:{as_json.json['errors'][0]['column']}" == mark


def test_there_is_no_rig_to_check(here: Here) -> None:
    assert "rig.yaml" in refused(here("rig", "check"))


def test_the_schema_that_is_checked_in_is_current(here: Here, request: pytest.FixtureRequest) -> None:
    path = library.folder() / schema.FILE
    if request.config.getoption("--update-golden"):
        path.write_text(schema.text(), encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == schema.text()
    assert here("rig", "schema").out == schema.text()


def test_the_schema_refuses_what_an_editor_should_underline(tmp_path: Path) -> None:
    rig(tmp_path, "192.0.2.7")
    good = yaml.safe_load((tmp_path / "rig.yaml").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema.schema())
    assert validator.is_valid(good)
    for path, wrong in [
        (("channels", "glovebox-2/ch1", "channel"), 17),
        (("cells", "dummy", "area"), "$area"),
    ]:
        bad = json.loads(json.dumps(good))
        bad[path[0]][path[1]][path[2]] = wrong
        assert not validator.is_valid(bad), path


# --- first day -------------------------------------------------------------------------------------------


def test_a_first_day_is_written_down(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    address = virtual("VMP-3", habits=Habits(chain_length=37, memory_bytes=2**18))
    said = here("doctor", "--first-day", address, "1", "--yes-dummy-cell")
    assert (said.code, said.err) == (0, "")
    assert "           -> Set chain_length to 37" in said.out
    assert " changed, 0 unsettled; file first-day.json" in said.out
    kept = json.loads((tmp_path / "first-day.json").read_text(encoding="utf-8"))
    assert (kept["address"], kept["channel"], kept["format"]) == (address, 1, "nakctl first day 1")
    assert [each["found"] for each in kept["lessons"] if each["bears_on"] == "vmp3.toml: chain_length"] == [
        37
    ]
    changed = {each["bears_on"] for each in kept["lessons"] if each["verdict"] == "changed"}
    of_time = {"vmp3.toml: load_s", "vmp3.toml: feeds"}  # this computer may be busy
    assert changed - of_time == {"vmp3.toml: chain_length"}
    again = refused(here("doctor", "--first-day", address, "1", "--yes-dummy-cell"))
    assert "name another with --out" in again


def test_what_was_learned_before_the_link_broke_is_kept(here: Here, virtual: Virtual, tmp_path: Path) -> None:
    rig(tmp_path, virtual(faults=["cable=@call300"]))
    said = here("doctor", "--first-day", "glovebox-2/ch1", "--yes-dummy-cell", "--json")
    assert said.code == 3
    assert "Check the cable" in said.err
    assert json.loads((tmp_path / "first-day.json").read_text(encoding="utf-8"))["lessons"]


MISTAKES = [
    (("doctor", "--first-day"), "needs to know where"),
    (("doctor", "--first-day", "ADDRESS"), "needs a channel"),
    (("doctor", "--first-day", "ADDRESS", "1"), "--yes-dummy-cell"),
    (("doctor", "nosuch"), "neither an address nor a device"),
    (("doctor", "--rig", "nosuch.yaml"), "nosuch.yaml"),
    (("devices", "nosuch"), "neither an address nor a device"),
    (("channels", "--rig", "nosuch.yaml"), "nosuch.yaml"),
    (("rig", "init", "ADDRESS", "--out", "nowhere/rig.yaml"), "there is no folder nowhere"),
]


@pytest.mark.parametrize(("words", "told"), MISTAKES)
def test_a_mistake_is_explained_and_starts_nothing(
    here: Here,
    virtual: Virtual,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    told: str,
) -> None:
    address = virtual()
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert told in refused(here(*(address if word == "ADDRESS" else word for word in words)))
    assert list(tmp_path.iterdir()) == []
