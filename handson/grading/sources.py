"""From the paths of the command line to submissions, one a learner, by their names alone.

A folder or zip that holds notebooks of the workshop under their own names is one submission, and so
is one that bears a name which a learning platform gives.  Otherwise the folders, zips and files in
it that bear the same name of a learner, whole or before their own, are one together.  A folder
that holds only another folder is searched for submissions; so is that of a group, whose members
the roster has, a platform named, or their evidence and notebooks tell apart.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

from handson.core.errors import InvalidInput
from handson.core.text import replace_surrogates
from handson.grading import archives, export_names
from handson.grading.archives import SMALL, Entry, Folder, Refused, Tree, open_tree, read_entry
from handson.grading.export_names import NOBODY, RECORDS, RENAMED, Person, find_person, split_suffix
from handson.grading.notebooks import find_learners
from handson.grading.roster import Roster

DEEPEST = 8
MOST_FILES = 400
"""Notebooks, journals and zips of one submission."""
ZIPS_DEEP = 2
MOST_MEMBERS, MOST_SURVEYED = 12, 20
"""Submissions in a folder, and files of each, that tell whether it is a group's."""

JOURNALS, PROOFS = RECORDS
_READ = (".ipynb", *RECORDS)
OTHER = "other"
_STAMP = "timestamp.txt"
"""The file that nbgrader adds to a learner's folder of an assignment (nbgrader, "Exchange")."""
_BETWEEN = re.compile(r" - |[_@]")
"""What stands between a learner's name and a file's."""


class _Item(NamedTuple):
    """An entry of a folder, and the person whom its name mentions.

    Attributes:
        kind: "box", a folder or zip; "notebook", one of the workshop under its own name; "named", a
            file with a person's name before its own; "loose", a notebook by another name, or a
            journal; "other", a file of another kind that may be somebody's; "" for the rest.
        is_whole: All of its name would be the person's, because nothing in it is known.
    """

    entry: Entry
    person: Person
    kind: str
    is_whole: bool


@dataclass(frozen=True)
class Submission:
    """The place of one learner's files.

    Attributes:
        root: A folder or a zip of this machine.
        at: The folder within it, or the zip.
        files: The files in that folder that belong to it; empty for all.
        person: The learner whom its name mentions.
        is_zipped: `at` is a zip.
        earlier: The number of the learner's earlier submissions, which are left aside.
        has_namesakes: Only the number tells the person from another one of the export.
        guesses: The names of the folders around it, if the learner may be any of them.
    """

    root: str
    at: str = ""
    files: tuple[str, ...] = ()
    person: Person = NOBODY
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
    """A file of a submission.

    Attributes:
        shown: Its path within the submission, for people.
        kind: The suffix of a notebook, journal or proof, `OTHER` for a file of another kind, which
            is not read, or "" for one that is refused.
    """

    tree: Tree
    entry: Entry
    shown: str
    kind: str = ""


def find_submissions(paths: Sequence[Path], roster: Roster) -> Iterator[Submission]:
    """Yield the submissions of the given paths; one learner may have several.

    Raises:
        InvalidInput: A path does not exist, or is neither a folder, a notebook nor a zip.
    """
    named: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        suffix = split_suffix(path.name)[1]
        if path.is_dir() or (path.is_file() and suffix == ".zip"):
            yield from _split_folder(Submission(str(path)), roster)
        elif path.is_file() and suffix in (*_READ, *RENAMED):
            named[str(path.parent)].append(path.name)
        else:
            raise InvalidInput.from_key("grading.no-path", path=replace_surrogates(str(path)))
    for folder, names in named.items():
        yield from _split_folder(Submission(folder, files=tuple(names)), roster)


def choose_submissions(submissions: Iterable[Submission], roster: Roster) -> list[Submission]:
    """Return the submission of each learner, the newest of several, sorted by name."""
    by_name: dict[tuple[str, str], list[Submission]] = defaultdict(list)
    for count, submission in enumerate(submissions):
        person = submission.person
        known = roster.find(person.name)
        name = known.id if known else person.name or f"\0{count}"
        number = person.number if submission.has_namesakes else ""
        by_name[name, number].append(submission)
    chosen = []
    for _, several in sorted(by_name.items()):
        newest = max(several, key=_find_newest_time) if len(several) > 1 else several[0]
        chosen.append(replace(newest, earlier=len(several) - 1))
    return chosen


def find_files(submission: Submission) -> Iterator[File]:
    """Yield the files of a submission, also those that are refused or of another kind.

    A folder or zip that cannot be read is one of those that are refused.
    """
    count = 0
    try:
        tree, at = open_tree(submission.root), submission.at
        if submission.is_zipped:
            tree, at = tree.open_zip(at), ""
        entries = tree.list_entries(at, submission.files)
        for file in _walk(tree, entries, "", int(submission.is_zipped), []):
            count += file.kind != OTHER
            if count > MOST_FILES:
                refusal = Refused("file-too-many", most=str(MOST_FILES))
                yield replace(file, entry=replace(file.entry, refusal=refusal))
                return
            yield file
    except Refused as refusal:
        whole = Entry(submission.source, "", refusal=refusal)
        yield File(Folder(submission.root), whole, submission.source)


