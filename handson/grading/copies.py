"""Copies: what two submissions have in common, without comparing everyone with everyone.

Records with the same digest, request id or resource of EC2 come from one run of the workshop.

Answers are folded to their letters and cut into overlapping shingles; those of the course's own
texts, in either language, are left out.  The smallest hashes of the rest are an answer's sketch,
and only answers to the same question whose sketches share enough are compared in full.  A person
decides, reading the passages side by side.

An `Index` holds the identifiers and hashes of a class in a temporary database that spills to disk.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import groupby, pairwise
from typing import Any

from handson.core.text import list_briefly, one_line
from handson.grading import export_names, handout
from handson.grading.claims import Claims
from handson.grading.model import SERIOUS, WARNING, Finding, Passage, Proof, Result, Written

RECORD, REQUEST, RESOURCE = "same-record", "same-request", "same-resource"
SEVERITY = {RECORD: SERIOUS, REQUEST: SERIOUS, RESOURCE: WARNING}

WIDE, NARROW = 7, 20
"""Letters in a shingle: of Japanese, where a letter says much, and of Latin script."""
SKETCH = 24
"""Hashes in a sketch."""
SHARED = 7
"""Hashes that two sketches have to share before their answers are compared."""
ALIKE = 0.5
"""The share of the shorter answer that the other one contains too."""
LEAST = 12
"""Shingles of an answer; a shorter one may be like another by chance."""
LONGEST = 4_000
"""Letters of an answer that are compared."""
SHOWN = 40
"""Passages that a finding shows of two answers, the longest."""

_TRIED = 4
_SHOWN = 36
# Only EC2's ids are unique; in an emulator everybody's cluster of a name has the same ARN.
_RESOURCE = re.compile(r"(?:vpc|subnet|rtb|igw|vpce)-[0-9a-f]{8,17}")
_PARTS = ("subnets", "route_tables", "internet_gateways", "endpoints")
_NO_LETTERS = re.compile(r"[\W_]+")
_WIDE_LETTERS = re.compile("[\u2e80-\U0010ffff]+")

Identifier = tuple[str, str]
"""A kind (RECORD, REQUEST or RESOURCE) and an id."""
Hash = tuple[str, int]
"""A question, and a hash of the answer to it."""


class Index:
    """The owners of identifiers and hashes, each under its kind; `close` deletes it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # a temporary file, written when memory runs short
        self._database.execute("CREATE TABLE held (kind TEXT, name, owner INTEGER)")

    def add(self, owner: int, held: Iterable[tuple[str, str | int]]) -> None:
        """Add what an owner holds, each thing once."""
        rows = [(kind, name, owner) for kind, name in held]
        self._database.executemany("INSERT INTO held VALUES (?, ?, ?)", rows)

    def shared(self) -> Iterator[tuple[str, Any, list[int]]]:
        """Yield each kind and name that several owners hold, with the owners in order."""
        rows = self._database.execute("SELECT kind, name, owner FROM held ORDER BY 1, 2, 3")
        for (kind, name), found in groupby(rows, key=lambda row: row[:2]):
            owners = [row[2] for row in found]
            if len(owners) > 1:
                yield kind, name, owners

    def close(self) -> None:
        """Delete the index."""
        self._database.close()


# Identifiers that only one learner's evidence can have.


def evidence_identifiers(claims: Claims) -> tuple[Identifier, ...]:
    """Return the identifiers in a submission's evidence, each once."""
    return tuple(
        dict.fromkeys(
            identifier
            for claim in claims.items
            for identifier in _identifiers(claim.digest, claim.requests, claim.observed)
        )
    )


def compare_evidence(
    shared: Iterable[tuple[str, str, list[int]]], load: Callable[[int], Result]
) -> Iterator[tuple[int, Finding]]:
    """Yield a finding for each submission that shares identifiers, with its owner.

    Args:
        shared: Kind, name and owners of each identifier that several submissions hold.
        load: Returns the result of an owner.
    """
    # Learners who share several identifiers of a kind with the same others get one finding.
    groups: dict[tuple[str, tuple[int, ...]], set[str]] = defaultdict(set)
    for kind, name, owners in shared:
        groups[kind, tuple(owners)].add(name)
    for (kind, together), names in sorted(groups.items(), key=_severest_first):
        yield from _describe_shared(kind, {owner: load(owner) for owner in together}, names)


def _severest_first(group: tuple[tuple[str, tuple[int, ...]], set[str]]) -> tuple[int, Any]:
    (kind, owners), _ = group
    return list(SEVERITY).index(kind), owners


def _identifiers(digest: str, requests: Iterable[str], observed: object) -> Iterator[Identifier]:
    """Yield the identifiers of a record, each as one line, as a `Proof` has them."""
    yield RECORD, one_line(digest)
    yield from ((REQUEST, one_line(request)) for request in requests if len(request) >= 8)
    for vpc in _find_objects(observed, "vpcs"):
        if vpc.get("is_default") is True:  # every account has it already
            continue
        for part in [vpc, *(part for name in _PARTS for part in _find_objects(vpc, name))]:
            name = part.get("id")
            if isinstance(name, str) and _RESOURCE.fullmatch(name):
                yield RESOURCE, name


