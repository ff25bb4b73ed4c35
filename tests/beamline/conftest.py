"""A RunEngine, a detector, and runs whose processes are forked, as those of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import fork_server
import pytest
from command_line import Command

from nakctl import isolated

pytest.importorskip("bluesky", reason="needs the extra `bluesky`")
pytest.importorskip("event_model", reason="needs the extra `bluesky`")

from bluesky import RunEngine
from flying import SHORT, Documents


@pytest.fixture(scope="session")
def engine() -> RunEngine:
    return RunEngine({})


@pytest.fixture
def documents(engine: RunEngine) -> Iterator[Documents]:
    found = Documents()
    token = engine.subscribe(found)
    yield found
    engine.unsubscribe(token)
    if engine.state == "paused":
        engine.halt()


@pytest.fixture(autouse=True, scope="module")
def forked_runs(helpers_are_forked: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where the system can fork: most of what a run does at its start is to import."""
    with pytest.MonkeyPatch.context() as patch:
        if os.name == "posix":
            runners = tmp_path_factory.mktemp("runs") / "runners"
            request = {"witness": "", "helpers": True, "runners": str(runners)}
            start = fork_server.start_of_runners(isolated.start, request, Command._server().control)
            patch.setattr(isolated, "start", start)
        yield


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.yaml").write_text(SHORT, encoding="utf-8")
    return "short.yaml"
