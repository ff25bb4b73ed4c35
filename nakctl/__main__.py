"""`python -m nakctl` is the same as `nakctl`."""

import sys

if not sys.flags.safe_path:  # `-m` searches the working folder first, where modules of any name may lie
    del sys.path[0]

from nakctl.cli import main

main()
