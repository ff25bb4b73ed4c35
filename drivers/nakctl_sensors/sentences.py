"""Why an instrument cannot be reached, in one sentence that helps."""

from __future__ import annotations

import errno

from nakctl_sensors import ports


def why_no_port(port: str, error: Exception) -> str:
    """A serial port that cannot be opened."""
    text, code = str(error), getattr(error, "errno", None)
    if "://" in port:
        return f"{port} cannot be opened: {text}"
    if code == errno.EACCES or "PermissionError" in text or "Permission denied" in text:
        return (
            f"{port} is busy or not allowed: close the other program that has it open "
            "(on Linux, be in the group dialout)"
        )
    if code in (errno.EAGAIN, errno.EBUSY) or "lock" in text:
        return f"{port} is busy: close the other program that has it open"
    if code == errno.ENOENT or "could not open port" in text or "FileNotFoundError" in text:
        infos = ports.there()
        there = f"there is no port {port} (unplugged?); there are: {ports.listed(infos)}"
        return ports.moved(port, infos) or there
    return f"{port} cannot be opened: {text}"


def why_no_backend(backend: str, error: Exception) -> str:
    """A VISA library that cannot be loaded."""
    name = backend or "VISA"
    return (
        f"the VISA library {name} cannot be used ({error}): install NI-VISA or Keysight IO Libraries, "
        "or write `backend: '@py'` to use pyvisa-py"
    )
