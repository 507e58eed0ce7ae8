"""What the instructor asks of evidence: which AWS, whose account, which region, in which time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from handson import messages, syllabus
from handson.errors import InvalidInput
from handson.tokens import Keys


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


def moment(text: str, *, end: bool = False) -> datetime:
    """Return the moment of an ISO 8601 date or time; without a zone it is this machine's.

    Args:
        text: Such as ``2026-05-01`` or ``2026-05-01T17:00+09:00``.
        end: Of a date take the end of the day.

    Raises:
        InvalidInput: It is neither.
    """
    try:
        if len(text) == len("2026-05-01"):
            day = date.fromisoformat(text) + timedelta(days=int(end))
            return datetime.combine(day, time()).astimezone(UTC)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(*messages.advice("grading.no-moment", text=text)) from None
