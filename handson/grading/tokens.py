"""Tokens in which AWS signs the digest of a chain of evidence, checked without a network.

`sts:GetWebIdentityToken` returns a JSON Web Token that names the caller's account, signed by AWS
under that account's issuer; the issuer's public keys are at ``<issuer>/.well-known/jwks.json``.
The token also holds the tags that the caller passes (IAM User Guide, "Understanding token claims").
The workshop passes the digest of the last record, which stands for all records before it.

A token expires within minutes.  Grading, its only audience, checks that it was valid when the
evidence was sealed, not that it still is.

A valid token shows that the chain was sealed with credentials of that account at that time, not
that AWS answered what it says: `handson audit` looks that up.  Proofs neither give nor take points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypedDict

import msgspec

from handson.core.errors import InvalidInput, NotReady
from handson.core.files import replace_file
from handson.core.text import one_line
from handson.course import syllabus
from handson.grading.claims import AWS, Claims
from handson.grading.findings import Finding, make_finding

AUDIENCE = "handson-evidence"
TAG = "handson-chain"
FILE = "proof.jwt"
ALGORITHM = "ES384"
SECONDS = 300
"""How long a token is valid."""
MOST_BYTES = 20_000
"""Of a token."""
MOST_PROOFS = 5
"""Tokens that are read of one submission."""

_ALGORITHMS = ("ES384", "RS256")
"""What AWS signs with (STS API Reference, GetWebIdentityToken)."""
_CLAIMS = "https://sts.amazonaws.com/"
_ISSUER = re.compile(r"https://[0-9a-z-]{1,80}\.tokens\.sts\.global\.api\.aws")
_LEEWAY = 300.0
"""Seconds by which clocks may differ."""


class KeySet(TypedDict):
    """The keys of an issuer, as it publishes them (RFC 7517, "JWK Set")."""

    keys: list[dict[str, Any]]


Keys = Mapping[str, KeySet]
"""The keys of the issuers that are trusted."""


class _KeyFile(msgspec.Struct):
    schema: Literal["handson.keys/1"]
    issuers: dict[str, KeySet]


class NotProven(ValueError):
    """A token proves nothing; the text is for people who know tokens."""


class Unchecked(ValueError):
    """A token cannot be checked here: its issuer's keys are not at hand, or the library is not."""


@dataclass(frozen=True)
class Token:
    """The content of a valid token: the caller and account, the signed digest, and the time."""

    account: str
    subject: str
    digest: str
    issued_at: datetime


def read_keys(path: Path) -> Keys:
    """Return the keys in a file that `write_keys` wrote.

    Raises:
        InvalidInput: It cannot be read, or has another form.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=_KeyFile).issuers
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput.from_key("grading.tokens.keys", path=path, reason=error) from error


def write_keys(path: Path, keys: Keys) -> None:
    """Make `path` hold the keys, whole or not at all.

    Raises:
        NotReady: It cannot be written there.
    """
    data = msgspec.json.format(msgspec.json.encode(_KeyFile("handson.keys/1", dict(keys))))
    with NotReady.replace_os_errors("grading.tokens.unwritable", path=path):
        replace_file(path, [data, b"\n"])


def read_key_set(data: bytes) -> KeySet:
    """Return the keys that an issuer published.

    Raises:
        ValueError: They have another form.
        RecursionError: They are nested too deep.
    """
    return msgspec.json.decode(data, type=KeySet)


def is_aws_issuer(issuer: str) -> bool:
    """Tell whether an issuer's address has the form that AWS gives to an account."""
    return _ISSUER.fullmatch(issuer) is not None


def find_issuer(text: str) -> str:
    """Return the issuer that a token names, without checking it.

    Raises:
        NotProven: It is not a token.
        Unchecked: The library is not installed.
    """
    jwt = _import_jwt()
    try:
        issuer = jwt.decode(text, options={"verify_signature": False}).get("iss")
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise NotProven(str(error)) from error
    return issuer if isinstance(issuer, str) else ""


