"""Tokens: what grading takes for AWS's word, and what not; every signature is a real one."""

from __future__ import annotations

import base64
import hmac
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from handson import audit, grading
from handson.core.errors import InvalidInput, NotReady
from handson.grading import Requirements, tokens
from handson.grading.tokens import NotProven, Unchecked
from tests.emulator.signing_aws import CLAIMS, KEY, Signer

from . import making
from .making import Book

ISSUER = "https://a103a2cc-b461-473d-84fe-6c4f6d45af88.tokens.sts.global.api.aws"
ACCOUNT = "123456789012"
AWS = {"kind": "aws", "account": ACCOUNT, "region": "us-east-1", "endpoint": None}
DIGEST = f"sha256:{'ab' * 32}"

Claims = dict[str, Any]


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(ISSUER)


def claims_of(signer: Signer, *, digest: str = DIGEST, account: str = ACCOUNT) -> Claims:
    tags = {tokens.TAG: digest}
    return signer.claims(account=account, audience=tokens.AUDIENCE, tags=tags)


def keys_of(signer: Signer) -> dict[str, Any]:
    return {signer.issuer: signer.key_set()}


def test_a_token_of_aws_says_who_and_for_what(signer: Signer) -> None:
    token = tokens.verify_proof(signer.sign(claims_of(signer)), keys_of(signer))
    assert (token.account, token.digest, token.issuer) == (ACCOUNT, DIGEST, ISSUER)
    assert abs((datetime.now(UTC) - token.issued_at).total_seconds()) < 60


def test_a_token_that_has_expired_was_valid_all_the_same(signer: Signer) -> None:
    claims = claims_of(signer)
    claims.update(iat=claims["iat"] - 9_000_000, exp=claims["exp"] - 9_000_000)
    assert tokens.verify_proof(signer.sign(claims), keys_of(signer)).digest == DIGEST


def test_rsa_is_taken_too() -> None:
    signer = Signer(ISSUER, rsa.generate_private_key(65537, 2048))
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signer.private.public_key()))
    published = {ISSUER: {"keys": [{**public, "kid": "RSA_0", "use": "sig"}]}}
    token = signer.sign(claims_of(signer), algorithm="RS256", kid="RSA_0")
    assert tokens.verify_proof(token, published).digest == DIGEST


def without(name: str) -> Callable[[Claims], object]:
    return lambda claims: claims.pop(name)


