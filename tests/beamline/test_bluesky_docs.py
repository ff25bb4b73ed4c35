"""The samples of docs/bluesky.md run as they stand there, and their documents are what the page says."""

from __future__ import annotations

import contextlib
import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import event_model
import h5py
import pytest
from flying import Camera, Documents

import nakctl
from nakctl.bluesky.steps import Feed

PAGE = Path(__file__).parents[2] / "docs" / "bluesky.md"
SAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[:2]
LEVELS = [f"2.1 strip {level} mA/cm2" for level in ("0.2", "0.4", "0.7")]
Ran = tuple[Documents, list[Any], Documents]


@pytest.fixture(scope="module")
def ran(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """What the first sample said, and the steps as its run was followed; what the second one said."""
    said, followed = [Documents(), Documents()], []
    names: dict[str, Any] = {"camera": Camera(), "RE": engine}
    with contextlib.chdir(tmp_path_factory.mktemp("a b ü")):
        for sample, documents in zip(SAMPLES, said, strict=True):
            token = engine.subscribe(documents)
            exec(sample.replace("RE = RunEngine()", ""), names)
            engine.unsubscribe(token)
            followed.append(names["cell"].flight.feed)
    return said[0], followed[0], said[1]


def test_all_documents_are_valid(ran: Ran) -> None:
    for name, document in (*ran[0].all, *ran[2].all):
        event_model.schema_validators[event_model.DocumentNames[name]].validate(document)


def test_a_staircase_with_a_reading_at_every_level(ran: Ran) -> None:
    documents, feed, _ = ran
    [start], [stop] = documents.named("start"), documents.named("stop")
    run = nakctl.open(start["nakctl"]["file"])
    assert stop["exit_status"] == "success"

    # whose data it is
    assert start["nakctl"]["run_id"] == run.header.run_id
    assert start["nakctl"]["title"] == run.header.title == "SIMULATED Staircase stripping"
    assert start["nakctl"]["protocol"]["sha256"] == hashlib.sha256(run.header.protocol.encode()).hexdigest()
    assert "Ewe above 3 V by the instrument" in start["nakctl"]["plan"]
    configurations = [each["configuration"] for each in documents.named("descriptor")]
    told = [each["data"] for about in configurations for name, each in about.items() if name != "camera"]
    assert [each["cell_run_id"] for each in told] == [run.header.run_id] * 3
    assert [each["cell_simulated"] for each in told] == [True] * 3

    # a reading at every level, a minute after its beginning
    assert documents.events("primary", "cell_step") == LEVELS
    assert documents.events("primary", "camera_sum") == [7.0] * 3
    assert documents.events("primary", "cell_I_set_mA_cm2") == pytest.approx([0.2, 0.4, 0.7], rel=1e-6)
    [page] = documents.named("event_page")
    began = page["timestamps"]["cell_began"][1:]
    read = [each["timestamps"]["camera_sum"] for each in documents.named("event")]
    assert all(60 / 400 <= at - since < 600 / 400 for at, since in zip(read, began, strict=True))

    # every step, as the file has it
    assert documents.events("cell_steps", "cell_step") == [*run.steps.label]
    assert documents.events("cell_steps", "cell_time") == pytest.approx(run.steps.t_end)
    assert documents.events("cell_steps", "cell_Q")[-1] == pytest.approx(run.samples.Q[-1])
    charges = documents.events("cell_steps", "cell_charge_mAh_cm2")
    assert charges == pytest.approx([0.0, 0.2 / 6, 0.4 / 6, 0.7 / 6], rel=1e-3)
    ended = page["timestamps"]["cell_time"]
    lasted_s = [until - since for since, until in zip(page["timestamps"]["cell_began"], ended, strict=True)]
    assert lasted_s == pytest.approx([600 / 400] * 4, abs=0.02)

    # booked while it went on, or at once from the file: the same
    again = Feed(run.path, feed.speed)
    again.finish(run.path)
    assert [*map(repr, again.over)] == [*map(repr, feed.over)]


def test_all_rows_are_where_the_documents_say(ran: Ran) -> None:
    documents = ran[0]
    run = nakctl.open(documents.named("start")[0]["nakctl"]["file"])
    resources = {each["data_key"]: each for each in documents.named("stream_resource")}
    [rows] = {each["indices"]["stop"] for each in documents.named("stream_datum")}
    assert rows == len(run.samples) == documents.named("stop")[0]["num_events"]["cell_samples"]
    for name in ("time", "Ewe", "I", "Q", "step_count"):
        found, expected = resources[f"cell_samples_{name}"], run.samples[name]
        assert found["mimetype"] == "application/x-hdf5"
        with h5py.File(unquote(urlparse(found["uri"]).path)) as h5:
            column = h5[found["parameters"]["dataset"]]
            assert column[()].tolist() == expected.tolist()
            assert list(column.chunks) == found["parameters"]["chunk_shape"]


def test_the_plan_by_hand_does_the_same(ran: Ran) -> None:
    first, _, second = ran
    assert second.events("primary", "cell_step") == ["2.1 strip 0.3 mA/cm2"]
    assert second.events("cell_steps", "cell_step") == ["1 rest", "2.1 strip 0.3 mA/cm2"]
    assert second.named("start")[0]["nakctl"]["protocol"]["params"]["levels"] == "0.3 mA/cm2"
    assert [each["name"] for each in second.named("descriptor")] == ["primary", "cell_steps", "cell_samples"]
    files = [each.named("start")[0]["nakctl"]["file"] for each in (first, second)]
    assert files[0] != files[1]
