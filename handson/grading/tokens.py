"""Tokens in which AWS signs the digest of a chain of evidence, checked without a network.

`sts:GetWebIdentityToken` returns a JSON Web Token that names the caller's account, signed by AWS
under that account's issuer; the issuer's public keys are at ``<issuer>/.well-known/jwks.json``.
The token also holds the tags that the caller passes (IAM User Guide, "Understanding token claims").
The workshop passes the digest of the last record, which stands for all records before it.

A token expires within minutes.  Grading, its only audience, checks that it was valid when the
evidence was sealed, not that it still is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import replace_file

AUDIENCE = "handson-evidence"
TAG = "handson-chain"
FILE = "proof.jwt"
ALGORITHM = "ES384"
SECONDS = 300
"""How long a token is valid."""
MOST_BYTES, MOST_KEY_BYTES = 20_000, 5_000_000
SCHEMA = "handson.keys/1"
"""Of the file of trusted keys: ``{"schema", "issuers": {issuer: {"keys": […]}}}``."""

_ALGORITHMS = ("ES384", "RS256")
"""What AWS signs with (STS API Reference, GetWebIdentityToken)."""
_CLAIMS = "https://sts.amazonaws.com/"
_ISSUER = re.compile(r"https://[0-9a-z-]{1,80}\.tokens\.sts\.global\.api\.aws")
_LEEWAY = 300.0

Keys = Mapping[str, Mapping[str, Any]]
"""The keys of each issuer, as it publishes them (RFC 7517, "JWK Set")."""


class NotProven(ValueError):
    """A token proves nothing; the text is for people who know tokens."""


class Unchecked(ValueError):
    """A token cannot be checked here: its issuer's keys are not at hand, or the library is not."""


@dataclass(frozen=True)
class Token:
    """The content of a valid token: the caller and account, the signed digest, and the time."""

    issuer: str
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
        data = path.read_bytes()
        read = json.loads(data) if len(data) <= MOST_KEY_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(
            *messages.advice("grading.tokens.keys", path=path, reason=error)
        ) from error
    issuers = read.get("issuers") if isinstance(read, dict) and read.get("schema") == SCHEMA else 0
    if not isinstance(issuers, dict) or not all(map(is_key_set, issuers.values())):
        raise InvalidInput(*messages.advice("grading.tokens.keys", path=path, reason=SCHEMA))
    return issuers


def write_keys(path: Path, keys: Keys) -> None:
    """Make `path` hold the keys, whole or not at all.

    Raises:
        NotReady: It cannot be written there.
    """
    text = json.dumps({"schema": SCHEMA, "issuers": keys}, indent=2)
    try:
        replace_file(path, [f"{text}\n".encode()])
    except OSError as error:
        reason = error.strerror or error
        raise NotReady(
            *messages.advice("grading.tokens.unwritable", path=path, reason=reason)
        ) from error


def is_key_set(published: object) -> bool:
    """Tell whether something has the form of an issuer's keys."""
    keys = published.get("keys") if isinstance(published, dict) else None
    return isinstance(keys, list) and all(isinstance(key, dict) for key in keys)


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


def verify(text: str, keys: Keys) -> Token:
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


def _find_key(jwt: Any, text: str, published: Mapping[str, Any]) -> Any:
    """Return the published key that a token names, if AWS signs with its algorithm."""
    header = jwt.get_unverified_header(text)
    found = [key for key in published.get("keys", ()) if key.get("kid") == header.get("kid")]
    if len(found) != 1 or header.get("alg") not in _ALGORITHMS:
        raise NotProven(f"kid {header.get('kid')!r}, alg {header.get('alg')!r}")
    return jwt.PyJWK(dict(found[0]), algorithm=header["alg"])


def _read_claims(claims: Mapping[str, Any]) -> Token:
    own = claims[_CLAIMS]
    texts = (own["aws_account"], claims["sub"], own["request_tags"][TAG])
    if not all(isinstance(text, str) for text in texts):
        raise NotProven(_CLAIMS)
    issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    return Token(claims["iss"], *texts, issued_at)


def _import_jwt() -> Any:
    try:
        import jwt
    except ImportError as error:
        raise Unchecked("pip install 'handson[proof]'") from error
    return jwt
