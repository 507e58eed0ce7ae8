"""From the paths of the command line to submissions, one a learner, by their names alone.

A folder or zip that holds notebooks of the workshop under their own names is one submission.
Otherwise each folder and zip in it is one, and so are files that have the learner's name before the
notebook's, as a learning platform exports them.  A folder that holds only another folder, and the
folder of a group whose members are in the roster, are searched for submissions.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.grading import export_names, tokens
from handson.grading.archives import Entry, Refused, Tree, open_tree
from handson.grading.model import replace_surrogates
from handson.grading.roster import Roster

DEEPEST = 8
MOST_FILES = 400
"""Notebooks, journals and zips of one submission."""
ZIPS_DEEP = 2

_JUNK = frozenset(("__MACOSX", "__pycache__", "node_modules", "docker-rails-workshop", "diagrams"))
JOURNALS = ".jsonl"
"""The suffix of a journal."""
_HOME = ".handson"
_STAMP = "timestamp.txt"
"""The file that nbgrader adds to a learner's folder of an assignment (nbgrader, "Exchange")."""
_JOURNAL, _PROOF = "journal", os.path.splitext(tokens.FILE)


@dataclass(frozen=True)
class Submission:
    """The place of one learner's files.

    Attributes:
        root: A folder or a zip of this machine.
        at: The folder within it, or the zip.
        files: The files in that folder that belong to it; empty for all.
        owner: The learner whom its name mentions, or "".
        number: The platform's number of the owner, where an export has namesakes, or "".
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
        """Its place, for people."""
        return replace_surrogates(
            "/".join(filter(None, (os.path.basename(self.root) or self.root, self.at)))
        )

    @property
    def export(self) -> tuple[str, str]:
        """The folder that holds it and other submissions."""
        return self.root, self.at if self.files else self.at.rpartition("/")[0]

    def open(self) -> tuple[Tree, str]:
        """Return the tree that holds it, and its path there.

        Raises:
            Refused: A zip on the way cannot be read.
        """
        tree = open_tree(self.root)
        return (tree.open_zip(self.at), "") if self.is_zipped else (tree, self.at)


@dataclass(frozen=True)
class File:
    """A file of a submission: by its name a notebook, journal or proof; or a refused one."""

    tree: Tree
    path: str
    shown: str
    modified: str = ""
    refusal: Refused | None = None

    @property
    def is_journal(self) -> bool:
        """It holds the lines of a journal."""
        return self.path.endswith(JOURNALS)

    @property
    def is_proof(self) -> bool:
        """It holds a token."""
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
class _Listing:
    """The contents of one folder, by whose they may be.

    Attributes:
        notebooks: Notebooks of the workshop under their own names.
        unnamed_files: Notebooks by other names, and journals.
        named_files: The files with a name before their own, by that name and its number.
        named_folders: Folders and zips that mention a person.
        unnamed_folders: The other folders and zips.
        is_stamped: nbgrader collected this folder; the one above it bears the learner's name.
    """

    notebooks: list[Entry] = field(default_factory=list)
    unnamed_files: list[Entry] = field(default_factory=list)
    named_files: dict[tuple[str, str], list[Entry]] = field(
        default_factory=lambda: defaultdict(list)
    )
    named_folders: list[Entry] = field(default_factory=list)
    unnamed_folders: list[Entry] = field(default_factory=list)
    is_stamped: bool = False

    @property
    def is_wrapper(self) -> bool:
        """It holds one folder that mentions a person, and nothing else."""
        others = (self.notebooks, self.unnamed_files, self.named_files, self.unnamed_folders)
        return len(self.named_folders) == 1 and not any(others)


def find_submissions(paths: Sequence[Path], roster: Roster) -> Iterator[Submission]:
    """Yield the submissions of the given paths; one learner may have several.

    Raises:
        InvalidInput: A path does not exist, or is neither a folder, a notebook nor a zip.
    """
    loose: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for path in paths:
        suffix, folder = path.suffix.casefold(), str(path.parent)
        if path.is_dir() or (path.is_file() and suffix == ".zip"):
            yield from _split_folder(str(path), "", roster)
        elif path.is_file() and suffix in (".ipynb", JOURNALS, _PROOF[1]):
            is_named = bool(export_names.find_notebook(path.name))
            person = export_names.find_person(path.name) if is_named else ("", "")
            loose[(folder, *person)].append(path.name)
        else:
            shown = replace_surrogates(str(path))
            raise InvalidInput(*messages.advice("grading.no-path", path=shown))
    for (folder, owner, number), files in loose.items():
        owner = owner or _guess_owner(folder, "", roster)
        yield Submission(folder, "", tuple(files), owner, number)


def find_files(submission: Submission) -> Iterator[File]:
    """Yield the notebooks, journals and proofs of a submission, and its refused files.

    Raises:
        Refused: Its folder or zip cannot be read.
    """
    tree, at = submission.open()
    walk = _walk(tree, at, "", depth=0, zips=int(submission.is_zipped), only=submission.files)
    for count, file in enumerate(walk):
        if count == MOST_FILES:
            refusal = Refused("file-too-many", most=str(MOST_FILES))
            yield File(tree, file.path, file.shown, refusal=refusal)
            return
        yield file


def _split_folder(root: str, at: str, roster: Roster, *, depth: int = 0) -> Iterator[Submission]:
    """Yield the submissions in a folder of a tree."""
    whole = Submission(root, at, owner=_guess_owner(root, at, roster))
    try:
        listing = _list_folder(open_tree(root).children(at))
    except Refused:
        yield whole  # grading it reports the refusal
        return
    inner = listing.is_wrapper and listing.named_folders[0]
    if inner and inner.is_folder and depth < DEEPEST:
        yield from _split_folder(root, inner.path, roster, depth=depth + 1)
    elif listing.notebooks or not (listing.named_folders or listing.named_files):
        owner = _guess_owner(root, at, roster, is_stamped=listing.is_stamped)
        yield replace(whole, owner=owner)
    else:
        yield from _split_listing(root, at, listing, roster, depth=depth)


def _split_listing(
    root: str, at: str, listing: _Listing, roster: Roster, *, depth: int
) -> Iterator[Submission]:
    for entry in listing.named_folders:
        owner, number = export_names.find_person(entry.name)
        zipped = not entry.is_folder
        whole = Submission(root, entry.path, owner=owner, number=number, is_zipped=zipped)
        is_known = roster.find(owner) is not None
        members = () if is_known else tuple(_split_group(root, entry, roster, depth=depth))
        yield from members or (whole,)
    for (owner, number), entries in listing.named_files.items():
        yield Submission(root, at, tuple(entry.name for entry in entries), owner, number)
    if listing.unnamed_files:
        yield Submission(root, at, tuple(entry.name for entry in listing.unnamed_files))
    for entry in listing.unnamed_folders:
        yield Submission(root, entry.path, is_zipped=not entry.is_folder)


def _split_group(root: str, entry: Entry, roster: Roster, *, depth: int) -> Iterator[Submission]:
    """Yield the submissions in a group's folder, if one of them is of a learner of the roster."""
    if roster and entry.is_folder and depth < DEEPEST:
        inner = list(_split_folder(root, entry.path, roster, depth=depth + 1))
        if any(roster.find(submission.owner) for submission in inner):
            yield from inner


