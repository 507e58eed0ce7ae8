"""From the paths of the command line to submissions, one a learner, by their names alone.

A folder or zip that holds notebooks of the workshop under their own names is one submission, and so
is one that bears a name which a learning platform gives.  Otherwise each folder and zip in it is
one; and files that have the same name of a learner before their own are one together.  A folder
that holds only another folder, and the folder of a group whose members are in the roster, are
searched for submissions.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path

from handson.core.errors import InvalidInput
from handson.grading import export_names
from handson.grading.archives import MOST_NAMES, Entry, Refused, Tree, open_tree
from handson.grading.export_names import Person, find_person, split_suffix
from handson.grading.findings import replace_surrogates
from handson.grading.roster import Roster

DEEPEST = 8
MOST_FILES = 400
"""Notebooks, journals and zips of one submission."""
ZIPS_DEEP = 2

JOURNALS, PROOFS = export_names.RECORDS
_JUNK = frozenset(("__pycache__", "node_modules", "docker-rails-workshop", "diagrams"))
OTHER = "other"
"""In place of the suffix of a file that is not read."""
_READ = (".ipynb", *export_names.RECORDS)
_HOME = ".handson"
_STAMP = "timestamp.txt"
"""The file that nbgrader adds to a learner's folder of an assignment (nbgrader, "Exchange")."""
_WORDS = {JOURNALS: "journal", PROOFS: "proof"}

# The kinds of entries of a folder, by whose they may be.
_NOTEBOOK = "a notebook of the workshop under its own name"
_NAMED_FILE = "a file that has a person's name before its own"
_NAMED_RECORD = "a journal or proof that has a name before its own"
_OTHER_FILE = "a notebook by another name, or a journal"
_OTHER_KIND = "a file of another kind, which may have a name before its own"
_NAMED_FOLDER = "a folder or zip that mentions a person"
_OTHER_FOLDER = "another folder or zip"
_STAMP_FILE = "nbgrader's stamp: the folder above this one bears the learner's name"
_IGNORED = "anything else"