def _split_folder(whole: Submission, roster: Roster) -> Iterator[Submission]:
    """Yield the submissions in a folder of a tree, or in those of its files that are named."""
    above, own = _list_names(whole)[-2:]
    try:
        entries = [*open_tree(whole.root).list_entries(whole.at, whole.files)]
    except Refused:
        yield _find_owner(whole, roster)  # grading reports it
        return
    items = [item for entry in entries if (item := _describe(entry, own)).kind]
    kinds = [item.kind for item in items]
    boxes = [item for item in items if item.kind == "box"]
    is_stamped = any(entry.name == _STAMP for entry in entries)
    is_alone = len(boxes) == 1 and {*kinds} <= {"box", "other"} and not is_stamped
    inside = _enter(whole.root, boxes[0].entry) if is_alone else None
    person = find_person(own, above)
    if person.platform and person.place == own:  # whatever else is in it is the learner's
        yield replace(whole, person=person)
    elif inside:
        yield from _split_folder(inside, roster)
    elif "notebook" in kinds or not ("named" in kinds or any(box.person.name for box in boxes)):
        yield _find_owner(whole, roster, is_stamped=is_stamped)
    else:
        for named, group in _group(whole, items, roster):
            yield from _submit_group(named, group, roster)


def _submit_group(named: Submission, items: list[_Item], roster: Roster) -> Iterator[Submission]:
    """Yield the submission of what bears one name, or those in the folders of a group."""
    kinds, is_known = {item.kind for item in items}, roster.find(named.person.name) is not None
    boxes = [item.entry for item in items if item.kind == "box"]
    places = [_enter(named.root, at) for at in boxes if not (is_known or kinds - {"box", "other"})]
    members = [(place, each) for place in places if place for each in _split_folder(place, roster)]
    within = [each for place, each in members if each.files or each.source != place.source]
    is_group = any(roster.find(each.person.name) for each in within)
    if None not in places and (is_group or _is_group(named.person.name, within)):
        yield from (each for _, each in members)
    elif len(items) == len(boxes) == 1:
        yield replace(named, at=boxes[0].path, is_zipped=not boxes[0].is_folder)
    elif is_known or kinds != {"other"}:
        yield replace(named, files=tuple(item.entry.name for item in items))


def _is_group(name: str, members: Sequence[Submission]) -> bool:
    """Tell whether submissions in what bears a name are not all that person's.

    They are others' where a platform named them; else the names in their evidence decide, and
    without these whether several hold the same notebooks.  Versions and copies are nobody's.
    """
    if any(it.person.platform and (it.person.number or not it.files) for it in members):
        return True
    named = [each for each in members if export_names.says_person(each.person.name)]
    people = {each.person.name: _survey(each) for each in named[:MOST_MEMBERS]}
    books = [book for own, _ in people.values() for book in own]
    bearers = [(each, who) for who, (_, learners) in people.items() for each in learners]
    is_named = any(export_names.is_same_person(*pair) for pair in bearers)
    if any(export_names.is_same_person(each, name) for each, _ in bearers):
        return False
    if len({*books}) == len(books):
        return is_named and len(people) == 1 and export_names.says_who(name, "")
    return is_named or len({each for each, _ in bearers}) != 1


def _survey(submission: Submission) -> tuple[set[str], set[str]]:
    """Return the notebooks in the first files of a submission, and the names in their evidence."""
    books, learners = set[str](), set[str]()
    for file in islice(find_files(submission), MOST_SURVEYED):
        books.add(export_names.find_notebook(file.entry.name))
        with suppress(Refused):
            learners = learners or find_learners(read_entry(file.tree, file.entry, limit=SMALL))
    return books - {""}, learners


def _enter(root: str, entry: Entry) -> Submission | None:
    """Return what a folder or zip holds, unless it is too deep.

    A zip in a zip is not entered.
    """
    if entry.is_folder:
        return Submission(root, entry.path) if entry.path.count("/") < DEEPEST else None
    return Submission(os.path.join(root, entry.path)) if os.path.isdir(root) else None


def _find_owner(whole: Submission, roster: Roster, *, is_stamped: bool = False) -> Submission:
    """Return a submission with the learner whom the names of the folders around it tell, if any.

    A learner of the roster goes before others, and what a platform has named before what people
    have; then the innermost folder before those above it.  Of a folder that nbgrader collected,
    only the one above it counts.
    """
    names = _list_names(whole)
    pairs = [*pairwise(["", *names])][-2:-1] if is_stamped else [*pairwise(names)]
    people = [find_person(name, above) for above, name in reversed(pairs)]
    named = [person for person in people if person.name]
    known = [person for person in named if roster.find(person.name)]
    known += [person for person in named if person.platform and person.place in names]
    guesses = () if known or len(pairs) < 2 else tuple(person.name for person in named)
    return replace(whole, person=next(iter(known or named), NOBODY), guesses=guesses)


