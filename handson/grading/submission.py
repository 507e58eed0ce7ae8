"""One submission, from its files to a result; whatever is wrong with it stays with it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.grading import (
    alike,
    answers,
    cells,
    claims,
    crossing,
    integrity,
    proofs,
    tokens,
)
from handson.grading.claims import Claims, Line
from handson.grading.integrity import Expected
from handson.grading.judging import judge
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
from handson.grading.requirements import Requirements
from handson.grading.roster import Learner, Roster
from handson.grading.sources import JOURNALS, File, Submission, files_of
from handson.grading.trees import MOST_BYTES, Refused

MOST_LINES = 2_000
"""Of a journal; its newest ones are read."""
MOST_TOGETHER = 64_000_000
"""Bytes of all files of a submission."""


@dataclass(frozen=True)
class Task:
    """A submission to grade: whose it is, and how many earlier ones of theirs were left aside.

    `candidates` are those of the roster who bear the learner's name, where several do.
    """

    submission: Submission
    learner: Learner
    earlier: int = 0
    in_roster: bool = True
    candidates: tuple[Learner, ...] = ()


@dataclass(frozen=True)
class Graded:
    """What one process tells the other: the result as JSON, and what it is compared by."""

    learner: str
    result: bytes
    is_readable: bool
    keys: array[int]
    sketches: tuple[tuple[str, array[int]], ...]


@dataclass
class _Read:
    """What could be read of a submission's files."""

    notebooks: list[Notebook] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    size: int = 0


def grade_task(
    task: Task, requirements: Requirements, roster: Roster, *, pictures: bool = False
) -> Graded:
    """Return what a submission is worth; it never raises for what is in it."""
    try:
        return _graded(*grade_submission(task, requirements, roster, pictures=pictures))
    except Exception as error:  # a fault of ours must not cost the class its marks
        reason = one_line(f"{type(error).__name__}: {error}")
        finding = Finding(code="not-graded", severity=SERIOUS, values={"reason": reason})
        return _graded(empty(task.learner, [finding], source=task.submission.source), Claims())


def _graded(result: Result, found: Claims) -> Graded:
    return Graded(
        learner=result.learner,
        result=msgspec.json.encode(result),
        is_readable=bool(result.files or found.items),
        keys=crossing.keys(found),
        sketches=tuple((answer.grade_id, alike.sketch(answer)) for answer in result.answers),
    )


def grade_submission(
    task: Task, requirements: Requirements, roster: Roster, *, pictures: bool = False
) -> tuple[Result, Claims]:
    """Return the result of a submission, and the evidence it was found with."""
    read = _read(task.submission)
    if not (read.notebooks or read.lines):
        values = {"files": list_briefly(read.seen) or "-"}
        nothing = Finding(code="nothing-readable", severity=SERIOUS, values=values)
        findings = [nothing, *read.findings, *_told(task), *_namesakes(task, task.learner)]
        return empty(task.learner, findings, source=task.submission.source), Claims()
    found = claims.gather(read.notebooks, read.lines)
    learner = _learner(found, task, roster)
    expected = Expected(requirements, learner, is_known=bool(task.learner.id))
    marks, judged = _judged(found, expected)
    written, diagram, told = answers.collect(read.notebooks, pictures=pictures)
    checked, drawn = judge(syllabus.DRAWING, found, expected.objection)
    findings = [
        *read.findings,
        *claims.superseded(found),
        *integrity.look(found, expected),
        *proofs.look(read.proofs, found, requirements.keys),
        *judged,
        *drawn,
        *cells.look(read.notebooks),
        *told,
        *_told(task),
        *_namesakes(task, learner),
    ]
    result = Result(
        learner=learner.id,
        name=learner.name,
        group=learner.group,
        source=task.submission.source,
        handed_in_at=max((notebook.modified for notebook in read.notebooks), default=""),
        named=tuple(sorted({one_line(claim.learner) for claim in found.items if claim.learner})),
        files=tuple(notebook.where for notebook in read.notebooks),
        issuers=proofs.issuers(read.proofs),
        checks=marks,
        answers=written,
        diagram=msgspec.structs.replace(diagram, check=checked),
        findings=tuple(findings),
    )
    return result, found


def judge_folders(check_id: str, folders: Sequence[Path]) -> tuple[CheckMark, list[Finding]]:
    """Return what one check is worth by what lies in the folders, and what withholds points.

    Evidence counts as it does for a whole class.  Nothing in the folders can raise.

    Raises:
        KeyError: There is no such check.
    """
    check = syllabus.check(check_id)
    read = [_read(Submission(str(folder))) for folder in folders]
    found = claims.gather(
        [notebook for each in read for notebook in each.notebooks],
        [entry for each in read for entry in each.lines],
    )
    expected = Expected(Requirements(), Learner(""), is_known=False)
    mark, judged = judge(check, found, expected.objection)
    told = [*judged, *integrity.look(found, expected)]
    against = [item for item in told if (item.code, item.check) == (mark.reason, check_id)]
    unread = [item for each in read for item in each.findings] + found.findings
    return mark, [*against[:1], *(item for item in unread if item.where.endswith(JOURNALS))]


