"""How Windows says that a process has to end: to a handler of the console, and to windows.

Both are needed. A console that is closed tells the handler alone. The end of a session is told to the handler
only if nothing in the process has loaded user32.dll, and something always has, such as a launcher of Python;
then it is told to windows alone. So there is one, which is never shown.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import wintypes

assert sys.platform == "win32"

CLOSED, LOGOFF, SHUTDOWN = (
    "the window of the console was closed",
    "the user logs off",
    "the computer shuts down",
)
_CONSOLE_EVENTS = {2: CLOSED, 5: LOGOFF, 6: SHUTDOWN}  # CTRL_CLOSE_EVENT, ..., consoleapi.h
_WM_DESTROY, _WM_CLOSE, _WM_QUERYENDSESSION, _WM_ENDSESSION = 0x0002, 0x0010, 0x0011, 0x0016
_ENDSESSION_LOGOFF = 0x80000000
_READY_s = 2.0  # a thread that makes a window

_RESULT = ctypes.c_ssize_t  # LRESULT
_HANDLER = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)
_PROCEDURE = ctypes.WINFUNCTYPE(_RESULT, wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM)


class _WindowClass(ctypes.Structure):  # WNDCLASSW
    _fields_ = (
        ("style", wintypes.UINT),
        ("lpfnWndProc", _PROCEDURE),
        ("cbClsExtra", ctypes.c_int),
        ("cbWndExtra", ctypes.c_int),
        ("hInstance", wintypes.HINSTANCE),
        ("hIcon", wintypes.HICON),
        ("hCursor", wintypes.HANDLE),
        ("hbrBackground", wintypes.HBRUSH),
        ("lpszMenuName", wintypes.LPCWSTR),
        ("lpszClassName", wintypes.LPCWSTR),
    )


@contextmanager
def listening(callback: Callable[[str], None]) -> Iterator[None]:
    """See `end_of_session.told_of_the_end`."""
    once = _Once(callback)
    window = _Window(once)
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.SetConsoleCtrlHandler.argtypes = (_HANDLER, wintypes.BOOL)
    with_reference = _HANDLER(lambda event: _on_console(event, once))  # Windows keeps only its address
    kernel.SetConsoleCtrlHandler(with_reference, True)
    try:
        yield
    finally:
        kernel.SetConsoleCtrlHandler(with_reference, False)
        window.close()


class _Once:
    """Several may tell it; the first one is heard, and the others wait until that is done."""

    def __init__(self, callback: Callable[[str], None]) -> None:
        self._callback, self._turn, self._heard = callback, threading.Lock(), False

    def __call__(self, why: str) -> None:
        with self._turn:
            if not self._heard:
                self._heard = True
                self._callback(why)


def _on_console(event: int, once: _Once) -> bool:
    """Whether it was heard, and Windows ends us now; if not (Ctrl-C), Python's handler is asked next."""
    why = _CONSOLE_EVENTS.get(event)
    if why is None or (why == LOGOFF and _is_without_desktop()):
        return False
    once(why)
    return True


def _is_without_desktop() -> bool:
    """Where services are, everybody's logging off is told."""
    kernel = ctypes.WinDLL("kernel32")
    session = wintypes.DWORD()
    return bool(kernel.ProcessIdToSessionId(os.getpid(), ctypes.byref(session))) and session.value == 0


class _Window:
    """A window that is never shown, in a thread that does nothing but hear what it is told."""

    def __init__(self, once: _Once) -> None:
        self._once, self._handle, self._ready = once, 0, threading.Event()
        self._user, self._procedure = _user32(), _PROCEDURE(self._on_message)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait(_READY_s)

    def close(self) -> None:
        """It does not wait for a callback under way: that would be for itself."""
        if self._handle:
            self._user.PostMessageW(self._handle, _WM_CLOSE, 0, 0)

    def _serve(self) -> None:
        try:
            self._handle = self._made()
        finally:
            self._ready.set()
        message = wintypes.MSG()
        while self._handle and self._user.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            self._user.DispatchMessageW(ctypes.byref(message))

    def _made(self) -> int:
        """0: there is no desktop. Not a "message-only" window: those are not told."""
        about = _WindowClass()
        about.lpfnWndProc = self._procedure
        about.lpszClassName = f"nakctl-{os.getpid()}-{id(self):x}"
        if not self._user.RegisterClassW(ctypes.byref(about)):
            return 0
        made = self._user.CreateWindowExW(
            0, about.lpszClassName, "nakctl", 0, 0, 0, 0, 0, None, None, None, None
        )
        return made or 0

    def _on_message(self, window: int, message: int, word: int, more: int) -> int:
        if message == _WM_QUERYENDSESSION:
            return 1  # whether it comes to that is decided by others
        if message == _WM_ENDSESSION:
            if word:
                self._once(LOGOFF if more & _ENDSESSION_LOGOFF else SHUTDOWN)
            return 0
        if message == _WM_DESTROY:
            self._user.PostQuitMessage(0)
            return 0
        return int(self._user.DefWindowProcW(window, message, word, more))


def _user32() -> ctypes.WinDLL:
    user = ctypes.WinDLL("user32", use_last_error=True)
    asked = (wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM)
    user.DefWindowProcW.argtypes, user.DefWindowProcW.restype = asked, _RESULT
    user.PostMessageW.argtypes = asked
    user.RegisterClassW.argtypes, user.RegisterClassW.restype = (ctypes.POINTER(_WindowClass),), wintypes.ATOM
    user.GetMessageW.argtypes = (ctypes.POINTER(wintypes.MSG), wintypes.HWND, wintypes.UINT, wintypes.UINT)
    user.DispatchMessageW.argtypes, user.DispatchMessageW.restype = (ctypes.POINTER(wintypes.MSG),), _RESULT
    user.PostQuitMessage.argtypes = (ctypes.c_int,)
    user.CreateWindowExW.restype = wintypes.HWND
    user.CreateWindowExW.argtypes = (
        wintypes.DWORD,
        wintypes.LPCWSTR,
        wintypes.LPCWSTR,
        wintypes.DWORD,
        *(ctypes.c_int,) * 4,
        wintypes.HWND,
        wintypes.HMENU,
        wintypes.HINSTANCE,
        ctypes.c_void_p,
    )
    return user
