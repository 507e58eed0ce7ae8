"""Copies: what two submissions have in common, without comparing everyone with everyone.

Records with the same digest, request id or resource of EC2 come from one run of the workshop.

Answers are folded to their letters and cut into overlapping shingles; those of the course's own
texts, in either language, are left out.  The smallest hashes of the rest are an answer's sketch,
and only answers to the same question whose sketches share enough are compared in full.  A person
decides, reading the passages side by side.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache, lru_cache
from itertools import pairwise
from os.path import commonprefix
from typing import Any, TypeVar

from handson.core.text import find_invisible, group_pairs
from handson.grading.claims import find_objects
from handson.grading.findings import Bearer, Claim, Finding, Passage, Result, Written, make_finding
from handson.grading.notebooks import load_handout

RECORD, REQUEST, RESOURCE = "same-record", "same-request", "same-resource"

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
_NO_LETTERS = re.compile("[\\W_\u115f\u1160]+")  # the last two, of Hangul, nobody sees
_WIDE_LETTERS = "[\u2e80-\U0010ffff]+"

Hash = tuple[str, int]
"""A question, and a hash of the answer to it."""
T = TypeVar("T")


def find_shared(held: Iterable[Iterable[T]]) -> dict[T, tuple[int, ...]]:
    """Return what several owners hold, with their numbers in order.

    Args:
        held: For each owner what it holds, each thing once.
    """
    owners = group_pairs((thing, owner) for owner, things in enumerate(held) for thing in things)
    return {thing: tuple(found) for thing, found in owners.items() if len(found) > 1}


# Evidence.


def list_identifiers(claims: Iterable[Claim]) -> dict[tuple[str, str], Bearer]:
    """Return what tells the evidence of one learner from another's, and the earliest bearer."""
    found: dict[tuple[str, str], Bearer] = {}
    for claim in sorted(claims, key=lambda claim: claim.observed_at):
        bearer = Bearer(claim.observed_at, claim.check, claim.where, claim.learner)
        requests = [(REQUEST, request) for request in claim.requests if len(request) >= 8]
        names = filter(_RESOURCE.fullmatch, list_resources(claim.read_observed()))
        resources = [(RESOURCE, name) for name in names]
        for identifier in ((RECORD, claim.digest), *requests, *resources):
            found.setdefault(identifier, bearer)
    return found


def compare_evidence(results: Sequence[Result]) -> Iterator[tuple[int, Finding]]:
    """Yield a finding for each submission that shares identifiers, with its number."""
    held = [each.identifiers for each in results]
    labels = [each.learner.label for each in results]
    # Learners who share several identifiers of a kind with the same others get one finding.
    groups = group_pairs(((each[0], owners), each) for each, owners in find_shared(held).items())
    for (kind, owners), shared in sorted(groups.items()):
        bearers = {owner: min(held[owner][each] for each in shared) for owner in owners}
        first = _find_first(results, bearers)
        values: dict[str, Any] = {"first": "?" if first is None else labels[first]}
        values |= {"count": len(shared), "example": [min(shared)[1][:_SHOWN]]}
        for owner, bearer in bearers.items():
            others = tuple(labels[other] for other in owners if other != owner)
            values |= {"check": bearer.check, "where": bearer.where, "others": others}
            yield owner, make_finding(kind, "warning" if kind == RESOURCE else "serious", **values)