def empty(
    learner: Learner, findings: Sequence[Finding], *, source: str = "", handed_in: bool = True
) -> Result:
    """Return the result of somebody of whom nothing could be graded."""
    diagram = syllabus.DIAGRAM
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
        answers=tuple(
            Written(grade_id=answer.grade_id, status=MISSING, possible=answer.points)
            for answer in syllabus.QUESTIONS
        ),
        diagram=Written(grade_id=diagram.grade_id, status=MISSING, possible=diagram.points),
        findings=tuple(findings),
    )


def newest(submission: Submission) -> str:
    """Return when the newest notebook of a submission was written; "" when none can be found."""
    try:
        return max((file.modified for file in files_of(submission)), default="")
    except Refused:
        return ""


def _judged(found: Claims, expected: Expected) -> tuple[tuple[CheckMark, ...], list[Finding]]:
    judged = [judge(check, found, expected.objection) for check in syllabus.CHECKS]
    return tuple(mark for mark, _ in judged), [item for _, told in judged for item in told]


def _told(task: Task) -> Iterator[Finding]:
    """Yield what is to be said about the submission as a whole."""
    if task.earlier:
        values = {"count": str(task.earlier), "source": task.submission.source}
        yield Finding(code="earlier-left", severity=NOTE, values=values)
    if not task.in_roster:
        yield Finding(code="not-in-roster", severity=WARNING)


def _namesakes(task: Task, learner: Learner) -> Iterator[Finding]:
    """Yield that a name is several learners' and that the evidence does not say whose."""
    if task.candidates and learner not in task.candidates:
        values = {"learners": list_briefly([candidate.id for candidate in task.candidates])}
        values["name"] = one_line(task.submission.owner)
        yield Finding(code="name-of-several", severity=WARNING, values=values)


def _learner(found: Claims, task: Task, roster: Roster) -> Learner:
    """Return whose a submission is; among namesakes the evidence tells."""
    if not task.learner.id:
        return _named(found, task, roster)
    bearers = {known for claim in found.items if (known := roster.find(claim.learner))}
    return bearers.pop() if len(bearers) == 1 and bearers <= {*task.candidates} else task.learner


def _named(found: Claims, task: Task, roster: Roster) -> Learner:
    """Return the learner whom only the evidence names; else the submission is called by its place.

    Where several are named, it is nobody's in particular.
    """
    bearers = {claim.learner for claim in found.items if claim.learner}
    if len(bearers) != 1:
        return Learner(task.submission.source)
    name = bearers.pop()
    return roster.find(name) or Learner(one_line(name))


def _read(submission: Submission) -> _Read:
    read = _Read()
    copies: dict[str, list[Notebook]] = {}
    try:
        for file in files_of(submission):
            read.seen.append(file.shown)
            _read_file(file, read, copies)
    except Refused as refusal:
        read.findings.append(_refused(refusal, submission.source))
    for name in sorted(copies):
        read.notebooks.append(_chosen(copies[name], read))
    return read


def _read_file(file: File, read: _Read, copies: dict[str, list[Notebook]]) -> None:
    try:
        if read.size + MOST_BYTES > MOST_TOGETHER:
            raise Refused("files-too-large", limit=f"{MOST_TOGETHER // 1_000_000} MB")
        data = file.read(limit=MOST_BYTES)
        read.size += len(data)
        if file.is_journal:
            lines = data.split(b"\n")[-MOST_LINES:]
            read.lines += [Line(file.shown, text) for text in lines if text.strip()]
            return
        if file.is_proof:
            read.proofs.append(data[: tokens.MOST_BYTES].decode("ascii", "replace").strip())
            return
        notebook = read_notebook(data, where=file.shown, modified=file.modified)
    except Refused as refusal:
        read.findings.append(_refused(refusal, file.shown))
    else:
        copies.setdefault(notebook.name, []).append(notebook)
        if notebook.twins:
            values = {"names": ", ".join(notebook.twins)}
            read.findings.append(
                Finding(code="file-twins", severity=WARNING, where=file.shown, values=values)
            )


def _chosen(copies: list[Notebook], read: _Read) -> Notebook:
    """Return the copy of a notebook that was worked in: the newest one of those."""
    if len(copies) == 1:
        return copies[0]
    chosen = max(copies, key=lambda copy: (_is_worked_in(copy), copy.modified, -len(copy.where)))
    values = {"count": str(len(copies) - 1)}
    read.findings.append(
        Finding(code="copies-left", severity=NOTE, where=chosen.where, values=values)
    )
    return chosen


def _is_worked_in(notebook: Notebook) -> bool:
    """Tell whether a notebook holds evidence or answers; none is handed out with evidence."""
    if any(notebook.records()):
        return True
    written, diagram, _ = answers.collect([notebook])
    return any(answer.status == ANSWERED for answer in (*written, diagram))


def _refused(refusal: Refused, where: str) -> Finding:
    severity = NOTE if refusal.code == "file-foreign" else WARNING
    return Finding(code=refusal.code, severity=severity, where=where, values=refusal.values)