def _list_folder(entries: Iterator[Entry]) -> _Listing:
    listing = _Listing()
    for entry in entries:
        if _is_junk(entry):
            continue
        person, suffix = export_names.find_person(entry.name), _file_type(entry)
        is_named = bool(person[0])
        stem = export_names.normalize_name(os.path.splitext(entry.name)[0]).strip()
        listing.is_stamped |= entry.name == _STAMP
        if entry.refusal is not None and is_named:
            listing.named_files[person].append(entry)
        elif entry.is_folder or suffix == ".zip":
            (listing.named_folders if is_named else listing.unnamed_folders).append(entry)
        elif suffix and person[0] == stem and not export_names.find_notebook(entry.name):
            listing.unnamed_files.append(entry)
        elif suffix and is_named:
            listing.named_files[person].append(entry)
        elif suffix:
            listing.notebooks.append(entry)
    return listing


def _walk(
    tree: Tree, at: str, shown: str, *, depth: int, zips: int, only: tuple[str, ...] = ()
) -> Iterator[File]:
    for entry in tree.children(at):
        if _is_junk(entry) or (only and entry.name not in only):
            continue
        name = f"{shown}{export_names.normalize_name(entry.name)}"
        try:
            inside = _open_entry(tree, entry, depth=depth, zips=zips)
        except Refused as refusal:
            yield File(tree, entry.path, name, refusal=refusal)
            continue
        if inside is not None:
            inner, path, zips_above = inside
            yield from _walk(inner, path, f"{name}/", depth=depth + 1, zips=zips_above)
        elif _file_type(entry):
            yield File(tree, entry.path, name, entry.modified)


def _open_entry(tree: Tree, entry: Entry, *, depth: int, zips: int) -> tuple[Tree, str, int] | None:
    """Return the tree of a folder or zip, its path there and the zips around it; None for a file.

    Raises:
        Refused: It is not read, or nested too deep.
    """
    if entry.refusal is not None:
        raise entry.refusal
    if entry.is_folder:
        if depth == DEEPEST:
            raise Refused("file-too-deep")
        return tree, entry.path, zips
    if _file_type(entry) != ".zip":
        return None
    if zips == ZIPS_DEEP:
        raise Refused("file-nested")
    return tree.open_zip(entry.path), "", zips + 1


def _file_type(entry: Entry) -> str:
    """Return the suffix of a notebook, zip, journal or proof; "" for every other file."""
    suffix = os.path.splitext(entry.name)[1].casefold()
    if entry.is_folder or entry.name.startswith("._"):
        return ""
    words = {JOURNALS: _JOURNAL, _PROOF[1]: _PROOF[0]}
    is_ours = suffix in words and words[suffix] in entry.name.casefold()
    return suffix if suffix in export_names.SUFFIXES or is_ours else ""


def _is_junk(entry: Entry) -> bool:
    hidden = entry.name.startswith(".") and entry.name != _HOME
    return entry.name in _JUNK or hidden


def _guess_owner(root: str, at: str, roster: Roster, *, is_stamped: bool = False) -> str:
    """Guess the learner from the folder names above a submission.

    A learner of the roster goes before others, the innermost folder before those above it.  Of a
    folder that nbgrader collected, only the one above it counts.
    """
    above, own = os.path.split(os.path.abspath(root))
    pieces = [os.path.basename(above)] * is_stamped + [own, *filter(None, at.split("/"))]
    if is_stamped:
        pieces.pop()
    owners = [owner for piece in reversed(pieces) if (owner := export_names.find_owner(piece))]
    return next((owner for owner in owners if roster.find(owner)), owners[0] if owners else "")
