"""One submission, from its files to a result; a fault in it costs nobody else anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.grading import answers, claims, copies, integrity, tokens
from handson.grading.archives import MOST_BYTES, Refused
from handson.grading.claims import Claims, Line
from handson.grading.judging import Expected, Requirements, judge
from handson.grading.model import (
    ANSWERED,
    MISSING,
    NOTE,
    SERIOUS,
    WARNING,
    CheckMark,
    Finding,
    Result,
    Written,
)
from handson.grading.reading import Notebook, read_notebook
from handson.grading.roster import Learner, Roster
from handson.grading.sources import JOURNALS, File, Submission, find_files

MOST_LINES = 2_000
"""Of a journal; the newest are read."""
MOST_TOGETHER = 64_000_000
"""Bytes of all files of a submission."""


@dataclass(frozen=True)
class Task:
    """A submission to grade, its learner, and the number of earlier ones that are left aside.

    `candidates` are the learners of the roster who bear the name, where several do.
    """

    submission: Submission
    learner: Learner
    earlier: int = 0
    in_roster: bool = True
    candidates: tuple[Learner, ...] = ()


@dataclass(frozen=True)
class Graded:
    """What one process hands to another: the result as JSON, and what it is compared by."""

    learner: str
    result: bytes
    is_readable: bool
    identifiers: tuple[copies.Identifier, ...]
    sketches: tuple[copies.Hash, ...]


@dataclass
class _Contents:
    """The readable files of a submission, and the findings about the others."""

    notebooks: list[Notebook] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    size: int = 0


def grade_task(
    task: Task, requirements: Requirements, roster: Roster, *, pictures: bool = False
) -> Graded:
    """Return the result of a submission; nothing in it makes this raise."""
    try:
        result, found = grade_submission(task, requirements, roster, pictures=pictures)
    except Exception as error:  # our own fault must not cost the class its marks
        reason = one_line(f"{type(error).__name__}: {error}")
        finding = Finding(code="not-graded", severity=SERIOUS, values={"reason": reason})
        found = Claims()
        result = empty_result(task.learner, [finding], source=task.submission.source)
    return Graded(
        learner=result.learner,
        result=msgspec.json.encode(result),
        is_readable=bool(result.files or found.items),
        identifiers=copies.evidence_identifiers(found),
        sketches=tuple(copies.sketch_answers(result.answers)),
    )


def grade_submission(
    task: Task, requirements: Requirements, roster: Roster, *, pictures: bool = False
) -> tuple[Result, Claims]:
    """Return the result of a submission, and the evidence in it."""
    contents = _read_contents(task.submission)
    if not (contents.notebooks or contents.lines):
        values = {"files": list_briefly(contents.files) or "-"}
        nothing = Finding(code="nothing-readable", severity=SERIOUS, values=values)
        findings = [nothing, *contents.findings, *_examine_task(task, task.learner)]
        return empty_result(task.learner, findings, source=task.submission.source), Claims()
    found = claims.gather_claims(contents.notebooks, contents.lines)
    learner = _identify_learner(found, task, roster)
    expected = Expected(requirements, learner, is_known=bool(task.learner.id))
    judged = [judge(check, found, expected) for check in (*syllabus.CHECKS, syllabus.DRAWING)]
    *marks, drawing = (mark for mark, _ in judged)
    written, diagram, about_answers = answers.collect_answers(contents.notebooks, pictures=pictures)
    findings = [
        *contents.findings,
        *found.findings,
        *integrity.examine_evidence(found, expected),
        *integrity.examine_proofs(contents.proofs, found, requirements.keys),
        *(finding for _, about_check in judged for finding in about_check),
        *answers.compare_cells(contents.notebooks),
        *about_answers,
        *_examine_task(task, learner),
    ]
    result = Result(
        learner=learner.id,
        name=learner.name,
        group=learner.group,
        source=task.submission.source,
        handed_in_at=max((book.modified for book in contents.notebooks), default="") or None,
        named=tuple(sorted({one_line(claim.learner) for claim in found.items if claim.learner})),
        files=tuple(notebook.where for notebook in contents.notebooks),
        issuers=integrity.find_issuers(contents.proofs),
        checks=tuple(marks),
        answers=written,
        diagram=msgspec.structs.replace(diagram, check=drawing),
        findings=tuple(findings),
    )
    return result, found


def judge_folders(
    check_id: str, folders: Sequence[Path], requirements: Requirements | None = None
) -> tuple[CheckMark, list[Finding]]:
    """Return the mark of one check by the evidence in the folders, and what withholds points.

    Evidence counts as it does for a whole class.  Nothing in the folders can raise.

    Raises:
        KeyError: There is no such check.
    """
    check = syllabus.find_check(check_id)
    contents = [_read_contents(Submission(str(folder))) for folder in folders]
    found = claims.gather_claims(
        [notebook for each in contents for notebook in each.notebooks],
        [line for each in contents for line in each.lines],
    )
    expected = Expected(requirements or Requirements(), Learner(""), is_known=False)
    mark, judged = judge(check, found, expected)
    about_evidence = [*judged, *integrity.examine_evidence(found, expected)]
    against = [
        each for each in about_evidence if (each.code, each.check) == (mark.reason, check_id)
    ]
    unread = [each for read in contents for each in read.findings] + found.findings
    return mark, [*against[:1], *(each for each in unread if (each.where or "").endswith(JOURNALS))]


def empty_result(
    learner: Learner, findings: Sequence[Finding], *, source: str = "", handed_in: bool = True
) -> Result:
    """Return the result of a learner of whom nothing could be graded."""
    written = [
        Written(grade_id=item.grade_id, status=MISSING, possible=item.points)
        for item in answers.MARKED
    ]
    return Result(
        learner=learner.id or source,
        name=learner.name,
        group=learner.group,
        handed_in=handed_in,
        source=source,
        checks=tuple(
            CheckMark(id=check.id, status=MISSING, points=0, possible=check.points)
            for check in syllabus.CHECKS
        ),
        answers=tuple(written[:-1]),
        diagram=written[-1],
        findings=tuple(findings),
    )


def newest_time(submission: Submission) -> str:
    """Return the time of the newest notebook of a submission; "" where there is none."""
    try:
        return max((file.modified for file in find_files(submission)), default="")
    except Refused:
        return ""


def _examine_task(task: Task, learner: Learner) -> Iterator[Finding]:
    """Yield the findings about the submission as a whole."""
    if task.earlier:
        values = {"count": str(task.earlier), "source": task.submission.source}
        yield Finding(code="earlier-left", severity=NOTE, values=values)
    if not task.in_roster:
        yield Finding(code="not-in-roster", severity=WARNING)
    if task.candidates and learner not in task.candidates:
        values = {"learners": list_briefly([candidate.id for candidate in task.candidates])}
        values["name"] = one_line(task.submission.owner)
        yield Finding(code="name-of-several", severity=WARNING, values=values)


def _identify_learner(found: Claims, task: Task, roster: Roster) -> Learner:
    """Return the learner of a submission; the evidence decides among namesakes.

    A submission without a name is its evidence's; where that names several, or nobody, the
    submission is called by its place.
    """
    names = {claim.learner for claim in found.items if claim.learner}
    if task.learner.id:
        bearers = {known for name in names if (known := roster.find(name))}
        is_one_of_them = len(bearers) == 1 and bearers <= {*task.candidates}
        return bearers.pop() if is_one_of_them else task.learner
    if len(names) != 1:
        return Learner(task.submission.source)
    name = names.pop()
    return roster.find(name) or Learner(one_line(name))


def _read_contents(submission: Submission) -> _Contents:
    contents = _Contents()
    notebooks: list[Notebook] = []
    try:
        for file in find_files(submission):
            contents.files.append(file.shown)
            notebooks += _try_file(file, contents)
    except Refused as refusal:
        contents.findings.append(_describe_refusal(refusal, submission.source))
    for name in sorted({notebook.name for notebook in notebooks}):
        own = [notebook for notebook in notebooks if notebook.name == name]
        contents.notebooks.append(_choose_copy(own, contents))
    return contents


def _try_file(file: File, contents: _Contents) -> list[Notebook]:
    """Take in a file, or why it is refused; return the notebook in it, if there is one."""
    try:
        notebook = _read_file(file, contents)
    except Refused as refusal:
        contents.findings.append(_describe_refusal(refusal, file.shown))
        return []
    return [notebook] if notebook is not None else []


def _read_file(file: File, contents: _Contents) -> Notebook | None:
    if contents.size + MOST_BYTES > MOST_TOGETHER:
        raise Refused("files-too-large", limit=f"{MOST_TOGETHER // 1_000_000} MB")
    data = file.read(limit=MOST_BYTES)
    contents.size += len(data)
    if file.is_journal:
        lines = data.split(b"\n")[-MOST_LINES:]
        contents.lines += [Line(file.shown, text) for text in lines if text.strip()]
        return None
    if file.is_proof:
        contents.proofs.append(data[: tokens.MOST_BYTES].decode("ascii", "replace").strip())
        return None
    notebook = read_notebook(data, where=file.shown, modified=file.modified)
    if notebook.repeated:
        values = {"names": ", ".join(notebook.repeated)}
        contents.findings.append(
            Finding(code="file-twins", severity=WARNING, where=file.shown, values=values)
        )
    return notebook


def _choose_copy(copies_of_one: list[Notebook], contents: _Contents) -> Notebook:
    """Return the newest of the copies of a notebook that hold work."""
    if len(copies_of_one) == 1:
        return copies_of_one[0]
    chosen = max(copies_of_one, key=lambda c: (_has_work(c), c.modified, -len(c.where)))
    values = {"count": str(len(copies_of_one) - 1)}
    contents.findings.append(
        Finding(code="copies-left", severity=NOTE, where=chosen.where, values=values)
    )
    return chosen


def _has_work(notebook: Notebook) -> bool:
    """Tell whether a notebook holds evidence or answers; none is handed out with evidence."""
    written, diagram, _ = answers.collect_answers([notebook])
    is_answered = any(each.status == ANSWERED for each in (*written, diagram))
    return is_answered or any(notebook.records())


def _describe_refusal(refusal: Refused, where: str) -> Finding:
    severity = NOTE if refusal.code == "file-foreign" else WARNING
    return Finding(code=refusal.code, severity=severity, where=where, values=refusal.values)
