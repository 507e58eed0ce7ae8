"""A proxy that answers for AWS's own host names, from the embedded AWS in this process.

    product  -- TLS, "ec2.us-east-1.amazonaws.com" -->  Proxy  -->  embedded AWS

The product runs unchanged with ``HANDSON_TARGET=aws``: real host names, the real credential chain,
the real registry address.  `Proxy.environment` leads it here.  A `Rule` changes answers; the first
one that fits a request decides.  Other hosts than AWS's get no connection.
"""

from __future__ import annotations

import base64
import email.utils
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import botocore.session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from handson.aws import emulator
from handson.aws.emulator.in_process import InProcess
from tests.emulator.proxy import Connected
from tests.servers import listening
from tests.unit.fake_aws import Clock

ACCOUNT = "210987654321"
"""The account that the learner sees, in the place of the embedded AWS's own."""
SECRET = "EXAMPLEsecret/EXAMPLEsecret/EXAMPLEsecret"
SIGNATURE = "EXAMPLEsignature0123456789"
REGISTRY_PASSWORD = "EXAMPLEpassword-eyJwYXlsb2FkIjoi"
_TOKEN = base64.b64encode(f"AWS:{REGISTRY_PASSWORD}".encode())
REQUEST_ID = "11111111-2222-3333-4444-555555555555"
EC2_XML = "http://ec2.amazonaws.com/doc/2016-11-15/"
CREATED = {
    "CreateVpc": r"<vpcId>(vpc-\w+)<",
    "CreateSubnet": r"<subnetId>(subnet-\w+)<",
    "CreateInternetGateway": r"<internetGatewayId>(igw-\w+)<",
    "CreateRouteTable": r"<routeTableId>(rtb-\w+)<",
}
UNKNOWN = {"vpc": "VpcID", "subnet": "SubnetID", "igw": "InternetGatewayID", "rtb": "RouteTableID"}
_OWN = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect"}
_OWN |= {"date", "server"}

Answer = tuple[int, dict[str, str], bytes]


def list_hosts() -> Iterator[str]:
    """Yield AWS's host names, of which one certificate vouches for all."""
    yield from ("*.amazonaws.com", "*.signin.aws.amazon.com", "*.awsapps.com")
    for region in botocore.session.Session().get_available_regions("ec2"):
        for host in ("*", "api.ecr", "api.ecr-public", f"{ACCOUNT}.dkr.ecr", "*.sso"):
            yield f"{host}.{region}.amazonaws.com"
        yield f"prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com"


@dataclass
class Rule:
    """Which requests it answers, and how."""

    service: str = ""
    """A regular expression of ec2, ecs, ecr, sts, registry or layers (the S3 bucket of images)."""
    operation: str = ""
    """A regular expression of the API's name, or of "PUT /v2/…" where there is none."""
    where: str = ""
    """A regular expression that the request's parameters, as JSON, must hold."""
    region: str = ""
    code: str = ""
    message: str = ""
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    """The answer's body as it is, where `code` and `message` are not its form."""
    seconds: float = 0.0
    """Answer so for this long after the first request that fits; 0: always."""
    times: int = 0
    """Answer so to this many of the requests that fit, from the first; 0: to all."""
    clock: float = 0.0
    """Seconds that the ``Date`` of the answer is ahead of this machine's clock."""
    cut: bool = False
    """Close the connection without an answer."""
    alter: str = ""
    """A change to the embedded AWS's own answer: lag, zones, provisioning, half."""
    lag: float = 4.0
    """For "lag": for how many seconds AWS does not know what it has just created."""
    zones: list[list[str]] = field(default_factory=list)
    """For "zones": name, id, type and state of each zone."""
    _first: float | None = None
    _count: int = 0

    @property
    def met(self) -> bool:
        """Whether a request has come that fits."""
        return self._count > 0

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Rule:
        """Return the rule that a table of scenarios.toml describes; unknown keys are an error."""
        known = {one.name for one in fields(cls) if not one.name.startswith("_")}
        assert set(given) <= known, f"a rule has no {sorted(set(given) - known)}"
        return cls(**given)

    def fits(self, request: Request, now: float) -> bool:
        """Tell whether this request is the rule's, now; counts it."""
        if self.service and not re.fullmatch(self.service, request.service):
            return False
        if self.operation and not re.fullmatch(self.operation, request.operation):
            return False
        if self.region and self.region != request.region:
            return False
        if self.where and not re.search(self.where, json.dumps(request.parameters)):
            return False
        self._count += 1
        self._first = now if self._first is None else self._first
        in_time = not self.seconds or now - self._first < self.seconds
        return in_time and (not self.times or self._count <= self.times)