def _group(
    whole: Submission, items: Sequence[_Item], roster: Roster
) -> Iterator[tuple[Submission, list[_Item]]]:
    """Yield a submission for each person whom the names in a folder mention, and what bears it.

    What stands before the name of a known file is the learner's, so that whatever else begins with
    it is the same learner's; and so is what stands before the names of several folders or zips,
    where others have the same names after theirs.  A platform's numbers tell namesakes apart within
    one export, and the next one may number them anew.
    """
    unknown = {item.person.place for item in items if item.kind == "box" and item.is_whole
               and not roster.find(item.person.name)}  # fmt: skip
    cuts = ((stem, at.end()) for stem in unknown for at in islice(_BETWEEN.finditer(stem), 4))
    parts = [(stem[:at], stem[at:]) for stem, at in cuts]
    tails = Counter(tail for _, tail in parts)
    heads = Counter(head for head, tail in parts if tails[tail] > 1)
    owners = {head: find_person(f"{head}journal.jsonl") for head in heads if heads[head] > 1}
    owners |= {item.person.place: item.person for item in items if not item.is_whole}
    groups: dict[tuple[str, ...], tuple[Person, list[_Item]]] = {}
    for item in items:
        stem, person = split_suffix(item.entry.name)[0], item.person
        if item.is_whole:
            starts = (stem[:end] for end in range(len(stem), 0, -1))
            own = NOBODY if item.kind == "loose" else person
            person = next((owners[start] for start in starts if start in owners), own)
        known = roster.find(person.name)
        name = known.id if known else person.name
        key = (name, person.number) if name or item.kind != "box" else (name, "", stem)
        groups.setdefault(key, (person, []))[1].append(item)
    numbers = Counter(name for name, number, *_ in groups if number)
    for (name, *_), (bearer, held) in groups.items():
        yield replace(whole, person=bearer, has_namesakes=numbers[name] > 1), held


def _describe(entry: Entry, above: str) -> _Item:
    """Return an entry of a folder that bears the name `above`, and whose it may be."""
    person, (stem, suffix) = find_person(entry.name, above), split_suffix(entry.name)
    is_whole = not person.platform and person.place == stem
    kind = "other" if suffix and person.name else ""
    if export_names.is_junk(entry.name):
        kind = ""
    elif entry.is_folder or (suffix == ".zip" and entry.refusal is None):
        kind = "box"
    elif suffix == ".ipynb" and not person.name:
        kind = "notebook"
    elif person.name and (entry.refusal or suffix in RENAMED or (suffix and not is_whole)):
        kind = "named"
    elif suffix in _READ:
        kind = "loose"
    return _Item(entry, person, kind, is_whole)


def _find_newest_time(submission: Submission) -> tuple[str, str]:
    """Return the time of the newest file of a submission, "" for none, and its place."""
    times = (file.entry.modified for file in find_files(submission))
    return max(times, default=""), submission.source


def _walk(
    tree: Tree, entries: Iterable[Entry], above: str, zips: int, opened: list[int]
) -> Iterator[File]:
    """Yield the files of entries and below; `opened` gets the number of names in each zip."""
    for entry in entries:
        if export_names.is_junk(entry.name):
            continue
        shown = f"{above}{export_names.normalize_name(entry.name)}"
        suffix = "" if entry.is_folder else split_suffix(entry.name)[1]
        inner, at = tree, entry.path
        try:
            if entry.refusal is not None:
                raise entry.refusal
            if entry.is_folder and above.count("/") == DEEPEST:
                raise Refused("file-too-deep")
            if suffix in RENAMED:
                raise Refused("file-renamed")
            if suffix == ".zip":
                if zips == ZIPS_DEEP:
                    raise Refused("file-nested")
                if sum(opened) > archives.MOST_NAMES:
                    raise Refused("file-crowded")
                inner, at = tree.open_zip(entry.path), ""
                opened.append(inner.names)
        except Refused as refusal:
            if refusal.code == "file-crowded":  # it may have taken as long as one that is read
                opened.append(archives.MOST_NAMES)
            yield File(tree, replace(entry, refusal=refusal), shown)
            continue
        if entry.is_folder or suffix == ".zip":
            below, deeper = inner.list_entries(at), zips + (suffix == ".zip")
            yield from _walk(inner, below, f"{shown}/", deeper, opened)
        else:
            yield File(tree, entry, shown, suffix if suffix in _READ else OTHER)


def _list_names(whole: Submission) -> list[str]:
    """Return the names of the folders from those above a tree down to a place in it."""
    *above, own = os.path.abspath(whole.root).split(os.sep)
    stem, suffix = split_suffix(own)
    shown = 2 if suffix == ".zip" else 1  # the folder that a zip is in may be the learner's
    return [*["", *above][-shown:], stem, *filter(None, whole.at.split("/"))]
