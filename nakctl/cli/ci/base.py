"""What the files are compared with, and what changed since then: asked of git."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nakctl.cli import revision
from nakctl.cli.ci.files import shown
from nakctl.errors import InputError
from nakctl.protocol.kind_of_file import is_yaml, kind_of_path

# Where it says which nakctl is installed: if that is another one, every protocol is looked at anew.
_PINS = re.compile(
    r"(requirements|constraints)[\w.-]*\.(txt|in)|pyproject\.toml|setup\.cfg|Pipfile|[\w.-]+\.lock|"
    r"environment[\w.-]*\.ya?ml|action\.ya?ml|\.gitlab-ci\.ya?ml|Dockerfile|pixi\.toml"
)
_WORKFLOWS = (".github", "workflows")


@dataclass(frozen=True, slots=True)
class Base:
    """What the files are compared with.

    name     in words: `origin/main (1a2b3c4)`; "": nothing, and `why` says so
    commit   of git
    changed  files that are other ones now, or gone, as absolute paths
    """

    name: str = ""
    commit: str = ""
    changed: frozenset[Path] = frozenset()
    why: str = ""

    def concerns(self, needed: Iterable[Path], more: Set[Path] = frozenset()) -> bool:
        """Whether one of these files changed; of a submodule git tells the folder, and so do `more`."""
        changed = self.changed | more
        return any(changed & {path, *path.parents} for path in needed)


def candidates(asked: str | None, environment: Mapping[str, str]) -> list[str]:
    """The revisions that a change is proposed for, the best known first: named, or known to who runs this."""
    if asked is not None:
        return [asked]
    branch = environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
    known = [revision.base_of_review(environment), f"origin/{branch}" if branch else None]
    return [each for each in known if each is not None]


def base_of(folder: Path, asked: str | None, environment: Mapping[str, str]) -> Base:
    """What to compare with. InputError: the revision that the user named is not there."""
    here = folder.resolve()
    try:
        top = revision.top(here)
    except InputError as error:
        if asked is not None:
            raise
        has_none = "not a git repository" in str(error)
        return Base(why="it is in no repository of git" if has_none else str(error))
    names = candidates(asked, environment) or [each for each in [revision.default_branch(here)] if each]
    if not names:
        return Base(why="no branch to compare with is known: name one with --base")
    if not revision.is_known("HEAD", here):
        return Base(why="nothing is committed yet")
    name = next((each for each in names if revision.is_known(each, here)), None)
    if name is None and asked is not None:
        raise InputError(f"--base {asked}: there is no such revision in {shown(top)}; is it fetched?")
    if name is None:
        why = f"{' and '.join(names)} is not here: fetch it (GitHub's checkout does with fetch-depth: 0)"
        return Base(why=why)
    commit = revision.where_it_left(name, here)
    changed = frozenset((top / path).resolve() for path in revision.changed_since(commit, top))
    if not changed and revision.is_here(name, here):
        return Base(why=f"this is {name} itself, without a change")
    short = revision.short_name(commit, here)
    return Base(short if name.startswith(short) else f"{name} ({short})", commit, changed)


def pinned(text: str) -> tuple[str, ...]:
    """The lines that say which nakctl is installed; in a lock file the version stands below the name."""
    lines = text.splitlines()
    at = [k for k, line in enumerate(lines) if "nakctl" in line and not line.lstrip().startswith("#")]
    return tuple(
        line.strip() for k in at for line in lines[k : k + (3 if lines[k].strip().startswith("name") else 1)]
    )


def pins_changed(base: Base, then: Path, now: Path) -> Path | None:
    """A file that asks for another nakctl than before. then, now: the same folder, at both times."""
    for path in sorted(base.changed):
        is_workflow = path.parts[-3:-1] == _WORKFLOWS
        if not (_PINS.fullmatch(path.name) or is_workflow) or not path.is_relative_to(now):
            continue
        before, after = (pinned(_text(each)) for each in (then / path.relative_to(now), path))
        if before != after:
            return path
    return None


def rigs_gone(base: Base, place: Callable[[Path], Path]) -> frozenset[Path]:
    """Folders that had a rig at the base: what runs below them may run on another one now. place: where a
    file of now was then."""
    gone = (path for path in base.changed if is_yaml(path) and not path.exists())
    return frozenset(path.parent for path in gone if kind_of_path(place(path)) == "rig")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def tables_of(data: Any) -> Iterator[str]:
    """Names of the tables in a protocol as written; it may have faults."""
    if isinstance(data, dict):
        if isinstance(name := data.get("profile"), str):
            yield name
        data = list(data.values())
    for part in data if isinstance(data, list) else ():
        yield from tables_of(part)