@dataclass
class Request:
    """What the product asked, and what it was answered."""

    host: str
    method: str
    path: str
    headers: Message[str, str]
    body: bytes
    status: int = 0

    def __post_init__(self) -> None:
        found = re.search(r"\.([a-z]{2}-[a-z]+-\d)\.", self.host)
        self.region = found[1] if found else "us-east-1"
        self.service = _service(self.host)
        self.parameters: dict[str, Any] = {}
        target = self.headers.get("X-Amz-Target", "")
        if target:
            self.operation = target.rpartition(".")[2]
            self.parameters = json.loads(self.body or b"{}")
        elif "x-www-form" in self.headers.get("Content-Type", ""):
            form = parse_qs(self.body.decode(), keep_blank_values=True)
            self.parameters = {name: values[0] for name, values in form.items()}
            self.operation = self.parameters.get("Action", "")
        else:
            self.operation = f"{self.method} {urlsplit(self.path).path}"

    @property
    def caller(self) -> str:
        """The user of the access key: AKIAEXAMPLE00000AIKO is aiko."""
        signed = self.headers.get("Authorization", "")
        key = re.search(r"Credential=(?:A[KS]IAEXAMPLE)?0*(\w+)/", signed)
        return key[1].lower() if key else "nobody"


def _service(host: str) -> str:
    if "starport-layer-bucket.s3." in host:
        return "layers"
    if ".dkr.ecr." in host:
        return "registry"
    first, _, rest = host.partition(".")
    return "ecr" if first == "api" and rest.startswith("ecr.") else first


class Replaying(Protocol):
    """What was recorded on AWS."""

    def refuse(self, request: Request) -> Answer | None:
        """Return the refusal of what AWS always refuses."""

    def replace(self, request: Request, answer: Answer) -> Answer:
        """Return AWS's own answer in the place of the embedded AWS's, where it fits."""


