"""Names that would be anything but text, if a page let them; and a run that has them wherever a name may be."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import results_runs as runs

from nakctl.booking.event import Event
from nakctl.device.sensor import SensorSpec

SCRIPT = "</script><script>document.title='gotcha-2718'</script>"
IMAGE = "<img src=x onerror=\"document.title='gotcha-2718'\">"
MATHS, ENTITY, ARABIC = "$$\\frac{1}{2}$$ \\(x\\)", "&lt;b&gt;&amp;", "\u202eמלח שלום"
ALL = (SCRIPT, IMAGE, MATHS, ENTITY, ARABIC)


def run(path: Path, **more: Any) -> Path:
    """Sealed, with samples, spectra, a sensor, a warning and an interruption."""
    spec = SensorSpec("press", "serial", "COM3", "MPa", "pressure", 1e6, 0.0, 1.0, 1.0)
    runs.sensed(path, "press", [(float(k), 1.0 + 0.1 * k, 0.01) for k in range(9)])
    f_Hz = np.logspace(5, 0, 11)
    z_ohm = 10 + 50 / (1 + 1j * f_Hz / 100)
    about: dict[str, Any] = {
        "title": f"{SCRIPT} {MATHS}", "note": f"{IMAGE} {ENTITY} {ARABIC}", "params": {SCRIPT: MATHS, "b": IMAGE},
        "sample": {"name": f"{IMAGE} {ARABIC}", "area_cm2": runs.AREA_cm2},
        "protocol": {"data": f"name: {SCRIPT}\n# {IMAGE}\n", "file_name": f"{ENTITY}.yaml"},
        "instrument": {"model": SCRIPT, "facts": {"x": SCRIPT}}, "environment": {"host": IMAGE},
        "user": {"name": IMAGE}, "command_line": SCRIPT, "sensors": [spec.as_json()],
    }  # fmt: skip
    return runs.written(
        path,
        [runs.rest(10), runs.strip(1e-3, np.linspace(0.1, 0.2, 40)), runs.rest(5)],
        more=runs.spectra((11.0, 1e-3, f_Hz, z_ohm, True), (30.0, 1e-3, f_Hz, 2 * z_ohm, True))
        | {"chains": runs.chains((10.0, 0.5, 1, 2, 0.0))},
        events=[Event(5.0, 1, "gap", 1, f"rows are missing {SCRIPT}"), Event(20.0, 2, "alarm", 2, IMAGE)],
        **about | more,
    )


class Parsed(HTMLParser):
    """A page as a browser takes it apart.

    shown    its text; names: its elements; attributes: of all of them
    scripts  what runs; data: what scripts read
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []
        self.data: list[Any] = []
        self._texts: list[str] = []
        self._within = ""
        self.feed(page)
        self.close()
        self.shown = " ".join("".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        kind = dict(attrs).get("type") or ""
        self._within = kind or tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "application/json":
            self.data.append(json.loads(data))
        elif self._within == "script":
            self.scripts.append(data)
        elif self._within != "style":
            self._texts.append(data)

    def values(self, *names: str) -> list[str]:
        return [value for _, name, value in self.attributes if name in names]