@dataclass(frozen=True)
class Submission:
    """The place of one learner's files.

    Attributes:
        root: A folder or a zip of this machine.
        at: The folder within it, or the zip.
        files: The files in that folder that belong to it; empty for all.
        owner: The learner whom its name mentions, or "".
        number: The platform's number of the owner, where an export has namesakes, or "".
        platform: The learning platform whose export it is, or "".
        place: The name of the learner's folder, or what stands before the files' names.
        is_late: The platform's name says that it was late.
        is_zipped: `at` is a zip.
        earlier: The number of the learner's earlier submissions, which are left aside.
        has_namesakes: Only the number tells the owner from another person of the export.
        guesses: The names of the folders around it, if the owner may be any of them.
    """

    root: str
    at: str = ""
    files: tuple[str, ...] = ()
    owner: str = ""
    number: str = ""
    platform: str = ""
    place: str = ""
    is_late: bool = False
    is_zipped: bool = False
    earlier: int = 0
    has_namesakes: bool = False
    guesses: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Its place, for people."""
        parts = (os.path.basename(self.root) or self.root, self.at)
        return replace_surrogates("/".join(filter(None, parts)))


@dataclass(frozen=True)
class File:
    """A file of a submission: by its suffix a notebook, journal or proof; or a refused one."""

    tree: Tree
    entry: Entry
    shown: str
    suffix: str = ""


def find_submissions(paths: Sequence[Path], roster: Roster) -> Iterator[Submission]:
    """Yield the submissions of the given paths; one learner may have several.

    Raises:
        InvalidInput: A path does not exist, or is neither a folder, a notebook nor a zip.
    """
    loose: dict[str, list[Entry]] = defaultdict(list)
    for path in paths:
        suffix = split_suffix(path.name)[1]
        if path.is_dir() or (path.is_file() and suffix == ".zip"):
            yield from _split_folder(str(path), "", roster)
        elif path.is_file() and suffix in (*_READ, *export_names.RENAMED):
            loose[str(path.parent)].append(Entry(path.name, path.name))
        else:
            shown = replace_surrogates(str(path))
            raise InvalidInput.from_key("grading.no-path", path=shown)
    for folder, entries in loose.items():
        for person, own in _group_files(entries, ""):
            named = Submission(folder, "", (), *person)
            found = named if person.name else _submit_unnamed(folder, "", roster)
            yield replace(found, files=tuple(entry.name for entry in own))


def choose_submissions(submissions: Iterable[Submission], roster: Roster) -> list[Submission]:
    """Return the submission of each learner, the newest of several, sorted by name."""
    by_name: dict[str, list[Submission]] = defaultdict(list)
    for number, submission in enumerate(submissions):
        known = roster.find(submission.owner)
        by_name[known.id if known else submission.owner or f"\0{number}"].append(submission)
    chosen = []
    for _, own in sorted(by_name.items()):
        people = _split_namesakes(own)
        for several in people:
            newest = several[0]
            if len(several) > 1:
                newest = max(several, key=lambda each: (_find_newest_time(each), each.source))
            earlier, has_namesakes = len(several) - 1, len(people) > 1
            chosen.append(replace(newest, earlier=earlier, has_namesakes=has_namesakes))
    return chosen


def find_files(submission: Submission) -> Iterator[File]:
    """Yield the notebooks, journals and proofs of a submission, and its refused files.

    Raises:
        Refused: Its folder or zip cannot be read.
    """
    found = (file for file in _find_all(submission) if file.suffix != OTHER)
    for count, file in enumerate(found):
        if count == MOST_FILES:
            refusal = Refused("file-too-many", most=str(MOST_FILES))
            yield replace(file, entry=replace(file.entry, refusal=refusal))
            return
        yield file


def find_others(submission: Submission) -> list[str]:
    """Return the names of what else is there, as many as are read of the rest.

    Raises:
        Refused: Its folder or zip cannot be read.
    """
    found = (file.shown for file in _find_all(submission) if file.suffix == OTHER)
    return [*islice(found, MOST_FILES)]


def _find_all(submission: Submission) -> Iterator[File]:
    tree, at = open_tree(submission.root), submission.at
    if submission.is_zipped:
        tree, at = tree.open_zip(at), ""
    entries = tree.list_entries(at, submission.files)
    return _walk(tree, entries, zips=int(submission.is_zipped), opened=[])


def _split_folder(root: str, at: str, roster: Roster, *, depth: int = 0) -> Iterator[Submission]:
    """Yield the submissions in a folder of a tree."""
    above, own = _list_names(root, at)[-2:]
    person = find_person(own, above)
    listed: dict[str, list[Entry]] = defaultdict(list)
    try:
        for entry in open_tree(root).list_entries(at):
            listed[_classify(entry, own)].append(entry)
    except Refused:
        yield _submit_unnamed(root, at, roster)  # grading reports it
        return
    is_stamped = _STAMP_FILE in listed
    others = listed.keys() - {_NAMED_FOLDER, _STAMP_FILE, _OTHER_KIND, _IGNORED}
    folders = listed[_NAMED_FOLDER]
    inside = _enter(root, folders[0]) if len(folders) == 1 and not others else None
    if person.platform and person.place == own:  # whatever else is in it is the learner's
        yield Submission(root, at, (), *person)
    elif inside and depth < DEEPEST:
        yield from _split_folder(*inside, roster, depth=depth + 1)
    elif _NOTEBOOK in others or not (folders or _NAMED_FILE in others):
        yield _submit_unnamed(root, at, roster, is_stamped=is_stamped)
    else:
        yield from _split_entries(root, at, listed, roster, depth=depth)


def _split_entries(
    root: str, at: str, listed: dict[str, list[Entry]], roster: Roster, *, depth: int
) -> Iterator[Submission]:
    own = _list_names(root, at)[-1]
    zips = []
    for entry in listed[_NAMED_FOLDER]:
        person, inside = find_person(entry.name, own), _enter(root, entry)
        members: list[Submission] = []
        if roster and inside and depth < DEEPEST and not roster.find(person.name):
            members = list(_split_folder(*inside, roster, depth=depth + 1))
        within = [member for member in members if (member.root, member.at) != inside]
        if any(roster.find(member.owner) for member in within):  # it is the folder of a group
            yield from members
        elif entry.is_folder:
            yield Submission(root, entry.path, (), *person)
        else:
            zips.append(entry)
    files = [entry for kind in (_NAMED_FILE, _NAMED_RECORD, _OTHER_FILE) for entry in listed[kind]]
    for person, entries in _group_files([*zips, *files, *listed[_OTHER_KIND]], own):
        if entries[0] in listed[_OTHER_KIND] and not roster.find(person.name):
            continue
        if len(entries) == 1 and entries[0] in zips:
            yield Submission(root, entries[0].path, (), *person, is_zipped=True)
        else:
            yield Submission(root, at, tuple(entry.name for entry in entries), *person)
    for entry in listed[_OTHER_FOLDER]:
        yield Submission(root, entry.path, is_zipped=not entry.is_folder)


def _enter(root: str, entry: Entry) -> tuple[str, str] | None:
    """Return the tree and the place in it of what a folder or zip holds; a zip in a zip is none."""
    if entry.is_folder:
        return root, entry.path
    return (os.path.join(root, entry.path), "") if os.path.isdir(root) else None


def _submit_unnamed(root: str, at: str, roster: Roster, *, is_stamped: bool = False) -> Submission:
    """Return a submission whose learner the names of the folders around it tell, if they do.

    A learner of the roster goes before others, and what a platform has named before what people
    have; then the innermost folder before those above it.  Of a folder that nbgrader collected,
    only the one above it counts.
    """
    names = _list_names(root, at)
    pairs = [*pairwise(["", *names])][-2:-1] if is_stamped else [*pairwise(names)]
    people = [find_person(name, above) for above, name in reversed(pairs)]
    named = [person for person in people if person.name]
    known = [person for person in named if roster.find(person.name)]
    known += [person for person in named if person.platform and person.place in names]
    guesses = () if known or len(pairs) < 2 else tuple(person.name for person in named)
    return Submission(root, at, (), *next(iter(known or named), Person()), guesses=guesses)


def _group_files(entries: Iterable[Entry], above: str) -> Iterator[tuple[Person, list[Entry]]]:
    """Yield each person whom the names of files mention, with the files.

    What stands before the name of a known file is the learner's, so that whatever else begins with
    it is the same learner's.
    """
    people = [(entry, find_person(entry.name, above)) for entry in entries]
    by_place = {person.place: person for entry, person in people if not _is_whole(entry, person)}
    groups: dict[tuple[str, str], tuple[Person, list[Entry]]] = {}
    for entry, person in people:
        stem, suffix = split_suffix(entry.name)
        if _is_whole(entry, person):
            starts = (stem[:end] for end in range(len(stem), 0, -1))
            own = Person() if suffix in _READ else person
            person = next((by_place[start] for start in starts if start in by_place), own)
        groups.setdefault(person[:2], (person, []))[1].append(entry)
    yield from groups.values()


def _is_whole(entry: Entry, person: Person) -> bool:
    """Tell whether all of a name would be the person's, because nothing in it is known."""
    return not person.platform and person.place == split_suffix(entry.name)[0]