class Proxy:
    """AWS, as far as the product can tell; `rules` may be changed while it runs.

    Args:
        door: The embedded AWS that answers.
        certificate: What the product is to trust.
        clock: Measures the time of the rules.
        address: Where it listens: host and port.
    """

    def __init__(self, door: InProcess, certificate: Path, clock: Clock, address: str) -> None:
        self.address = address
        self.rules: list[Rule] = []
        self.seen: list[Request] = []
        self.replay: Replaying | None = None
        """Gives AWS's recorded answers in place of the embedded AWS's: see replay.py."""
        self.refused_tls: list[str] = []
        """Hosts whose certificate the product did not accept."""
        self.identities: dict[str, str] = {}
        """The ARNs of callers who are not the IAM user of their name."""
        self.blocked = "^never$"
        """A regular expression of hosts to which nobody is let through."""
        self._door = door
        self._certificate = certificate
        self._clock = clock
        self._created: dict[str, float] = {}

    def environment(self, *, user: str = "aiko", trust: str = "all") -> dict[str, str]:
        """Return the variables with which the product takes this for real AWS.

        Args:
            user: Whose access key it is.
            trust: "all" tells every HTTPS library of the certificate, "aws" does only what AWS
                documents (AWS_CA_BUNDLE), "none" tells none.
        """
        bundles = ["AWS_CA_BUNDLE"] if trust != "none" else []
        if trust == "all":
            bundles += ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]
        return dict.fromkeys(bundles, str(self._certificate)) | {
            "HANDSON_TARGET": "aws",
            "HANDSON_AWS_ACCOUNT": ACCOUNT,
            "HANDSON_ENGINE": "builtin",
            "HTTPS_PROXY": f"http://{self.address}",
            "NO_PROXY": "",
            "AWS_ACCESS_KEY_ID": f"AKIAEXAMPLE{user.upper():0>9}",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def answer(self, request: Request) -> Answer | None:
        """Return what AWS answers, or None where the connection is to be cut."""
        self.seen.append(request)
        rule = next((one for one in list(self.rules) if one.fits(request, self._clock())), None)
        if rule and rule.cut:
            return None
        answer = self._refuse(rule, request) if rule else None
        answer = answer or (self.replay and self.replay.refuse(request))
        if not answer:
            answer = self._own(request) or self._ask(request)
            answer = self.replay.replace(request, answer) if self.replay else answer
        if rule and rule.alter:
            answer = _ALTERATIONS[rule.alter](self, rule, request, answer)
        if rule and rule.clock:
            date = email.utils.formatdate(time.time() + rule.clock, usegmt=True)
            answer = (answer[0], answer[1] | {"Date": date}, answer[2])
        request.status = answer[0]
        return answer

    def find_young(self, seconds: float) -> set[str]:
        """Return the ids of what was created less than so many seconds ago."""
        now = self._clock()
        return {one for one, made in self._created.items() if now - made < seconds}

    def _arn(self, caller: str) -> str:
        return self.identities.get(caller, f"arn:aws:iam::{ACCOUNT}:user/{caller}")

    def _refuse(self, rule: Rule, request: Request) -> Answer | None:
        """Return the rule's error in the form of the service's protocol, if it has one."""
        if rule.alter == "lag":
            return self._deny_knowing(rule, request)
        kind = {"Content-Type": "application/json"} | rule.headers
        if rule.body:
            return rule.status, kind, rule.body.encode()
        if not rule.code:
            return None
        values = {
            "account": ACCOUNT,
            "operation": request.operation,
            "service": request.service,
            "region": request.region,
            "arn": self._arn(request.caller),
            "secret": SECRET,
            "headers": " ".join(f"{name}:{value}" for name, value in request.headers.items()),
        }
        message = re.sub(r"\{(\w+)\}", lambda name: values[name[1]], rule.message)
        return _error(request, rule.code, message, rule.status, rule.headers)

    def _deny_knowing(self, rule: Rule, request: Request) -> Answer | None:
        """Refuse a request that names what was just created; the embedded AWS never gets it."""
        parameters = request.parameters.items()
        named = {str(value) for name, value in parameters if not name.startswith("Filter")}
        for one in sorted(named & self.find_young(rule.lag)):
            code = f"Invalid{UNKNOWN[one.partition('-')[0]]}.NotFound"
            return _error(request, code, f"The ID '{one}' does not exist", 400)
        return None

    def _own(self, request: Request) -> Answer | None:
        """Answer what the embedded AWS answers otherwise than AWS."""
        given, xml = request.parameters, {"Content-Type": "text/xml"}
        if request.operation == "GetCallerIdentity":
            caller = request.caller
            who = f"<Arn>{self._arn(caller)}</Arn><UserId>AIDA{caller.upper()}</UserId>"
            return 200, xml, _sts(request.operation, f"{who}<Account>{ACCOUNT}</Account>")
        if request.operation.startswith("AssumeRole"):
            session = given["RoleSessionName"]
            keys = f"<AccessKeyId>ASIAEXAMPLE{session.upper():0>9.9}</AccessKeyId>"
            keys += f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SECRET}"
            keys += "</SessionToken><Expiration>2037-01-01T00:00:00Z</Expiration>"
            return 200, xml, _sts(request.operation, f"<Credentials>{keys}</Credentials>")
        if request.service == "ec2" and given.get("DryRun") == "true":
            words = "Request would have succeeded, but DryRun flag is set."
            return _error(request, "DryRunOperation", words, 412)
        if request.operation == "GetDownloadUrlForLayer":
            name, digest = given["repositoryName"], given["layerDigest"]
            host = f"prod-{request.region}-starport-layer-bucket.s3.{request.region}.amazonaws.com"
            url = f"https://{host}/{name}/blobs/{digest}?X-Amz-Signature={SIGNATURE}"
            body = json.dumps({"downloadUrl": url, "layerDigest": digest})
            return 200, {"Content-Type": "application/x-amz-json-1.1"}, body.encode()
        if request.service == "layers" and "Authorization" in request.headers:
            return 400, xml, b"<Error><Code>InvalidArgument</Code></Error>"  # S3: one way to sign
        return None

    def _ask(self, request: Request) -> Answer:
        """Ask the embedded AWS, in its account and under its name."""
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in _OWN
        }
        if "Credential=" in headers.get("Authorization", ""):
            used = f"Credential={emulator.ACCOUNT}/"
            headers["Authorization"] = re.sub(r"Credential=\w+/", used, headers["Authorization"])
        path = f"/v2{request.path}" if request.service == "layers" else request.path
        is_content = request.service in ("registry", "layers")  # digests must still fit
        seen, there = ACCOUNT.encode(), emulator.ACCOUNT.encode()
        body = request.body if is_content else request.body.replace(seen, there)
        said = self._door.answer(request.method, self._door.endpoint + path, headers, body)
        content = said.read()
        kept = {name: value for name, value in said.headers.items() if name.lower() not in _OWN}
        if request.method == "HEAD" and "Content-Length" in said.headers:
            kept["Content-Length"] = said.headers["Content-Length"]
        if "Location" in kept:
            kept["Location"] = kept["Location"].replace(
                self._door.endpoint, f"https://{request.host}"
            )
        content = content if is_content else content.replace(there, seen)
        content = re.sub(rb'("authorizationToken": ?")[^"]+', rb"\1" + _TOKEN, content)
        found = re.search(CREATED.get(request.operation, "^never$"), content.decode("latin-1"))
        if found:
            self._created[found[1]] = self._clock()
        return said.status, kept, content