SPOILT: dict[str, Callable[[Claims], object]] = {
    "for somebody else": lambda claims: claims.update(aud="sts.example.com"),
    "from the future": lambda claims: claims.update(iat=claims["iat"] + 9_000),
    "without a digest": lambda claims: claims[CLAIMS].update(request_tags={}),
    "without tags": lambda claims: claims[CLAIMS].pop("request_tags"),
    "without an account": lambda claims: claims[CLAIMS].pop("aws_account"),
    "with a number for an account": lambda claims: claims[CLAIMS].update(aws_account=1),
    "without AWS's claims": without(CLAIMS),
    "without a subject": without("sub"),
    "without a time": without("iat"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_token_that_lacks_something_proves_nothing(signer: Signer, name: str) -> None:
    claims = claims_of(signer)
    SPOILT[name](claims)
    with pytest.raises(NotProven):
        tokens.verify_proof(signer.sign(claims), keys_of(signer))


def test_a_token_signed_by_another_key_proves_nothing(signer: Signer) -> None:
    forged = Signer(ISSUER).sign(claims_of(signer))
    with pytest.raises(NotProven, match="Signature"):
        tokens.verify_proof(forged, keys_of(signer))


def test_a_token_that_was_changed_proves_nothing(signer: Signer) -> None:
    head, _, seal = signer.sign(claims_of(signer)).split(".")
    other = signer.sign(claims_of(signer, account="999999999999")).split(".")[1]
    with pytest.raises(NotProven):
        tokens.verify_proof(".".join((head, other, seal)), keys_of(signer))


def test_a_token_without_a_signature_proves_nothing(signer: Signer) -> None:
    token = jwt.encode(claims_of(signer), None, algorithm="none", headers={"kid": KEY})
    with pytest.raises(NotProven, match="none"):
        tokens.verify_proof(token, keys_of(signer))


def test_the_public_key_is_never_taken_for_a_shared_secret(signer: Signer) -> None:
    def packed(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    secret = json.dumps(signer.key_set()["keys"][0]).encode()
    parts = ({"alg": "HS256", "typ": "JWT", "kid": KEY}, claims_of(signer))
    signed = b".".join(packed(json.dumps(part).encode()) for part in parts)
    seal = packed(hmac.digest(secret, signed, "sha256"))
    with pytest.raises(NotProven, match="HS256"):
        tokens.verify_proof(b".".join((signed, seal)).decode(), keys_of(signer))


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 5000, "é.é.é", "..", "[]"])
def test_what_is_no_token_proves_nothing(signer: Signer, text: str) -> None:
    with pytest.raises(NotProven):
        tokens.verify_proof(text, keys_of(signer))


def test_an_issuer_that_nobody_trusts_cannot_be_checked(signer: Signer) -> None:
    with pytest.raises(Unchecked, match=r"tokens\.sts"):
        tokens.verify_proof(signer.sign(claims_of(signer)), {})


def test_a_key_that_the_issuer_does_not_publish_proves_nothing(signer: Signer) -> None:
    token = signer.sign(claims_of(signer), kid="EC384_9")
    with pytest.raises(NotProven, match="EC384_9"):
        tokens.verify_proof(token, keys_of(signer))


def test_without_the_library_nothing_is_checked(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(Unchecked, match="pip install"):
        tokens.verify_proof("a.b.c", keys_of(signer))


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        (ISSUER, True),
        (f"{ISSUER}/", False),
        (f"{ISSUER}.example.com", False),
        (f"https://example.com/{ISSUER}", False),
        (ISSUER.replace("https", "http"), False),
        ("https://user@x.tokens.sts.global.api.aws", False),
        ("https://sts.amazonaws.com", False),
    ],
)
def test_only_an_address_of_aws_is_an_issuers(issuer: str, expected: bool) -> None:
    assert tokens.is_aws_issuer(issuer) == expected


# In grading.


@pytest.fixture
def book() -> Book:
    return making.hand_in("s01", seed=1, target=AWS)


def graded(
    folder: Path, book: Book, signer: Signer, *proofs: str, journal: bool = True
) -> list[str]:
    """Return the codes about proofs; points are never withheld for one."""
    book.write(folder / "s01")
    if journal:
        (folder / "s01" / "journal.jsonl").write_bytes(book.journal())
    for number, text in enumerate(proofs):
        (folder / "s01" / f"proof ({number}).jwt").write_text(text, errors="replace")
    grades = grading.grade_class([folder], requirements=Requirements(keys=keys_of(signer)))
    result = grades.results[0]
    assert result.points == 80
    return [finding.code for finding in result.findings if finding.code.startswith("proof-")]


def test_a_proof_of_the_last_record_covers_the_chain(
    tmp_path: Path, book: Book, signer: Signer
) -> None:
    token = signer.sign(claims_of(signer, digest=book.records[-1]["digest"]))
    assert graded(tmp_path, book, signer, token) == ["proof-good"]


def test_a_proof_of_an_earlier_record_does_not_cover_what_follows(
    tmp_path: Path, book: Book, signer: Signer
) -> None:
    token = signer.sign(claims_of(signer, digest=book.records[2]["digest"]))
    assert graded(tmp_path, book, signer, token) == ["proof-behind"]


def test_a_proof_of_a_record_that_is_not_there_is_told(
    tmp_path: Path, book: Book, signer: Signer
) -> None:
    assert graded(tmp_path, book, signer, signer.sign(claims_of(signer))) == ["proof-other"]


def test_a_proof_of_another_account_is_told(tmp_path: Path, book: Book, signer: Signer) -> None:
    digest = book.records[-1]["digest"]
    token = signer.sign(claims_of(signer, digest=digest, account="999999999999"))
    assert graded(tmp_path, book, signer, token) == ["proof-account"]


