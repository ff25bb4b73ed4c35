"""`nakctl serve` as a process of its own, and whoever asks it."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import ENVIRONMENT, Command

from nakctl.cli.serving.guard import Guard


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Serving:
    """data: where the token is kept; port 0: any that is free."""

    def __init__(self, *words: str, cwd: Path, data: Path, port: int = 0) -> None:
        environment = {**ENVIRONMENT, "NAKCTL_RUNS": os.environ["NAKCTL_RUNS"], "XDG_DATA_HOME": str(data)}
        self.process = Command("serve", "--port", str(port), *words, cwd=cwd, environment=environment)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        self.told = self.process.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]{20,})", self.url)
        assert found, self.url
        self.port, self.token = int(found[1]), found[2]
        self.root = Guard(self.port, self.token).root

    def ask(
        self, path: str, method: str = "GET", token: str | None = None, body: str = "", **headers: str
    ) -> Answer:
        """path: below the one of this server, or /~ and the whole of it. token: None: that of the server, as a
        browser has it after the first visit.
        """
        path = path[2:] if path.startswith("/~") else self.root + path
        known = self.token if token is None else token
        cookie = {"Cookie": f"nakctl-{self.port}={known}"} if known else {}
        told = (
            {"Host": f"127.0.0.1:{self.port}"}
            | cookie
            | {name.replace("_", "-"): value for name, value in headers.items()}
        )
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        link.putrequest(method, path, skip_host=True)
        for name, value in (told | {"Content-Length": str(len(body))}).items():
            link.putheader(name, value)
        link.endheaders(body.encode())
        answer = link.getresponse()
        found = Answer(answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace"))
        link.close()
        return found

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill_all()
        self.process.communicate()
