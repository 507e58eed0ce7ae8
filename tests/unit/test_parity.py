"""Recordings of AWS's answers: what is replaced, what is refused, and how two are compared."""

from __future__ import annotations

import gzip
import hashlib
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from handson.core import messages
from handson.core.errors import InvalidInput, NotAllowed
from handson.parity import compare, read_accepted, read_recording, write_recording
from handson.parity.recording import SCHEMA, Exchange, Recording, Scrubber, find_secrets

ACCOUNT, CALLER = "498765432109", "arn:aws:sts::498765432109:assumed-role/Training/aiko@corp.jp"
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"  # put together, or other scanners would find it here

REPLACED = {
    "account number": (ACCOUNT, "111122223333"),
    "other account": ("arn:aws:ec2::137112412989:vpc/x", "arn:aws:ec2::111122223333:vpc/x"),
    "registry": (f"{ACCOUNT}.dkr.ecr.x.amazonaws.com", "111122223333.dkr.ecr.x.amazonaws.com"),
    "caller": (CALLER, "arn:aws:iam::111122223333:user/learner"),
    "access key": ("ASIAQWERTZUIOPASDFGH", "learner"),
    "user id": ("<UserId>AROAQWERTZUIOPASDFGH:aiko</UserId>", "<UserId>learner</UserId>"),
    "registry token": (
        '"authorizationToken": "QVdTOmV5SndZWGxz"',
        '"authorizationToken": "QVdTOmRyb3BwZWQ="',
    ),
    "page token": (
        "<nextToken>eyJhbGciOiJIUzI1NiJ9.eyJpZCI6</nextToken>",
        "<nextToken>-</nextToken>",
    ),
    "session token": ('"SessionToken":"IQoJb3JpZ2luX2VjEJr"', '"SessionToken":"-"'),
    "encoded message": (
        "Encoded authorization failure message: 4wPd-_x/a=",
        "Encoded authorization failure message: -",
    ),
    "organization": (
        "arn:aws:organizations::398765432109:policy/o-abc/p-1 in",
        "arn:aws:organizations::- in",
    ),
    "signed address": (
        "https://prod-starport.s3.amazonaws.com/a/b?X-Amz-Signature=00ff&X-Amz-Credential=ASIA",
        "https://prod-starport.s3.amazonaws.com/a/b",
    ),
    "upload": ("/v2/rails-app/blobs/uploads/x?_state=abc", "/v2/rails-app/blobs/uploads/x"),
    "e-mail address": ("aiko.yamada@corp.co.jp", "learner@example.com"),
    "public address": ("from 54.239.28.85.", "from 192.0.2.1."),
    "private addresses stay": ("10.0.0.0/16 172.31.0.0/16 0.0.0.0/0 10.0.300.0/16",) * 2,
    "time": ("<at>2026-11-30T22:50:33.123Z</at>", "<at>2000-01-01T00:00:00Z</at>"),
    "seconds": ('{"createdAt": 1795992633.25, "n": 1}', '{"createdAt": 946684800, "n": 1}'),
    "signing time": ("20261130T225033Z", "20000101T000000Z"),
    "digests stay": ("sha256:0f123456789012ab" + "0" * 48,) * 2,
    "AWS's own role stays": (
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    ),
}

PLANTED = {
    "access key": "AKIAQWERTZUIOPASDFGH",
    "signature": "https://bucket/a?X-Amz-Signature=00ff",
    "authorization": "Authorization: Bearer abcdef0123456789",
    "registry token": '{"authorizationToken": "eyJwYXlsb2FkIjoi"}',
    "session token": "<SessionToken>IQoJb3JpZ2luX2VjEJr</SessionToken>",
    "web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0",
    "private key": KEY,
    "account number": "137112412989",
    "e-mail address": "aiko@corp.jp",
    "public address": "54.239.28.85",
    "string of the account": "the stack of\nTraining-Aiko",
}


def exchange(body: str = "", *, probe: str = "vpc", status: int = 200, **headers: str) -> Exchange:
    return Exchange(probe, "ec2", "CreateVpc", {}, status, headers, body, 1, 2)