def verify_proof(text: str, keys: Keys) -> Token:
    """Return the content of a token after checking signature, issuer, audience and form.

    Args:
        text: The token.
        keys: The keys of the issuers that are trusted.

    Raises:
        NotProven: It is not AWS's, has another audience, or lacks a claim.
        Unchecked: Its issuer is not among `keys`, or the library is not installed.
    """
    jwt = _import_jwt()
    issuer = find_issuer(text)
    if issuer not in keys:
        raise Unchecked(f"iss: {issuer[:120]}")
    try:
        # The list of algorithms keeps a public key from being taken for a shared secret (RFC 8725,
        # 2.1).  A token has expired long before anyone grades.
        claims = jwt.decode(
            text,
            _find_key(jwt, text, keys[issuer]),
            algorithms=_ALGORITHMS,
            audience=AUDIENCE,
            issuer=issuer,
            leeway=_LEEWAY,
            options={"require": ["iss", "aud", "sub", "iat", "exp"], "verify_exp": False},
        )
        return _read_claims(claims)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise NotProven(f"{type(error).__name__}: {error}") from error


def list_issuers(proofs: Sequence[str]) -> tuple[str, ...]:
    """Return the issuers that the proofs name; nobody has checked them."""
    found = []
    for text in proofs[:MOST_PROOFS]:
        with suppress(NotProven, Unchecked):
            found.append(one_line(find_issuer(text)))
    return tuple(dict.fromkeys(filter(None, found)))


def examine_proofs(proofs: Sequence[str], claims: Claims, keys: Keys) -> Iterator[Finding]:
    """Yield what the proofs of a submission show, or that it has none."""
    judged = (claims.judged.get(check) for check in syllabus.CHECK_IDS)
    on_aws = {claim.digest: claim.check for claim in judged if claim and claim.kind == AWS}
    if on_aws and not proofs:
        yield make_finding("proof-absent", "note")
    for text in proofs[:MOST_PROOFS]:
        try:
            yield _compare_with_chain(verify_proof(text, keys), claims, on_aws)
        except Unchecked as error:
            yield make_finding("proof-unchecked", "note", reason=one_line(str(error)))
        except NotProven as error:
            yield make_finding("proof-wrong", "serious", reason=one_line(str(error)))


def _compare_with_chain(token: Token, claims: Claims, on_aws: dict[str, str]) -> Finding:
    """Tell whether the chain that a token signs holds everything that is judged."""
    account, by = one_line(token.account), one_line(token.subject)
    head = next((c for c in claims.items if c.digest == token.digest and c.intact), None)
    if head is None:
        return make_finding("proof-other", digest=one_line(token.digest)[:19])
    if head.kind != AWS or head.account != account:
        return make_finding("proof-account", "serious", signed=account, account=head.account)
    signed = {claim.digest for claim in claims.walk_chain(head)}
    at = token.issued_at.isoformat(timespec="seconds")
    if later := [check for digest, check in on_aws.items() if digest not in signed]:
        return make_finding("proof-behind", checks=later, at=at, account=account)
    return make_finding("proof-good", "note", count=len(signed), at=at, account=account, by=by)


def _find_key(jwt: Any, text: str, published: KeySet) -> Any:
    """Return the published key that a token names, if AWS signs with its algorithm."""
    header = jwt.get_unverified_header(text)
    found = [key for key in published["keys"] if key.get("kid") == header.get("kid")]
    if len(found) != 1 or header.get("alg") not in _ALGORITHMS:
        raise NotProven(f"kid {header.get('kid')!r}, alg {header.get('alg')!r}")
    return jwt.PyJWK(dict(found[0]), algorithm=header["alg"])


def _read_claims(claims: Mapping[str, Any]) -> Token:
    own = claims[_CLAIMS]
    texts = (own["aws_account"], claims["sub"], own["request_tags"][TAG])
    issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    return Token(*msgspec.convert(texts, tuple[str, str, str]), issued_at)


def _import_jwt() -> Any:
    try:
        import jwt
    except ImportError as error:
        raise Unchecked("pip install 'handson[proof]'") from error
    return jwt
