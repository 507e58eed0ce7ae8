"""Proofs: tokens in which AWS has signed a chain's digest, checked without a network.

What a good one shows is that whoever sealed this chain held credentials of that account at that
time; not that what they wrote down is what AWS answered, which `handson audit` looks up.  Nothing
here gives or takes points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.grading import tokens
from handson.grading.claims import Claim, Claims
from handson.grading.integrity import AWS
from handson.grading.judging import choose
from handson.grading.model import NOTE, SERIOUS, WARNING, Finding
from handson.grading.tokens import Keys, NotProven, Token, Unchecked

MOST = 5
"""Tokens of one submission that are looked at."""


def look(texts: Sequence[str], claims: Claims, keys: Keys) -> Iterator[Finding]:
    """Yield what the proofs of a submission show, or that it has none."""
    judged = [choose(claims, check) for check in syllabus.CHECK_IDS]
    on_aws = [claim for claim in judged if claim is not None and claim.target.kind == AWS]
    if on_aws and not texts:
        yield Finding(code="proof-absent", severity=NOTE)
    for text in texts[:MOST]:
        yield _looked_at(text, claims, on_aws, keys)


def issuers(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the issuers that the proofs name and that have an address of AWS's form, unchecked."""
    found = []
    for text in texts[:MOST]:
        try:
            found.append(tokens.issuer_of(text))
        except (NotProven, Unchecked):
            continue
    return tuple(dict.fromkeys(one_line(issuer) for issuer in found if issuer))


def _looked_at(text: str, claims: Claims, on_aws: list[Claim], keys: Keys) -> Finding:
    try:
        token = tokens.verify(text, keys)
    except Unchecked as error:
        return _finding("proof-unchecked", NOTE, reason=one_line(str(error)))
    except NotProven as error:
        return _finding("proof-wrong", SERIOUS, reason=one_line(str(error)))
    head = next((c for c in claims.items if c.digest == token.digest and c.intact), None)
    if head is None:
        return _finding("proof-other", WARNING, digest=one_line(token.digest)[:19])
    if head.target.kind != AWS or head.target.account != token.account:
        account = one_line(head.target.account)
        return _finding("proof-account", SERIOUS, signed=one_line(token.account), account=account)
    return _covering(token, head, claims, on_aws)


def _covering(token: Token, head: Claim, claims: Claims, on_aws: list[Claim]) -> Finding:
    """Tell whether the chain that a token stands for holds everything that is judged."""
    covered = _chain(head, claims)
    beyond = [claim for claim in on_aws if claim.digest not in covered]
    said = {"at": token.issued_at.isoformat(timespec="seconds"), "account": one_line(token.account)}
    if beyond:
        checks = list_briefly([claim.check for claim in beyond])
        return _finding("proof-behind", WARNING, checks=checks, **said)
    return _finding("proof-good", NOTE, count=str(len(covered)), by=one_line(token.subject), **said)


def _chain(head: Claim, claims: Claims) -> set[str]:
    """Return the digests of a record and of all before it, as far as they were handed in."""
    known = {claim.digest: claim for claim in claims.items if claim.intact}
    covered: set[str] = set()
    at: str | None = head.digest
    while at is not None and at in known and at not in covered:
        covered.add(at)
        at = known[at].previous
    return covered


def _finding(code: str, severity: str, /, **values: str) -> Finding:
    return Finding(code=code, severity=severity, values=values)