def list_resources(observed: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of the observed VPCs and of their parts, whatever their form."""
    for vpc in find_objects(observed, "vpcs"):
        if vpc.get("is_default") is True:  # every account has it already
            continue
        for part in [vpc, *(part for name in _PARTS for part in find_objects(vpc, name))]:
            yield str(part.get("id"))


def _find_first(results: Sequence[Result], bearers: dict[int, Bearer]) -> int | None:
    """Return who had it first: by the earliest time, then by the name that the evidence bears."""
    ranks = {}
    for owner, bearer in bearers.items():
        ranks[owner] = (bearer.observed_at, not results[owner].learner.is_named(bearer.learner))
    first = [owner for owner, rank in ranks.items() if rank == min(ranks.values())]
    return first[0] if len(first) == 1 else None


# Answers.


def sketch_answers(answers: Iterable[Written]) -> Iterator[Hash]:
    """Yield question and hash, for the smallest hashes of each answer that is long enough."""
    for answer in answers:
        own = own_shingles(answer.text)
        if len(own) >= LEAST:
            yield from ((answer.id, value) for value in sorted(own)[:SKETCH])


def compare_answers(results: Sequence[Result]) -> Iterator[tuple[int, Finding]]:
    """Yield a finding for each submission with answers like another's, with its number."""
    counted: Counter[tuple[str, int, int]] = Counter()
    for (question, _), owners in find_shared(each.sketches for each in results).items():
        # In a group that shares an answer, each is paired with the first and with the one before.
        pairs = {(owners[0], owner) for owner in owners[1:]} | set(pairwise(owners))
        counted.update((question, *pair) for pair in pairs)
    labels = [each.learner.label for each in results]
    answers = [{answer.id: answer for answer in result.answers} for result in results]
    alike = group_pairs(
        (owner, (partner, passage))
        for (question, *pair), count in sorted(counted.items())
        for owner, partner in (pair, pair[::-1])
        if count >= SHARED
        and (passage := find_passages(answers[owner][question], answers[partner][question]))
    )
    for owner, found in alike.items():
        partners = group_pairs(found)
        closest = max(partners, key=lambda number: (len(partners[number]), -number))
        others = [closest, *(number for number in sorted(partners) if number != closest)]
        questions = sorted({each.grade_id for found in partners.values() for each in found})
        about: dict[str, Any] = {"others": tuple(labels[number] for number in others)}
        about |= {"passages": tuple(partners[closest]), "questions": ", ".join(questions)}
        yield owner, make_finding("answers-alike", **about)


def find_passages(mine: Written, theirs: Written) -> Passage | None:
    """Return the common passages of two answers, if they are most of the shorter one."""
    one, other = _drop_invisible(mine.text), _drop_invisible(theirs.text)
    ours, others = own_shingles(one), own_shingles(other)
    fewest = min(len(ours), len(others))
    if fewest < LEAST or len(ours & others) < ALIKE * fewest:
        return None
    common = list(dict.fromkeys(_find_common(one, other)))
    longest = set(sorted(common, key=len, reverse=True)[:SHOWN])
    shown = tuple(passage for passage in common if passage in longest)
    return Passage(grade_id=mine.id, mine=one, theirs=other, common=shown)


def own_shingles(text: str) -> Set[int]:
    """Return the hashes of an answer's shingles that are not the course's."""
    return list_shingles(text) - course_shingles()


@lru_cache(8)
def list_shingles(text: str) -> Set[int]:
    """Return the hashes of all shingles of a text."""
    letters = _fold(text)
    if _width(letters) == WIDE:
        data, step, width = letters.encode("utf-16-le", "replace"), 2, WIDE * 2
    else:
        data, step, width = letters.encode("utf-8", "replace"), 1, NARROW
    return {zlib.crc32(data[i : i + width]) for i in range(0, len(data) - width + 1, step)}


@cache
def course_shingles() -> frozenset[int]:
    """Return the hashes of all texts of the course in either language."""
    texts = (text for edition in load_handout().editions for text in edition.prose)
    return frozenset(value for text in texts for value in list_shingles(text))


def _drop_invisible(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, find_invisible(text))))


def _fold(text: str) -> str:
    """Return the letters and digits of a text, folded, the first of them.

    The rest is removed before the text is cut off, so that blank lines hide nothing.
    """
    return _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())[:LONGEST]


def _width(letters: str) -> int:
    return WIDE if len(re.sub(_WIDE_LETTERS, "", letters)) * 3 < len(letters) * 2 else NARROW


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
        common = (commonprefix((mine[at:], theirs[start:])) for start in tried)  # noqa: RUF071  # no paths
        size = max(map(len, common), default=0)
        passage = mine[at : at + size].strip()
        if passage and own_shingles(passage):
            yield passage
        at += size or 1
