"""What differs on Windows: locks, names of open files, the end of a session, processes of their own, the library."""

from __future__ import annotations

import json
import time
from pathlib import Path

from under_wine import PATIENCE_s, Wine

HOLD = """
from pathlib import Path
from nakctl.record import lock
held = lock.hold(Path('x.lock'))
print('held', flush=True)
import time; time.sleep(600)
"""
ASK = """
from pathlib import Path
from nakctl.record import lock
print(lock.is_held(Path('x.lock')), end=' ')
try:
    lock.hold(Path('x.lock')).close()
    print('taken')
except PermissionError:
    print('refused')
"""
PROBE = """
from pathlib import Path
from nakctl.record import lock
file = Path('x.lock').open('rb')
lock._take(file, shared=True)
print('asking', flush=True)
import time; time.sleep(600)
"""


def test_a_lock_is_held_by_one_and_ends_with_it(wine: Wine) -> None:
    holder = wine.start(HOLD)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == b"held"
    assert wine.python(ASK) == (0, "True refused\n", "")
    holder.kill()
    holder.wait(PATIENCE_s)
    assert wine.python(ASK) == (0, "False taken\n", "")


def test_who_asks_whether_a_lock_is_held_holds_it_for_nobody_else_who_asks(wine: Wine) -> None:
    """The keeper, `status` and `watch` may all look at the same moment."""
    (wine.folder / "x.lock").touch()
    prober = wine.start(PROBE)
    assert prober.stdout is not None
    assert prober.stdout.readline().strip() == b"asking"
    held = "from pathlib import Path; from nakctl.record import lock; print(lock.is_held(Path('x.lock')))"
    assert wine.python(held) == (0, "False\n", "")


OPEN = """
import time
file = open('x')
print('open', flush=True)
while not __import__('os').path.exists('enough'): time.sleep(0.01)
file.close()
time.sleep(600)
"""
REMOVE = """
from pathlib import Path
from nakctl.record import files
try:
    Path('x').unlink()
except PermissionError as error:
    print(files.is_in_use(error), flush=True)
Path('enough').touch()
files.remove(Path('x'))
print(Path('x').exists())
"""


def test_who_has_a_file_open_for_a_moment_is_waited_for(wine: Wine) -> None:
    (wine.folder / "x").touch()
    reader = wine.start(OPEN)
    assert reader.stdout is not None
    assert reader.stdout.readline().strip() == b"open"
    assert wine.python(REMOVE) == (0, "True\nFalse\n", "")


def test_nobody_takes_the_name_of_an_open_file(wine: Wine) -> None:
    """So a file that a viewer has open is not replaced, see `seal`."""
    code = (
        "from pathlib import Path\n"
        "a, b = Path('a'), Path('b'); a.write_text('a'); b.write_text('b')\n"
        "with b.open():\n"
        "    try: a.replace(b)\n"
        "    except PermissionError: print('refused')\n"
        "a.replace(b); print(b.read_text())"
    )
    assert wine.python(code) == (0, "refused\na\n", "")


END = """
import ctypes, os, sys, time
from nakctl.host import told_of_the_end
user, found, said = ctypes.WinDLL("user32"), [], []
kind = ctypes.WINFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)

def look(handle, _):
    name = ctypes.create_unicode_buffer(99)
    user.GetClassNameW(ctypes.c_void_p(handle), name, 99)
    if name.value.startswith(f"nakctl-{os.getpid()}-"):
        found.append(ctypes.c_void_p(handle))
    return True

look = kind(look)
with told_of_the_end(said.append):
    user.EnumWindows(look, None)
    (window,) = found
    for message, word in ((0x11, 0), (0x16, 0)):  # asked, and then it did not come to that
        user.SendMessageW(window, message, word, 0)
    print(said)
    for _ in range(2):
        user.SendMessageW(window, 0x16, 1, 0)
    print(said)
for _ in range(500):
    if not user.IsWindow(window):
        print("gone")
        break
    time.sleep(0.02)
"""


def test_the_end_of_a_session_is_told_once(wine: Wine) -> None:
    assert wine.python(END) == (0, "[]\n['the computer shuts down']\ngone\n", "")


AWAKE = """
from nakctl.host import awake
import time
with awake("a run") as kept:
    time.sleep(0.5)
    print(repr(kept.trouble()))
"""


def test_windows_is_asked_to_stay_awake(wine: Wine) -> None:
    assert wine.python(AWAKE) == (0, "''\n", "")


DETACH = """
from nakctl.host import start_detached
from pathlib import Path
Path("tools").mkdir()
Path("tools/later.py").write_text(
    "import time; from pathlib import Path\\n"
    "while not Path('question').exists(): time.sleep(0.1)\\n"
    "Path('answer').write_text('yes'); print('said')"
)
sys.path.append(str(Path.cwd() / "tools"))
started = start_detached("later", output=Path("said.txt"))
print(started.pid is not None, repr(started.warning))
"""


def test_a_process_of_its_own_outlives_its_starter(wine: Wine) -> None:
    starter = wine.start(DETACH)
    assert starter.stdout is not None
    assert starter.stdout.readline().strip() == b"True ''"
    assert starter.wait(PATIENCE_s) == 0  # not to the end of its pipes: Wine hands those on as well
    (wine.folder / "question").touch()
    wait_for(wine.folder / "answer")
    assert (wine.folder / "answer").read_text() == "yes"


BY_TASK = """
from nakctl.host.windows_system import ThisWindows
from nakctl.host.windows_job import BREAK_AWAY, Job
import tempfile
from pathlib import Path
tempfile.tempdir = str(Path.cwd())
windows = ThisWindows()
print(windows.job() == windows.landing(0) == windows.landing(BREAK_AWAY) == Job())
print(windows.schedule("json.tool", ("--help",), None), list(Path.cwd().glob("nakctl-*")))
"""


def test_an_order_that_no_task_takes_is_taken_back(wine: Wine) -> None:
    """Wine knows of tasks, and starts none."""
    assert wine.python(BY_TASK) == (0, "True\nFalse []\n", "")


def test_autostart_is_installed_and_removed(wine: Wine) -> None:
    code, out, err = wine.nakctl("autostart", "install")
    assert (code, err) == (0, "")
    assert "without your password" in out
    tasks = wine.home / "prefix" / "drive_c" / "windows" / "system32" / "tasks"
    assert [each.name.startswith("nakctl-attach-") for each in tasks.iterdir()] == [True]
    assert wine.nakctl("autostart", "remove") == (0, "removed\n", "")
    assert list(tasks.iterdir()) == []


def test_the_makers_library_is_loaded_and_says_its_version(wine: Wine) -> None:
    """That of easy-biologic, without an instrument: 127.0.0.1 is none."""
    code, out, err = wine.nakctl("doctor", "127.0.0.1", "--json")
    (device,) = json.loads(out)["devices"]
    facts = {each["about"]: each["fact"] for each in device["findings"]}
    assert code == 3, (facts, err)
    assert any("6." in fact for fact in facts.values()), facts


def wait_for(file: Path) -> None:
    until = time.monotonic() + PATIENCE_s
    while not file.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
