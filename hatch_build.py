"""Compiles the simulated cell while nakctl is installed or a wheel is built; see docs/decisions/0046.

NAKCTL_KERNEL=plain leaves it as it is, NAKCTL_KERNEL=compiled fails where it cannot be compiled.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SIM = Path(__file__).parent / "sim"


class CompiledKernel(BuildHookInterface[Any]):
    scratch: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """version: "editable", or that of a wheel."""
        wish = os.environ.get("NAKCTL_KERNEL", "")
        if wish not in ("", "plain", "compiled"):
            raise ValueError(f"NAKCTL_KERNEL={wish}: plain or compiled")
        if wish == "plain":
            return
        sys.path.insert(0, str(SIM))
        from nakctl_sim.compiling.building import CannotCompileError, build, build_in_place

        try:
            if version == "editable":
                build_in_place()
                return
            self.scratch = Path(tempfile.mkdtemp(prefix="nakctl-wheel-"))
            made = build(self.scratch)
        except CannotCompileError as error:
            if wish == "compiled":
                raise
            self.app.display_warning(f"the simulated cell is not compiled, and slower: {error}")
            return
        build_data["force_include"][str(made)] = f"nakctl_sim/{made.name}"
        build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
