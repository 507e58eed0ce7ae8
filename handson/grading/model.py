"""What grading gives: frozen structs, which travel between processes and through a file as JSON.

A `Finding` is something that a person should know about a submission: a stable code, the values of
its sentence, where it was seen, and whom else it is about.  Its sentences are made when they are
read, in the language that is current then.  Everything a stranger wrote is plain text here; who
shows it escapes it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from handson.core import messages

SERIOUS, WARNING, NOTE = "serious", "warning", "note"
SEVERITIES = (SERIOUS, WARNING, NOTE)
"""What cannot be as it is told · what needs a human eye · what is worth knowing."""

PASSED, FAILED, UNPROVEN, MISSING = "passed", "failed", "unproven", "missing"
"""What became of a check: `UNPROVEN` has evidence that does not count, `MISSING` has none."""

ANSWERED, UNTOUCHED = "answered", "untouched"
"""What became of an answer or the diagram; `MISSING` where its cell is not there."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of all that grading gives."""


class Passage(Struct, frozen=True, kw_only=True):
    """What two answers to the same question have in common, side by side."""

    grade_id: str
    mine: str
    theirs: str
    common: tuple[str, ...]


class Finding(Struct, frozen=True, kw_only=True):
    """Something to know about a submission.

    Attributes:
        code: What it is; stable.
        severity: One of `SEVERITIES`.
        values: What its sentences are filled in with.
        check: The check that it is about, if it is about one.
        where: The file within the submission, or the file and the cell.
        others: The learners of other submissions that it is about.
        passages: The texts in common, where answers are alike.
    """

    code: str
    severity: str
    values: dict[str, str] = {}
    check: str = ""
    where: str = ""
    others: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()

    @property
    def message(self) -> str:
        """What was seen, in the current language."""
        return self._sentences()[0]

    @property
    def remedy(self) -> str:
        """What to do about it or to ask for, in the current language."""
        return self._sentences()[1]

    def _sentences(self) -> tuple[str, str]:
        named = {"check": check_label(self.check), "where": self.where}
        others = ", ".join(self.others)
        return messages.advice(f"grading.{self.code}", **{**named, "others": others, **self.values})

    def to_json(self) -> dict[str, Any]:
        """Return the finding as `handson.grading/1` has it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "check": self.check or None,
            "where": self.where or None,
            "others": list(self.others),
            "message": self.message,
            "remedy": self.remedy,
            "passages": [msgspec.to_builtins(passage) for passage in self.passages],
        }


class Fact(Struct, frozen=True, kw_only=True):
    """A fact as `checks` derived it from the evidence."""

    id: str
    expected: Any
    observed: Any
    passed: bool
    advice: bool = False


class Explained(Struct, frozen=True, kw_only=True):
    """A diagnosis as `checks` gave it, in the language in which the class was graded."""

    code: str
    message: str
    remedy: str


class Proof(Struct, frozen=True, kw_only=True):
    """The evidence that a check was judged by.

    `kind`, `account` and `region` are those of its target.  `source` is "notebook" or "journal",
    `where` the file.  `requests` are AWS's request ids, `observed` is the state that was seen, as
    `handson.course.state` reads it, or None where it describes none.
    """

    digest: str
    observed_at: str
    learner: str
    kind: str
    account: str
    region: str
    intact: bool
    source: str
    where: str
    previous: str | None = None
    requests: tuple[str, ...] = ()
    observed: Any = None


class CheckMark(Struct, frozen=True, kw_only=True):
    """What became of one check: its points, all or none, and the facts they were given for.

    `reason` is the code of the finding for which evidence does not count, if it does not.
    """

    id: str
    status: str
    points: int
    possible: int
    facts: tuple[Fact, ...] = ()
    diagnoses: tuple[Explained, ...] = ()
    proof: Proof | None = None
    reason: str = ""


class Written(Struct, frozen=True, kw_only=True):
    """An answer, or the code of the diagram, for a person to mark.

    `text` is what the learner wrote, the question left out.  `drawn` tells of the diagram whether
    its cell holds a picture, and `check` what became of the check that reads it: a help for the
    person who marks it, whose points are none of the automatic ones.  `picture` is that picture as
    SVG, where it was asked for.  `mark` are the points that a person gave, None while nobody has.
    """

    grade_id: str
    status: str
    possible: int
    text: str = ""
    drawn: bool = False
    picture: str = ""
    mark: float | None = None
    check: CheckMark | None = None


class Result(Struct, frozen=True, kw_only=True):
    """One learner: what was handed in, what it is worth, and what to look at.

    `named` are the names that the evidence bears.  `handed_in_at` is the newest time of the files,
    in UTC, which is as good as whoever packed them.  `files` are the notebooks that were read.
    `issuers` are those that proofs name, whether or not they could be checked.
    """

    learner: str
    name: str = ""
    group: str = ""
    handed_in: bool = True
    source: str = ""
    handed_in_at: str = ""
    named: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    checks: tuple[CheckMark, ...]
    answers: tuple[Written, ...]
    diagram: Written
    findings: tuple[Finding, ...] = ()

    @property
    def points(self) -> int:
        """The automatic points."""
        return sum(check.points for check in self.checks)

    @property
    def written(self) -> tuple[Written, ...]:
        """What people mark: the answers, then the diagram."""
        return (*self.answers, self.diagram)

    @property
    def total(self) -> float | None:
        """All points, once everything that people mark has been marked."""
        marks = [item.mark for item in self.written if item.mark is not None]
        return self.points + sum(marks) if len(marks) == len(self.written) else None

    @property
    def label(self) -> str:
        """Who it is, for people: the id, and the name where there is one."""
        return f"{self.learner} {self.name}".strip() if self.name else self.learner

    def check(self, check_id: str) -> CheckMark:
        """Return what became of the check of that id.

        Raises:
            KeyError: There is no such check.
        """
        for mark in self.checks:
            if mark.id == check_id:
                return mark
        raise KeyError(check_id)

    def to_review(self) -> tuple[Finding, ...]:
        """Return the findings that need a human eye."""
        return tuple(finding for finding in self.findings if finding.severity != NOTE)


def check_label(check_id: str) -> str:
    """Return a check's name for people, in the current language; "" for none."""
    return messages.text(f"course.checks.check.{check_id}") if check_id else ""


def clean(text: str) -> str:
    """Return a text that UTF-8 can carry: half a character becomes U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