def recording(*exchanges: Exchange, source: str = "aws") -> Recording:
    return Recording(
        schema=SCHEMA,
        date="2026-12-01",
        region="us-east-1",
        botocore="1.43",
        source=source,
        skipped={},
        exchanges=exchanges,
    )


@pytest.mark.parametrize("name", REPLACED)
def test_what_belongs_to_the_account_is_replaced_and_the_rest_stays(name: str) -> None:
    before, after = REPLACED[name]
    scrubber = Scrubber(account=ACCOUNT, caller=CALLER)
    assert scrubber.scrub({"headers": [before], "at": 1}) == {"headers": [after], "at": 1}
    assert find_secrets(after, scrubber.own) == []


def test_an_id_stays_the_same_id_in_all_answers() -> None:
    scrubber = Scrubber(account=ACCOUNT, caller=CALLER)
    vpc, other, call = (
        "vpc-0123456789abcdef0",
        "vpc-12345678",
        "0f0e0d0c-1111-2222-3333-444455556666",
    )
    texts = [f"<vpcId>{vpc}</vpcId>", f'"{call}" {other}', f"{vpc} of {call}"]
    first, second, number = (
        "vpc-00000000000000001",
        "vpc-00000000000000003",
        "request-00000000000000002",
    )
    assert scrubber.scrub(texts) == [
        f"<vpcId>{first}</vpcId>",
        f'"{number}" {second}',
        f"{first} of {number}",
    ]
    assert {vpc, other, call} <= scrubber.own


@pytest.mark.parametrize("kind", PLANTED)
def test_a_recording_with_a_secret_is_refused_and_nothing_is_written(
    kind: str, tmp_path: Path
) -> None:
    path, own = tmp_path / "a.jsonl.gz", {"Training-Aiko"}
    for planted in (exchange(PLANTED[kind]), exchange(Location=f'see "{PLANTED[kind]}"')):
        with pytest.raises(NotAllowed) as refused:
            write_recording(recording(exchange("<a>1</a>"), planted), path, own=own)
        assert kind in refused.value.problem
        assert PLANTED[kind] not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path, made = tmp_path / "a.jsonl.gz", recording(exchange("<a>あ</a>\n", Date="+0"))
    size = write_recording(made, path, own=set())
    assert (size, read_recording(path)) == (path.stat().st_size, made)
    assert [
        sorted(msgspec.json.decode(line))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ] == [
        ["botocore", "date", "region", "schema", "skipped", "source"],
        ["at", "body", "headers", "ms", "operation", "parameters", "probe", "service", "status"],
    ]


def test_a_recording_that_is_too_large_is_not_written(tmp_path: Path) -> None:
    noise = Random(7).randbytes(500_000).hex(" ")
    with pytest.raises(InvalidInput):
        write_recording(recording(exchange(noise)), tmp_path / "a.jsonl.gz", own=set())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"{}", mtime=0),
        gzip.compress(msgspec.json.encode(recording()).replace(b"parity/1", b"parity/2")),
    ],
)
def test_a_file_that_is_no_recording_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    for _ in range(2):
        with pytest.raises(InvalidInput, match=r"a\.jsonl\.gz"):
            read_recording(path)
        path.write_bytes(content)


VPC = (
    "<R><vpcId>vpc-00000000000000001</vpcId><item>a</item><item>b</item><requestId></requestId></R>"
)
OTHER = "<R>\n <item>b</item><item>a</item> <vpcId>vpc-00000000000000009</vpcId></R>"
CLUSTER = '{"cluster": {"name": "c", "providers": ["FARGATE", "X"], "tags": []}}'
REFUSED = "<Response><Errors><Error><Code>{}</Code><Message>m</Message></Error></Errors></Response>"


