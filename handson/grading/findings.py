"""The results of grading a submission, as frozen structs: findings, points and what people mark.

The sentences of a `Finding` are made when they are read, in the language that is current then.  All
text of a stranger is plain text here; the code that shows it escapes it.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Literal, NamedTuple

import msgspec

from handson.core import messages
from handson.core.text import list_briefly, pick_fields
from handson.course.checks import Diagnosis, FactResult
from handson.course.exercise import Exercise
from handson.grading.roster import Learner

Severity = Literal["serious", "warning", "note"]
"""The evidence cannot be what it claims · a person has to look · good to know."""

CheckStatus = Literal["passed", "failed", "unproven", "missing"]
"""Unproven: there is evidence, and it does not count.  Missing: there is none."""

AnswerStatus = Literal["answered", "untouched", "missing"]
"""The status of an answer or the diagram; missing where its cell is missing."""

_ABOUT = ("check", "where", "others", "passages")
"""The fields of a finding besides its code, its severity and its values."""
_PROOF = "digest observed_at learner kind account region intact source where"
_SHOWN = "source handed_in handed_in_at named files issuers until late_by"
"""The fields of a claim and of a result that `handson.grading/1` shows."""
_DECIMALS = 6
"""Points are rounded so that a sum of tenths is written as people write it."""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Two answers to the same question, and the passages that both contain."""

    grade_id: str
    mine: str
    theirs: str
    common: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something to know about a submission.

    Attributes:
        code: The stable name of its sentences, ``grading.finding.<code>``.
        severity: How serious it is.
        check: The check that it concerns, if any.
        where: The file within the submission, or the file and the cell.
        others: The learners of the other submissions that it concerns.
        passages: The texts in common, where answers are alike.
        values: The values of the placeholders in its sentences.
    """

    code: str
    severity: Severity
    check: str | None = None
    where: str | None = None
    others: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    values: dict[str, str] = {}

    @property
    def message(self) -> str:
        """What was found, in the current language."""
        return self._sentence("problem")

    @property
    def remedy(self) -> str:
        """What to do about it or to ask for, in the current language."""
        return self._sentence("remedy")

    def _sentence(self, part: str) -> str:
        common = {"check": check_label(self.check), "others": ", ".join(self.others)}
        return messages.label("grading.finding", f"{self.code}.{part}", **(common | self.values))

    def to_json(self) -> dict[str, Any]:
        """Return the finding as `handson.grading/1` has it."""
        own = msgspec.to_builtins(self)
        del own["values"]
        return {**own, "message": self.message, "remedy": self.remedy}


def make_finding(code: str, severity: Severity = "warning", **about: Any) -> Finding:
    """Return a finding; what is no field of it fills in the placeholders of its sentences.

    Of a list, the first are named and all are counted.
    """
    fields = {name: about.pop(name) for name in _ABOUT if name in about}
    lists = {name: list_briefly(value) for name, value in about.items() if isinstance(value, list)}
    texts = {name: str(value) for name, value in (about | lists).items()}
    return Finding(code=code, severity=severity, values=texts, **fields)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An evidence record of the right form; its short texts are on one line.

    Attributes:
        kind: The kind of its target, "aws" or "emulator", as the record says.
        account: The account of its target.
        region: The region of its target.
        observed_at: The time at which it was sealed, as ISO 8601 in UTC.
        previous: The digest of the learner's record before it, if any.
        requests: AWS's request ids.
        calls: What was asked of AWS, each once, as IAM names it: ``ec2:DescribeVpcs``.
        observed: The state that was seen, as the text of its JSON: a class holds thousands.
        prefix: How the names begin of the exercise that it says it was sealed for.
        intact: It still has the digest that it was sealed with.
        source: "notebook" or "journal".
        where: The file, or the file and the cell.
        owners: The owner tags of the resources that were seen.
        contradiction: How its target differs from the target of the observed state, or "".
        repeated: The names that occur twice in its JSON.
    """

    check: str
    digest: str
    learner: str
    kind: str
    account: str
    region: str
    observed_at: str
    previous: str | None
    requests: tuple[str, ...]
    calls: tuple[str, ...] = ()
    observed: bytes
    prefix: str = Exercise().network.name
    intact: bool
    source: str
    where: str
    owners: tuple[str, ...] = ()
    contradiction: str = ""
    repeated: tuple[str, ...] = ()

    def read_observed(self) -> dict[str, Any]:
        """Return the state that was seen, as JSON values."""
        return msgspec.json.decode(self.observed, type=dict[str, Any])

    def make_finding(self, code: str, severity: Severity = "warning", **values: Any) -> Finding:
        """Return a finding about the record."""
        return make_finding(code, severity, check=self.check, where=self.where, **values)


