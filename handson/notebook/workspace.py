"""A workspace: the learner's edition of the notebooks, with the app, in a folder of the learner's.

    absent                                     ──▶ written; where it was once laid out: brought back
    as it was laid out, and the edition is new ──▶ replaced
    changed by the learner, or a stranger's    ──▶ left alone, and named

What was laid out is known by its digests, which the workspace's home folder keeps.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import hold_lock, read_state, replace_file
from handson.core.folders import (
    LAID_OUT,
    WORKSPACE,
    find_notebooks_folder,
    find_worked_folder,
)
from handson.course import syllabus
from handson.course.learner_notebook import PICTURES, make_learner_notebook
from handson.notebook import replay
from handson.resources.push import run_git

APP = "docker-rails-workshop"
_LEFTOVERS = {"log", "tmp", ".bundle", "__pycache__", ".ipynb_checkpoints", ".DS_Store"}
"""What running or opening the app leaves in its folder."""
_LOCK_SECONDS = 60


@dataclass(frozen=True)
class Layout:
    """What was done to the files of a workspace.

    Attributes:
        folder: The workspace.
        is_first: Nothing had been laid out there before.
        added: Files that are new.
        updated: Files that the learner had not changed, in the new edition.
        returned: Files that the learner had deleted or renamed.
        kept: Files that differ from what was laid out, and are left alone.
        outdated: Those of them that a new edition has changed since.
    """

    folder: Path
    is_first: bool
    added: tuple[str, ...]
    updated: tuple[str, ...]
    returned: tuple[str, ...]
    kept: tuple[str, ...]
    outdated: tuple[str, ...]

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell to a learner who only goes on."""
        return bool(self.added or self.updated or self.returned or self.outdated)

    def __str__(self) -> str:
        done = "made" if self.is_first else "looked-at"
        lines = [messages.label("notebook.workspace", done, folder=self.folder)]
        groups = {"updated": self.updated, "returned": self.returned, "kept": self.kept}
        if not self.is_first:
            groups = {"added": self.added} | groups
        for name, files in groups.items():
            if files:
                lines.append(messages.label("notebook.workspace", name, files=", ".join(files)))
        if self.outdated:
            values = {"files": ", ".join(self.outdated)}
            problem, remedy = messages.advice("notebook.workspace.outdated", **values)
            lines += [f"⚠ {problem}", f"→ {remedy}"]
        return "\n".join(lines)

    @property
    def next_step(self) -> str:
        """The line that says how to open it."""
        return messages.text("notebook.workspace.open", folder=self.folder)


def lay_out(folder: Path, *, lang: str) -> Layout:
    """Lay out the learner's edition in a folder, and renew the other one that it has.

    Files that the learner has changed, and strangers', stay as they are.

    Raises:
        InvalidInput: The folder is a file, or belongs to the worked editions.
        NotReady: There is no edition in that language, the folder cannot be written, or the disk is
            full; the files that are there are whole.
    """
    folder = folder.expanduser().resolve()
    worked = find_worked_folder(folder) or folder / "none"
    if folder.is_relative_to(worked) or (folder.exists() and not folder.is_dir()):
        key = "not-a-folder" if folder.is_file() else "worked"
        raise InvalidInput(*messages.advice_of("notebook.workspace", key, folder=folder))
    state = folder / LAID_OUT
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        lock = state.with_suffix(".lock")
        lock.touch()  # told as an error of this folder, not of HANDSON_HOME
        with hold_lock(lock, timeout=_LOCK_SECONDS, busy="notebook.workspace.busy"):
            return _lay_out_files(folder, lang)
    except OSError as error:
        reason = error.strerror or error
        raise NotReady.from_key(
            "notebook.workspace.not-writable", folder=folder, reason=reason
        ) from error


