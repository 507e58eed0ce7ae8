"""What looks like real AWS from here: an HTTPS proxy with a password, and behind it an emulator.

    with intercepting(running.port, folder, marks) as (proxy, environ):
        ...    who has `environ` asks https://ec2.us-east-1.amazonaws.com, and MiniStack answers

Names are resolved by the proxy, so nothing leaves this machine.  The account is another than the
emulator's, and dry runs are answered as AWS answers them.  Replies that carry a secret on AWS (the
registry's token, signed addresses, a refusal that quotes the request) carry a marked one.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from handson.aws import emulator
from tests.emulator.hooks import DRY_RUN, log_in, sign
from tests.emulator.proxy import Handler, Proxy, serving

ACCOUNT = "210987654321"
EMULATORS = emulator.ACCOUNT
HOSTS = [
    "*.us-east-1.amazonaws.com",
    "api.ecr.us-east-1.amazonaws.com",
    f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com",
]


@dataclass(frozen=True)
class Marks:
    """Secrets that are easily found again."""

    access_key_id: str = "AKIAMARKEDACCESSKEY1"
    secret_access_key: str = "marked/secret+access/key=0123456789abcde"
    session_token: str = "marked//session+token==IQoJb3JpZ2luX2VjEJr"
    registry_password: str = "marked-registry-password-eyJwYXlsb2FkIjoi"
    signature: str = "marked5ignature0f4c1d9e"
    proxy_password: str = "marked-proxy-p%40ssword"
    docker_password: str = "marked-docker-password"
    secret_key_base: str = "marked-secret-key-base-9f86d081884c7d65"


@contextmanager
def intercepting(
    upstream: int, folder: Path, marks: Marks
) -> Iterator[tuple[Proxy, dict[str, str]]]:
    """Give the proxy, and the environment of a learner who uses real AWS through it."""
    authority, server = certify(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    handler: Any = type("Intercepting", (Interceptor,), {"context": context, "marks": marks})
    with serving(upstream, handler) as proxy:
        environ = {
            "HANDSON_TARGET": "aws",
            "HANDSON_AWS_ACCOUNT": ACCOUNT,
            "HANDSON_ENGINE": "builtin",
            "HTTPS_PROXY": f"http://learner:{marks.proxy_password}@127.0.0.1:{proxy.port}",
            "DOCKER_HOST": f"tcp://docker:{marks.docker_password}@127.0.0.1:1",
            "AWS_ACCESS_KEY_ID": marks.access_key_id,
            "AWS_SECRET_ACCESS_KEY": marks.secret_access_key,
            "AWS_SESSION_TOKEN": marks.session_token,
            "SECRET_KEY_BASE": marks.secret_key_base,
        }
        bundles = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        yield proxy, environ | dict.fromkeys(bundles, str(authority))


class Interceptor(Handler):
    context: ssl.SSLContext
    marks: Marks

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # the server closes only what it accepted

    def pass_on(self, body: bytes, fault: str) -> None:
        if b"DryRun=true" in body:
            self.answer(412, {"Content-Type": "text/xml"}, DRY_RUN)
        else:
            body = body.replace(ACCOUNT.encode(), EMULATORS.encode())
            self.let_in = self._sign(body)
            super().pass_on(body, fault)

    def _sign(self, body: bytes) -> dict[str, str]:
        """Return the headers with which the emulator lets a request in."""
        port = self.proxy.upstream
        there = emulator.Running(pid=0, port=port, region="us-east-1", state="running")
        if self.path.startswith("/v2/"):
            return log_in(there)
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", self.headers["Authorization"])
        assert scope
        region, service = scope.groups()
        return sign(replace(there, region=region), self.command, self.path, body, service)

    def passed_on(self) -> dict[str, str]:
        headers = {name.title(): value for name, value in super().passed_on().items()}
        headers.pop("X-Amz-Security-Token", None)
        own = {name.title(): value for name, value in self.let_in.items()}
        return headers | {"Host": f"127.0.0.1:{self.proxy.upstream}"} | own

    def came_back(self, body: bytes) -> bytes:
        """Return a reply with the account, and marked secrets, in the place of the emulator's."""
        body = body.replace(EMULATORS.encode(), ACCOUNT.encode())
        marked = base64.b64encode(f"AWS:{self.marks.registry_password}".encode())
        token = rb'("authorizationToken": ?")[^"]+'
        body = re.sub(token, rb"\g<1>" + marked, body)
        signature = rf'\1?X-Amz-Signature={self.marks.signature}"'.encode()
        return re.sub(rb'("downloadUrl": ?"[^"]+)"', signature, body)

    def refused(self, fault: str, service: str) -> tuple[int, dict[str, str], bytes]:
        """Return a refusal; that of a signature quotes the request, as AWS's does."""
        if fault != "signature":
            return super().refused(fault, service)
        quoted = " ".join(f"{name.lower()}:{value}" for name, value in self.headers.items())
        code = "SignatureDoesNotMatch"
        said = f"The Canonical String for this request should have been '{quoted}'"
        if service not in ("ec2", "sts"):
            return 403, {}, json.dumps({"__type": code, "message": said}).encode()
        error = f"<Error><Code>{code}</Code><Message>{said}</Message></Error>"
        form = "<Response><Errors>{}</Errors></Response>"
        form = form if service == "ec2" else "<ErrorResponse>{}</ErrorResponse>"
        return 403, {"content-type": "text/xml"}, form.format(error).encode()


def certify(folder: Path, hosts: Iterable[str] = HOSTS) -> tuple[Path, Path]:
    """Write a certificate of these hosts, alone and with its key; return both files."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Not AWS")])
    hosts = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(hosts, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    alone, with_key = folder / "authority.pem", folder / "server.pem"
    alone.write_bytes(certificate)
    with_key.write_bytes(private + certificate)
    return alone, with_key
