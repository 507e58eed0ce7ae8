"""Tokens: what grading takes for AWS's word, and what not; every signature is a real one."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from handson import audit, grading
from handson.core.errors import InvalidInput, NotReady
from handson.grading import Requirements, tokens
from handson.grading.claims import Claims
from handson.grading.findings import Finding
from handson.grading.tokens import NotProven, Unchecked, verify_proof
from tests.emulator.signing_aws import CLAIMS, KEY, Signer

from .making import claim, sealed

ISSUER = "https://a103a2cc-b461-473d-84fe-6c4f6d45af88.tokens.sts.global.api.aws"
ACCOUNT = "123456789012"
DIGEST = f"sha256:{'ab' * 32}"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(ISSUER)


def claims_of(signer: Signer, *, digest: str = DIGEST, account: str = ACCOUNT) -> dict[str, Any]:
    tags = {"handson-chain": digest}
    return signer.claims(account=account, audience="handson-evidence", tags=tags)


def signed(signer: Signer, **of: str) -> str:
    return signer.sign(claims_of(signer, **of))


def keys_of(signer: Signer) -> dict[str, Any]:
    return {signer.issuer: signer.key_set()}


def reason(text: str, signer: Signer) -> str:
    with pytest.raises(NotProven) as refused:
        verify_proof(text, keys_of(signer))
    return str(refused.value)


def test_a_token_of_aws_says_who_and_for_what_long_after_it_expired(signer: Signer) -> None:
    claims = {**claims_of(signer), "iat": 1_760_000_000, "exp": 1_760_000_300}
    token = verify_proof(signer.sign(claims), keys_of(signer))
    assert (token.account, token.digest) == (ACCOUNT, DIGEST)
    assert token.subject == f"arn:aws:iam::{ACCOUNT}:role/learner"
    assert token.issued_at == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
    signer = Signer(ISSUER, rsa.generate_private_key(65537, 2048))
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signer.private.public_key()))
    published = {ISSUER: {"keys": [{**public, "kid": "RSA_0", "use": "sig"}]}}
    token = signer.sign(claims_of(signer), algorithm="RS256", kid="RSA_0")
    assert verify_proof(token, published).digest == DIGEST


def test_a_token_that_lacks_something_or_has_a_shared_secret_proves_nothing(signer: Signer) -> None:
    good = claims_of(signer)
    of_aws = good[CLAIMS]
    spoilt = [
        {**good, "aud": "sts.example.com"},
        {**good, "iat": good["iat"] + 330},
        {**good, CLAIMS: {**of_aws, "request_tags": {}}},
        {**good, CLAIMS: {**of_aws, "aws_account": 1}},
        *({**good, CLAIMS: without(name, of_aws)} for name in ("request_tags", "aws_account")),
        *(without(name, good) for name in (CLAIMS, "sub", "iat", "exp", "aud")),
    ]
    for claims in spoilt:
        assert reason(signer.sign(claims), signer)
    fast = {**good, "iat": good["iat"] + 240}  # a clock that is fast
    assert verify_proof(signer.sign(fast), keys_of(signer)).digest == DIGEST

    def packed(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    secret = json.dumps(signer.key_set()["keys"][0]).encode()
    parts = ({"alg": "HS256", "typ": "JWT", "kid": KEY}, claims_of(signer))
    text = b".".join(packed(json.dumps(part).encode()) for part in parts)
    seal = packed(hmac.digest(secret, text, "sha256"))
    assert "HS256" in reason(b".".join((text, seal)).decode(), signer)


def without(name: str, claims: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}


def test_what_the_key_of_the_issuer_did_not_sign_proves_nothing(signer: Signer) -> None:
    claims, (head, _, seal) = claims_of(signer), signed(signer).split(".")
    other = signed(signer, account="999999999999").split(".")[1]
    wrong = {
        signed(Signer(ISSUER)): "Signature",
        f"{head}.{other}.{seal}": "Signature",
        jwt.encode(claims, None, algorithm="none", headers={"kid": KEY}): "none",
        signer.sign(claims, kid="EC384_9"): "EC384_9",
        **dict.fromkeys(("", "a.b.c", "x" * 5000, "é.é.é", "..", "[]"), ""),
    }
    for text, said in wrong.items():
        assert said in reason(text, signer)
    (key,) = signer.key_set()["keys"]
    with pytest.raises(NotProven, match=KEY):
        verify_proof(signed(signer), {ISSUER: {"keys": [key, key]}})


def test_what_cannot_be_checked_here_is_no_forgery(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unchecked, match=r"tokens\.sts"):
        verify_proof(signed(signer), {})
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(Unchecked, match="pip install"):
        verify_proof("a.b.c", keys_of(signer))


def test_the_issuers_of_five_proofs_are_listed_once_and_only_aws_is_one(signer: Signer) -> None:
    others = [
        *(f"{ISSUER}/", f"{ISSUER}.example.com", f"https://example.com/{ISSUER}"),
        *(ISSUER.replace("https", "http"), "https://user@x.tokens.sts.global.api.aws"),
    ]
    assert tokens.is_aws_issuer(ISSUER)
    assert [issuer for issuer in others if tokens.is_aws_issuer(issuer)] == []
    proofs = [signed(Signer(f"https://{name}\n")) for name in "aab"]
    listed = tokens.list_issuers(["x", *proofs, signer.sign({"iss": ""}), signed(signer)])
    assert listed == ("https://a�", "https://b�")


AWS = {"kind": "aws", "account": ACCOUNT}
FIRST = claim("network", digest="1", **AWS)
SECOND = claim("cluster", digest="2", previous="1", **AWS)


def told(*proofs: str, claims: tuple[Any, ...] = (FIRST, SECOND), signer: Signer) -> list[Finding]:
    return [*tokens.examine_proofs(proofs, Claims(items=[*claims]), keys_of(signer))]


def test_a_proof_covers_the_chain_or_says_which_part_it_does_not(signer: Signer) -> None:
    for beside in ((), (claim("image", digest="3"),)):
        (good,) = told(signed(signer, digest="2"), signer=signer, claims=(FIRST, SECOND, *beside))
        assert (good.code, good.severity, good.values.pop("at")[:2]) == ("proof-good", "note", "20")
        by = f"arn:aws:iam::{ACCOUNT}:role/learner"
        assert good.values == {"count": "2", "account": ACCOUNT, "by": by}
    both, local = (FIRST, SECOND), (claim(digest="1"),)
    broken = (claim(digest="1", intact=False, **AWS),)
    for of, claims, code, values in (
        ({"digest": "1"}, both, "proof-behind", {"checks": "cluster", "account": ACCOUNT}),
        ({}, both, "proof-other", {"digest": "sha256:abababababab"}),
        ({"digest": "2", "account": "9"}, both, "proof-account", {"signed": "9"}),
        ({"digest": "1"}, local, "proof-account", {}),
        ({"digest": "1"}, broken, "proof-other", {}),
    ):
        (finding,) = told(signed(signer, **of), claims=claims, signer=signer)
        severity = "serious" if code == "proof-account" else "warning"
        assert (finding.code, finding.severity) == (code, severity)
        assert finding.values.items() >= values.items()


def test_forged_broken_unchecked_and_absent_proofs_are_told_up_to_five(signer: Signer) -> None:
    forged, unknown = signed(Signer(ISSUER)), signed(Signer("https://example.com"))
    found = told(forged, "\0" * 9, unknown, *["x"] * 5, signer=signer)
    assert found[2].values == {"reason": "iss: https://example.com"}
    found += told(signer=signer) + told(claims=(claim(),), signer=signer)
    wrong = ("proof-wrong", "serious")
    unchecked, absent = ((f"proof-{each}", "note") for each in ("unchecked", "absent"))
    seen = [(each.code, each.severity) for each in found]
    assert seen == [wrong, wrong, unchecked, wrong, wrong, absent]


@pytest.fixture
def folder(tmp_path: Path, signer: Signer) -> Path:
    """Return the folder of s01: a record of AWS's in a journal, and its proof."""
    target = {**AWS, "region": "us-east-1"}
    record = sealed(target=target, observed={"target": target})
    token = signed(signer, digest=record["digest"])
    (folder := tmp_path / "s01").mkdir()
    (folder / "journal.jsonl").write_text(json.dumps(record))
    (folder / "proof (1).jwt").write_text(f"{token:20000}, of which the beginning is read")
    return folder