def find_first_notebook(cwd: Path, *, lang: str) -> tuple[Path, Path, str]:
    """Return the notebook to begin with, the folder to serve, and what to tell the learner first.

    It is that of the workspace around `cwd`; in a checkout, of its workspace, unless `cwd` is
    within its worked editions.  The workspace is laid out, or brought up to date, before.

    Raises:
        NotReady: There is neither a workspace nor a checkout around `cwd`, or it cannot be laid
            out.
    """
    worked, folder = find_worked_folder(cwd), find_notebooks_folder(cwd)
    if folder is None:
        raise NotReady.from_key("notebook.workspace.none", folder=cwd)
    if worked and cwd.is_relative_to(worked):
        first = replay.find_notebooks(cwd, lang=lang)[0]
        return first, worked.parent, ""  # its prose shows pictures of diagrams/
    laid = lay_out(worked.parent / WORKSPACE if worked and folder == worked else folder, lang=lang)
    news = [str(laid)] if laid.has_news else []
    if laid.is_first and worked:
        news += _describe_earlier_work(worked)
    return laid.folder / lang / f"{syllabus.NOTEBOOKS[0]}.ipynb", laid.folder, "\n".join(news)


def _describe_earlier_work(worked: Path) -> list[str]:
    """Return two lines on a learner's work in a checkout's own notebooks, if there is any.

    Learners worked there before there were workspaces.
    """
    home = worked / ".handson"
    has_journal = (home / "journal.jsonl").is_file() and not (home / "run").is_dir()
    if not has_journal and not run_git(worked, "status", "--porcelain", "--", "ja", "en"):
        return []
    problem, remedy = messages.advice("notebook.workspace.earlier", folder=worked, home=home)
    return [f"⚠ {problem}", f"→ {remedy}"]


def _lay_out_files(folder: Path, lang: str) -> Layout:
    state = folder / LAID_OUT
    noted = read_state(state, dict[str, str]) or {}
    langs = {lang, *(name.partition("/")[0] for name in noted)}
    wanted = dict(_make_files(folder, [it for it in messages.LANGUAGES if it in langs]))
    done: dict[str, list[str]] = {}
    for name, content in wanted.items():
        before = noted.get(name, "")
        how = _write_file(folder / name, content, before)
        done.setdefault(how, []).append(name)
        if how == "kept" and before != _digest(content):
            done.setdefault("outdated", []).append(name)
    digests = noted | {name: _digest(content) for name, content in wanted.items()}
    replace_file(state, [msgspec.json.format(msgspec.json.encode(digests))])
    groups = {how: tuple(done.get(how, ())) for how in ("added", "updated", "returned", "kept")}
    return Layout(folder, not noted, **groups, outdated=tuple(done.get("outdated", ())))


def _make_files(folder: Path, langs: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield what belongs into a workspace: each file's path in it, and its content."""
    for lang in langs:
        for path in replay.find_notebooks(folder, lang=lang, optional=True):
            worked = json.loads(path.read_text(encoding="utf-8"))
            notebook, pictures = make_learner_notebook(worked)
            # As Jupyter saves it, so that a notebook that was only saved counts as unchanged.
            text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
            yield f"{lang}/{path.name}", f"{text}\n".encode()
            for name, link in pictures.items():
                yield f"{lang}/{PICTURES}/{name}", (path.parent / link).read_bytes()
    app = path.parents[1] / APP
    for file in sorted(app.rglob("*")):
        inner = file.relative_to(app)
        if file.is_file() and not _LEFTOVERS.intersection(inner.parts):
            yield f"{APP}/{inner.as_posix()}", file.read_bytes()


def _write_file(place: Path, content: bytes, before: str) -> str:
    """Write a file unless it is the learner's, and return the name of what was done."""
    if not os.path.lexists(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, [content])
        return "returned" if before else "added"
    present = _digest(place.read_bytes()) if place.is_file() else ""
    if present == _digest(content):
        return "same"
    if not before or present != before:
        return "kept"
    replace_file(place, [content])
    return "updated"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
