"""Where a run comes from, as its file says it: instrument, program, versions, checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nakctl.page.document import facts, folded
from nakctl.page.markup import Content, Markup, tag, text
from nakctl.record.describe import read_fields
from nakctl.record.opening import opened
from nakctl.record.read import Run

_BYTES = 1 << 24


def provenance(run: Run) -> list[Content]:
    header = run.header
    with opened(run.path) as file:
        entry = file["entry"]
        top = read_fields(entry)
        parts = {
            name: read_fields(entry[name]) for name in ("protocol", "plan", "user", "sample") if name in entry
        }
        version = str(entry["program_name"].attrs.get("version", "")) if "program_name" in entry else ""
    environment = dict(header.environment)
    command = environment.pop("command_line", "")
    instrument = {name: value for name, value in header.instrument.items() if name != "facts"}
    dirty = " with changes that were not committed" if _is_set(top.get("git_dirty")) else ""
    told_of = facts(
        [
            ("run", tag("code", text(header.run_id))),
            ("file", text(run.path.name)),
            ("SHA-256 of the file", tag("code", _checksum(run))),
            (
                "instrument",
                text(", ".join(f"{name} {value}" for name, value in instrument.items() if value != "")),
            ),
            ("command", tag("code", text(str(command))) if command else None),
            ("campaign", text(_campaign(header.campaign)) if header.campaign else None),
            ("program", f"{top.get('program_name', '')} {version}".strip()),
            ("git", tag("code", f"{top.get('git_commit')}{dirty}") if top.get("git_commit") else None),
            ("by", text(str(parts.get("user", {}).get("name", "")))),
            *(
                (f"SHA-256 of the {name}", _code(parts.get(name, {}).get("sha256")))
                for name in ("protocol", "plan")
            ),
            *((name, text(str(value))) for name, value in environment.items()),
        ]
    )
    about = {"instrument": header.instrument.get("facts"), "cell": parts.get("sample", {}).get("facts")}
    more = (
        folded(
            f"facts of the {name}", tag("pre", json.dumps(each, indent=1, ensure_ascii=False), tabindex="0")
        )
        for name, each in about.items()
        if each
    )
    return [told_of, *more]


def _campaign(about: Mapping[str, Any]) -> str:
    return f"{about.get('name', '')} ({about.get('file_name', '')})"


def _code(value: Any) -> Markup | None:
    return tag("code", str(value)) if value else None


def _is_set(value: Any) -> bool:
    return str(value) not in ("", "0", "None", "False")


def _checksum(run: Run) -> str:
    """What `sha256sum` says of it; of a file that grows that means nothing."""
    if not run.header.sealed:
        return "not sealed"
    digest = hashlib.sha256()
    with run.path.open("rb") as file:
        while part := file.read(_BYTES):
            digest.update(part)
    return digest.hexdigest()