def test_a_proof_is_checked_with_the_keys_that_are_given_and_no_key_set_is_refused(
    folder: Path, signer: Signer, tmp_path: Path
) -> None:
    for keys, code in (({}, "proof-unchecked"), (keys_of(signer), "proof-good")):
        (result,) = grading.grade_class([folder], Requirements(keys=keys)).results
        codes = [each.code for each in result.findings if each.code.startswith("proof")]
        assert (codes, result.issuers) == ([code], (ISSUER,))
    grades = grading.grade_class([folder])
    for answer in (b"", b"{}", b'{"keys": 1}', b'{"keys": [1]}', b"[" * 9999):
        with pytest.raises(NotReady, match=r"tokens\.sts"):
            audit.fetch_issuer_keys(grades, lambda address, answer=answer: answer)

    def distrust(_: str) -> bytes:
        raise ssl.SSLCertVerificationError(1, "certificate verify failed")

    with pytest.raises(NotReady, match="AWS_CA_BUNDLE"):
        audit.fetch_issuer_keys(grades, distrust)
    path = tmp_path / "keys.json"
    for text in ("", "[]", "{}", '{"schema": "handson.keys/1", "issuers": {"a": 1}}'):
        path.write_text(text)
        with pytest.raises(InvalidInput, match=r"keys\.json"):
            tokens.read_keys(path)


