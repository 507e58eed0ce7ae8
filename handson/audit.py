"""What real AWS says of evidence: looked up in CloudTrail, reading only, and signed by STS.

CloudTrail's event history keeps the calls of ninety days with the ids of their requests (AWS
CloudTrail User Guide, "Working with CloudTrail event history").  Calls appear within minutes, and
nobody can add or remove any: a request in the history was made in this account and Region.
LookupEvents finds events by source and time, not by request, and takes two calls a second.  So this
module lists the calls of a few minutes around each record, and compares them itself.

`fetch_issuer_keys` fetches the public keys with which proofs are checked, once, so that grading
needs no network.  `prove` asks AWS for such a proof.

The rest of the package works without this module, but for the commands that call it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from handson.aws import Aws, connection
from handson.core import files, https, messages
from handson.core.cards import Card, Displayable, list_fields
from handson.core.errors import AWSError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.core.text import one_line, pick_fields
from handson.course.evidence import Journal
from handson.grading import Grades, tokens

SCHEMA = "handson.audit/1"
FOUND, PARTLY, MISSING = "found", "partly", "missing"
"""CloudTrail has all requests of a record · some of them · none."""
RECENT, OLD, UNSEEN = "recent", "old", "unseen"
"""CloudTrail may not have them yet · has forgotten them · could not be asked."""
SIGNS = {FOUND: "✔", PARTLY: "⚠", MISSING: "✘", RECENT: "?", OLD: "?", UNSEEN: "?"}

SOURCES = tuple(f"{name}.amazonaws.com" for name in ("ec2", "ecs", "ecr", "sts"))
BEFORE, AFTER = timedelta(minutes=10), timedelta(minutes=5)
"""Around a record: its calls were made before it was sealed, and clocks differ."""
KEPT, DELAY = timedelta(days=90), timedelta(minutes=15)
"""How long CloudTrail keeps a call, and how soon it has it."""
PAUSE = 0.5
"""Seconds between two lookups: CloudTrail allows two a second (CloudTrail, "Quotas")."""
ALLOWED = ("cloudtrail:LookupEvents",)
_MOST_BYTES = 200_000

Connect = Callable[[str], Aws]
"""Gives a connection to an account, or raises."""
Fetch = Callable[[str], bytes]
"""Fetches an address, or raises OSError."""


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An evidence record, and what CloudTrail says of its requests.

    Attributes:
        learner: The learner's id.
        name: The learner's name, or "".
        check: The check that the record is for.
        account: The account that answered, by the record.
        region: The Region, by the record.
        observed_at: The time at which it was sealed, as ISO 8601.
        requests: The ids of its requests.
        status: One of the words above.
        missing: The requests that CloudTrail does not have.
        reason: Why CloudTrail could not be asked, if so.
    """

    learner: str
    name: str
    check: str
    account: str
    region: str
    observed_at: str
    requests: tuple[str, ...]
    status: str = UNSEEN
    missing: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def time(self) -> datetime:
        """The time at which it was sealed."""
        return datetime.fromisoformat(self.observed_at)

    @property
    def found(self) -> int:
        """The number of requests that CloudTrail has."""
        return len(self.requests) - len(self.missing)

    def to_json(self) -> dict[str, Any]:
        """Return the record as `handson.audit/1` has it."""
        own: dict[str, Any] = msgspec.to_builtins(self)
        del own["requests"]
        return {**own, "asked": len(self.requests), "found": self.found}

    def line(self) -> str:
        """Return the record as a line for people."""
        who = one_line(f"{self.learner} {self.name}".strip())
        status = messages.label("audit.status", self.status)
        reason = f" {one_line(self.reason)}" if self.reason else ""
        count = f"{self.found}/{len(self.requests)}"
        return f"{SIGNS[self.status]} {who}  {self.check}  {count}  {status}{reason}"


