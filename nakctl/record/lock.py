"""Who records into NAME.h5? A lock tells: the system lets go of it when its process ends, however it ends.

The number of a process would not do: numbers are used again, and its start is known by the wall clock only,
which may be set while it runs.
"""

from __future__ import annotations

import errno
import sys
import time
from pathlib import Path
from typing import BinaryIO

_NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
_PATIENCE_S, _PAUSE_S = 1.0, 0.01  # who only asks `is_held` has it for a moment

if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    # Not msvcrt.locking: it has no shared lock, so of two who only ask one would be told that it is held.
    _FAIL_IMMEDIATELY, _EXCLUSIVE = 0x1, 0x2  # LOCKFILE_..., fileapi.h

    class _Overlapped(ctypes.Structure):
        _fields_ = (
            ("Internal", ctypes.c_void_p),
            ("InternalHigh", ctypes.c_void_p),
            ("Offset", wintypes.DWORD),
            ("OffsetHigh", wintypes.DWORD),
            ("hEvent", wintypes.HANDLE),
        )

    _lock_file = ctypes.WinDLL("kernel32", use_last_error=True).LockFileEx
    _lock_file.argtypes = (wintypes.HANDLE, *(wintypes.DWORD,) * 4, ctypes.POINTER(_Overlapped))
    _lock_file.restype = wintypes.BOOL

    def _take(file: BinaryIO, shared: bool) -> None:
        """Its first byte, as versions before did."""
        flags = _FAIL_IMMEDIATELY | (0 if shared else _EXCLUSIVE)
        handle = msvcrt.get_osfhandle(file.fileno())
        if not _lock_file(handle, flags, 0, 1, 0, ctypes.byref(_Overlapped())):
            raise ctypes.WinError(ctypes.get_last_error())

else:
    import fcntl

    def _take(file: BinaryIO, shared: bool) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def hold(path: Path) -> BinaryIO:
    """Take the lock and keep it until the returned file is closed. OSError if another process has it."""
    file = _opened(path)
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            _take(file, shared=False)
        except OSError:
            if time.monotonic() > until:
                file.close()
                raise
            time.sleep(_PAUSE_S)
        else:
            return file


def is_held(path: Path) -> bool:
    """Whether a process holds the lock now. One that nobody can have made is held by nobody."""
    try:
        file = path.open("rb")
    except OSError as error:
        return error.errno not in _NO_SUCH_FILE
    with file:
        try:
            _take(file, shared=True)
        except OSError:
            return True
    return False


def _opened(path: Path) -> BinaryIO:
    """One that another user of this computer has made may be locked by everybody, and written by that user
    alone: so it is on Windows.
    """
    try:
        return path.open("ab")
    except PermissionError as refused:
        try:
            return path.open("rb")
        except FileNotFoundError:
            raise refused from None
