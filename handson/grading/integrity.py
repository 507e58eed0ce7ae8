"""Integrity within one submission: whether its evidence is genuine, and from the right place.

Each record names the one that the same learner sealed before it.  Notebooks hold the last record of
each evidence cell, so a cell that was run again leaves a harmless gap, which the journal closes.
With the journal at hand, a record without its predecessor breaks the chain; and a record that only
a notebook holds was not sealed where the journal was kept.

A proof is a token in which AWS signed a chain's digest.  A valid one shows that the chain was
sealed with credentials of that account at that time, not that AWS answered what it says: `handson
audit` looks that up.  Proofs neither give nor take points.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from handson.core.text import list_briefly, one_line
from handson.course import syllabus
from handson.grading import tokens
from handson.grading.claims import NOTEBOOK, Claim, Claims, walk_chain
from handson.grading.judging import AWS, Expected, Requirements, choose_claim, find_contradiction
from handson.grading.model import NOTE, SERIOUS, WARNING, Finding
from handson.grading.tokens import Keys, NotProven, Token, Unchecked

MOST_PROOFS = 5
"""Tokens that are read of one submission."""
_SHOWN = 3
"""Records that a finding about a chain names."""


def examine_evidence(claims: Claims, expected: Expected) -> Iterator[Finding]:
    """Yield a finding for each record, name and chain that is not as it should be."""
    for claim in claims.items:
        yield from _examine_record(claim)
    # The rest of the journal is history: only what is judged has to come from the right place.
    judged = [choose_claim(claims, check) for check in syllabus.EVIDENCE_IDS]
    own = [claim for claim in claims.items if claim.source == NOTEBOOK or claim in judged]
    for claim in own:
        yield from _examine_target(claim, expected)
        yield from _examine_time(claim, expected.requirements)
    yield from _examine_names(own, expected)
    yield from _examine_chains(claims)


def examine_proofs(texts: Sequence[str], claims: Claims, keys: Keys) -> Iterator[Finding]:
    """Yield what the proofs of a submission show, or that it has none."""
    judged = [choose_claim(claims, check) for check in syllabus.CHECK_IDS]
    on_aws = [claim for claim in judged if claim is not None and claim.target.kind == AWS]
    if on_aws and not texts:
        yield Finding(code="proof-absent", severity=NOTE)
    for text in texts[:MOST_PROOFS]:
        yield _examine_proof(text, claims, on_aws, keys)


def find_issuers(proofs: Sequence[str]) -> tuple[str, ...]:
    """Return the issuers that the proofs name; nobody has checked them."""
    found = []
    for text in proofs[:MOST_PROOFS]:
        try:
            found.append(one_line(tokens.find_issuer(text)))
        except (NotProven, Unchecked):
            continue
    return tuple(dict.fromkeys(filter(None, found)))


def _examine_record(claim: Claim) -> Iterator[Finding]:
    if not claim.intact:
        severity = SERIOUS if claim.source == NOTEBOOK else WARNING
        yield _finding("digest-broken", severity, claim, digest=one_line(claim.digest)[:19])
    if claim.repeated:
        names = one_line(", ".join(claim.repeated))
        yield _finding("record-twins", SERIOUS, claim, names=names)
    contradiction = find_contradiction(claim)
    if contradiction:
        yield _finding("target-contradiction", SERIOUS, claim, said=contradiction)


def _examine_target(claim: Claim, expected: Expected) -> Iterator[Finding]:
    asked = expected.requirements
    kind, account, region = map(
        one_line, (claim.target.kind, claim.target.account, claim.target.region)
    )
    if asked.target and claim.target.kind != asked.target:
        yield _finding("target-other", SERIOUS, claim, kind=kind, wanted=asked.target)
    if expected.accounts and claim.target.account not in expected.accounts:
        wanted = ", ".join(expected.accounts)
        yield _finding("account-other", SERIOUS, claim, account=account, wanted=wanted)
    if claim.target.region != asked.expected_region:
        severity = SERIOUS if asked.region else WARNING
        wanted = asked.expected_region
        yield _finding("region-other", severity, claim, region=region, wanted=wanted)


def _examine_time(claim: Claim, asked: Requirements) -> Iterator[Finding]:
    seen = _local(claim.observed_at)
    if asked.since is not None and claim.observed_at < asked.since:
        yield _finding("too-early", WARNING, claim, seen=seen, limit=_local(asked.since))
    if asked.until is not None and claim.observed_at >= asked.until:
        yield _finding("too-late", WARNING, claim, seen=seen, limit=_local(asked.until))


def _local(moment: datetime) -> str:
    """Return a moment in this machine's time zone, in which the window was given."""
    return moment.astimezone().isoformat(timespec="minutes")


