"""Grades one submission, from its files to a result; a fault in it affects no other submission."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from handson.core.text import group_pairs, list_briefly, one_line
from handson.course import syllabus
from handson.course.course import Course
from handson.grading import answers, copies, doubts, export_names, tokens
from handson.grading.archives import MOST_BYTES, MOST_PICTURED, Refused, read_entry
from handson.grading.claims import Claims, gather_claims
from handson.grading.findings import CheckMark, Finding, Result, Severity, Written, make_finding
from handson.grading.marks import Requirements, examine_evidence, judge_check, measure_lateness
from handson.grading.notebooks import SCORED, Notebook, compare_cells, count_values, read_notebook
from handson.grading.roster import Learner, Roster
from handson.grading.sources import JOURNALS, PROOFS, File, Submission, find_files

MOST_LINES = 2_000
"""Of the journals; the newest are read."""
MOST_VALUES = 800_000
"""Values in the notebooks of a submission; one that is built takes up to 80 bytes of memory."""
_LETTERS = 20
"""Letters of a text that take as much memory as another value; some take four bytes each."""
UNCOUNTED = 1_000_000
"""Bytes of a submission whose values are too few to count; the workshop's own has 600,000."""
MOST_TOGETHER = 64_000_000
"""Bytes of all files of a submission."""


@dataclass
class _Contents:
    """The readable files of a submission, and the findings about the others."""

    notebooks: list[Notebook] = field(default_factory=list)
    lines: list[tuple[str, bytes]] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    size: int = 0
    values: int = 0

    def count(self, values: int) -> None:
        """Count values of a notebook.

        Raises:
            Refused: They are too many together with those before them.
        """
        if self.values + values > MOST_VALUES:
            raise Refused("file-overfull")
        self.values += values


def grade_submission(
    submission: Submission, requirements: Requirements, roster: Roster, *, pictures: bool = False
) -> Result:
    """Return the result of a submission; nothing in it makes this raise."""
    try:
        result = _grade_contents(submission, requirements, roster, pictures=pictures)
    except Exception as error:  # our own fault must not cost the class its marks
        reason = one_line(f"{type(error).__name__}: {error}")
        finding = make_finding("not-graded", "serious", reason=reason)
        learner = _identify_learner(set(), submission, roster)
        result = make_empty_result(learner, [finding], requirements)
    return replace(
        result, source=submission.source, platform=submission.platform, place=submission.place
    )


def grade_files(folder: Path, names: Sequence[str], course: Course) -> Result:
    """Return the result of some files of a folder, as of a submission that holds nothing else."""
    submission = Submission(str(folder), files=tuple(names))
    return grade_submission(submission, Requirements(course=course), Roster())


def read_answers(folder: Path) -> tuple[Written, ...]:
    """Return the answers that are saved in a folder of notebooks."""
    name = f"{syllabus.DIAGRAM.notebook}.ipynb"
    contents = _read_contents(Submission(str(folder), files=(name,)))
    return answers.collect_answers(contents.notebooks)[0][:-1]


def judge_folders(
    check_id: str, folders: Sequence[Path], requirements: Requirements
) -> tuple[CheckMark, list[Finding]]:
    """Return the mark of one check by the evidence in the folders, and what withholds points.

    Evidence counts as it does for a whole class.  Nothing in the folders can raise.

    Raises:
        KeyError: There is no such check.
    """
    claims, unread = read_claims(folders)
    mark = judge_check(syllabus.find_check(check_id), claims, requirements)
    about_journals = [each for each in unread if (each.where or "").endswith(JOURNALS)]
    return mark, [mark.objection, *about_journals] if mark.objection else about_journals


def read_claims(folders: Iterable[Path], names: Sequence[str] = ()) -> tuple[Claims, list[Finding]]:
    """Return the evidence in the files of some folders, and why files and records are not read.

    Args:
        folders: The folders.
        names: The files in each of them; all files, if left out.
    """
    contents = [_read_contents(Submission(str(each), files=tuple(names))) for each in folders]
    claims = gather_claims(
        [notebook for each in contents for notebook in each.notebooks],
        [line for each in contents for line in each.lines],
    )
    return claims, [each for read in contents for each in read.findings] + claims.findings


def make_empty_result(
    learner: Learner,
    findings: Iterable[Finding],
    requirements: Requirements | None = None,
    **about: Any,
) -> Result:
    """Return a result without points; `about` are further fields, such as its source."""
    asked = (requirements or Requirements()).for_learner(learner)
    written, _ = answers.collect_answers([], asked.course)
    return Result(
        learner=learner.id,
        name=learner.name,
        group=learner.group,
        checks=tuple(judge_check(check, Claims(), asked) for check in asked.course.checks),
        until=asked.until.isoformat() if asked.until else None,
        exercise=asked.find_exercise(""),
        written=written,
        findings=tuple(findings),
        **about,
    )


