"""What a check may find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nakctl.errors import Fault, Mark


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know before the start: the fact in `message`, what would be right in `help`.

    rule  short name of the check that found it, for machines
    """

    severity: Literal["error", "warning"]
    rule: str
    mark: Mark
    message: str
    help: str = ""

    def fault(self, file: str, text: str = "") -> Fault:
        """The same as a fault of the protocol's file; text is the line itself."""
        return Fault(file, self.mark, f"{self.message}; {self.help}" if self.help else self.message, text)


def error(rule: str, mark: Mark, message: str, help: str = "") -> Finding:
    return Finding("error", rule, mark, message, help)


def warning(rule: str, mark: Mark, message: str, help: str = "") -> Finding:
    return Finding("warning", rule, mark, message, help)
