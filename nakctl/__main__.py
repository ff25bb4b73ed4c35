"""`python -m nakctl` is the same as `nakctl`."""

from nakctl.cli import main

main()