def _grade_contents(
    submission: Submission, requirements: Requirements, roster: Roster, *, pictures: bool
) -> Result:
    contents = _read_contents(submission)
    claims = gather_claims(contents.notebooks, contents.lines)
    names = {claim.learner for claim in claims.items if claim.learner}
    submission = _settle_owner(submission, names)
    learner = _identify_learner(names, submission, roster)
    about_place = _examine_place(submission, learner, roster)
    about_instead = _examine_others(contents)
    named = learner if _is_named(submission, learner, names, roster) else None
    if not (contents.notebooks or contents.lines):
        files = list_briefly([*contents.files, *contents.others])
        handed_in = bool(files or contents.findings)
        nothing = make_finding("nothing-handed-in")
        if handed_in:
            nothing = make_finding("nothing-readable", "serious", files=files or "-")
        findings = [nothing, *contents.findings, *about_instead, *about_place]
        return make_empty_result(learner, findings, requirements, handed_in=handed_in)
    others = _find_others(names, learner, roster, requirements, is_named=named is not None)
    asked = requirements.for_learner(learner, others)
    marks = [judge_check(check, claims, asked) for check in asked.course.checks]
    drawing = judge_check(syllabus.DRAWING, claims, asked)
    about_evidence = [*examine_evidence(claims, asked, named)]
    objections = (mark.objection for mark in (*marks, drawing) if mark.objection)
    (*written, diagram), about_answers = answers.collect_answers(
        contents.notebooks, asked.course, pictures=pictures
    )
    diagram = replace(diagram, check=drawing)
    findings = [
        *contents.findings,
        *claims.findings,
        *about_evidence,
        *(objection for objection in objections if objection not in about_evidence),
        *doubts.examine_claims(claims, asked.now),
        *tokens.examine_proofs(contents.proofs, claims, requirements.keys),
        *about_instead,
        *compare_cells(contents.notebooks, [mark.id for mark in marks if mark.points]),
        *about_answers,
        *doubts.examine_answers(written),
        *doubts.examine_diagram(diagram, contents.notebooks),
        *about_place,
    ]
    return replace(
        make_empty_result(learner, findings, requirements),
        late_by=measure_lateness(claims, asked.until),
        handed_in_at=max((book.modified for book in contents.notebooks), default="") or None,
        named=tuple(sorted(names)),
        exercise=asked.find_exercise(min(names - others, default="")),
        files=tuple(notebook.where for notebook in contents.notebooks),
        issuers=tokens.list_issuers(contents.proofs),
        checks=tuple(marks),
        written=(*written, diagram),
        identifiers=copies.list_identifiers(claims.items),
        sketches=tuple(copies.sketch_answers(written)),
    )


def _settle_owner(submission: Submission, names: set[str]) -> Submission:
    """Return a submission with the one of the guesses as its owner whom the evidence names."""
    if not (submission.guesses and names):
        return submission
    pairs = product(submission.guesses, names)
    same = (guess for guess, name in pairs if export_names.is_same_person(guess, name))
    return dataclasses.replace(submission, owner=next(same, ""))


def _identify_learner(names: set[str], submission: Submission, roster: Roster) -> Learner:
    """Return the learner of a submission.

    Among namesakes the platform's number decides where the roster has it, else the evidence.

    If a submission bears no name, or a number, an account or a repository, the name in its evidence
    is used; if the evidence names several people or nobody, the submission's path is used.
    """
    owner, namesakes = submission.owner, roster.find_namesakes(submission.owner)
    candidates = [each for each in namesakes if submission.number in each.aliases] or namesakes
    bearers = {known for name in names if (known := roster.find(name))}
    if len(candidates) == 1:
        return candidates[0]
    if len(bearers) == 1 and bearers <= {*candidates}:
        return bearers.pop()
    name = next(iter(names)) if len(names) == 1 else ""
    if export_names.says_who(owner, name):
        name = owner
    elif (known := roster.find(name)) or not owner:
        return known or Learner(name or submission.source)
    if submission.has_namesakes and submission.number:
        return Learner(f"{owner} ({submission.number})", name or owner)
    return Learner(owner) if export_names.is_same_person(owner, name) else Learner(owner, name)


def _is_named(submission: Submission, learner: Learner, names: set[str], roster: Roster) -> bool:
    """Tell whether a submission's own name says who the learner is.

    Then another name in the evidence contradicts it.  The name of a group says so of nobody.
    """
    if len(names) > 1 and not roster.find_namesakes(submission.owner):
        return any(map(learner.is_named, names))
    known = (submission.owner, learner.name)
    return any(export_names.says_who(own, name) for own in known for name in names)


def _find_others(
    names: set[str], learner: Learner, roster: Roster, asked: Requirements, *, is_named: bool
) -> set[str]:
    """Return the names in a learner's evidence that are another's, for individual exercises."""

    def is_other(name: str) -> bool:
        holders = [each.id for each in asked.find_holders(name)]
        if holders or roster.find(name) not in (None, learner):
            return learner.id not in holders
        says_another = export_names.says_who(name, learner.id) and not learner.is_named(name)
        return is_named and says_another

    return {name for name in names if asked.course.exercise and is_other(name)}


