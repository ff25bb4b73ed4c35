"""Files as they were at a revision of git: unpacked into a folder, so that rigs, cells and tables beside them
are those of that revision as well."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from nakctl.errors import InputError

_USUAL = ("origin/main", "origin/master", "main", "master")
_MOST_BYTES = 4 << 20  # what is larger is no protocol, and no table beside one


@contextmanager
def unpacked(revision: str, here: Path) -> Iterator[Path]:
    """The folder `here` as it was then: a copy of it, with all that lies around it in the repository."""
    commit = _commit(revision, here)
    inside = _git(here, "rev-parse", "--show-prefix").strip()
    with TemporaryDirectory(prefix="nakctl-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        _unpack(commit, top(here), folder)
        (folder / inside).mkdir(parents=True, exist_ok=True)  # it may not have been there
        yield folder / inside


def where_it_left(revision: str, here: Path) -> str:
    """The commit at which the present branch left another one: what that one did since is not its change.

    The revision itself, if the two have nothing in common, or a clone does not go back as far.
    """
    commit = _commit(revision, here)
    try:
        return _git(here, "merge-base", commit, "HEAD").strip()
    except InputError:
        return commit


def base_of_review(environment: Mapping[str, str]) -> str | None:
    """With what a pull request of GitHub, or a merge request of GitLab, is compared; None: neither is under
    way."""
    if branch := environment.get("GITHUB_BASE_REF"):
        return f"origin/{branch}"
    return environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") or None


def changed_since(revision: str, here: Path) -> list[Path]:
    """Files below `here` that are other ones than at the revision, or new, or gone."""
    commit = _commit(revision, here)
    changed = _git(here, "diff", "--name-only", "-z", "--relative", "--no-renames", commit, "--", ".")
    new = _git(here, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    return [Path(name) for name in sorted({*changed.split("\0"), *new.split("\0")} - {""})]


def files_below(here: Path) -> list[Path]:
    """Those that git keeps, or would: none that it ignores. InputError: no git, no repository."""
    told = _git(here, "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ".")
    return [Path(name) for name in sorted({*told.split("\0")} - {""}) if (here / name).is_file()]


def default_branch(here: Path) -> str | None:
    """The branch that others leave and come back to, as far as this clone knows; upstream's first."""
    with suppress(InputError):
        return _git(here, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").strip()
    return next((name for name in _USUAL if is_known(name, here)), None)


def is_known(revision: str, here: Path) -> bool:
    """False also where there is no git, or no repository."""
    try:
        _commit(revision, here)
    except InputError:
        return False
    return True


def is_here(revision: str, here: Path) -> bool:
    """Whether it is what is checked out."""
    return _commit(revision, here) == _commit("HEAD", here)


def short_name(commit: str, here: Path) -> str:
    return _git(here, "rev-parse", "--short", commit).strip()


def top(here: Path) -> Path:
    """Of the repository. InputError: no git, no repository."""
    return Path(_git(here, "rev-parse", "--show-toplevel").strip())


def _commit(revision: str, here: Path) -> str:
    """InputError: there is no such revision, or no repository."""
    try:
        return _git(
            here, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        ).strip()
    except InputError as error:
        where = top(here)  # tells if there is none
        raise InputError(f"{where} has no revision {revision}; git branch --all lists branches") from error


def _git(here: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words], cwd=here, capture_output=True, stdin=subprocess.DEVNULL, env=_environment()
        )
    except FileNotFoundError:
        raise InputError("a revision is asked of git, which is not installed here") from None
    if done.returncode:
        first, *more = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ").split("\n")
        remedy = next((line.strip() for line in more if "safe.directory" in line), "")  # of another's folder
        raise InputError(f"git {words[0]}: {first or 'failed'}{f': {remedy}' if remedy else ''}")
    return done.stdout.decode(errors="surrogateescape")


def _environment() -> dict[str, str]:
    """What git says is read here: not in the language of the user. A hook of git is told another repository's
    index, which is not meant."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GIT_INDEX_FILE", "GIT_PREFIX")}
    return kept | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def _unpack(commit: str, top: Path, folder: Path) -> None:
    command = ["git", "archive", "--format=tar", commit]
    with subprocess.Popen(
        command, cwd=top, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=_environment()
    ) as git:
        assert git.stdout is not None
        with tarfile.open(fileobj=git.stdout, mode="r|") as tar:
            for member in tar:
                if (
                    member.isfile()
                    and member.size <= _MOST_BYTES
                    and ".." not in PurePosixPath(member.name).parts
                ):
                    tar.extract(member, folder, filter="data")
        git.stdout.read()  # what pads the archive: git is not to find that nobody reads it
    if git.returncode:
        raise InputError(f"git archive {commit} failed")
