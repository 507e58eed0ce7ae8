"""An audit: what evidence says of AWS, looked up in AWS itself, reading only.

CloudTrail's event history keeps the calls of ninety days with the ids of their requests (AWS
CloudTrail User Guide, "Working with CloudTrail event history"); they appear within minutes, and no
one can add to them or take from them.  A request that is there was answered by AWS, in this account
and Region, at this time.  LookupEvents finds events by their source and time and not by request,
and answers two calls a second: so a learner's calls are listed, a few minutes around each record,
and compared here.

`issuer_keys` gets the public keys with which proofs are checked, once, so that grading needs no
network.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from handson import aws
from handson.aws import Aws
from handson.core import messages
from handson.core.cards import Card, Rows, Shown
from handson.core.errors import AWSError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.core.text import one_line
from handson.course import policy
from handson.course.evidence import Journal
from handson.grading import Grades, tokens

SCHEMA = "handson.audit/1"
FOUND, PARTLY, MISSING, RECENT, OLD, UNSEEN = (
    "found",
    "partly",
    "missing",
    "recent",
    "old",
    "unseen",
)
"""All requests of a record are there · some are · none · not yet to be expected · no longer kept ·
nobody could look."""

SOURCES = tuple(f"{name}.amazonaws.com" for name in ("ec2", "ecs", "ecr", "sts"))
BEFORE, AFTER = timedelta(minutes=10), timedelta(minutes=5)
"""Around a record: its calls were made before it was sealed, and clocks differ."""
KEPT, DELAY = timedelta(days=90), timedelta(minutes=15)
PAUSE = 0.5
ALLOWED = ("cloudtrail:LookupEvents",)
_MOST_BYTES = 200_000

Place = tuple[str, str]
"""An account and a Region."""
Connect = Callable[[str], Aws]
"""Gives a connection to an account, or raises."""
Get = Callable[[str], bytes]
"""Gets what stands at an address, or raises OSError."""


@dataclass(frozen=True)
class Claimed:
    """One record: whose it is, where and when it says its requests were answered."""

    learner: str
    name: str
    check: str
    place: Place
    observed_at: datetime
    requests: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What CloudTrail says of a record, and why nobody could look, if nobody could."""

    claimed: Claimed
    status: str
    missing: tuple[str, ...] = ()
    reason: str = ""

    @property
    def found(self) -> int:
        """How many requests were found."""
        return len(self.claimed.requests) - len(self.missing)

    def to_json(self) -> dict[str, Any]:
        """Return the answer as `handson.audit/1` has it."""
        claimed = self.claimed
        return {
            "learner": claimed.learner,
            "name": claimed.name,
            "check": claimed.check,
            "account": claimed.place[0],
            "region": claimed.place[1],
            "observed_at": claimed.observed_at.isoformat(timespec="seconds"),
            "status": self.status,
            "asked": len(claimed.requests),
            "found": self.found,
            "missing": list(self.missing),
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class Audit:
    """The answers for a class, in its order."""

    answers: tuple[Answer, ...]

    @property
    def is_clean(self) -> bool:
        """Every request was found."""
        return all(answer.status == FOUND for answer in self.answers)

    def to_json(self) -> dict[str, Any]:
        """Return `handson.audit/1`."""
        counted = Counter(answer.status for answer in self.answers)
        answers = [answer.to_json() for answer in self.answers]
        return {"schema": SCHEMA, "summary": dict(sorted(counted.items())), "records": answers}

    def lines(self) -> Iterator[str]:
        """Yield what was found, a line a record, and what to do about the rest."""
        for answer in self.answers:
            claimed = answer.claimed
            who = one_line(f"{claimed.learner} {claimed.name}".strip())
            count = f"{answer.found}/{len(claimed.requests)}"
            said = messages.text(f"audit.status-{answer.status}")
            why = f" {one_line(answer.reason)}" if answer.reason else ""
            yield f"{_SIGNS[answer.status]} {who}  {claimed.check}  {count}  {said}{why}"
        if not self.is_clean:
            yield messages.text("audit.what-to-do")


_SIGNS = {FOUND: "✔", PARTLY: "⚠", MISSING: "✘", RECENT: "?", OLD: "?", UNSEEN: "?"}


def claimed_in(grades: Grades) -> list[Claimed]:
    """Return the records by which a class was graded and which are said to be from real AWS.

    Raises:
        InvalidInput: There is none.
    """
    found = [
        Claimed(
            learner=result.learner,
            name=result.name,
            check=mark.id,
            place=(mark.proof.account, mark.proof.region),
            observed_at=datetime.fromisoformat(mark.proof.observed_at),
            requests=mark.proof.requests,
        )
        for result in grades
        for mark in result.checks
        if mark.proof is not None and mark.proof.kind == "aws" and mark.proof.requests
    ]
    if not found:
        raise InvalidInput(*messages.advice("audit.nothing"))
    return found


def audit(claims: Iterable[Claimed], connect: Connect, *, now: datetime) -> Audit:
    """Return what CloudTrail says of the records; a place that nobody may look at costs itself."""
    claims = list(claims)
    answers: dict[int, Answer] = {}
    for place in dict.fromkeys(claimed.place for claimed in claims):
        mine = [number for number, claimed in enumerate(claims) if claimed.place == place]
        told = _at(place, [claims[number] for number in mine], connect, now)
        answers.update(zip(mine, told, strict=True))
    return Audit(tuple(answers[number] for number in range(len(claims))))


def _at(place: Place, claims: list[Claimed], connect: Connect, now: datetime) -> list[Answer]:
    windows = _windows([c.observed_at for c in claims if now - c.observed_at < KEPT])
    try:
        seen = _events(connect(place[0]).in_region(place[1]), windows) if windows else set()
    except HandsonError as error:
        reason = error.problem
        return [Answer(c, UNSEEN, missing=c.requests, reason=reason) for c in claims]
    return [_compared(claimed, seen, now) for claimed in claims]


def _compared(claimed: Claimed, seen: set[str], now: datetime) -> Answer:
    missing = tuple(request for request in claimed.requests if request not in seen)
    age = now - claimed.observed_at
    if not missing:
        status = FOUND
    elif age >= KEPT:
        status = OLD
    elif age < DELAY:
        status = RECENT
    else:
        status = PARTLY if len(missing) < len(claimed.requests) else MISSING
    return Answer(claimed, status, missing=missing)


def _windows(times: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Return the times to look at, those that touch as one."""
    windows: list[tuple[datetime, datetime]] = []
    for time in sorted(times):
        begin, end = time - BEFORE, time + AFTER
        if windows and begin <= windows[-1][1]:
            windows[-1] = windows[-1][0], end
        else:
            windows.append((begin, end))
    return windows


def _events(connected: Aws, windows: list[tuple[datetime, datetime]]) -> set[str]:
    """Return the ids of all requests that this account's history has in the windows."""
    found: set[str] = set()
    for begin, end in windows:
        for source in SOURCES:
            connected.patience.sleep(PAUSE)
            events = connected.pages(
                "cloudtrail",
                "LookupEvents",
                "Events",
                LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": source}],
                StartTime=begin,
                EndTime=end,
                MaxResults=50,
            )
            found.update(filter(None, (_request_of(event, connected.account) for event in events)))
    return found


def _request_of(event: dict[str, Any], account: str) -> str:
    """Return the request of an event of this account that AWS did not refuse, or ""."""
    try:
        told = json.loads(event.get("CloudTrailEvent", ""))
    except ValueError:
        return ""
    if not isinstance(told, dict) or told.get("recipientAccountId", account) != account:
        return ""
    return str(told.get("requestID", ""))


def connecting(own: Aws, *, role: str | None) -> Connect:
    """Return what connects to accounts: one's own, and others by a role of that name in each."""
    known: dict[str, Aws] = {own.account: own}

    def connect(account: str) -> Aws:
        if account not in known:
            if role is None:
                sentences = messages.advice("audit.other-account", account=account)
                raise AWSError(*sentences)
            known[account] = aws.assume(own, account=account, role=role, allowed=ALLOWED)
        return known[account]

    return connect


def issuer_keys(grades: Grades, get: Get, *, endpoint: str | None = None) -> tokens.Keys:
    """Return the keys of the issuers that the proofs of a class name.

    Only addresses of AWS's own are asked, so that nobody can have us trust keys of theirs, or ask
    anything else of the network.

    Args:
        grades: The class.
        get: Gets an address.
        endpoint: Where something stands in AWS's place, whose issuers are taken as well.

    Raises:
        NotReady: An issuer did not answer with keys.
        InvalidInput: No proof names an issuer of AWS's.
    """
    named = sorted({issuer for result in grades for issuer in result.issuers})
    trusted = [name for name in named if _is_trusted(name, endpoint)]
    if not trusted:
        raise InvalidInput(*messages.advice("audit.no-issuer", issuers=", ".join(named) or "-"))
    return {issuer: _published(issuer, get) for issuer in trusted}


def _is_trusted(issuer: str, endpoint: str | None) -> bool:
    return tokens.is_aws_issuer(issuer) or bool(endpoint and issuer == endpoint.rstrip("/"))


def _published(issuer: str, get: Get) -> dict[str, Any]:
    try:
        published = json.loads(get(f"{issuer}/.well-known/jwks.json")[:_MOST_BYTES])
    except (OSError, ValueError, RecursionError) as error:
        sentences = messages.advice("audit.no-keys", issuer=issuer, reason=one_line(str(error)))
        raise NotReady(*sentences) from error
    if not tokens.is_key_set(published):
        raise NotReady(*messages.advice("audit.no-keys", issuer=issuer, reason="JWK Set: ✘"))
    return {"keys": published["keys"]}


def get(address: str) -> bytes:
    """Return what stands at an address, which has to answer by itself and at once.

    Raises:
        OSError: It did not.
    """
    import requests

    with requests.get(address, timeout=10, allow_redirects=False, stream=True) as reply:
        if reply.status_code != 200:
            raise OSError(f"HTTP {reply.status_code}")
        return bytes(reply.raw.read(_MOST_BYTES, decode_content=True))


def today() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


PROOF: tuple[policy.Statement, ...] = (
    # No resource stands for a token (IAM User Guide, "Controlling access with IAM policies" under
    # "Outbound identity federation"); what it is for, how long it lasts and its tag can be bound.
    policy.Statement(
        "Prove",
        ("sts:GetWebIdentityToken",),
        condition={
            **policy.IN_REGION,
            "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": [tokens.AUDIENCE]},
            "NumericLessThanEquals": {"sts:DurationSeconds": str(tokens.SECONDS)},
        },
    ),
    policy.Statement(
        "ProveTag",
        ("sts:TagGetWebIdentityToken",),
        condition={**policy.IN_REGION, "ForAllValues:StringEquals": {"aws:TagKeys": [tokens.TAG]}},
    ),
)
"""What `handson proof` takes, as a policy of its own: both together exceed a managed policy."""


_SWITCHED_OFF = (
    "OutboundWebIdentityFederationDisabled",
    "OutboundWebIdentityFederationDisabledException",
)


@dataclass(frozen=True, repr=False)
class Proof(Shown):
    """The token, where it is kept, and what it stands for."""

    path: Path
    digest: str
    account: str

    def card(self) -> Card:
        """Return the card: never the token itself."""
        rows = [
            (messages.text("audit.proof.row-file"), str(self.path)),
            (messages.text("audit.proof.row-digest"), self.digest),
            (messages.text("audit.proof.row-account"), self.account),
        ]
        return Card(messages.text("audit.proof.title"), (Rows(rows),), state="ok")


def prove(aws: Aws, *, home: Path, learner: str) -> Proof:
    """Have AWS sign the digest of the learner's last record; afterwards the token is in `home`.

    Raises:
        NotReady: There is no evidence yet, or nothing that stands for real AWS to sign it.
        NotAllowed: The account has not switched its issuer on, or a permission is lacking.
        AWSError: AWS did not answer.
    """
    own = [record for record in Journal(home).records() if record["learner"] == learner]
    if not own:
        raise NotReady(*messages.advice("audit.proof.no-evidence"))
    digest = own[-1]["digest"]
    token = _signed(aws, digest)
    path = home / tokens.FILE
    draft = path.with_suffix(".tmp")
    try:
        draft.write_text(f"{token}\n", encoding="ascii")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        sentences = messages.advice("aws.settings.home", folder=home, reason=error.strerror)
        raise NotReady(*sentences) from error
    return Proof(path, digest, aws.account)


def _signed(aws: Aws, digest: str) -> str:
    try:
        reply = aws.call(
            "sts",
            "GetWebIdentityToken",
            Audience=[tokens.AUDIENCE],
            DurationSeconds=tokens.SECONDS,
            SigningAlgorithm=tokens.ALGORITHM,
            Tags=[{"Key": tokens.TAG, "Value": digest}],
        )
    except (AWSError, NotAllowed) as error:
        if (error.code or "").startswith(_SWITCHED_OFF):
            sentences = messages.advice("audit.proof.switched-off", account=aws.account)
            raise NotAllowed(*sentences, code=error.code) from error
        raise
    return str(reply["WebIdentityToken"])