def _examine_place(submission: Submission, learner: Learner, roster: Roster) -> Iterator[Finding]:
    """Yield the findings about the submission as a whole, and about its name."""
    candidates = roster.find_namesakes(submission.owner)
    if submission.earlier:
        count = submission.earlier
        yield make_finding("earlier-left", "note", count=count, source=submission.source)
    if submission.is_late:
        yield make_finding("late-by-name")
    is_known = not submission.owner or bool(candidates)
    is_person = export_names.says_who(submission.owner, "")
    if not (is_known or is_person) and (learner.name or learner in roster.learners):
        yield make_finding("no-person", "note", name=one_line(submission.owner))
    elif roster.learners and not is_known:
        yield make_finding("not-in-roster")
    if candidates and learner not in candidates:
        name, learners = one_line(submission.owner), list_briefly([each.id for each in candidates])
        yield make_finding("name-of-several", learners=learners, name=name)


def _read_contents(submission: Submission) -> _Contents:
    contents = _Contents()
    try:
        for file in find_files(submission):
            if file.is_other:
                contents.others.append(file.shown)
                continue
            contents.files.append(file.shown)
            try:
                _read_file(file, contents)
            except Refused as refusal:
                contents.findings.append(_describe_refusal(refusal, file.shown))
    except Refused as refusal:
        contents.findings.append(_describe_refusal(refusal, submission.source))
    versions = sorted(group_pairs((book.name, book) for book in contents.notebooks).items())
    contents.notebooks = [_choose_version(several, contents) for _, several in versions]
    return contents


def _examine_others(contents: _Contents) -> Iterator[Finding]:
    """Yield what was handed in where notebooks are missing, by kind."""
    there = {notebook.name for notebook in contents.notebooks}
    by_kind: dict[str, list[str]] = defaultdict(list)
    for file in contents.others if not there >= SCORED else ():
        kind, name = export_names.describe_instead(file), export_names.find_notebook(file)
        if kind == "archive" or not there or (name and name not in there):
            by_kind[kind].append(file)
    for kind, files in sorted(by_kind.items()):
        yield make_finding(f"instead-{kind}", where=files[0], files=list_briefly(files))


def _read_file(file: File, contents: _Contents) -> None:
    """Take in a file.

    Raises:
        Refused: It is not read.
    """
    room = MOST_TOGETHER - contents.size
    if room < MOST_BYTES:
        raise Refused("files-too-large", limit=f"{MOST_TOGETHER // 1_000_000} MB")
    most = MOST_BYTES if file.suffix in (JOURNALS, PROOFS) else min(MOST_PICTURED, room)
    data = read_entry(file.tree, file.entry, limit=most)
    contents.size += len(data)
    if file.suffix == JOURNALS:
        lines = data.rsplit(b"\n", MOST_LINES)[-MOST_LINES:]
        contents.lines += [(file.shown, line) for line in lines if line.strip()]
        del contents.lines[:-MOST_LINES]
    elif file.suffix == PROOFS:
        contents.proofs.append(data[: tokens.MOST_BYTES].decode("ascii", "replace").strip())
    else:
        is_large = contents.size > UNCOUNTED
        contents.count(count_values(data) if is_large else 0)
        notebook = read_notebook(data, where=file.shown, modified=file.entry.modified)
        letters = sum(len(cell.text) for cell in notebook.cells) if is_large else 0
        contents.count(letters // _LETTERS)
        contents.notebooks.append(notebook)
        if notebook.has_twins:
            contents.findings.append(make_finding("file-twins", where=file.shown, names="cells"))


def _choose_version(versions: list[Notebook], contents: _Contents) -> Notebook:
    """Return the newest of the copies of a notebook that hold work."""
    if len(versions) == 1:
        return versions[0]
    # Of equals, the one nearest to the top counts.
    chosen = max(versions, key=lambda each: (_has_work(each), each.modified, -len(each.where)))
    count = len(versions) - 1
    # A folder may hold the zip of its own files, too.
    if any(each.cells != chosen.cells for each in versions):
        left = make_finding("copies-left", "note", where=chosen.where, count=count)
        contents.findings.append(left)
    return chosen


def _has_work(notebook: Notebook) -> bool:
    """Tell whether a notebook holds evidence or answers; none is handed out with evidence."""
    written, _ = answers.collect_answers([notebook])
    is_answered = any(each.status == "answered" for each in written)
    return is_answered or any(notebook.records())


def _describe_refusal(refusal: Refused, where: str) -> Finding:
    severity: Severity = "note" if refusal.code == "file-foreign" else "warning"
    return make_finding(refusal.code, severity, where=where, **refusal.values)
