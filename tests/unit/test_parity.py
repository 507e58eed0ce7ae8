"""Recordings of AWS's answers: what is replaced, what is refused, and how two are compared."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import msgspec
import pytest

from handson.core import messages
from handson.core.errors import InvalidInput, NotAllowed
from handson.course.owners import list_tags
from handson.parity.recording import (
    SCHEMA,
    Exchange,
    Recording,
    Scrubber,
    compare,
    describe,
    find_secrets,
    read_data,
    read_recording,
    write_recording,
)

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
    "date": ("Mon, 30 Nov 2026 22:50:33 GMT", "Sat, 01 Jan 2000 00:00:00 GMT"),
    "root's user id": (
        f"<UserId>{ACCOUNT}</UserId> {ACCOUNT}",
        "<UserId>learner</UserId> 111122223333",
    ),
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
    return Recording(SCHEMA, "2026-12-01", "us-east-1", "1.43", source, {}, list(exchanges))


@pytest.mark.parametrize("name", REPLACED)
def test_what_belongs_to_the_account_is_replaced_and_the_rest_stays(name: str) -> None:
    before, after = REPLACED[name]
    scrubber = Scrubber(ACCOUNT, CALLER)
    assert scrubber.scrub(before) == after
    assert find_secrets(after, scrubber.own) == []


def test_an_id_stays_the_same_id_in_all_answers() -> None:
    scrubber = Scrubber(ACCOUNT, CALLER)
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
    assert list(map(scrubber.scrub, texts)) == [
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
    path, made = tmp_path / "a.jsonl.gz", recording(exchange("<a>あ</a>\n", date="then"))
    write_recording(made, path, own=set())
    assert read_recording(path) == made
    assert [
        sorted(msgspec.json.decode(line))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ] == [
        ["botocore", "date", "region", "schema", "skipped", "source"],
        ["at", "body", "headers", "ms", "operation", "parameters", "probe", "service", "status"],
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"{}", mtime=0),
        gzip.compress(b"text", mtime=0)[:10] + b"damaged in a download",
        gzip.compress(b"[" * 100_000, mtime=0),
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
        (exchange(VPC, date="a"), exchange(OTHER, date="b"), []),
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
            [("outcome", "200", "400 Blocked")],
        ),
        (
            exchange(REFUSED.format("A"), status=400),
            exchange('{"__type": "com.x#B"}', status=400),
            [("outcome", "400 A", "400 B")],
        ),
        (
            exchange('{"errors":[{"code":"DENIED"}]}', status=403),
            exchange(status=403),
            [("outcome", "403 DENIED", "403")],
        ),
        (exchange(VPC), exchange(VPC, probe="other"), [("outcome", "200", "-")]),
    ],
)
def test_what_is_answered_otherwise_is_a_difference(
    before: Exchange, after: Exchange, differences: list[tuple[str, str, str]]
) -> None:
    found = compare(recording(before), recording(after))
    seen = [(it["field"], it["recorded"], it["here"]) for it in found["differences"]]
    assert (seen, found["equal"]) == (differences, int(not differences))


def test_only_the_last_answer_counts_and_a_probe_is_equal_when_all_of_it_is() -> None:
    first, again, look = (exchange(VPC, probe=f"vpc{turn}") for turn in ("", " again", " look"))
    early, other = exchange("<R/>", probe="vpc look"), exchange(CLUSTER, probe="cluster")
    recorded = recording(first, again, early, look, other)
    assert compare(recorded, recording(first, again, look, other))["equal"] == 2
    found = compare(recorded, recording(first, again, early, other))
    assert ({it["probe"] for it in found["differences"]}, found["equal"]) == ({"vpc look"}, 1)


def test_accepted_differences_carry_their_reason_and_come_last() -> None:
    pair = [exchange(probe=name) for name in ("dry-run-vpc", "vpc")]
    here = recording(*(msgspec.structs.replace(it, status=500) for it in pair))
    messages.use("en")
    assert list(describe(compare(recording(*pair, source="simulation"), here))) == [
        "✘ vpc  outcome  200 ≠ 500",
        "⚠ dry-run-vpc  outcome  200 ≠ 500  MiniStack carries a dry run out.",
        "answers of a simulation, not of AWS, of 2026-12-01: 0 of 2 answers equal",
    ]
    assert [key for key, reason in read_data("accepted.toml").items() if not reason] == []


DATA = read_data("probes.toml")
PROBES = [probe for probe in DATA["record"] + DATA["console"] if "plan" not in probe]


def test_probes_have_names_of_their_own_and_a_question() -> None:
    names = [probe["name"] for probe in PROBES]
    assert len(names) == len(set(names))
    assert [probe["name"] for probe in PROBES if not probe["asks"]] == []


def test_what_is_pushed_has_the_digest_that_is_named() -> None:
    digests = {
        f"{{{name}}}": f"sha256:{hashlib.sha256(it.encode()).hexdigest()}"
        for name, it in DATA["content"].items()
    }
    wrong = [
        probe["name"]
        for probe in PROBES
        if probe["service"] == "registry" and "parameters" in probe
        for digest in re.findall(r"sha256:\w+", probe["operation"])
        if digest != digests[probe["parameters"]["data"]]
    ]
    assert wrong == ["blob-wrong-digest", "manifest-wrong-digest"]
    assert set(re.findall(r"sha256:\w+", DATA["content"]["index-bytes"])) <= {*digests.values()}


def test_whatever_is_created_gets_the_tags_by_which_it_is_deleted() -> None:
    created = {it["operation"] for it in PROBES if it["operation"].startswith("Create")}
    assert created - {"CreateTags"} == set(DATA["tags"])
    wanted = [word for pair in list_tags("{owner}").items() for word in pair]
    for name, parameters in DATA["tags"].items():
        words = re.findall(r"'(?:key|value)': '([^']*)'", str(parameters), re.IGNORECASE)
        assert (name, words) == (name, wanted)