def _examine_names(own: Sequence[Claim], expected: Expected) -> Iterator[Finding]:
    """Yield a finding for each name in the evidence that is not the learner's."""
    by_name: dict[str, list[Claim]] = defaultdict(list)
    for claim in own:
        by_name[claim.learner].append(claim)
    if "" in by_name:
        yield _finding("learner-unnamed", NOTE, by_name.pop("")[0])
    if len(by_name) > 1 and not expected.is_known:
        names = one_line(", ".join(sorted(by_name)))
        yield _finding("learner-several", WARNING, next(iter(by_name.values()))[0], names=names)
        return
    for name, claims in by_name.items():
        if expected.is_known and not expected.learner.is_named(name):
            count = str(len(claims))
            yield _finding("learner-other", SERIOUS, claims[0], named=one_line(name), count=count)


def _examine_chains(claims: Claims) -> Iterator[Finding]:
    chains: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims.items:
        chains[claim.learner].append(claim)
    for _, chain in sorted(chains.items()):
        yield from _examine_chain(chain, is_whole=bool(claims.journal))
    unknown = [claim for claim in claims.items if claim.digest not in claims.journal]
    if claims.journal and unknown:
        yield _chain_finding("not-in-journal", WARNING, unknown)


def _examine_chain(chain: list[Claim], *, is_whole: bool) -> Iterator[Finding]:
    """Yield the forks, gaps and contradictions of time among the records of one name."""
    known = {claim.digest: claim for claim in chain}
    followers: dict[str | None, list[Claim]] = defaultdict(list)
    for claim in chain:
        followers[claim.previous].append(claim)
    for previous, found in followers.items():
        if len(found) > 1:
            code = "chain-forked" if previous else "chain-begun-twice"
            yield _chain_finding(code, WARNING, found)
    gaps = [claim for claim in chain if claim.previous and claim.previous not in known]
    if gaps:
        code, severity = ("chain-broken", SERIOUS) if is_whole else ("chain-gap", NOTE)
        yield _chain_finding(code, severity, gaps)
    late = [
        claim
        for claim in chain
        if claim.previous in known and known[claim.previous].observed_at > claim.observed_at
    ]
    if late:
        yield _chain_finding("chain-order", WARNING, late)


def _examine_proof(text: str, claims: Claims, on_aws: list[Claim], keys: Keys) -> Finding:
    try:
        token = tokens.verify(text, keys)
    except Unchecked as error:
        return _proof_finding("proof-unchecked", NOTE, reason=one_line(str(error)))
    except NotProven as error:
        return _proof_finding("proof-wrong", SERIOUS, reason=one_line(str(error)))
    head = next((c for c in claims.items if c.digest == token.digest and c.intact), None)
    if head is None:
        return _proof_finding("proof-other", WARNING, digest=one_line(token.digest)[:19])
    signed, account = one_line(token.account), one_line(head.target.account)
    if head.target.kind != AWS or head.target.account != token.account:
        return _proof_finding("proof-account", SERIOUS, signed=signed, account=account)
    return _compare_with_chain(token, head, claims, on_aws)


def _compare_with_chain(token: Token, head: Claim, claims: Claims, on_aws: list[Claim]) -> Finding:
    """Tell whether the chain that a token signs holds everything that is judged."""
    intact = {claim.digest: claim for claim in claims.items if claim.intact}
    signed = {claim.digest for claim in walk_chain(head, intact)}
    values = {"at": token.issued_at.isoformat(timespec="seconds")}
    values["account"] = one_line(token.account)
    later = [claim.check for claim in on_aws if claim.digest not in signed]
    if later:
        return _proof_finding("proof-behind", WARNING, checks=list_briefly(later), **values)
    values["by"] = one_line(token.subject)
    return _proof_finding("proof-good", NOTE, count=str(len(signed)), **values)


def _finding(code: str, severity: str, claim: Claim, /, **values: str) -> Finding:
    return Finding(
        code=code, severity=severity, check=claim.check, where=claim.where, values=values
    )


def _chain_finding(code: str, severity: str, claims: list[Claim]) -> Finding:
    ordered = sorted(claims, key=lambda claim: (claim.observed_at, claim.check))
    named = [f"{claim.check} {claim.seen_at} {one_line(claim.digest)[:19]}" for claim in ordered]
    more = "" if len(named) <= _SHOWN else f", … ({len(named)})"
    return _finding(code, severity, ordered[0], records=", ".join(named[:_SHOWN]) + more)


def _proof_finding(code: str, severity: str, /, **values: str) -> Finding:
    return Finding(code=code, severity=severity, values=values)
