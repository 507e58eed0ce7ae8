"""From the paths of the command line to submissions, one a learner.

A folder or zip that holds notebooks of the workshop under their own names is one submission.
Otherwise each folder and zip in it is one, and so are files that have the learner's name before the
notebook's, as a learning platform exports them.  Folders around a single folder, and folders of a
group whose members the roster knows, are looked through.  Only names are read here, so that ten
thousand submissions take no memory worth speaking of.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.grading import names, tokens
from handson.grading.model import clean
from handson.grading.roster import Roster
from handson.grading.trees import Entry, Folder, Refused, Tree, archive

DEEPEST = 8
MOST_FILES = 400
"""Notebooks, journals and zips that are looked at in one submission."""
ZIPS_DEEP = 2

_JUNK = frozenset(("__MACOSX", "__pycache__", "node_modules", "docker-rails-workshop", "diagrams"))
JOURNALS = ".jsonl"
"""What the name of a journal ends with."""
_HOME = ".handson"
_STAMP = "timestamp.txt"
"""What nbgrader puts into a learner's folder of one assignment (nbgrader, "Exchange")."""
_JOURNAL, _PROOF = "journal", os.path.splitext(tokens.FILE)


@dataclass(frozen=True)
class Submission:
    """Where one learner's files are.

    Attributes:
        root: A folder or a zip of this machine.
        at: The folder within it, or the zip.
        files: The files in that folder that belong to it; all that stands there, if empty.
        owner: Whom its name tells of, or "".
        number: What tells the owner from namesakes in the same export, or "".
        is_zipped: `at` is a zip.
    """

    root: str
    at: str = ""
    files: tuple[str, ...] = ()
    owner: str = ""
    number: str = ""
    is_zipped: bool = False

    @property
    def source(self) -> str:
        """Where it is, for people."""
        return clean("/".join(filter(None, (os.path.basename(self.root) or self.root, self.at))))

    @property
    def export(self) -> tuple[str, str]:
        """The folder in which it stands beside others."""
        return self.root, self.at if self.files else self.at.rpartition("/")[0]

    def place(self) -> tuple[Tree, str]:
        """Return the tree it stands in, and where.

        Raises:
            Refused: A zip on the way cannot be read.
        """
        tree = _tree(self.root)
        return (tree.zipped(self.at), "") if self.is_zipped else (tree, self.at)


@dataclass(frozen=True)
class File:
    """A file of a submission: a notebook, journal or proof by its name; or what was refused."""

    tree: Tree
    path: str
    shown: str
    modified: str = ""
    refusal: Refused | None = None

    @property
    def is_journal(self) -> bool:
        """It is a journal's lines, and not a notebook."""
        return self.path.endswith(JOURNALS)

    @property
    def is_proof(self) -> bool:
        """It is a token, and not a notebook."""
        return self.path.casefold().endswith(_PROOF[1])

    def read(self, *, limit: int) -> bytes:
        """Return its bytes.

        Raises:
            Refused: It is too large or cannot be read.
        """
        if self.refusal is not None:
            raise self.refusal
        return self.tree.read(self.path, limit=limit)


@dataclass
class _Parted:
    """What stands in one folder, and among whom it may be divided.

    Attributes:
        own: Notebooks of the workshop under their own names.
        books: Files that may be anybody's.
        others: By the name before a file's own, and its number, the files of each.
        people: Folders and zips that name somebody.
        nobodies: Those that do not.
        is_stamped: It is an assignment's folder of nbgrader's, and the one above it the learner's.
    """

    own: list[Entry] = field(default_factory=list)
    books: list[Entry] = field(default_factory=list)
    others: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)
    people: list[Entry] = field(default_factory=list)
    nobodies: list[Entry] = field(default_factory=list)
    is_stamped: bool = False


def find_submissions(paths: Sequence[Path], roster: Roster) -> Iterator[Submission]:
    """Yield the submissions of the given paths, several of one learner among them.

    Raises:
        InvalidInput: A path is not there, or neither a folder, a notebook nor a zip.
    """
    loose: dict[tuple[str, str, str], list[str]] = {}
    for path in paths:
        if path.is_dir() or (path.is_file() and path.suffix.casefold() == ".zip"):
            yield from _divided(str(path), "", roster)
        elif path.is_file() and path.suffix.casefold() in (".ipynb", JOURNALS, _PROOF[1]):
            owner = names.owner(path.name) if names.notebook(path.name) else ""
            number = names.number(path.name) if owner else ""
            loose.setdefault((str(path.parent), owner, number), []).append(path.name)
        else:
            raise InvalidInput(*messages.advice("grading.no-path", path=clean(str(path))))
    for (folder, owner, number), files in loose.items():
        yield Submission(folder, "", tuple(files), owner or _owner(folder, "", roster), number)


def files_of(submission: Submission) -> Iterator[File]:
    """Yield the notebooks, journals and proofs of a submission, and what of it is refused.

    Raises:
        Refused: It is a zip that cannot be read.
    """
    tree, at = submission.place()
    walk = _walk(tree, at, "", depth=0, zips=int(submission.is_zipped), only=submission.files)
    for count, file in enumerate(walk):
        if count == MOST_FILES:
            refusal = Refused("file-too-many", most=str(MOST_FILES))
            yield File(tree, file.path, file.shown, refusal=refusal)
            return
        yield file


def _tree(root: str) -> Tree:
    return Folder(root) if os.path.isdir(root) else archive(root)