def _classify(entry: Entry, above: str) -> str:
    person, suffix = find_person(entry.name, above), split_suffix(entry.name)[1]
    is_known = not _is_whole(entry, person)
    if entry.name == _STAMP:
        return _STAMP_FILE
    if _is_junk(entry):
        return _IGNORED
    if entry.is_folder or (suffix == ".zip" and entry.refusal is None):
        return _NAMED_FOLDER if person.name else _OTHER_FOLDER
    if person.name and (entry.refusal is not None or suffix in export_names.RENAMED):
        return _NAMED_FILE
    if not _find_suffix(entry):
        named = _NAMED_FILE if is_known else _OTHER_KIND
        return named if suffix and person.name else _IGNORED
    if suffix in export_names.RECORDS or not is_known:
        return _NAMED_RECORD if person.name and is_known else _OTHER_FILE
    return _NAMED_FILE if person.name else _NOTEBOOK


def _split_namesakes(submissions: list[Submission]) -> list[list[Submission]]:
    """Divide the submissions of one name among the people who bear it.

    A learning platform numbers the people of an export, and may number them anew in the next.
    """
    numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
    people: dict[str, list[Submission]] = defaultdict(list)
    for each in submissions:
        folder = each.at if each.files else each.at.rpartition("/")[0]
        numbers[each.root, folder].add(each.number)
        people[each.number].append(each)
    is_one_person = all(len(found - {""}) < 2 for found in numbers.values())
    return [submissions] if is_one_person else list(people.values())