def test_keys_are_got_from_aws_alone_and_kept(folder: Path, signer: Signer, tmp_path: Path) -> None:
    asked: list[str] = []

    def get(address: str) -> bytes:
        asked.append(address)
        return json.dumps(signer.key_set()).encode()

    path = tmp_path / "keys.json"
    tokens.write_keys(path, audit.fetch_issuer_keys(grading.grade_class([folder]), get))
    assert asked == [f"{ISSUER}/.well-known/jwks.json"]
    assert tokens.read_keys(path) == keys_of(signer)
    with pytest.raises(NotReady, match="none"):
        tokens.write_keys(tmp_path / "none" / "keys.json", {})
    (folder / "proof (1).jwt").write_text(signed(Signer("https://keys.example.com")))
    with pytest.raises(InvalidInput, match=r"keys\.example\.com"):
        audit.fetch_issuer_keys(grading.grade_class([folder]), pytest.fail)


def test_a_record_is_judged_by_what_is_there_and_by_its_age() -> None:
    from tests.unit.fake_aws import FakeAws

    now, requests = datetime(2026, 5, 20, tzinfo=UTC), ("11111111-a", "11111111-b")
    statuses = {(60, 2): "found", (60, 1): "partly", (60, 0): "missing", (5, 0): "recent",
                (5, 2): "found", (60 * 24 * 91, 0): "old"}  # fmt: skip
    for (minutes, count), status in statuses.items():
        events = [{"CloudTrailEvent": json.dumps({"requestID": each})} for each in requests[:count]]
        fake = FakeAws()
        fake.answers("LookupEvents", {"Events": [*events, {"CloudTrailEvent": "{"}]})
        record = audit.AuditRecord(
            **{"learner": "s01", "name": "", "check": "network", "account": ACCOUNT},
            **{"region": "us-east-1", "requests": requests},  # type: ignore[arg-type]
            observed_at=(now - timedelta(minutes=minutes)).isoformat(),
        )
        audited = audit.look_up([record], lambda account, fake=fake: fake.connect(), now=now)
        assert (minutes, count, audited.records[0].status) == (minutes, count, status)