def _sts(operation: str, result: str) -> bytes:
    return (
        f'<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>{REQUEST_ID}"
        f"</RequestId></ResponseMetadata></{operation}Response>"
    ).encode()


def _error(
    request: Request, code: str, message: str, status: int, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an error as a registry, a JSON service, EC2 or a query service sends it."""
    if request.service in ("registry", "layers"):
        body = json.dumps({"errors": [{"code": code, "message": message}]})
        kind = "application/json"
    elif request.headers.get("X-Amz-Target"):
        body = json.dumps({"__type": code, "message": message})
        kind = "application/x-amz-json-1.1"
    else:
        error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        body = f"<ErrorResponse>{error}<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        if request.service == "ec2":
            body = (
                f"<Response><Errors>{error}</Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
            )
        kind = "text/xml"
    known = {"Content-Type": kind, "x-amzn-RequestId": REQUEST_ID}
    return status, {**known, **(headers or {})}, body.encode()


def _lag(proxy: Proxy, rule: Rule, request: Request, answer: Answer) -> Answer:
    """Leave out of a list what was just created."""
    young = proxy.find_young(rule.lag)
    if not young or not request.operation.startswith("Describe") or answer[0] != 200:
        return answer
    ElementTree.register_namespace("", EC2_XML)
    root = ElementTree.fromstring(answer[2])
    for listing in root:
        for item in list(listing):
            if _own_id(item) in young:
                listing.remove(item)
    return answer[0], answer[1], ElementTree.tostring(root, encoding="utf-8")


def _own_id(item: ElementTree.Element) -> str:
    """Return the id of what an item describes: a subnet names its VPC, too."""
    texts = {child.tag.rpartition("}")[2]: child.text or "" for child in item}
    order = ("subnetId", "internetGatewayId", "routeTableId", "vpcEndpointId", "vpcId")
    return next((texts[name] for name in order if name in texts), "")


def _zones(_: Proxy, rule: Rule, request: Request, answer: Answer) -> Answer:
    """Name other Availability Zones."""
    region, opted = request.region, {"availability-zone": "opt-in-not-required"}
    items = "".join(
        f"<item><optInStatus>{opted.get(kind, 'opted-in')}</optInStatus>"
        f"<messageSet/><regionName>{region}</regionName><zoneName>{name}</zoneName>"
        f"<zoneId>{zone_id}</zoneId><groupName>{region}</groupName><networkBorderGroup>{region}"
        f"</networkBorderGroup><zoneType>{kind}</zoneType><zoneState>{state}</zoneState></item>"
        for name, zone_id, kind, state in rule.zones
    )
    body = (
        f'<DescribeAvailabilityZonesResponse xmlns="{EC2_XML}"><requestId>{REQUEST_ID}</requestId>'
        f"<availabilityZoneInfo>{items}</availabilityZoneInfo></DescribeAvailabilityZonesResponse>"
    )
    return 200, answer[1], body.encode()


def _provisioning(_: Proxy, __: Rule, ___: Request, answer: Answer) -> Answer:
    """Have the cluster not ACTIVE yet."""
    return answer[0], answer[1], answer[2].replace(b'"ACTIVE"', b'"PROVISIONING"')


def _half(_: Proxy, __: Rule, ___: Request, answer: Answer) -> Answer:
    """Break off after half of the body."""
    status, headers, body = answer
    whole = {"Content-Length": str(len(body)), "Connection": "close"}
    return status, headers | whole, body[: len(body) // 2]


_ALTERATIONS: dict[str, Callable[[Proxy, Rule, Request, Answer], Answer]] = {
    "lag": _lag,
    "zones": _zones,
    "provisioning": _provisioning,
    "half": _half,
}


class Door(Connected):
    """Takes ``CONNECT host:443``, ends TLS in that host's name, and answers what is asked there."""

    aws: Proxy
    context: ssl.SSLContext
    host = ""

    def do_CONNECT(self) -> None:
        self.host = self.path.rpartition(":")[0]
        self.disable_nagle_algorithm = False  # which is set on the socket already
        known = self.host.endswith((".amazonaws.com", ".aws.amazon.com"))
        if not known or re.search(self.aws.blocked, self.host):
            self.send_error(403, "not let through")
            return
        self.send_response(200)
        self.end_headers()
        try:
            self.connection = self.context.wrap_socket(self.connection, server_side=True)
        except ssl.SSLError:
            self.aws.refused_tls.append(self.host)
            raise
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # the server closes only what it accepted

    def handle_any(self) -> None:
        request = Request(self.host, self.command, self.path, self.headers, self.read_body())
        answer = self.aws.answer(request)
        if answer is None:
            self.hang_up()
            return
        status, headers, content = answer
        self.answer(status, content, headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = do_DELETE = handle_any


@contextmanager
def running_proxy(
    door: InProcess, certificates: tuple[Path, Path]
) -> Iterator[Callable[[Clock], Proxy]]:
    """Run a proxy to the embedded AWS; give what makes it a new one, on connections made before.

    `certificates` are those of `make_certificates`.
    """
    alone, with_key = certificates
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(with_key)
    bound: Any = type("Bound", (Door,), {"context": context})
    with listening(bound) as address:

        def renew(clock: Clock) -> Proxy:
            bound.aws = made = Proxy(door, alone, clock, address)
            return made

        yield renew


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for all hosts of AWS, alone and with its key; return both files."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Not AWS")])
    hosts = x509.SubjectAlternativeName([x509.DNSName(host) for host in list_hosts()])
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