def _find_newest_time(submission: Submission) -> str:
    """Return the time of the newest file of a submission; "" where there is none."""
    try:
        return max((file.entry.modified for file in find_files(submission)), default="")
    except Refused:
        return ""


def _walk(
    tree: Tree, entries: Iterable[Entry], above: str = "", *, opened: list[int], **deep: int
) -> Iterator[File]:
    """Yield the files of entries and below; `opened` gets the number of names in each zip."""
    depth, zips = deep.get("depth", 0), deep.get("zips", 0)
    for entry in entries:
        shown = f"{above}{export_names.normalize_name(entry.name)}"
        suffix = _find_suffix(entry)
        if _is_junk(entry):
            continue
        try:
            if entry.refusal is not None:
                raise entry.refusal
            if entry.is_folder and depth == DEEPEST:
                raise Refused("file-too-deep")
            if suffix == ".zip" and zips == ZIPS_DEEP:
                raise Refused("file-nested")
            if split_suffix(entry.name)[1] in export_names.RENAMED:
                raise Refused("file-renamed")
            inner = tree
            if suffix == ".zip":
                if sum(opened) > MOST_NAMES:
                    raise Refused("file-crowded")
                inner = tree.open_zip(entry.path)
                opened.append(inner.names)
        except Refused as refusal:
            if refusal.code == "file-crowded":  # it may have taken as long as one that is read
                opened.append(MOST_NAMES)
            yield File(tree, replace(entry, refusal=refusal), shown)
            continue
        if entry.is_folder or suffix == ".zip":
            below = inner.list_entries(entry.path if entry.is_folder else "")
            deeper = zips + (suffix == ".zip")
            inside = {"depth": depth + 1, "zips": deeper}
            yield from _walk(inner, below, f"{shown}/", opened=opened, **inside)
        else:
            yield File(tree, entry, shown, suffix or OTHER)


def _find_suffix(entry: Entry) -> str:
    """Return the suffix of a notebook, zip, journal or proof; "" for every other file."""
    name = entry.name.casefold()
    suffix = os.path.splitext(name)[1]
    is_ours = suffix in export_names.SUFFIXES or (suffix in _WORDS and _WORDS[suffix] in name)
    return suffix if is_ours and not entry.is_folder else ""


def _is_junk(entry: Entry) -> bool:
    hidden = entry.name.startswith(".") and entry.name != _HOME
    return entry.name in _JUNK or hidden or export_names.is_of_platform(entry.name)


def _list_names(root: str, at: str) -> list[str]:
    """Return the names of the folders from those above a tree down to `at`."""
    *above, own = os.path.abspath(root).split(os.sep)
    stem, suffix = split_suffix(own)
    shown = 2 if suffix == ".zip" else 1  # the folder that a zip is in may be the learner's
    return [*["", *above][-shown:], stem, *filter(None, at.split("/"))]