class Audit(msgspec.Struct, frozen=True):
    """The records of a class, in its order, after CloudTrail was asked."""

    records: tuple[AuditRecord, ...]

    @property
    def is_clean(self) -> bool:
        """CloudTrail has every request."""
        return all(record.status == FOUND for record in self.records)

    def to_json(self) -> dict[str, Any]:
        """Return `handson.audit/1`."""
        counted = Counter(record.status for record in self.records)
        records = [record.to_json() for record in self.records]
        return {"schema": SCHEMA, "summary": dict(sorted(counted.items())), "records": records}

    def lines(self) -> Iterator[str]:
        """Yield a line a record, and what to do about those that are not found."""
        yield from (record.line() for record in self.records)
        if not self.is_clean:
            yield messages.text("audit.what-to-do")


def list_records(grades: Grades) -> list[AuditRecord]:
    """Return the records by which a class was graded and which claim to be from real AWS.

    Raises:
        InvalidInput: There are none.
    """
    found = [
        AuditRecord(
            learner=result.learner.id,
            name=result.learner.name,
            check=mark.id,
            **pick_fields(mark.proof, "account region observed_at requests"),
        )
        for result in grades.results
        for mark in result.checks
        if mark.proof is not None and mark.proof.kind == "aws" and mark.proof.requests
    ]
    if not found:
        raise InvalidInput.from_key("audit.nothing")
    return found


def look_up(records: Sequence[AuditRecord], connect: Connect, *, now: datetime) -> Audit:
    """Ask CloudTrail about records; an account that refuses costs only its own records."""
    by_place: dict[tuple[str, str], list[AuditRecord]] = defaultdict(list)
    for record in records:
        by_place[record.account, record.region].append(record)
    known = {place: _ask(connect, place, own, now) for place, own in by_place.items()}
    return Audit(
        tuple(_compare(record, known[record.account, record.region], now) for record in records)
    )


def _ask(
    connect: Connect, place: tuple[str, str], records: Iterable[AuditRecord], now: datetime
) -> set[str] | HandsonError:
    """Return the ids of the requests around the records, or why the account refused."""
    account, region = place
    windows = _merge_windows(record.time for record in records if now - record.time < KEPT)
    try:
        return _list_requests(connect(account).in_region(region), windows) if windows else set()
    except HandsonError as error:
        return error


def _compare(record: AuditRecord, known: set[str] | HandsonError, now: datetime) -> AuditRecord:
    if isinstance(known, HandsonError):
        return replace(record, missing=record.requests, reason=known.problem)
    missing = tuple(request for request in record.requests if request not in known)
    age = now - record.time
    if not missing:
        status = FOUND
    elif age >= KEPT:
        status = OLD
    elif age < DELAY:
        status = RECENT
    else:
        status = PARTLY if len(missing) < len(record.requests) else MISSING
    return replace(record, status=status, missing=missing)


