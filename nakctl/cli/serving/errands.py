"""What is done for a page in a process of its own: a report is drawn, a run is stopped by `nakctl stop`.

The server goes on answering meanwhile, memory that a report took is given back, and who stops a run is the
same program as in a terminal: it knows what to do if the run's own program died.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from nakctl import isolated
from nakctl.errors import ExitCode

REPORTS = 12  # that are kept: pages of up to 15 MB
AFTER = ("", "step", "cycle", "spectrum")


class Errand:
    """A command of ours that runs. What it says is kept in files: nobody has to listen."""

    def __init__(self, *arguments: str) -> None:
        self._out, self._err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115
        self._process = isolated.start("nakctl", *arguments, stdout=self._out, stderr=self._err)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """None: it goes on."""
        return self._process.poll()

    def said(self) -> tuple[str, str]:
        """What it printed, once it is over."""
        texts = []
        for stream in (self._out, self._err):
            stream.seek(0)
            texts.append(stream.read(1 << 16).decode("utf-8", "replace").strip())
        return texts[0], texts[1]

    def end(self) -> None:
        with suppress(OSError):
            self._process.kill()
            self._process.wait()


class Reports:
    """Drawn when somebody asks for one, one at a time, and kept until the server ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nakctl-reports-", ignore_cleanup_errors=True)
        self._made: OrderedDict[str, Path] = OrderedDict()
        self._failed: dict[str, str] = {}
        self._drawing: tuple[str, Path, Errand] | None = None

    def page(self, file: Path) -> Path | str | None:
        """The page; why there is none; None: not yet, ask again."""
        self._look()
        key = self._key(file)
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        if key in self._failed:
            return self._failed.pop(key)  # the next time it is tried anew
        if self._drawing is None:
            self._draw(key, file)
        return None

    def close(self) -> None:
        if self._drawing is not None:
            self._drawing[2].end()
        self._folder.cleanup()

    def _draw(self, key: str, file: Path) -> None:
        page = Path(self._folder.name) / f"{key}.html"
        errand = Errand("report", "--overwrite", "-o", str(page), "--", str(file))
        with suppress(psutil.Error, OSError):  # runs of this computer go first
            idle = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 10)
            psutil.Process(errand.pid).nice(idle)
        self._drawing = key, page, errand

    def _look(self) -> None:
        if self._drawing is None or self._drawing[2].code is None:
            return
        (key, page, errand), self._drawing = self._drawing, None
        if errand.code == ExitCode.DONE:
            self._made[key] = page
        else:
            self._failed[key] = errand.said()[1] or "the report could not be drawn"
        while len(self._made) > REPORTS:
            _, old = self._made.popitem(last=False)
            old.unlink(missing_ok=True)

    @staticmethod
    def _key(file: Path) -> str:
        """Of a file as it is now."""
        about = file.stat()
        told = f"{file}|{about.st_size}|{about.st_mtime_ns}"
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:24]


class Stops:
    """What was asked of runs from pages, and what became of it; one at a time for each."""

    def __init__(self) -> None:
        self._asked: dict[str, Errand] = {}

    def ask(self, run_id: str, run: str, after: str) -> bool:
        """False: it is being stopped already. run: as `nakctl stop` finds it."""
        known = self._asked.get(run_id)
        if known is not None and known.code is None:
            return False
        more = ["--after", after] if after else []
        self._asked[run_id] = Errand("stop", "--json", *more, "--", run)
        return True

    def told(self, run_id: str) -> dict[str, Any] | None:
        """None: nothing was asked."""
        known = self._asked.get(run_id)
        if known is None:
            return None
        if known.code is None:
            return {"text": "it is asked to stop; what becomes of the cell is told here", "level": "warning"}
        out, err = known.said()
        with suppress(ValueError, TypeError, KeyError):
            return {"text": str(json.loads(out)["text"]), "level": "" if known.code == 0 else "alarm"}
        return {"text": err or out or "nothing was answered", "level": "" if known.code == 0 else "alarm"}
