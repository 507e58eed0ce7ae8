"""The same thing in two submissions: a record, a request id, a resource that only one can have.

Of each submission a few dozen hashes are kept, and only those who share something are looked at
again.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import blake2b

from handson.core.text import list_briefly
from handson.grading import names
from handson.grading.claims import Claims
from handson.grading.meetings import Meetings
from handson.grading.model import SERIOUS, WARNING, Finding, Proof, Result

RECORD, REQUEST, RESOURCE = "same-record", "same-request", "same-resource"
KINDS = (RECORD, REQUEST, RESOURCE)

_SEVERITY = {RECORD: SERIOUS, REQUEST: SERIOUS, RESOURCE: WARNING}
_SHOWN = 36
# Only EC2's ids are one of a kind; a cluster of the same name in an emulator has everybody's ARN.
_RESOURCE = re.compile(r"(?:vpc|subnet|rtb|igw|vpce)-[0-9a-f]{8,17}")
_PARTS = ("subnets", "route_tables", "internet_gateways", "endpoints")

Thing = tuple[str, str]
"""A kind and an id."""


def things(digest: str, requests: tuple[str, ...], observed: object) -> Iterator[Thing]:
    """Yield what a record has that no other learner's can have."""
    yield RECORD, digest
    yield from ((REQUEST, request) for request in requests if len(request) >= 8)
    yield from ((RESOURCE, resource) for resource in _resources(observed))


def keys(claims: Claims) -> array[int]:
    """Return the hashes of everything that a submission's evidence has for itself."""
    found = {
        _key(thing)
        for claim in claims.items
        for thing in things(claim.digest, claim.requests, claim.observed)
    }
    return array("Q", sorted(found))


def _key(thing: Thing) -> int:
    kind, name = thing
    digest = blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()
    # The kind is kept in the key, so that it is known without the thing.
    return int.from_bytes(digest, "big") & ~3 | KINDS.index(kind)


def _resources(observed: object) -> Iterator[str]:
    for vpc in _dicts(observed, "vpcs"):
        if vpc.get("is_default") is True:
            continue
        parts = [vpc, *(part for name in _PARTS for part in _dicts(vpc, name))]
        for part in parts:
            name = part.get("id")
            if isinstance(name, str) and _RESOURCE.fullmatch(name):
                yield name


def _dicts(holder: object, name: str) -> list[dict[str, object]]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def look(found: Meetings, load: Callable[[int], Result]) -> Iterator[tuple[int, Finding]]:
    """Yield a finding for each submission that has something of another's, with its owner.

    Args:
        found: The keys of the class.
        load: Returns the result of an owner.
    """
    # Those who share the same things with the same people are told of it once.
    groups: dict[tuple[int, tuple[int, ...]], set[int]] = defaultdict(set)
    for key, owners in found.shared():
        groups[key & 3, tuple(owners)].add(key)
    for (kind, together), shared in sorted(groups.items()):
        yield from _told(KINDS[kind], {owner: load(owner) for owner in together}, shared)


def _told(kind: str, results: dict[int, Result], found: set[int]) -> Iterator[tuple[int, Finding]]:
    bearers = {owner: list(_bearers(result, found)) for owner, result in results.items()}
    named = sorted({name for pairs in bearers.values() for name, _ in pairs})
    example = list_briefly([name[:_SHOWN] for name in named[:1]])
    first = _first(results, bearers)
    for owner, result in results.items():
        proofs = [proof for _, proof in bearers[owner]]
        others = [other.label for number, other in results.items() if number != owner]
        values = {"example": example or "-", "count": str(len(found))}
        values["first"] = results[first].label if first is not None else "?"
        yield (
            owner,
            Finding(
                code=kind,
                severity=_SEVERITY[kind],
                check=next((mark.id for mark in result.checks if mark.proof in proofs), ""),
                where=proofs[0].where if proofs else "",
                values=values,
                others=tuple(others),
            ),
        )


def _bearers(result: Result, found: set[int]) -> Iterator[tuple[str, Proof]]:
    """Yield each shared thing of a result by name, with the evidence that has it."""
    for mark in result.checks:
        if mark.proof is not None:
            proof = mark.proof
            for thing in things(proof.digest, proof.requests, proof.observed):
                if _key(thing) in found:
                    yield thing[1], proof


def _first(results: dict[int, Result], bearers: dict[int, list[tuple[str, Proof]]]) -> int | None:
    """Return whose it was first: by the earliest time, then by the name that the evidence bears."""
    claimed = {owner: [proof for _, proof in pairs] for owner, pairs in bearers.items() if pairs}
    if not claimed:
        return None
    times = {owner: min(p.observed_at for p in proofs) for owner, proofs in claimed.items()}
    earliest = [owner for owner, seen in times.items() if seen == min(times.values())]
    named = [
        owner
        for owner in earliest
        if any(_is_of(results[owner], proof.learner) for proof in claimed[owner])
    ]
    if len(earliest) == 1:
        return earliest[0]
    return named[0] if len(named) == 1 else None


def _is_of(result: Result, name: str) -> bool:
    own = (result.learner, result.name)
    return bool(name) and any(known and names.same(known, name) for known in own)