def _divided(root: str, at: str, roster: Roster, *, depth: int = 0) -> Iterator[Submission]:
    """Yield the submissions below a folder of a tree."""
    whole = Submission(root, at, owner=_owner(root, at, roster))
    try:
        parted = _part(_tree(root).children(at))
    except Refused:
        yield whole  # reading it will say why
        return
    beside = (parted.own, parted.others, parted.books, parted.nobodies)
    alone = len(parted.people) == 1 and not any(beside)
    if alone and parted.people[0].is_folder and depth < DEEPEST:
        yield from _divided(root, parted.people[0].path, roster, depth=depth + 1)
    elif parted.own or not (parted.people or parted.others):
        owner = _owner(root, at, roster, is_stamped=parted.is_stamped)
        yield replace(whole, owner=owner)
    else:
        yield from _people(root, at, parted, roster, depth=depth)


def _people(
    root: str, at: str, parted: _Parted, roster: Roster, *, depth: int
) -> Iterator[Submission]:
    for entry in parted.people:
        owner = names.owner(entry.name)
        inner = list(_grouped(root, entry, roster, depth=depth)) if not roster.find(owner) else []
        zipped = not entry.is_folder
        number = names.number(entry.name)
        whole = Submission(root, entry.path, owner=owner, number=number, is_zipped=zipped)
        yield from inner or [whole]
    for (owner, number), entries in [*parted.others.items(), (("", ""), parted.books)]:
        if entries:
            yield Submission(root, at, tuple(entry.name for entry in entries), owner, number)
    for entry in parted.nobodies:
        yield Submission(root, entry.path, is_zipped=not entry.is_folder)


def _grouped(root: str, entry: Entry, roster: Roster, *, depth: int) -> Iterator[Submission]:
    """Yield the members of a group's folder, if the roster knows one of them."""
    if roster and entry.is_folder and depth < DEEPEST:
        inner = list(_divided(root, entry.path, roster, depth=depth + 1))
        if any(roster.find(submission.owner) for submission in inner):
            yield from inner


def _part(entries: Iterator[Entry]) -> _Parted:
    parted = _Parted()
    for entry in entries:
        if _is_junk(entry):
            continue
        owner, kind = names.owner(entry.name), _kind(entry)
        person = owner, names.number(entry.name)
        parted.is_stamped |= entry.name == _STAMP
        if entry.refusal is not None and owner:
            parted.others.setdefault(person, []).append(entry)
        elif entry.is_folder or kind == ".zip":
            (parted.people if owner else parted.nobodies).append(entry)
        elif kind and owner == _stem(entry) and not names.notebook(entry.name):
            parted.books.append(entry)  # a notebook by another name, or a journal
        elif kind and owner:
            parted.others.setdefault(person, []).append(entry)
        elif kind:
            parted.own.append(entry)
    return parted


def _walk(
    tree: Tree, at: str, shown: str, *, depth: int, zips: int, only: tuple[str, ...] = ()
) -> Iterator[File]:
    for entry in tree.children(at):
        name = f"{shown}{names.readable(entry.name)}"
        kind = _kind(entry)
        if _is_junk(entry) or (only and entry.name not in only):
            continue
        if entry.refusal is not None:
            yield File(tree, entry.path, name, refusal=entry.refusal)
        elif entry.is_folder:
            yield from _inside(tree, entry, name, depth=depth, zips=zips)
        elif kind == ".zip":
            yield from _unzipped(tree, entry, name, depth=depth, zips=zips)
        elif kind:
            yield File(tree, entry.path, name, entry.modified)


def _inside(tree: Tree, entry: Entry, name: str, *, depth: int, zips: int) -> Iterator[File]:
    if depth < DEEPEST:
        yield from _walk(tree, entry.path, f"{name}/", depth=depth + 1, zips=zips)
    else:
        yield File(tree, entry.path, name, refusal=Refused("file-too-deep"))


def _unzipped(tree: Tree, entry: Entry, name: str, *, depth: int, zips: int) -> Iterator[File]:
    try:
        if zips == ZIPS_DEEP:
            raise Refused("file-nested")
        inner = tree.zipped(entry.path)
    except Refused as refusal:
        yield File(tree, entry.path, name, refusal=refusal)
    else:
        yield from _walk(inner, "", f"{name}/", depth=depth + 1, zips=zips + 1)


def _kind(entry: Entry) -> str:
    """Return what a file is by its name: ".ipynb", ".zip", ".jsonl", ".jwt"; or nothing.

    Of the last two only journals and proofs count.
    """
    suffix = os.path.splitext(entry.name)[1].casefold()
    if entry.is_folder or entry.name.startswith("._"):
        return ""
    words = {JOURNALS: _JOURNAL, _PROOF[1]: _PROOF[0]}
    is_ours = suffix in words and words[suffix] in entry.name.casefold()
    return suffix if suffix in names.SUFFIXES or is_ours else ""


def _is_junk(entry: Entry) -> bool:
    hidden = entry.name.startswith(".") and entry.name != _HOME
    return entry.name in _JUNK or hidden


def _stem(entry: Entry) -> str:
    return names.readable(os.path.splitext(entry.name)[0]).strip()


def _owner(root: str, at: str, roster: Roster, *, is_stamped: bool = False) -> str:
    """Return whom the folders on the way to a place tell of.

    That is someone whom the roster knows, or else whom the innermost folder names; where that is
    an assignment of nbgrader's, the one above it.
    """
    above, own = os.path.split(os.path.abspath(root))
    pieces = [os.path.basename(above)] * is_stamped + [own, *filter(None, at.split("/"))]
    if is_stamped:
        pieces.pop()
    owners = [owner for piece in reversed(pieces) if (owner := names.owner(piece))]
    return next((owner for owner in owners if roster.find(owner)), owners[0] if owners else "")
