"""The library: where it comes from, one thread for all calls, errors that say what to do."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from biologic_bench import CELL, Bench, bench, chain, cp, drain, ocv, run
from easy_bench import easy_biologic
from patience import PATIENCE_s

from nakctl.device.driver import Place
from nakctl.errors import ChannelError, ExitCode, LinkLost, RigError
from nakctl_biologic import providers, remedies
from nakctl_biologic.driver import driver
from nakctl_biologic.eclib import Eclib
from nakctl_biologic.errors import EclibError, failure
from nakctl_biologic.functions import OPTIONAL, PROTOTYPES
from nakctl_biologic.opening import open_channel
from nakctl_biologic.providers import Library, open_library
from nakctl_sim.instrument.clock import StepClock

# every code has a remedy

CODES = [
    *range(-15, 0), *range(-105, -100), *range(-207, -199), *range(-309, -299), *range(-405, -399),
]  # fmt: skip
FIND_CODES = [-1, -2, -10, -11, -12, -20, -21, -22, *range(-35, -29), -38, -39]


def test_every_code_of_the_headers_is_there() -> None:
    assert sorted(remedies.ECLIB) == sorted(CODES)
    assert sorted(remedies.FIND) == sorted(FIND_CODES)


@pytest.mark.parametrize(
    ("call", "code"),
    [*(("BL_GetData", code) for code in CODES), *(("BL_FindEChemDev", code) for code in FIND_CODES)],
)
def test_an_error_says_what_to_do(call: str, code: int) -> None:
    error = failure(call, code, 3, "the library's words")
    for part in (call, "channel 3", error.name, str(code), "the library's words", error.remedy):
        assert part in str(error)
    assert error.remedy.endswith(".")
    assert error.exit_code is ExitCode.INSTRUMENT
    assert isinstance(error, LinkLost) is (code in {-1, -2, -12, -200, -201, -202} and call == "BL_GetData")


def test_a_code_that_no_header_names() -> None:
    assert failure("BL_GetData", -777).name == "UNKNOWN"


@pytest.mark.parametrize(
    ("code", "position", "words"),
    [
        (1, 0, "option was changed"),
        (3, 0, "overflow"),
        (301, 2, "10A5V at position 2: over-temperature"),
        (777, 1, "777"),
    ],
)
def test_option_errors(code: int, position: int, words: str) -> None:
    assert words in remedies.option_error(code, position)


# calls


def stand_in(**functions: object) -> Library:
    """A library of C functions that answer 0, but for those given."""
    made = {}
    for name, (result, arguments) in PROTOTYPES.items():
        answer = functions.get(name, lambda *_: 0)
        made[name] = ctypes.CFUNCTYPE(result, *arguments)(answer)
    addresses = {name: ctypes.cast(made[name], ctypes.c_void_p).value or 0 for name in made}
    return Library("stand-in", addresses, None, True, made)


def test_all_calls_come_from_one_thread() -> None:
    seen = set()

    def note(*_: object) -> int:
        seen.add(threading.get_ident())
        return 0

    one, other = (Eclib(stand_in(BL_StartChannel=note)) for _ in range(2))
    threads = [
        threading.Thread(target=each.call, args=("BL_StartChannel", 0, 0)) for each in (one, other) * 5
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1
    assert seen.isdisjoint({threading.get_ident()})


@pytest.mark.parametrize("code", [-12, -200, -202, -4, -405, -1])
def test_a_call_is_made_once(code: int) -> None:
    """Whether it is worth to be made again is not the library's business."""
    answers: list[int] = []
    library = stand_in(BL_StopChannel=lambda *_: answers.append(code) or code)
    with pytest.raises(EclibError) as caught:
        Eclib(library).call("BL_StopChannel", 0, 2, channel=3)
    assert (caught.value.code, caught.value.channel, caught.value.call) == (code, 3, "BL_StopChannel")
    assert answers == [code]


HANGING = """
import ctypes, threading
from nakctl_biologic.eclib import Eclib
from nakctl_biologic.functions import PROTOTYPES
from nakctl_biologic.providers import Library

inside = threading.Event()
def hang(*_):
    inside.set()
    threading.Event().wait()
made = {name: ctypes.CFUNCTYPE(result, *arguments)(hang) for name, (result, arguments) in PROTOTYPES.items()}
eclib = Eclib(Library("stand-in", {n: ctypes.cast(f, ctypes.c_void_p).value for n, f in made.items()}, None, True, made))
threading.Thread(target=eclib.call, args=("BL_StartChannel", 0, 0), daemon=True).start()
inside.wait()
print("leaving", flush=True)
"""


def test_a_call_that_never_comes_back_does_not_keep_the_program() -> None:
    """It ends by itself, with no thread joined; the time-out is that of a failure."""
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=PATIENCE_s)
    assert (done.stdout, done.returncode) == ("leaving\n", 0)


def test_a_library_that_lacks_functions() -> None:
    whole = stand_in()
    partial = {name: address for name, address in whole.addresses.items() if name not in OPTIONAL}
    assert not Eclib(Library("old", partial, None, True, whole)).has("BL_GetChannelBoardType")
    del partial["BL_GetData"]
    with pytest.raises(EclibError, match="lacks BL_GetData"):
        Eclib(Library("broken", partial, None, True, whole))


# providers


def test_a_scheme_names_an_entry_point() -> None:
    one = bench()
    assert one.channel.info.simulated is True
    assert one.channel.info.facts["library_from"] == "sim://"
    with pytest.raises(RigError, match="no library answers to mis://"):
        open_library({"address": "mis://here"})