def _merge_windows(times: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """Return the windows around times, those that touch as one."""
    windows: list[tuple[datetime, datetime]] = []
    for time in sorted(times):
        begin, end = time - BEFORE, time + AFTER
        if windows and begin <= windows[-1][1]:
            begin, _ = windows.pop()
        windows.append((begin, end))
    return windows


def _list_requests(connected: Aws, windows: list[tuple[datetime, datetime]]) -> set[str]:
    """Return the ids of all requests that an account's history has in the windows."""
    found: set[str] = set()
    for begin, end in windows:
        for source in SOURCES:
            if connected.kind == "aws":
                connected.patience.sleep(PAUSE)
            wanted = {"AttributeKey": "EventSource", "AttributeValue": source}
            asked = {"LookupAttributes": [wanted], "StartTime": begin, "EndTime": end}
            events = connected.list_items("cloudtrail", "LookupEvents", "Events", **asked)
            found.update(_read_request(event, connected.account) for event in events)
    return found


class _Event(msgspec.Struct):
    """What this module reads of CloudTrail's record of a call."""

    requestID: str
    recipientAccountId: str | None = None


def _read_request(event: dict[str, Any], account: str) -> str:
    """Return the id of the request of an account's event, or ""."""
    with suppress(msgspec.DecodeError):
        read = msgspec.json.decode(event.get("CloudTrailEvent", ""), type=_Event)
        if read.recipientAccountId in (None, account):
            return read.requestID
    return ""


def make_connect(own: Aws, *, role: str | None) -> Connect:
    """Return a function that connects to one's own account, and by the role to every other."""

    @cache
    def connect(account: str) -> Aws:
        if account == own.account:
            return own
        if role is None:
            raise AWSError.from_key("audit.other-account", account=account)
        return connection.assume_role(own, account=account, role=role, allowed=ALLOWED)

    return connect


def fetch_issuer_keys(grades: Grades, fetch: Fetch, *, endpoint: str | None = None) -> tokens.Keys:
    """Return the keys of the issuers that the proofs of a class name.

    Only AWS's own addresses are fetched: a learner can neither have their own keys trusted, nor
    reach another address.

    Args:
        grades: The class.
        fetch: Fetches an address.
        endpoint: An endpoint in AWS's place, which is trusted as an issuer too.

    Raises:
        NotReady: An issuer did not answer with keys.
        InvalidInput: No proof names an issuer of AWS's.
    """
    named = sorted({issuer for result in grades.results for issuer in result.issuers})
    own = endpoint.rstrip("/") if endpoint else None
    trusted = [name for name in named if tokens.is_aws_issuer(name) or name == own]
    if not trusted:
        raise InvalidInput.from_key("audit.no-issuer", issuers=", ".join(named) or "-")
    return {issuer: _fetch_keys(issuer, fetch) for issuer in trusted}


def _fetch_keys(issuer: str, fetch: Fetch) -> tokens.KeySet:
    try:
        return tokens.read_key_set(fetch(f"{issuer}/.well-known/jwks.json")[:_MOST_BYTES])
    except (OSError, ValueError, RecursionError) as error:
        if untrusted := https.explain_untrusted(error, urlsplit(issuer).netloc):
            raise untrusted from error
        reason = one_line(str(https.find_cause(error)))
        raise NotReady.from_key("audit.no-keys", issuer=issuer, reason=reason) from error


def fetch_address(address: str) -> bytes:
    """Return the content of an address, without following it elsewhere.

    Raises:
        OSError: It did not answer with one.
    """
    get = https.open_session(connection.find_ca_bundle()).get
    with get(address, timeout=10, allow_redirects=False, stream=True) as reply:
        if reply.status_code != 200:
            raise OSError(f"HTTP {reply.status_code}")
        return bytes(reply.raw.read(_MOST_BYTES, decode_content=True))


_SWITCHED_OFF = "OutboundWebIdentityFederationDisabled"
"""The beginning of the code with which STS answers where the account has no issuer."""


class SignedProof(Displayable, msgspec.Struct, frozen=True):
    """A token that AWS signed: its file, the digest in it, and the account."""

    path: Path
    digest: str
    account: str

    def card(self) -> Card:
        """Return the card, without the token."""
        rows = list_fields("audit.proof.row", pick_fields(self, "path digest account"))
        return Card(messages.text("audit.proof.title"), (rows,), state="ok")


def prove(connected: Aws, *, home: Path, learner: str) -> SignedProof:
    """Have AWS sign the digest of the learner's last record; afterwards the token is in `home`.

    Raises:
        NotReady: There is no evidence yet, or the home folder cannot be written.
        NotAllowed: The account has not enabled its issuer, or a permission is missing.
        AWSError: AWS did not answer.
    """
    own = [record for record in Journal(home).records() if record["learner"] == learner]
    if not own:
        raise NotReady.from_key("audit.proof.no-evidence")
    path, digest = home / tokens.FILE, own[-1]["digest"]
    tags = [{"Key": tokens.TAG, "Value": digest}]
    claims: Any = {"Audience": [tokens.AUDIENCE], "DurationSeconds": tokens.SECONDS, "Tags": tags}
    call = ("sts", "GetWebIdentityToken")
    try:
        reply = connected.call(*call, SigningAlgorithm=tokens.ALGORITHM, **claims)
    except (AWSError, NotAllowed) as error:
        if not (error.code or "").startswith(_SWITCHED_OFF):
            raise
        key, account = "audit.proof.switched-off", connected.account
        raise NotAllowed.from_key(key, account=account, aws_code=error.code) from error
    files.write_whole(path, f"{reply['WebIdentityToken']}\n")
    return SignedProof(path, digest, connected.account)
