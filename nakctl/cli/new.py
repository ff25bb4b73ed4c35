"""`nakctl new LAB`"""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from nakctl import __version__
from nakctl.cli.json_output import print_json
from nakctl.errors import ExitCode, InputError, RecordError, typed
from nakctl.protocol import library

COPIED = ("ccd", "pristine-eis", "sgeis-strip-rest")  # of what is shipped
_MAKING = ".nakctl-new"  # where all of it is made first
_MAY_BE_THERE = frozenset({".git", _MAKING})
_SCHEMAS = {"protocol.schema.json": "protocols", "rig.schema.json": "."}


def new(folder: Path, requirement: str | None, git: bool, as_json: bool) -> int:
    """InputError: there is something already, and nothing is overwritten; RecordError."""
    _require_empty(folder)
    asked = of_this_one() if requirement is None else _one_line(requirement)
    words = {"@LAB@": " ".join(folder.resolve().name.split()), "@REQUIREMENT@": asked}
    try:
        written = _all_or_nothing(folder, words)
    except OSError as error:
        raise RecordError(f"{folder} cannot be made: {error.strerror or error}") from None
    has_git = git and _begin_repository(folder)
    if as_json:
        names = [path.relative_to(folder).as_posix() for path in written]
        print_json({"folder": str(folder), "files": sorted(names), "git": has_git, "nakctl": asked})
        return ExitCode.DONE
    begun = " and a repository of git" if has_git else ""
    print(f"{folder}: {len(written)} files{begun}; begin with its README.md")
    going = "" if folder.resolve() == Path.cwd() else f"cd {typed(folder)}, then "
    print(f"next: {going}nakctl run protocols/pristine-eis.yaml --dry")
    if requirement is None and "@" not in asked:
        print(
            f"its requirements.txt says {asked}: where your package index lacks that, name it with --nakctl"
        )
    return ExitCode.DONE


def of_this_one() -> str:
    """What pip is to be told to install the nakctl that this is: a commit of a repository, or a version."""
    try:
        told = distribution("nakctl").read_text("direct_url.json")
        origin = json.loads(told) if told else {}
    except (PackageNotFoundError, ValueError):
        origin = {}
    commit = origin.get("vcs_info", {}).get("commit_id")
    return f"nakctl @ git+{origin['url']}@{commit}" if commit else f"nakctl=={__version__}"


def _one_line(requirement: str) -> str:
    """As it stands in requirements.txt."""
    if not requirement.strip() or not requirement.isprintable():
        raise InputError('--nakctl: one line, as pip takes it, such as "nakctl==0.1.0"')
    return requirement.strip()


def _all_or_nothing(folder: Path, words: dict[str, str]) -> list[Path]:
    """What was killed, or found no room, leaves nothing that another try would stumble over."""
    is_new, made = not folder.exists(), folder / _MAKING
    try:
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        written = [*_write(files("nakctl") / "templates" / "lab", made, words), *_copy_shipped(made)]
        for each in sorted(made.iterdir()):
            each.rename(folder / each.name)
        made.rmdir()
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # something of somebody else lies there by now
                folder.rmdir()
        raise
    return [folder / path.relative_to(made) for path in written]


def _require_empty(folder: Path) -> None:
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    found = sorted({path.name for path in folder.iterdir()} - _MAY_BE_THERE) if folder.exists() else []
    if found:
        more = ", ..." if len(found) > 3 else ""
        raise InputError(f"{folder} is not empty ({', '.join(found[:3])}{more}): nothing is overwritten")


def _write(template: Traversable, folder: Path, words: dict[str, str]) -> list[Path]:
    written = []
    for each in template.iterdir():
        target = folder / each.name
        if each.is_dir():
            target.mkdir()
            written += _write(each, target, words)
            continue
        text = each.read_text("utf-8")
        for word, said in words.items():
            text = text.replace(word, said)
        target.write_text(text, encoding="utf-8", newline="\n")
        written.append(target)
    return written


def _copy_shipped(folder: Path) -> list[Path]:
    """Protocols and schemas, as they are in the nakctl that this is."""
    sources = {library.folder() / f"{name}.yaml": "protocols" for name in COPIED}
    sources |= {library.folder() / name: place for name, place in _SCHEMAS.items()}
    written = []
    for source, place in sources.items():
        target = folder / place / source.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
        written.append(target)
    return written


def _begin_repository(folder: Path) -> bool:
    """False: there is no git, or the folder lies in a repository already."""
    git = shutil.which("git")
    if git is None:
        return False
    inside = subprocess.run([git, "rev-parse", "--git-dir"], cwd=folder, capture_output=True, check=False)
    if inside.returncode == 0:
        return False
    return subprocess.run([git, "init", "--quiet", "-b", "main"], cwd=folder, check=False).returncode == 0