def test_forged_and_broken_proofs_are_told_and_cost_no_points(
    tmp_path: Path, book: Book, signer: Signer
) -> None:
    forged = Signer(ISSUER).sign(claims_of(signer))
    found = graded(tmp_path, book, signer, forged, "\0" * 9, "x" * 100_000)
    assert found == ["proof-wrong", "proof-wrong", "proof-wrong"]


def test_evidence_of_the_embedded_aws_is_asked_for_no_proof(tmp_path: Path, signer: Signer) -> None:
    assert graded(tmp_path, making.hand_in("s01", seed=1), signer) == []


def test_evidence_from_aws_without_a_proof_is_graded_and_says_so(
    tmp_path: Path, book: Book, signer: Signer
) -> None:
    assert graded(tmp_path, book, signer) == ["proof-absent"]


# Keys.


@pytest.fixture
def grades(tmp_path: Path, book: Book, signer: Signer) -> grading.Grades:
    book.write(tmp_path / "s01")
    (tmp_path / "s01" / tokens.FILE).write_text(signer.sign(claims_of(signer)))
    return grading.grade_class([tmp_path / "s01"])


def test_keys_are_got_from_aws_and_kept(
    grades: grading.Grades, signer: Signer, tmp_path: Path
) -> None:
    asked: list[str] = []

    def get(address: str) -> bytes:
        asked.append(address)
        return json.dumps(signer.key_set()).encode()

    path = tmp_path / "keys.json"
    tokens.write_keys(path, audit.fetch_issuer_keys(grades, get))
    assert asked == [f"{ISSUER}/.well-known/jwks.json"]
    assert tokens.read_keys(path) == keys_of(signer)


def test_no_address_but_aws_own_is_asked(tmp_path: Path, book: Book) -> None:
    own = Signer("https://keys.example.com")
    book.write(tmp_path / "s01")
    (tmp_path / "s01" / tokens.FILE).write_text(own.sign(claims_of(own)))
    grades = grading.grade_class([tmp_path / "s01"])
    with pytest.raises(InvalidInput, match=r"keys\.example\.com"):
        audit.fetch_issuer_keys(grades, lambda address: pytest.fail(address))


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"keys": 1}', b'{"keys": [1]}', b"[" * 9999])
def test_what_is_no_key_set_is_refused(grades: grading.Grades, answer: bytes) -> None:
    with pytest.raises(NotReady, match=r"tokens\.sts"):
        audit.fetch_issuer_keys(grades, lambda address: answer)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "handson.keys/1", "issuers": {"a": 1}}']
)
def test_a_file_of_keys_that_holds_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"keys\.json"):
        tokens.read_keys(path)


# An audit's arithmetic.


@pytest.mark.parametrize(
    ("minutes", "found", "status"),
    [
        (60, 2, "found"),
        (60, 1, "partly"),
        (60, 0, "missing"),
        (5, 0, "recent"),
        (5, 2, "found"),
        (60 * 24 * 91, 0, "old"),
    ],
)
def test_a_record_is_judged_by_what_is_there_and_by_its_age(
    minutes: int, found: int, status: str
) -> None:
    from tests.unit.fake_aws import FakeAws

    now = datetime(2026, 5, 20, tzinfo=UTC)
    requests = ("11111111-a", "11111111-b")
    events = [{"CloudTrailEvent": json.dumps({"requestID": each})} for each in requests[:found]]
    fake = FakeAws()
    fake.answers("LookupEvents", {"Events": [*events, {"CloudTrailEvent": "{"}]})
    seen = now - timedelta(minutes=minutes)
    record = audit.AuditRecord(
        learner="s01",
        name="",
        check="network",
        account=ACCOUNT,
        region="us-east-1",
        observed_at=seen.isoformat(),
        requests=requests,
    )
    result = audit.look_up([record], lambda account: fake.connect(), now=now)
    assert [record.status for record in result.records] == [status]
