"""Makes the pictures of the docs by the commands that stand in them.

nakctl sim compare --keep runs
python docs/make_gallery.py runs            # or: ... runs fig-3 fig-4, for those whose names begin so

Every line `nakctl run ...` of a page is done, if its file is not there yet, and every `nakctl plot ... -o
NAME.png`. The pictures kept here have half as many dots, and 256 colours.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).parent
PAGES = ("paper-figures.md", "gallery.md")
FIGURES = DOCS / "figures"
COLOURS = 256
_COMMAND = re.compile(r"^nakctl (?:run|plot) .*$", re.MULTILINE)


def main() -> None:
    folder, wanted = Path(sys.argv[1]).resolve(), tuple(sys.argv[2:])
    commands = [line for page in PAGES for line in _COMMAND.findall((DOCS / page).read_text("utf-8"))]
    for line in commands:
        words = shlex.split(line)
        made = folder / words[words.index("-o" if words[1] == "plot" else "--out") + 1]
        if words[1] == "run" and not made.exists():
            _do(words, folder)
        elif words[1] == "plot" and made.name.startswith(wanted or ""):
            made.unlink(missing_ok=True)
            _do(words, folder)
            _keep(made)


def _do(words: list[str], folder: Path) -> None:
    sys.stdout.write(shlex.join(words) + "\n")
    subprocess.run([sys.executable, "-m", *words], cwd=folder, check=False)


def _keep(made: Path) -> None:
    with Image.open(made) as picture:
        size = picture.width // 2, picture.height // 2
        half = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    half.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(FIGURES / made.name, optimize=True)


if __name__ == "__main__":
    main()
