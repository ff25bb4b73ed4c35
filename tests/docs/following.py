"""Doing what a page says, one sample after the other, in the reader's folder."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import typer
from command_line import Said, nakctl
from samples import Sample

# What stands around a part of a protocol that a page shows by itself.
AROUND = {
    "nakctl": "nakctl: 1",
    "name": "name: part",
    "limits": "limits: {Ewe: [-4 V, 4 V], time: 30 d}",
    "steps": "steps:\n  - rest: 1 s",
}
TOP = re.compile(r"^([\w-]+):", re.MULTILINE)
STAMP = re.compile(
    r"\d{4}-\d\d-\d\d_\d{4}_([\w-]+\.(?:h5|html))"
)  # the name of a file that begins with when it was made
# By the clock; a terminal draws it instead.
PROGRESS = re.compile(r"^step .* samples \d+, spectra \d+.*\n", re.MULTILINE)


@dataclass
class Runs:
    """What `nakctl run` of a shipped protocol says and makes: done once, whichever page asks, and whatever it calls the file."""

    folder: Path
    done: dict[tuple[str, ...], tuple[Path, Said]] = field(default_factory=dict)

    def run(self, words: list[str], here: Path) -> Said:
        out = words.index("--out") if "--out" in words else len(words)
        key = (*words[:out], *words[out + 2 :])
        if key not in self.done:
            where = self.folder / str(len(self.done))
            where.mkdir(exist_ok=True)
            said = nakctl(*key, cwd=where)
            if said.code:
                return said
            self.done[key] = next(where.iterdir()), said
        made, said = self.done[key]
        name = words[out + 1] if out < len(words) else made.name
        shutil.copy(made, here / name)
        return replace(said, out=said.out.replace(made.name, name))


@dataclass
class Reader:
    """Who follows one page. names: what samples in Python have named so far."""

    folder: Path
    runs: Runs
    names: dict[str, object] = field(default_factory=dict)

    def follow(self, sample: Sample) -> None:
        self.change(sample.note("in "))
        if before := sample.note("after"):
            self.type(before, "", 0)
        if command := sample.note("says"):
            self.type(command, sample.text, 0)
        elif sample.file:
            self.write(sample)
        elif sample.language == "console":
            for typed, shown in commands(sample.text):
                self.type(typed, shown, int(sample.note("ends with") or 0))
        elif sample.language == "python":
            with chdir(self.folder):
                exec(compile(self.stamped(sample.text), f"line {sample.line}", "exec"), self.names)
        elif sample.language == "yaml":
            self.check(sample)

    def write(self, sample: Sample) -> None:
        path = self.folder / sample.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sample.text, "utf-8")
        if sample.language == "python":
            compile(sample.text, sample.file, "exec")
        elif sample.language == "toml":
            tomllib.loads(sample.text)
        elif sample.language == "yaml":
            self.check(sample)

    def change(self, note: str) -> None:
        """`FILE: A -> B; C -> D`"""
        if not note:
            return
        name, _, changes = note.partition(": ")
        path = self.folder / name
        text = path.read_text("utf-8")
        for each in changes.split("; "):
            one, other = each.split(" -> ")
            assert one in text, f"{one} is not in {name}"
            text = text.replace(one, other, 1)
        path.write_text(text, "utf-8")

    def stamped(self, text: str) -> str:
        """With the names that files have now, which begin with another date."""

        def there(found: re.Match[str]) -> str:
            return next((path.name for path in self.folder.glob(f"*_{found[1]}")), found[0])

        return STAMP.sub(there, text)

    # --- what is typed ---------------------------------------------------------------------------------

    def type(self, command: str, shown: str, code: int) -> None:
        said = self.say(self.stamped(command))
        told = PROGRESS.sub("", said.out) + said.err
        assert said.code == code, f"$ {command}\n{told}"
        assert fits(shown, told), f"$ {command}\n{told}\n--- and the page shows\n{shown}"

    def say(self, command: str) -> Said:
        program, *words = shlex.split(command)
        match program:
            case "nakctl" if words[0] == "run" and self._needs_no_file_of_here(words):
                return self.runs.run(words, self.folder)
            case "nakctl" if words[0] == "run":
                return nakctl(*words, cwd=self.folder)
            case "nakctl":
                return here(words, self.folder)
            case "cd":
                self.folder = self.folder / words[0]
                return Said(0, "", "")
            case "mkdir":
                (self.folder / words[0]).mkdir()
                return Said(0, "", "")
        raise AssertionError(
            f"{program}: a sample that the tests shall not follow says so: <!-- not run: why -->"
        )

    def _needs_no_file_of_here(self, words: list[str]) -> bool:
        return not any((self.folder / word).exists() for word in (*words, "rig.yaml"))

    # --- what is read ----------------------------------------------------------------------------------

    def check(self, sample: Sample) -> None:
        """A protocol, a rig, a cell, or a part of a protocol: steps, or what stands beside them."""
        text = sample.text
        named = set(TOP.findall(text))
        if "nakctl-rig" in named:
            kind, words = "rig", ["rig", "check", "page.rig.yaml"]
        elif "model" in named:
            kind, words = "cell", ["check", "pristine-eis", "--cell", "page.cell.yaml", "--on", "sim-sp300"]
        else:
            kind, words = "protocol", ["check", "page.protocol.yaml", "--on", "sim-sp300"]
        if kind == "protocol" and not named:
            text, named = "steps:\n" + textwrap.indent(text, "  "), {"steps"}
        if kind == "protocol" and "nakctl" not in named:
            text = "\n".join([*(line for name, line in AROUND.items() if name not in named), text])
        (self.folder / f"page.{kind}.yaml").write_text(text, "utf-8")
        told = here(words, self.folder)
        assert told.code == int(sample.note("ends with") or 0), f"{told.out}{told.err}\n{text}"


def here(words: list[str], folder: Path) -> Said:
    """The command in this process, which has all that it needs: for what needs no process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            _nakctl()(words)
        except SystemExit as end:
            return Said(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("a command leaves with its exit code")


@cache
def _nakctl() -> Callable[[list[str]], object]:
    """Put together once: that is most of what a short command takes."""
    from nakctl.cli.app import app

    return typer.main.get_command(app)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command, and what is shown below it; one that ends with a backslash goes on."""
    for part in re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def typed(text: str) -> list[str]:
    """The commands of a sample: behind `$`, or each line where nothing is."""
    behind = [command for command, _ in commands(text)]
    return behind or text.replace("\\\n", " ").splitlines()


def fits(shown: str, told: str) -> bool:
    """`...` stands for anything, also for many lines; one file may be of another day than the other."""
    shown, told = (STAMP.sub(r"NOW_\1", text.strip()) for text in (shown, told))
    wanted = ".*".join(map(re.escape, shown.split("...")))
    return not shown or re.fullmatch(wanted, told, re.DOTALL) is not None
