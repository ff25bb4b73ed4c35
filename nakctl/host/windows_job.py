"""Which job of Windows this process is in. A job is a group of processes that may be ended as one.

A terminal puts what it starts into one that ends when its window is closed; so do remote sessions and
editors. Who is not let out of it stays in it, with all that it starts.

Run as a file it says where it was put itself, as one number: jobs lie within each other, and of those around
its own a process can only learn by a child that has left it. It imports nothing of ours, for that.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

BREAK_AWAY = 0x01000000  # CREATE_BREAKAWAY_FROM_JOB, processthreadsapi.h
# JOB_OBJECT_LIMIT_..., winnt.h
_BREAKAWAY_OK, _SILENT_BREAKAWAY_OK, _KILL_ON_JOB_CLOSE = 0x0800, 0x1000, 0x2000
_NO_JOB = -1
_EXTENDED_LIMIT_INFORMATION = 9  # of JOBOBJECTINFOCLASS


@dataclass(frozen=True, slots=True)
class Job:
    """What the innermost job of a process does with it and with its children.

    is_one          there is one at all
    ends_all        it ends its processes with whoever made it, such as a terminal
    lets_break_away a child leaves it if it is started with BREAK_AWAY; else that is refused
    """

    is_one: bool = False
    ends_all: bool = False
    lets_break_away: bool = False


def job_of(number: int) -> Job:
    """From the limits of the job, or _NO_JOB."""
    if number == _NO_JOB:
        return Job()
    return Job(True, bool(number & _KILL_ON_JOB_CLOSE), bool(number & _BREAKAWAY_OK))


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _Basic(ctypes.Structure):  # JOBOBJECT_BASIC_LIMIT_INFORMATION
        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _Extended(ctypes.Structure):  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION
        _fields_ = (
            ("BasicLimitInformation", _Basic),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    def own_limits() -> int:
        """Of the innermost job of this process, or _NO_JOB. OSError if the system does not say."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.IsProcessInJob.argtypes = (wintypes.HANDLE, wintypes.HANDLE, ctypes.POINTER(wintypes.BOOL))
        is_in_one = wintypes.BOOL()
        if not kernel.IsProcessInJob(kernel.GetCurrentProcess(), None, ctypes.byref(is_in_one)):
            raise ctypes.WinError(ctypes.get_last_error())
        if not is_in_one:
            return _NO_JOB
        kernel.QueryInformationJobObject.argtypes = (
            wintypes.HANDLE,
            ctypes.c_int,
            ctypes.c_void_p,
            wintypes.DWORD,
            ctypes.c_void_p,
        )
        about = _Extended()
        if not kernel.QueryInformationJobObject(
            None, _EXTENDED_LIMIT_INFORMATION, ctypes.byref(about), ctypes.sizeof(about), None
        ):
            raise ctypes.WinError(ctypes.get_last_error())
        return int(about.BasicLimitInformation.LimitFlags)

    if __name__ == "__main__":
        print(own_limits())  # noqa: T201