@pytest.mark.parametrize(
    ("before", "after", "differences"),
    [
        (exchange(VPC, Date="+0"), exchange(OTHER, Date="+9"), []),
        (exchange(CLUSTER), exchange(CLUSTER.replace(" ", "")), []),
        (exchange('{"name": "\\u30af\\u30E9"}'), exchange('{"name":"クラ"}'), []),
        (exchange(VPC), exchange(VPC.replace("b<", "c<")), [("item", "a, b", "a, c")]),
        (exchange(VPC), exchange(VPC.replace("<item>b</item>", "")), [("item", "a, b", "a")]),
        (
            exchange(CLUSTER),
            exchange(CLUSTER.replace("X", "Y")),
            [("providers", '["FARGATE","X"]', '["FARGATE","Y"]')],
        ),
        (exchange(CLUSTER), exchange(CLUSTER.replace(', "tags": []', "")), [("tags", "[]", "-")]),
        (exchange(Location="/v2/a"), exchange(), [("Location", "/v2/a", "-")]),
        (
            exchange(VPC),
            exchange(REFUSED.format("Blocked"), status=400),
            [("status", "200", "400 Blocked")],
        ),
        (
            exchange(REFUSED.format("A"), status=400),
            exchange('{"__type": "com.x#B"}', status=400),
            [("status", "400 A", "400 B")],
        ),
        (
            exchange('{"errors":[{"code":"DENIED"}]}', status=403),
            exchange(status=403),
            [("status", "403 DENIED", "403")],
        ),
        (exchange(VPC), exchange(VPC, probe="other"), [("status", "200", "-")]),
    ],
)
def test_what_is_answered_otherwise_is_a_difference(
    before: Exchange, after: Exchange, differences: list[tuple[str, str, str]]
) -> None:
    found = compare(recording(before), recording(after), [])
    seen = [(it.field, it.recorded, it.here) for it in found.differences]
    assert (seen, found.equal) == (differences, int(not differences))


def test_only_the_last_answer_counts_and_a_probe_is_equal_when_all_of_it_is() -> None:
    first, again, look = (exchange(VPC, probe=f"vpc{turn}") for turn in ("", " again", " look"))
    early, other = exchange("<R/>", probe="vpc look"), exchange(CLUSTER, probe="cluster")
    recorded = recording(first, again, early, look, other)
    assert compare(recorded, recording(first, again, look, other), []).equal == 2
    found = compare(recorded, recording(first, again, early, other), [])
    assert ({it.probe for it in found.differences}, found.equal) == ({"vpc look"}, 1)


def test_accepted_differences_carry_their_reason_and_come_last(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text('[[accepted]]\nprobe = "dry-*"\nfield = "status"\nreason = "never dry"\n')
    pair = [exchange(probe=name) for name in ("dry-run-vpc", "vpc")]
    here = recording(*(msgspec.structs.replace(it, status=500) for it in pair))
    messages.use("en")
    found = compare(recording(*pair, source="simulation"), here, read_accepted(path))
    assert list(found.lines()) == [
        "✘ vpc  status  200 ≠ 500",
        "⚠ dry-run-vpc  status  200 ≠ 500  never dry",
        "answers of a simulation, not of AWS, of 2026-12-01: 0 of 2 answers equal",
    ]


@pytest.mark.parametrize("text", ["", "[[accepted]]\nprobe = 'x'\n", "accepted = 1", "["])
def test_a_list_without_reasons_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"accepted\.toml"):
        read_accepted(path)


@pytest.fixture(scope="module")
def probes() -> dict[str, Any]:
    return tomllib.loads(files("handson.parity").joinpath("probes.toml").read_text("utf-8"))


def test_probes_have_names_of_their_own_and_what_is_pushed_has_its_digest(
    probes: dict[str, Any],
) -> None:
    names = [probe["name"] for probe in probes["probe"] if "plan" not in probe]
    assert len(names) == len(set(names))
    known = {
        f"sha256:{hashlib.sha256(it.encode()).hexdigest()}": name
        for name, it in probes["content"].items()
    }
    sent = [
        probe
        for probe in probes["probe"]
        if probe.get("content") and "sha256" in probe["operation"]
    ]
    wrong = [
        probe["name"]
        for probe in sent
        if known.get(re.findall(r"sha256:\w+", probe["operation"])[0]) != probe["content"]
    ]
    assert wrong == ["blob-wrong-digest", "manifest-wrong-digest"]
    assert {"config", "layer", "manifest", "attestation"} <= set(known.values())
    assert set(re.findall(r"sha256:\w+", probes["content"]["index"])) <= known.keys()
