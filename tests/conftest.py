"""Golden texts: what a change alters is shown as a difference, and taken over with --update-golden."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import forked_helpers
import pytest
from hypothesis import HealthCheck, settings

from nakctl import isolated
from nakctl_sim.kernel import present

# What is imported and collected stays: it is not looked through for garbage again and again.
gc.set_threshold(50_000)

# A busy machine is no reason to fail, so nothing is timed. Each run of the suite draws anew, and there are many;
# but where a merge is decided all are judged by the same draw: what a new one finds is not the merge's fault. It
# is a shorter one, as it never brings anything new.
IS_MERGE = bool(os.environ.get("CI"))
settings.register_profile(
    "nakctl",
    deadline=None,
    max_examples=20 if IS_MERGE else 40,
    derandomize=IS_MERGE,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("nakctl")

# Channels are claimed apart from the runs that go on on this computer; set before any test copies it.
CLAIMS = tempfile.TemporaryDirectory(prefix="nakctl-claims-", ignore_cleanup_errors=True)
os.environ["NAKCTL_CLAIMS"] = CLAIMS.name

# And so are the runs of this user.
RUNS = tempfile.TemporaryDirectory(prefix="nakctl-runs-", ignore_cleanup_errors=True)
os.environ["NAKCTL_RUNS"] = RUNS.name

# Nobody goes on with a run whose program a test has killed, unless that is what it looks at.
os.environ["NAKCTL_KEEPER"] = "none"

# As the command does for all it starts.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What tests start again and again is compiled once, as our helpers are in any case (they are started with -I).
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A suite that was started in the background of a shell is deaf to Ctrl-C, and so would be the runs it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

GOLDEN = Path(__file__).parent / "golden"


def pytest_report_header() -> str:
    """The suite takes several times as long where it has to simulate in plain Python."""
    kernel = present()
    return f"simulation: {kernel.told}" + (f" ({kernel.remedy})" if kernel.remedy else "")


def pytest_collection_finish() -> None:
    gc.freeze()


def pytest_unconfigure() -> None:
    if command_line := sys.modules.get("command_line"):
        command_line.Command.close()
    forked_helpers.close()
    CLAIMS.cleanup()
    RUNS.cleanup()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden texts anew")
    parser.addoption(
        "--channel",
        metavar="MODULE:OBJECT",
        help="tests/contract tries this one alone, of a driver in a package of its own (see docs/how-to/add-a-driver.md)",
    )


@pytest.fixture(autouse=True, scope="session")
def helpers_are_forked() -> Iterator[None]:
    """Those of this process; `started_anew` is for who tests them."""
    with pytest.MonkeyPatch.context() as patch:
        if os.name == "posix":
            patch.setattr(isolated, "start", forked_helpers.start(forked_helpers.control))
        yield


@pytest.fixture(autouse=True, scope="module")
def calls_stay_on_a_core(request: pytest.FixtureRequest) -> Iterator[None]:
    """The library of an instrument is called in a thread of its own, and to hand a call over takes eight times as
    long where that is on another core. Here is nothing else, so all of it is kept on one."""
    folder = Path(str(request.node.path)).parent.name
    if folder not in ("biologic", "contract", "hardware", "instrument") or sys.platform != "linux":
        yield
        return
    cores = sorted(os.sched_getaffinity(0))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    _keep_on({cores[number % len(cores)]})
    yield
    _keep_on(set(cores))


def _keep_on(cores: set[int]) -> None:
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)


@pytest.fixture
def started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Helpers are started as they are outside of the tests."""
    monkeypatch.setattr(isolated, "start", forked_helpers.STARTED)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text): the text must be that of tests/golden/<name>, or becomes it with --update-golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, "utf-8", newline="\n")
        assert path.is_file(), f"no golden text {name}: pytest --update-golden writes it"
        assert text == path.read_text("utf-8")

    return compare


def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: many tests wait for processes, not for a core. Each takes ten seconds to begin."""
    cores = os.cpu_count() or 1
    return cores + (cores + 1) // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no worker is left alone with it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