class Bearer(NamedTuple):
    """The evidence record in which an identifier stands."""

    observed_at: str
    check: str
    where: str
    learner: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Something that points are given for.

    Attributes:
        id: The id of the check, or the `grade_id` of what people mark.
        possible: The most points.
        mark: The points that a person gave, None before that and while two people disagree.
        comment: What that person tells the learner about them.
    """

    id: str
    possible: float
    mark: float | None = None
    comment: str = ""


class CheckMark(Item, frozen=True, kw_only=True):
    """The points of one check, the facts that decided them, and their evidence.

    `points` are the automatic ones; a person who overrules the check gives a mark, and the reason
    as the comment.  `objection` is the finding for which evidence does not count, if it does not.
    There are no facts where the evidence cannot be read.
    """

    status: CheckStatus
    points: float
    objection: Finding | None = None
    facts: tuple[FactResult, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    proof: Claim | None = None

    @property
    def label(self) -> str:
        """Its name for people, in the current language."""
        return check_label(self.id)

    @property
    def counted(self) -> float:
        """The points that count: those of a person, if there are any, else the automatic ones."""
        return self.points if self.mark is None else self.mark

    @property
    def reason(self) -> str | None:
        """The code of the objection, if there is one."""
        return self.objection.code if self.objection else None

    @property
    def observed(self) -> dict[str, Any] | None:
        """The state that the evidence shows; None without evidence that can be read."""
        return self.proof.read_observed() if self.proof and self.facts else None

    def to_json(self) -> dict[str, Any]:
        """Return the check as `handson.grading/1` has it, without what AWS answered."""
        ruling = {"points": self.mark, "reason": self.comment}
        return {
            **pick_fields(self, "id status points possible reason counted"),
            "ruling": ruling if self.mark is not None else None,
            "facts": [{**fact.to_json(), "advice": fact.advice} for fact in self.facts],
            "diagnoses": [diagnosis.to_json() for diagnosis in self.diagnoses],
            "proof": self.proof and pick_fields(self.proof, _PROOF),
        }


class Written(Item, frozen=True, kw_only=True):
    """An answer, or the code of the diagram, for a person to mark.

    `text` is the learner's own text, without the question.  For the diagram, `drawn` says whether
    its cell holds a picture, `picture` is that picture as SVG where it was asked for, and `check`
    is the result of the check that reads it: a help for the person who marks it, which gives no
    points.
    """

    status: AnswerStatus
    text: str = ""
    drawn: bool = False
    picture: str = ""
    check: CheckMark | None = None

    @property
    def label(self) -> str:
        """Its name for people, in the current language."""
        return messages.label("grading.report.question", self.id)

    @property
    def counted(self) -> float | None:
        """The points that count; None while a person has to give them."""
        return self.mark if self.mark is not None or self.possible else 0

    def to_json(self) -> dict[str, Any]:
        """Return the answer as `handson.grading/1` has it."""
        return {"grade_id": self.id, **pick_fields(self, "status possible text comment")}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One learner: the submission, its points, and what to look at.

    `named` are the names that the evidence bears.  `handed_in_at` is the newest time of the files,
    in UTC; the person who packed them may have set it.  `until` is the learner's own deadline, as
    ISO 8601 in UTC, and `late_by` how many seconds after it the newest evidence that is judged was
    sealed; 0 is on time.  `comment` is what people tell the learner about the whole.  `files` are
    the notebooks that were read.  `platform` is the learning platform whose export held them, and
    `place` what it calls the learner's folder or writes before the files' names, "" if unknown.
    `written` is what people mark: the answers, then the diagram.
    `exercise` is what the learner was to build.  `issuers` are those that signed proofs name,
    whether or not they could be checked.
    `identifiers` (a kind and a name) and `sketches` are what `copies` compares.
    """

    learner: Learner
    source: str = ""
    platform: str = ""
    place: str = ""
    handed_in: bool = True
    handed_in_at: str | None = None
    until: str | None = None
    late_by: int = 0
    comment: str = ""
    named: tuple[str, ...] = ()
    exercise: Exercise = Exercise()
    files: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    checks: tuple[CheckMark, ...]
    written: tuple[Written, ...]
    findings: tuple[Finding, ...] = ()
    identifiers: dict[tuple[str, str], Bearer] = {}
    sketches: tuple[tuple[str, int], ...] = ()

    @property
    def points(self) -> float:
        """The automatic points."""
        return round(sum(check.points for check in self.checks), _DECIMALS)

    @property
    def counted(self) -> float:
        """The points of the checks that count: the automatic ones, but for those overruled."""
        return round(sum(check.counted for check in self.checks), _DECIMALS)

    @property
    def answers(self) -> tuple[Written, ...]:
        """The answers to the questions."""
        return self.written[:-1]

    @property
    def diagram(self) -> Written:
        """The diagram."""
        return self.written[-1]

    @property
    def items(self) -> tuple[CheckMark | Written, ...]:
        """All that points are given for: the checks, then what people mark."""
        return (*self.checks, *self.written)

    @property
    def marks(self) -> list[float]:
        """The marks that people gave."""
        return [written.mark for written in self.written if written.mark is not None]

    @property
    def total(self) -> float | None:
        """All points that count, or None while a mark is missing or in conflict."""
        is_disputed = any(finding.code == "marks-conflict" for finding in self.findings)
        given = [points for item in self.items if (points := item.counted) is not None]
        is_whole = len(given) == len(self.items)
        return round(sum(given), _DECIMALS) if is_whole and not is_disputed else None

    @property
    def lateness(self) -> str:
        """How late it was, for people, in the current language; "" if it was on time."""
        hours, minutes = divmod(ceil(self.late_by / 60), 60)
        return messages.text("grading.late", hours=hours, minutes=minutes) if self.late_by else ""

    def check(self, check_id: str) -> CheckMark:
        """Return the result of the check of that id.

        Raises:
            KeyError: There is no such check.
        """
        return {mark.id: mark for mark in self.checks}[check_id]

    def to_review(self) -> tuple[Finding, ...]:
        """Return the findings that a person has to look at."""
        return tuple(finding for finding in self.findings if finding.severity != "note")

    def to_json(self) -> dict[str, Any]:
        """Return the learner as `handson.grading/1` has it."""
        return {
            **self.learner.to_json(),
            **pick_fields(self, f"{_SHOWN} points counted comment total"),
            "checks": [check.to_json() for check in self.checks],
            "answers": [answer.to_json() for answer in self.answers],
            "diagram": {
                **self.diagram.to_json(),
                "drawn": self.diagram.drawn,
                "check": self.diagram.check and self.diagram.check.to_json(),
            },
            "marks": {written.id: written.mark for written in self.written},
            "findings": [finding.to_json() for finding in self.findings],
        }


def check_label(check_id: str | None) -> str:
    """Return a check's name for people, in the current language; "" for none."""
    return messages.label("course.checks.check", check_id) if check_id else ""
