"""A process that looks up what the keeper must not wait for: `python -m nakctl.notify.ask ways|ended`.

ways RIG     who is to be told, without passwords: {"ways": [...]} or {"problem": ...}
ended FILE   how a run ended: {"status", "reason", "cell_open"}, {"goes_on": true} or {"problem": ...}
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nakctl import isolated
from nakctl.errors import NakctlError, place_of
from nakctl.notify.outbox import WayTold


def ways(rig: Path) -> dict[str, Any]:
    from nakctl.rig.notify import read_ways

    found = [WayTold(way.number, way.kind, way.label, way.on, way.channels) for way in read_ways(rig)]
    return {"ways": [asdict(way) for way in found]}


def ended(path: Path) -> dict[str, Any]:
    from nakctl.record import files
    from nakctl.record.standing import Standing, over, standing

    beside = files.beside_of(path)
    if not path.exists() and beside.exists():
        path = beside
    if standing(path) in (Standing.LIVE, Standing.DEAD):
        return {"goes_on": True}
    found = over(path)
    return {"status": found.status, "reason": found.reason, "cell_open": found.cell_open}


def main(what: str, name: str) -> None:
    isolated.begin()
    try:
        told = ways(Path(name)) if what == "ways" else ended(Path(name))
    except NakctlError as error:
        told = {"problem": str(error)}
    except Exception as error:  # noqa: BLE001  (who waits for this goes on)
        told = {"problem": f"a fault of nakctl itself ({place_of(error)})"}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:3])
