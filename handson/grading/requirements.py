"""What the instructor asks of evidence: which AWS, whose account, which region, in which time."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import one_line
from handson.course import syllabus
from handson.grading.tokens import Keys


@dataclass(frozen=True)
class Requirements:
    """What evidence has to be.

    Evidence from another target, account or region than is asked for does not count, and a finding
    says so.  Without a region, the exercise's is expected, and another one is only told.  The
    window is never a reason to withhold points: lateness is for people to judge.

    Attributes:
        target: "aws" or "emulator"; None takes both.
        accounts: The AWS accounts that are right, for everybody; a roster may name one each.
        region: The region that is asked for, or None.
        since: The moment at which the window opens.
        until: The moment at which it has closed.
        keys: The issuers of proofs that are trusted, with their keys.
    """

    target: str | None = None
    accounts: tuple[str, ...] = ()
    region: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    keys: Keys = field(default_factory=dict)

    @property
    def expected_region(self) -> str:
        """The region that evidence should come from."""
        return self.region or syllabus.REGION


def account(text: str) -> str:
    """Return the twelve digits of an AWS account, with or without the hyphens of the console.

    A spreadsheet takes them for a number and drops the zeros before it; they are put back.

    Raises:
        InvalidInput: It is no account.
    """
    digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).zfill(12)
    if len(digits) == 12 and digits.isascii() and digits.isdecimal():
        return digits
    raise InvalidInput(*messages.advice("grading.no-account", account=one_line(text)))


def moment(text: str, *, end: bool = False) -> datetime:
    """Return the moment of an ISO 8601 date or time; without a zone it is this machine's.

    Args:
        text: Such as ``2026-05-01`` or ``2026-05-01T17:00+09:00``.
        end: Of a date take the end of the day.

    Raises:
        InvalidInput: It is neither.
    """
    try:
        day = _day(text)
        if day is None:
            return datetime.fromisoformat(text).astimezone(UTC)
        return datetime.combine(day + timedelta(days=int(end)), time()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(*messages.advice("grading.no-moment", text=one_line(text))) from None


def _day(text: str) -> date | None:
    """Return the date that a text is, in any of ISO 8601's ways; None for a time."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
