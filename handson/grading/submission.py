"""Grades one submission, from its files to a result; a fault in it affects no other submission."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from msgspec.structs import replace

from handson.core.text import group_pairs, one_line
from handson.course import syllabus
from handson.course.course import Course
from handson.grading import answers, copies, doubts, export_names, tokens
from handson.grading.archives import MOST_BYTES, MOST_PICTURED, Refused, read_entry
from handson.grading.claims import Claims, gather_claims
from handson.grading.findings import CheckMark, Finding, Result, Severity, Written, make_finding
from handson.grading.identity import Identity
from handson.grading.marks import Requirements, examine_evidence, judge_check, measure_lateness
from handson.grading.notebooks import SCORED, Notebook, compare_cells, count_values, read_notebook
from handson.grading.roster import Learner
from handson.grading.sources import JOURNALS, OTHER, PROOFS, File, Submission, find_files

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
    """What can be read of a submission, and the findings about the rest."""

    claims: Claims = field(default_factory=Claims)
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


def grade_submission(submission: Submission, requirements: Requirements) -> Result:
    """Return the result of a submission; nothing in it makes this raise."""
    try:
        result = _grade_contents(submission, requirements)
    except Exception as error:  # our own fault must not cost the class its marks
        reason = one_line(f"{type(error).__name__}: {error}")
        finding = make_finding("not-graded", "serious", reason=reason)
        learner = Identity(submission, set(), requirements).learner
        result = make_empty_result(learner, [finding], requirements)
    person = submission.person
    return replace(result, source=submission.source, platform=person.platform, place=person.place)


def grade_files(folder: Path, names: Sequence[str], course: Course) -> Result:
    """Return the result of some files of a folder, as of a submission that holds nothing else."""
    submission = Submission(str(folder), files=tuple(names))
    return grade_submission(submission, Requirements(course=course))


def read_answers(folder: Path) -> tuple[Written, ...]:
    """Return the answers that are saved in a folder of notebooks."""
    submission = Submission(str(folder), files=(f"{syllabus.DIAGRAM.notebook}.ipynb",))
    return answers.collect_answers(_read_contents([submission]).notebooks)[0][:-1]


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
    contents = _read_contents(Submission(str(each), files=tuple(names)) for each in folders)
    return contents.claims, contents.findings


def make_empty_result(
    learner: Learner, findings: Iterable[Finding], requirements: Requirements | None = None
) -> Result:
    """Return the result of a learner of whom nothing can be read."""
    asked = (requirements or Requirements()).for_learner(learner)
    return replace(_judge_contents(_Contents(), asked), findings=tuple(findings))


def _grade_contents(submission: Submission, requirements: Requirements) -> Result:
    contents = _read_contents([submission])
    claims, found = contents.claims, contents.findings
    who = Identity(submission, claims.names, requirements)
    asked = requirements.for_learner(who.learner, who.others)
    result = _judge_contents(contents, asked)
    handed_in = bool(contents.files)
    if contents.notebooks or contents.lines:
        found += [*who.examine_names(claims), *examine_evidence(claims, asked)]
        marks = (*result.checks, result.diagram.check)
        objections = (mark.objection for mark in marks if mark and mark.objection)
        found += [objection for objection in objections if objection not in found]
        found += doubts.examine_claims(claims, asked.now)
        found += tokens.examine_proofs(contents.proofs, claims, requirements.keys)
        earned = [mark.id for mark in result.checks if mark.points]
        found += [*compare_cells(contents.notebooks, earned), *result.findings]
        found += doubts.examine_answers(result.answers)
        found += doubts.examine_diagram(result.diagram, contents.notebooks)
    elif handed_in:
        found.insert(0, make_finding("nothing-readable", "serious", files=contents.files))
    else:
        found = [make_finding("nothing-handed-in")]
    found += [*_examine_others(contents), *who.examine_owner()]
    return replace(result, handed_in=handed_in, findings=tuple(found))


def _judge_contents(contents: _Contents, asked: Requirements) -> Result:
    """Return the result of the learner's work; its findings are those about the answers."""
    books, claims = contents.notebooks, contents.claims
    read, found = answers.collect_answers(books, asked.course, pictures=asked.pictures)
    *written, diagram = read
    # Where nothing can be read, there is no diagram to check.
    is_read = bool(books or contents.lines)
    drawing = judge_check(syllabus.DRAWING, claims, asked) if is_read else None
    return Result(
        learner=asked.learner,
        handed_in_at=max((book.modified for book in books), default="") or None,
        until=asked.until.isoformat() if asked.until else None,
        late_by=measure_lateness(claims, asked.until),
        named=tuple(sorted(claims.names)),
        exercise=asked.find_exercise(min(claims.names - {*asked.others}, default="")),
        files=tuple(book.where for book in books),
        issuers=tokens.list_issuers(contents.proofs),
        checks=tuple(judge_check(check, claims, asked) for check in asked.course.checks),
        written=(*written, replace(diagram, check=drawing)),
        findings=tuple(found),
        identifiers=copies.list_identifiers(claims.items),
        sketches=tuple(copies.sketch_answers(written)),
    )


def _read_contents(submissions: Iterable[Submission]) -> _Contents:
    contents = _Contents()
    for file in chain.from_iterable(map(find_files, submissions)):
        contents.files.append(file.shown)
        try:
            _read_file(file, contents)
        except Refused as refusal:
            severity: Severity = "note" if refusal.code == "file-foreign" else "warning"
            about = make_finding(refusal.code, severity, where=file.shown, **refusal.values)
            contents.findings.append(about)
    versions = sorted(group_pairs((book.name, book) for book in contents.notebooks).items())
    contents.notebooks = [_choose_version(several, contents) for _, several in versions]
    contents.claims = gather_claims(contents.notebooks, contents.lines)
    contents.findings += contents.claims.findings
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
        yield make_finding(f"instead-{kind}", where=files[0], files=files)


def _read_file(file: File, contents: _Contents) -> None:
    """Take in a file.

    Raises:
        Refused: It is not read.
    """
    if file.kind == OTHER:
        contents.others.append(file.shown)
        return
    room = MOST_TOGETHER - contents.size
    if room < MOST_BYTES:
        raise Refused("files-too-large", limit=f"{MOST_TOGETHER // 1_000_000} MB")
    most = MOST_BYTES if file.kind in (JOURNALS, PROOFS) else min(MOST_PICTURED, room)
    data = read_entry(file.tree, file.entry, limit=most)
    contents.size += len(data)
    if file.kind == JOURNALS:
        lines = data.rsplit(b"\n", MOST_LINES)[-MOST_LINES:]
        contents.lines += [(file.shown, line) for line in lines if line.strip()]
        del contents.lines[:-MOST_LINES]
    elif file.kind == PROOFS:
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
    # A folder may hold the zip of its own files, too.
    if any(each.cells != chosen.cells for each in versions):
        about = {"where": chosen.where, "count": len(versions) - 1}
        contents.findings.append(make_finding("copies-left", "note", **about))
    return chosen


def _has_work(notebook: Notebook) -> bool:
    """Tell whether a notebook holds evidence or answers; none is handed out with evidence."""
    written, _ = answers.collect_answers([notebook])
    return any(notebook.records()) or any(each.status == "answered" for each in written)
