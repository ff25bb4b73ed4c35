"""The way to a Dask cluster: whether a scheduler answers, and whether its workers understand what is sent."""

from __future__ import annotations

import logging
import platform
import socket
import warnings
from typing import TYPE_CHECKING

from nakctl import __version__
from nakctl.cli.campaigns.dask_task import other_version
from nakctl.errors import InputError, NakctlError

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_s = 15.0  # until a scheduler answers, and has workers
_LONGEST_GREETING = 1 << 16


def connected(address: str) -> Client:
    """NakctlError: no scheduler answers there, or it has no workers."""
    from distributed import Client

    _hush()
    _refuse_deaf(address)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages that are others there: what counts is asked for
            client = Client(address, timeout=PATIENCE_s, set_as_default=False)
    except Exception as error:  # noqa: BLE001  (what answers there may be anything)
        raise _no_scheduler(address, why_of(error)) from None
    try:
        client.wait_for_workers(1, timeout=PATIENCE_s)
    except TimeoutError:
        client.close()
        raise NakctlError(f"the Dask scheduler at {address} has no workers") from None
    return client


def refuse_others(client: Client) -> None:
    """InputError if a worker has another nakctl or Python: what is sent there, the same alone understands."""

    def versions() -> tuple[str, str]:  # sent as code: there may be no nakctl
        import platform

        try:
            from nakctl import __version__
        except ImportError:
            return "", platform.python_version()
        return __version__, platform.python_version()

    here = platform.python_version()
    told = []
    for worker, (version, python) in client.run(versions).items():
        if version != __version__:
            told.append(f"worker {worker}: {other_version(version, __version__)}")
        elif python.rpartition(".")[0] != here.rpartition(".")[0]:
            told.append(
                f"worker {worker} has Python {python}, and here is {here}: they have to agree in the first "
                "two numbers"
            )
    if told:
        raise InputError("\n".join(told))


def why_of(error: BaseException) -> str:
    """In a line."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _no_scheduler(address: str, why: str) -> NakctlError:
    return NakctlError(f"no Dask scheduler answers at {address} ({why})")


def _hush() -> None:
    """What goes wrong is told by us, once: distributed gives each of its loggers a level and an outlet."""
    for name in [*logging.root.manager.loggerDict, "distributed", "tornado", "asyncio"]:
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _refuse_deaf(address: str) -> None:
    """NakctlError: nobody is there, or somebody who does not speak as a scheduler does.

    Looked at beforehand: distributed tries a port that refuses for as long as one that may still come, and
    believes whatever stands at the beginning of an answer, or waits for one for ever.
    """
    from distributed.comm.addressing import parse_address, parse_host_port

    try:
        scheme, place = parse_address(address)
        if scheme not in ("tcp", "tls"):
            return
        host, port = parse_host_port(place)
        if not 0 < port < 1 << 16:
            raise ValueError(f"there is no port {port}")
        with socket.create_connection((host, port), PATIENCE_s) as speaking:
            if scheme == "tls":  # there who calls speaks first
                return
            greeting = b""
            while len(greeting) < 8 and (more := speaking.recv(8 - len(greeting))):
                greeting += more
    except (OSError, ValueError) as error:
        raise _no_scheduler(address, getattr(error, "strerror", None) or why_of(error)) from None
    if len(greeting) < 8 or int.from_bytes(greeting, "little") > _LONGEST_GREETING:  # how long it will be
        raise _no_scheduler(address, "something else does")