@pytest.mark.parametrize(
    ("address", "simulated"), [("sim://127.0.0.1:5025", True), ("192.109.209.128", False), ("USB0", False)]
)
def test_a_driver_knows_from_the_address_what_is_simulated(address: str, simulated: bool) -> None:
    assert driver.simulated(Place("x", "biologic", "SP-300", 1, {"address": address})) is simulated


def test_without_windows_there_is_no_easy_biologic() -> None:
    with pytest.raises(ChannelError, match="sdk_path"):
        open_library({"address": "192.109.209.128"})


@pytest.mark.parametrize("provider", [None, "easy_biologic"])
def test_easy_biologic_gives_handles_and_nothing_else(provider: str | None) -> None:
    segment = chain(ocv(1.0), cp(1e-4, 1.0))
    expected = run(bench(), segment).samples
    seated = bench()
    seated.channel.close()
    options = {"address": "inprocess/bench"} | ({"provider": provider} if provider else {})  # has no scheme
    with easy_biologic("sim://inprocess/bench"):
        channel = open_channel(Place("x", "biologic", "SP-300", 1, options), seated.clock)
        one = Bench(channel, seated.instrument, seated.clock)
        assert one.channel.info.simulated is False
        assert one.channel.info.facts["library_from"] == "easy_biologic"
        assert one.channel._link.device.eclib.folder.name.startswith("techniques-")  # type: ignore[union-attr]
        done = run(one, segment)
        assert done.samples.tobytes() == expected.tobytes()
        one.channel.close()


def test_its_two_libraries_have_a_function_of_one_name() -> None:
    """BL_GetErrorMsg of the finder is another one, and the only one the package has a handle of."""
    with easy_biologic("sim://inprocess/bench") as package:
        library = open_library({"address": "192.109.209.128"})
        own = vars(package.ec_lib)["__dll"]["BL_GetErrorMsg"]
        assert library.address("BL_GetErrorMsg") == ctypes.cast(own, ctypes.c_void_p).value


def test_sdk_path_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "EClib64.dll"):
        with pytest.raises(RigError, match=r"sdk_path: there is no .*EClib64\.dll"):
            open_library({"address": "192.109.209.128", "sdk_path": str(path)})


def test_sdk_path_to_something_else(tmp_path: Path) -> None:
    file = tmp_path / "EClib64.dll"
    file.write_bytes(b"no library")
    with pytest.raises(ChannelError, match="cannot be loaded"):
        open_library({"address": "192.109.209.128", "sdk_path": str(file)})


SHARED_OBJECT = """
#include <stdint.h>
#include <string.h>
int32_t BL_GetLibVersion(char *text, uint32_t *size) { strcpy(text, "1.2.3"); *size = 5; return 0; }
int32_t BL_GetErrorMsg(int32_t code, char *text, uint32_t *size) { strcpy(text, "as told"); return 0; }
int32_t BL_LoadTechnique(int32_t id, uint8_t ch, const char *file, const void *params, uint8_t a, uint8_t b, uint8_t c)
{ return strstr(file, "/ocv4.ecc") && ((const int32_t *)params)[0] == 6 ? 0 : -400; }
"""
COMPILER = shutil.which("cc") or shutil.which("gcc")


@pytest.mark.skipif(COMPILER is None, reason="no C compiler here")
@pytest.mark.parametrize("by_folder", [False, True])
def test_sdk_path_takes_any_library_with_this_abi(tmp_path: Path, by_folder: bool) -> None:
    """Also a shared object; technique files lie beside it."""
    names = [name for name in PROTOTYPES if name not in SHARED_OBJECT]
    source = tmp_path / "eclib.c"
    source.write_text(SHARED_OBJECT + "".join(f"int {name}(void) {{ return 0; }}\n" for name in names))
    file = tmp_path / (providers.LIBRARY if by_folder else "libeclib.so")
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-o", file, source], check=True)
    options = {
        "address": "192.109.209.128",
        "provider": "sdk_path",
        "sdk_path": str(tmp_path if by_folder else file),
    }
    library = open_library(options)
    assert (library.folder, library.simulated) == (tmp_path, False)

    from biologic_bench import SP300

    from nakctl_biologic.codes import Board
    from nakctl_biologic.device import Device
    from nakctl_biologic.params import load_as

    device = Device(Eclib(library), "192.109.209.128")
    assert device.eclib.version() == "1.2.3"
    device.connect()
    device.load(0, (load_as(ocv(), SP300, Board.PREMIUM),))
    with pytest.raises(EclibError, match=r'TECH_ECCFILENOTEXISTS -400 \("as told"\)'):
        device.load(0, (load_as(cp(), SP300, Board.PREMIUM),))


# the driver object


def test_a_real_channel_has_no_cells_of_its_own() -> None:
    assert driver.cells() == ()
    with pytest.raises(Exception, match=r"rig\.yaml"):
        driver.cell("NaK50")


def test_the_driver_opens_a_channel() -> None:
    one = bench()
    clock = StepClock()
    place = Place("x", "biologic", "SP-300", 1, {"address": "sim://inprocess/bench"})
    channel = driver.open(place, CELL, clock, 0)
    assert channel.info.instrument == "SP-300"
    channel.close()
    one.channel.load(chain(ocv(0.5)))
    one.channel.start()
    drain(one)
