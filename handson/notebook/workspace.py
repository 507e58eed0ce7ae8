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
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from handson.core import folders, messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import hold_lock, read_state, replace_file
from handson.course import syllabus
from handson.course.learner_notebook import PICTURES, make_learner_notebook
from handson.notebook import replay
from handson.resources.push import run_git

APP = "docker-rails-workshop"
_LEFTOVERS = {"log", "tmp", ".bundle", "__pycache__", ".ipynb_checkpoints", ".DS_Store"}
"""What running or opening the app leaves in its folder."""
_LOCK_SECONDS = 60


class Layout(Struct, frozen=True):
    """What was done to the files of a workspace.

    Attributes:
        folder: The workspace.
        is_first: Whether nothing had been laid out there before.
        files: The files that were added, updated (unchanged by the learner), returned (deleted or
            renamed by the learner) or kept (neither), those of the kept ones that are outdated, for
            a new edition has changed them, and the same ones.
    """

    folder: Path
    is_first: bool
    files: Mapping[str, list[str]]

    @property
    def has_news(self) -> bool:
        """Whether there is something to tell to a learner who only goes on."""
        return bool(self.files.keys() - {"same", "kept"})

    def __str__(self) -> str:
        done = "made" if self.is_first else "looked-at"
        lines = [messages.label("notebook.workspace", done, folder=self.folder)]
        for how in ("added", "updated", "returned", "kept")[self.is_first :]:
            if files := ", ".join(self.files.get(how, ())):
                lines.append(messages.label("notebook.workspace", how, files=files))
        if files := ", ".join(self.files.get("outdated", ())):
            lines += _warn("notebook.workspace.outdated", files=files)
        return "\n".join(lines)


def lay_out(folder: Path, *, lang: str) -> Layout:
    """Lay out the learner's edition in a folder, and renew the other one that it has.

    Files that the learner has changed, and strangers', stay as they are.

    Raises:
        InvalidInput: The folder is a file, or belongs to the worked editions.
        NotReady: There is no edition in that language, the folder cannot be written, or the disk is
            full; the files that are there are whole.
    """
    folder = folder.expanduser().resolve()
    worked, state = folders.find_worked_folder(folder), folder / folders.LAID_OUT
    if worked and folder.is_relative_to(worked):
        raise InvalidInput.from_key("notebook.workspace.worked", folder=folder)
    if os.path.isfile(folder):
        raise InvalidInput.from_key("notebook.workspace.not-a-folder", folder=folder)
    with NotReady.replace_os_errors("notebook.workspace.not-writable", folder=folder):
        state.parent.mkdir(parents=True, exist_ok=True)
        lock = state.with_suffix(".lock")
        lock.touch()  # told as an error of this folder, not of HANDSON_HOME
        with hold_lock(lock, timeout=_LOCK_SECONDS, busy="notebook.workspace.busy"):
            return _lay_out_files(folder, lang)


def find_first_notebook(cwd: Path, *, lang: str) -> tuple[Path, Path, str]:
    """Return the notebook to begin with, the folder to serve, and what to tell the learner first.

    It is that of the workspace around `cwd`; in a checkout, of its workspace, unless `cwd` is
    within its worked editions.  The workspace is laid out, or brought up to date, before.

    Raises:
        NotReady: There is neither a workspace nor a checkout around `cwd`, or it cannot be laid
            out.
    """
    worked, folder = folders.find_worked_folder(cwd), folders.find_notebooks_folder(cwd)
    if folder is None:
        raise NotReady.from_key("notebook.workspace.none", folder=cwd)
    if worked and cwd.is_relative_to(worked):
        first = replay.find_notebooks(cwd, lang=lang)[0]
        return first, worked.parent, ""  # its prose shows pictures of diagrams/
    if worked and folder == worked:  # the checkout's workspace is not laid out yet
        folder = worked.parent / folders.WORKSPACE
    laid = lay_out(folder, lang=lang)
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
    return _warn("notebook.workspace.earlier", folder=worked, home=home)


def _warn(key: str, **values: object) -> list[str]:
    problem, remedy = messages.advice(key, **values)
    return [f"⚠ {problem}", f"→ {remedy}"]


def _lay_out_files(folder: Path, lang: str) -> Layout:
    state = folder / folders.LAID_OUT
    noted = read_state(state, dict[str, str]) or {}
    langs = {lang, *(name.partition("/")[0] for name in noted)}
    digests, done = dict(noted), defaultdict[str, list[str]](list)
    files = _make_files(folder, sorted(langs.intersection(messages.LANGUAGES)))
    for name, content in list(files):  # all are read before the first is written
        done[how := _write_file(folder / name, content, noted.get(name, ""))].append(name)
        digests[name] = _digest(content)
        if how == "kept" and noted.get(name) != digests[name]:
            done["outdated"].append(name)
    replace_file(state, [msgspec.json.format(msgspec.json.encode(digests))])
    return Layout(folder, not noted, done)


def _make_files(folder: Path, langs: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield what belongs into a workspace: each file's path in it, and its content."""
    for lang in langs:
        for path in replay.find_notebooks(folder, lang=lang, optional=True):
            notebook, pictures = make_learner_notebook(_read_notebook(path))
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


def _read_notebook(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # git leaves such a file where two changes meet
        raise NotReady.from_key("notebook.replay.unreadable", path=path, reason=error) from error


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
