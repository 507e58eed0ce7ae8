"""As much of AWS as proofs and audits ask for, on 127.0.0.1: it signs for real.

    with serving(SigningAws()) as aws:
        aws.url                     STS, CloudTrail and the issuer, which is the URL itself
        aws.history["req-1"] = …    a request that CloudTrail knows, and when it was

Tokens are signed with a key pair of the server's own; its public half is the JWK Set at
``/.well-known/jwks.json``.  The account is the caller's access key, as in an emulator, or that of
the role that was assumed.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers import Answering, listening

CLAIMS = "https://sts.amazonaws.com/"
KEY = "EC384_0"


@dataclass
class Signer:
    """A key pair, and the tokens that it signs."""

    issuer: str
    private: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()))

    def key_set(self) -> dict[str, Any]:
        """Return the public half, as an issuer publishes it."""
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key()))
        return {"keys": [{**public, "kid": KEY, "alg": "ES384", "use": "sig"}]}

    def claims(self, *, account: str, audience: str, tags: dict[str, str]) -> dict[str, Any]:
        """Return what AWS says in a token (IAM User Guide, "Understanding token claims")."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "aud": audience,
            "sub": f"arn:aws:iam::{account}:role/learner",
            "iat": now,
            "exp": now + 300,
            "jti": "11111111-2222",
            CLAIMS: {"aws_account": account, "source_region": "us-east-1", "request_tags": tags},
        }

    def sign(self, claims: dict[str, Any], *, algorithm: str = "ES384", kid: str = KEY) -> str:
        """Return a token of the claims."""
        return jwt.encode(claims, self.private, algorithm=algorithm, headers={"kid": kid})


@dataclass
class SigningAws:
    """What stands in AWS's place; `history` is what CloudTrail knows, by request id."""

    url: str = ""
    history: dict[str, datetime] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    switched_on: bool = True
    signer: Signer = field(default_factory=lambda: Signer(""))

    def ask(self, action: str, given: dict[str, list[str]], account: str) -> tuple[int, str]:
        """Answer STS's query protocol."""
        if action == "GetCallerIdentity":
            arn = f"arn:aws:iam::{account}:user/somebody"
            return 200, f"<Account>{account}</Account><Arn>{arn}</Arn><UserId>AIDA</UserId>"
        if action == "AssumeRole":
            self.roles.append(given["RoleArn"][0])
            account = given["RoleArn"][0].split(":")[4]
            return 200, (
                f"<Credentials><AccessKeyId>{account}</AccessKeyId><SecretAccessKey>s"
                "</SecretAccessKey><SessionToken>t</SessionToken>"
                "<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"
            )
        if action == "GetWebIdentityToken" and self.switched_on:
            tags = {given["Tags.member.1.Key"][0]: given["Tags.member.1.Value"][0]}
            audience = given["Audience.member.1"][0]
            claims = self.signer.claims(account=account, audience=audience, tags=tags)
            return 200, f"<WebIdentityToken>{self.signer.sign(claims)}</WebIdentityToken>"
        code = "OutboundWebIdentityFederationDisabledException"
        return 403, f"<Error><Code>{code}</Code><Message>off</Message></Error>"

    def look_up(self, given: dict[str, Any], account: str) -> dict[str, Any]:
        """Answer CloudTrail's LookupEvents, two events a page."""
        source = given["LookupAttributes"][0]["AttributeValue"]
        inside = [
            {"requestID": request, "eventSource": source, "recipientAccountId": account}
            for request, when in self.history.items()
            if given["StartTime"] <= when.timestamp() <= given["EndTime"]
            and source == "ec2.amazonaws.com"
        ]
        start = int(given.get("NextToken", 0))
        page = [{"CloudTrailEvent": json.dumps(each)} for each in inside[start : start + 2]]
        more = {"NextToken": str(start + 2)} if start + 2 < len(inside) else {}
        return {"Events": page, **more}


class Handler(Answering):
    aws: SigningAws

    def do_GET(self) -> None:
        found = self.path == "/.well-known/jwks.json"
        self._send(200 if found else 404, json.dumps(self.aws.signer.key_set()), "json")

    def do_POST(self) -> None:
        body = self.read_body().decode()
        used = re.search(r"Credential=(\d{12})/", self.headers.get("Authorization", ""))
        account = used[1] if used else ""
        if "LookupEvents" in self.headers.get("X-Amz-Target", ""):
            self._send(200, json.dumps(self.aws.look_up(json.loads(body), account)), "json")
            return
        given = parse_qs(body)
        action = given["Action"][0]
        status, inner = self.aws.ask(action, given, account)
        name = f"{action}Response" if status == 200 else "ErrorResponse"
        result = f"<{action}Result>{inner}</{action}Result>" if status == 200 else inner
        namespace = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
        self._send(status, f"<{name} {namespace}>{result}</{name}>", "xml")

    def _send(self, status: int, text: str, kind: str) -> None:
        self.answer(status, text.encode(), {"Content-Type": f"application/{kind}"})


@contextmanager
def serving(aws: SigningAws) -> Iterator[SigningAws]:
    """Serve until the block ends."""
    with listening(type("Bound", (Handler,), {"aws": aws})) as address:
        aws.url = aws.signer.issuer = f"http://{address}"
        yield aws
