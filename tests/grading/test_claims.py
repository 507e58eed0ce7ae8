"""Claims: which records of a submission are evidence, and what becomes of the others."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handson.course import syllabus
from handson.grading.claims import Claims, gather_claims
from handson.grading.findings import Claim

from .making import FEW, HERE, JSON, claim, read_cells, recorded, sealed

CARD = {"data": {"text/plain": f"Evidence sha256:{'ab' * 32} of the network"}}


def written(record: object) -> bytes:
    return record if isinstance(record, bytes) else json.dumps(record).encode()


def gather(*records: object) -> Claims:
    return gather_claims([], [("journal.jsonl", written(record)) for record in records])


def only(record: object) -> Claim:
    (found,) = gather(record).items
    return found


def told(claims: Claims) -> list[tuple[Any, ...]]:
    return [(found.code, found.severity, found.where, found.values) for found in claims.findings]


def test_a_claim_names_the_owners_of_what_was_seen_whatever_else_stands_there() -> None:
    seen = {
        "vpcs": [{"owner": "Bunta"}, 7, {"owner": 3}],
        "clusters": 5,
        "others": [{"owner": "x"}],
    }
    [read] = gather(sealed(observed={**seen, "repositories": [{"owner": "Aiko"}]})).items
    assert read.owners == ("Bunta", "Aiko")


def test_a_record_becomes_a_claim_unless_it_is_of_another_schema() -> None:
    record = sealed(
        learner=" 山田 \n 花子 ",
        observed_at="2026-05-11T10:00:00.5+09:00",
        previous="sha256:aa",
        requests=[
            {"service": "ecs", "operation": "DescribeClusters", "request_id": "r-1"},
            *({"service": "ecs"}, {"request_id": ""}),
        ],
    )
    seen = b'{"target":{"kind":"emulator","account":"123456789012","region":"us-east-1"}}'
    assert only(record) == claim(
        **{"check": "cluster", "digest": record["digest"], "learner": "山田 花子"},
        **{"previous": "sha256:aa", "requests": ("r-1",), "observed": seen},
        calls=("ecs:DescribeClusters",),
        **{"source": "journal", "where": "journal.jsonl", "contradiction": "", "repeated": ()},
    )
    shown = {"handson.evidence/2": "handson.evidence/2", None: "None", 7: "7", "a\nb": "a�b"}
    found = told(gather(*(sealed(schema=schema) for schema in shown)))
    where = ("record-schema", "warning", "journal.jsonl")
    assert found == [(*where, {"schema": text}) for text in shown.values()]


def test_a_line_that_is_no_record_is_malformed_and_a_name_that_stands_twice_is_told() -> None:
    no_zone, half = "2026-05-11T01:00:00", {"kind": "aws", "account": ""}
    wrong: list[object] = [
        *(sealed(check="net\nwrk"), sealed(observed_at=no_zone)),
        *(b"{", b"[]", b"null", b"[" * 100_000),
        *(sealed(exercise=value) for value in (True, "x", 7, [])),
        *(sealed(observed_at=text) for text in ("yesterday", "0001-01-01T00:00:00+09:00")),
        *(sealed(target=half), sealed(requests=["r-1"]), sealed(learner=7), sealed(observed=[])),
    ]
    reasons = []
    for line in wrong:
        (finding,) = gather(line).findings
        assert (line, finding.code, finding.where) == (line, "record-malformed", "journal.jsonl")
        reasons.append(finding.values["reason"])
    assert "" not in reasons
    assert reasons[:2] == ["check: net�wrk", f"observed_at: {no_zone}"]
    line = written(sealed(learner='a "check" b'))
    assert only(line).repeated == ()
    assert only(line.replace(b'"check": ', b'"check": "network", "check": ')).repeated == ("check",)
    twice = line.replace(b'{"kind"', b'{"a\\n": 1, "a\\n": 2, "kind"', 1)
    assert only(twice).repeated == ("a�",)


def test_whatever_is_changed_after_sealing_breaks_the_digest_but_nulls() -> None:
    record, later = sealed(), "2026-05-12T00:00:00+00:00"
    changes = [
        *({"observed_at": later}, {"learner": "s02"}, {"check": "network"}, {"passed": True}),
        *({"previous": "sha256:aa"}, {"requests": [{}]}, {"digest": "sha256:aa"}, {"exercise": {}}),
        {"more": float("nan")},
    ]
    assert only(record).intact
    assert [change for change in changes if only({**record, **change}).intact] == []

    def drop_nulls(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: drop_nulls(value) for key, value in data.items() if value is not None}
        return [drop_nulls(item) for item in data] if isinstance(data, list) else data

    old = list(recorded().values())
    for records in (old, drop_nulls(old)):
        assert [found.intact for found in gather(*records).items] == [True] * 6


def test_a_record_may_not_contradict_itself_about_its_target_and_is_shown_on_one_line() -> None:
    aws, endpoint = {**HERE, "kind": "aws"}, {"endpoint": "http://a\n"}
    contradictions: list[tuple[dict[str, Any], object, str]] = [
        (HERE, HERE, ""),
        ({**HERE, **endpoint}, HERE, ""),
        ({**aws, "endpoint": None}, aws, ""),
        ({**aws, **endpoint}, aws, "aws: http://a�"),
        (aws, HERE, "kind: aws / emulator"),
        ({**HERE, "account": "9"}, HERE, "account: 9 / 123456789012"),
        ({**HERE, "region": "eu"}, HERE, "region: eu / us-east-1"),
        (HERE, {}, "kind: emulator / None"),
        (HERE, 7, "kind: emulator / None"),
    ]
    for target, seen, said in contradictions:
        record = sealed(target=target, observed={"target": seen})
        assert (target, only(record).contradiction) == (target, said)
    odd = {"kind": "k\0", "account": "a\0", "region": "r\0"}
    record = sealed(target=odd, observed={"target": {**odd, "kind": "o\0"}})
    record |= {"digest": "d\0", "learner": "l\0", "previous": "p\0"}
    found = only({**record, "requests": [{"request_id": "q\0"}]})
    texts = (found.digest, found.learner, found.previous, *found.requests)
    assert "".join((*texts, found.kind, found.account, found.region)) == "d�l�p�q�k�a�r�"
    assert found.contradiction == "kind: k� / o�"


@FEW
@given(field=st.sampled_from(["check", "learner", "target", "observed_at", "digest", "requests",
                              "observed", "previous", "schema"]), value=JSON)  # fmt: skip
def test_whatever_a_record_says_it_is_a_claim_or_a_finding(field: str, value: Any) -> None:
    found = gather({**sealed(), field: value})
    assert len(found.items) + len(found.findings) == 1
    assert {claim.check for claim in found.items} <= set(syllabus.CHECK_IDS)


def test_300_records_of_200_000_bytes_are_read_and_each_counts_once() -> None:
    record = sealed()
    book = read_cells({"id": "own", "outputs": [{"metadata": {"handson": record}}]})
    changed = {**record, "learner": "s02"}
    found = gather_claims([book], [("j", written(each)) for each in (record, changed, changed)])
    own, other = ("notebook", "01-network.ipynb#own", "s01", True), ("journal", "j", "s02", False)
    assert [(e.source, e.where, e.learner, e.intact) for e in found.items] == [own, other]
    assert found.journal == {record["digest"]}
    assert gather_claims([book], []).journal == set()
    records = [{**sealed(), "digest": str(number)} for number in range(301)]
    assert (len(gather(*records[:300]).items), told(gather(*records[:300]))) == (300, [])
    found = gather(*records, records[0])
    assert len(found.items) == 300
    assert told(found) == [("records-many", "warning", "journal.jsonl", {"most": "300"})]
    found = gather(*[b"{"] * 300, sealed())
    assert (len(found.items), told(found)[-1][0], len(told(found))) == (0, "records-many", 301)
    line = written(sealed())
    assert only(line.ljust(200_000)).intact
    large = ("record-malformed", "warning", "journal.jsonl", {"reason": "200001 bytes"})
    assert told(gather(line.ljust(200_001))) == [large]


def lost(*cells: dict[str, Any], journal: tuple[dict[str, Any], ...] = ()) -> list[Any]:
    found = gather_claims([read_cells(*cells)], [("j", written(record)) for record in journal])
    return [(each.code, each.severity, each.check, each.where) for each in found.findings]


CELL = {"id": "network-evidence-record", "outputs": [CARD]}
STRIPPED = ("metadata-stripped", "warning", "network", "01-network.ipynb#network-evidence-record")


def test_an_evidence_cell_without_its_record_is_told_by_what_is_left() -> None:
    (stripped,) = gather_claims([read_cells(CELL)], []).findings
    assert stripped.values == {"digest": "sha256:abababababab"}
    left = [[CARD], [], [{}], [{}, CARD], [CARD, {"metadata": {"handson": sealed()}}]]
    found = [[code for code, *_ in lost({**CELL, "outputs": outputs})] for outputs in left]
    kinds = "metadata-stripped", "outputs-missing", "output-other", "metadata-stripped"
    assert found == [*([kind] for kind in kinds), []]


def test_an_evidence_cell_is_known_by_id_or_call_and_restored_by_the_journal() -> None:
    calls = {
        'workshop.evidence("cluster")': "cluster",
        "x = workshop.evidence( check = 'image-uri' )": "image-uri",
        'workshop.evidence("netwrk")': None,
        'my_workshop.evidence("cluster")': None,
        "workshop.evidence(check)": None,
    }
    found = {call: [check for _, _, check, _ in lost({"source": call})] for call in calls}
    assert found == {call: [check] * bool(check) for call, check in calls.items()}
    assert lost({**CELL, "cell_type": "markdown"}) == []
    assert lost({**CELL, "source": 'workshop.evidence("cluster")'}) == [STRIPPED]
    record = sealed("network")
    restored = ("metadata-restored", "note", *STRIPPED[2:])
    for outputs in ([CARD], [], [{}]):
        assert lost({**CELL, "outputs": outputs}, journal=(record,)) == [restored]
    for other in ({**record, "learner": "s02"}, sealed("cluster")):
        assert lost(CELL, journal=(other,)) == [STRIPPED]
    assert lost(CELL, {"id": "x", "outputs": [{"metadata": {"handson": record}}]}) == [STRIPPED]
    beside = lost(CELL, journal=(record, sealed("network", schema="x")))
    assert [code for code, *_ in beside] == ["metadata-restored", "record-schema"]


AT = "2026-05-11T0{}:00:00+00:00".format
OLD, NEW = claim(digest="old", observed_at=AT(1)), claim(digest="new", observed_at=AT(2))
BROKEN = claim(digest="broken", observed_at=AT(3), intact=False)
KEPT = claim(digest="kept", observed_at=AT(4), source="journal")
AHEAD = claim(digest="ahead", observed_at=AT(5), check="cluster")
SET_BACK = claim(digest="back", observed_at=AT(1), previous="ahead")
OTHER = claim(digest="other", observed_at=AT(2))
LINKED = claim(digest="a-linked", observed_at=AT(2), previous="old")


def test_the_claim_that_counts_is_intact_in_a_notebook_and_the_last_of_its_chain() -> None:
    judged = [
        *(("new", [OLD, NEW]), ("new", [NEW, BROKEN]), ("broken", [BROKEN]), ("new", [NEW, KEPT])),
        *(("kept", [BROKEN, KEPT]), ("back", [NEW, AHEAD, SET_BACK])),
        *(("a-linked", [OLD, NEW, LINKED]), ("other", [NEW, OTHER])),
    ]
    for digest, claims in judged:
        for order in (claims, claims[::-1]):
            assert Claims(items=order).judged["network"].digest == digest
    assert [*Claims(items=[NEW, AHEAD]).judged.items()] == [("network", NEW), ("cluster", AHEAD)]
    third = claim(digest="third", previous="a-linked")
    one, other = claim(digest="one", previous="other"), claim(digest="other", previous="one")
    chains: list[tuple[list[Claim], str]] = [
        ([third, OLD, LINKED], "third a-linked old"),
        ([third, OLD], "third"),
        ([claim(digest="x", previous="broken"), BROKEN], "x"),
        ([BROKEN], "broken"),
        ([one, other], "one other"),
        ([claim(digest="own", previous="own")], "own"),
    ]
    for claims, digests in chains:
        walked = islice(Claims(items=claims).walk_chain(claims[0]), 5)
        assert [each.digest for each in walked] == digests.split()