def _find_objects(holder: object, name: str) -> list[dict[str, object]]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _describe_shared(
    kind: str, results: dict[int, Result], names: set[str]
) -> Iterator[tuple[int, Finding]]:
    bearers = {owner: list(_find_bearers(r, kind, names)) for owner, r in results.items()}
    found = sorted({name for pairs in bearers.values() for name, _ in pairs})
    first = _find_first(results, bearers)
    values = {
        "example": list_briefly([name[:_SHOWN] for name in found[:1]]) or "-",
        "count": str(len(names)),
        "first": results[first].label if first is not None else "?",
    }
    for owner, result in results.items():
        proofs = [proof for _, proof in bearers[owner]]
        finding = Finding(
            code=kind,
            severity=SEVERITY[kind],
            check=next((mark.id for mark in result.checks if mark.proof in proofs), None),
            where=proofs[0].where if proofs else None,
            others=tuple(other.label for number, other in results.items() if number != owner),
            values=values,
        )
        yield owner, finding


def _find_bearers(result: Result, kind: str, names: set[str]) -> Iterator[tuple[str, Proof]]:
    """Yield each shared name in a result, with the evidence that bears it."""
    for mark in result.checks:
        if mark.proof is not None:
            proof = mark.proof
            for own in _identifiers(proof.digest, proof.requests, proof.observed):
                if own[0] == kind and own[1] in names:
                    yield own[1], proof


def _find_first(
    results: dict[int, Result], bearers: dict[int, list[tuple[str, Proof]]]
) -> int | None:
    """Return who had it first: by the earliest time, then by the name that the evidence bears."""
    proofs = {owner: [proof for _, proof in pairs] for owner, pairs in bearers.items() if pairs}
    times = {owner: min(p.observed_at for p in own) for owner, own in proofs.items()}
    earliest = [owner for owner, time in times.items() if time == min(times.values())]
    if len(earliest) > 1:
        earliest = [
            owner
            for owner in earliest
            if any(_is_named(results[owner], proof.learner) for proof in proofs[owner])
        ]
    return earliest[0] if len(earliest) == 1 else None


def _is_named(result: Result, name: str) -> bool:
    own = filter(None, (result.learner, result.name))
    return bool(name) and any(export_names.is_same_person(known, name) for known in own)


# Answers.


def sketch_answers(answers: Iterable[Written]) -> Iterator[Hash]:
    """Yield question and hash, for the smallest hashes of each answer that is long enough."""
    for answer in answers:
        own = own_shingles(answer.text) if answer.text else set()
        if len(own) >= LEAST:
            yield from ((answer.grade_id, value) for value in sorted(own)[:SKETCH])


def find_candidates(
    shared: Iterable[tuple[str, int, list[int]]],
) -> Iterator[tuple[str, int, int]]:
    """Yield question, learner and earlier learner where two answers are worth comparing.

    In a group that shares an answer, each is paired with the first and with the one before.
    """
    counted: Counter[tuple[str, int, int]] = Counter()
    for question, _, owners in shared:
        pairs = {(owners[0], owner) for owner in owners[1:]} | set(pairwise(owners))
        counted.update((question, *pair) for pair in pairs)
    for (question, one, other), count in sorted(counted.items()):
        if count >= SHARED:
            yield question, other, one


def compare_answers(mine: Written, theirs: Written) -> Passage | None:
    """Return the common passages of two answers, if they are most of the shorter one."""
    ours, others = own_shingles(mine.text), own_shingles(theirs.text)
    fewest = min(len(ours), len(others))
    if fewest < LEAST or len(ours & others) < ALIKE * fewest:
        return None
    common = list(dict.fromkeys(_find_common(mine.text, theirs.text)))
    longest = set(sorted(common, key=len, reverse=True)[:SHOWN])
    shown = tuple(passage for passage in common if passage in longest)
    return Passage(grade_id=mine.grade_id, mine=mine.text, theirs=theirs.text, common=shown)


def own_shingles(text: str) -> set[int]:
    """Return the hashes of an answer's shingles that are not the course's."""
    return _shingles(_fold(text)) - course_shingles()


@cache
def course_shingles() -> frozenset[int]:
    """Return the hashes of all texts of the course in either language."""
    texts = (text for words in handout.editions() for text in words.prose)
    return frozenset(value for text in texts for value in _shingles(_fold(text)))


def _fold(text: str) -> str:
    """Return the letters and digits of a text, folded, the first of them.

    The rest is removed before the text is cut off, so that blank lines hide nothing.
    """
    return _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())[:LONGEST]


def _shingles(letters: str) -> set[int]:
    if _width(letters) == WIDE:
        data, step, width = letters.encode("utf-16-le", "replace"), 2, WIDE * 2
    else:
        data, step, width = letters.encode("utf-8", "replace"), 1, NARROW
    return {zlib.crc32(data[i : i + width]) for i in range(0, len(data) - width + 1, step)}


def _width(letters: str) -> int:
    return WIDE if len(_WIDE_LETTERS.sub("", letters)) * 3 < len(letters) * 2 else NARROW


def _find_common(mine: str, theirs: str) -> Iterator[str]:
    """Yield the passages of one text that the other contains too, in any order.

    It takes the time of reading both: difflib takes minutes for two texts that repeat a dozen
    letters.  A passage is tried at the first few places where the other text has its beginning.
    """
    width = _width(_fold(mine))
    starts: dict[str, list[int]] = defaultdict(list)
    for start in range(len(theirs) - width + 1):
        found = starts[theirs[start : start + width]]
        if len(found) < _TRIED:
            found.append(start)
    at = 0
    while at < len(mine):
        tried = starts.get(mine[at : at + width], ())
        size = max((_common_length(mine[at:], theirs[start:]) for start in tried), default=0)
        passage = mine[at : at + size].strip()
        if passage and own_shingles(passage):
            yield passage
        at += size or 1


def _common_length(one: str, other: str) -> int:
    """Return the length of the common beginning of two texts."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
