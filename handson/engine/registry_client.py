"""Pushes over the OCI distribution protocol 1.1: missing blobs, then the manifest under its tag.

Bodies are streamed from disk, so memory stays flat.  A second push sends only what is missing.
`explain_refusal` names the cause of a refused push, from a registry or from an engine on its way
there; the wording differs between ECR, docker's versions, Podman and emulators, so it is matched
loosely.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Collection
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from handson.core import https, messages
from handson.core.errors import EngineError, HandsonError, NotAllowed, NotReady
from handson.core.files import read_data
from handson.core.host import Workers
from handson.core.progress import Say, ignore_progress
from handson.course import policy
from handson.course.checks.image import BUILTIN
from handson.engine import oci
from handson.engine.model import Destination, PushedImage
from handson.engine.push_progress import PushProgress

if TYPE_CHECKING:
    import requests

_ATTEMPTS = 3
_THREADS = 2
_TIMEOUT = (5.0, 300.0)  # seconds to connect, seconds of silence (a registry hashes a blob)


class Unreachable(NotReady):
    """Nothing answers at the registry's address, seen from this process or from the engine."""


# What is no EngineError.
_KINDS: dict[str, type[HandsonError]] = {
    **dict.fromkeys(("token-expired", "token-region", "no-credentials"), NotAllowed),
    "no-repository": NotReady,
    "unreachable": Unreachable,
}


def name_cause(group: str, text: str) -> str:
    """Return the name of the cause in a group of causes.toml that a text tells, or nothing."""
    causes = read_data("handson.engine", "causes.toml")[group].items()
    return next((name for name, sign in causes if re.search(sign, text, re.IGNORECASE)), "")


def explain_refusal(reason: str, destination: Destination) -> HandsonError:
    """Return the error for the `reason` that a registry or an engine gives for refusing a push."""
    lacking = re.findall(r"not authorized to perform: (ecr:\w+)", reason, re.IGNORECASE)
    if lacking:
        return policy.explain_denial(lacking[:1], reasons={lacking[0]: reason})
    name = name_cause("refused", reason) or "otherwise"
    values = {"registry": destination.registry, "repository": destination.repository}
    told = messages.advice_of("engine.refused", name, **values, reason=" ".join(reason.split()))
    return _KINDS.get(name, EngineError)(*told)


def push_layout(layout: oci.ImageLayout, destination: Destination, *, say: Say) -> PushedImage:
    """Push the image of a layout under the destination's tag; the registry confirms its digest.

    Raises:
        HandsonError: The registry refused, is not reachable, or broke off more than twice.
    """
    manifest = layout.manifest()
    content = layout.read(manifest.digest)
    described = json.loads(content)
    layers = {layer["digest"]: layer["size"] for layer in described["layers"]}
    progress = PushProgress(say)
    for digest, size in layers.items():
        progress.advance(digest, sent=0, size=size)

    def send(digest: str, progress: PushProgress = progress) -> None:
        registry.send_blob(digest, layout.blob_path(digest), progress)

    # On an interrupt the registry is closed first, which ends the pauses of the pool's threads.
    with Workers(_THREADS) as pool, closing(RegistryClient(destination)) as registry:
        list(pool.map(send, layers))  # the first that fails cancels the waiting ones
        send(described["config"]["digest"], PushProgress(ignore_progress))
        registry.put_manifest(destination.tag, content, manifest.media_type, say)
    return describe_push(BUILTIN, destination, manifest.digest, described, progress)


def describe_push(
    engine: str, to: Destination, digest: str, described: dict[str, Any], progress: PushProgress
) -> PushedImage:
    """Return the image that was pushed; `described` is its manifest."""
    size, counts = sum(layer["size"] for layer in described["layers"]), progress.count_layers()
    return PushedImage(engine, to.repository, digest, to.tag, *counts, size)


class RegistryClient:
    """A client of one repository of a registry.

    Raises (all methods):
        HandsonError: The registry refused or does not answer, with the reason.
    """

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._base = f"{destination.scheme}://{destination.registry}/v2/{destination.repository}/"
        self._session: requests.Session = destination.open_session()

    def close(self) -> None:
        """Close the connections, and end the pauses of requests that are under way."""
        self._session.close()

    def send_blob(self, digest: str, path: Path, progress: PushProgress) -> None:
        """Upload the file of a blob where the repository lacks it; broken uploads begin again."""
        if self.ask("HEAD", f"blobs/{digest}", also=(404,)).ok:
            progress.skip(digest)
            return
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._upload(digest, path, progress)
                break
            except EngineError:
                if attempt == _ATTEMPTS:
                    raise
        progress.finish(digest)

    def _upload(self, digest: str, path: Path, progress: PushProgress) -> None:
        opened = self.ask("POST", "blobs/uploads/")
        place = urljoin(opened.url, opened.headers["Location"])
        size = path.stat().st_size
        headers = {"Content-Type": "application/octet-stream"}
        with _UploadBody(path, lambda sent: progress.advance(digest, sent=sent, size=size)) as body:
            sent = self.ask("PATCH", place, data=body, headers=headers)
        place = urljoin(place, sent.headers.get("Location", place))
        mark = "&" if urlsplit(place).query else "?"
        self.ask("PUT", f"{place}{mark}digest={digest}")

    def put_manifest(self, tag: str, content: bytes, media_type: str, say: Say) -> None:
        """Put a manifest under a tag, and check that the registry reports its digest."""
        say(messages.text("engine.tagging", tag=tag))
        wanted, headers = oci.digest_of(content), {"Content-Type": media_type}
        answer = self.ask("PUT", f"manifests/{tag}", data=content, headers=headers)
        seen = answer.headers.get("Docker-Content-Digest") or oci.digest_of(self.fetch(tag))
        if seen != wanted:
            raise EngineError.from_key("engine.wrong-digest", seen=seen, wanted=wanted)

    def fetch(self, reference: str) -> bytes:
        """Return the manifest or index that a tag or digest leads to."""
        headers = {"Accept": ", ".join(oci.MANIFEST_TYPES)}
        return self.ask("GET", f"manifests/{reference}", headers=headers).content

    def fetch_images(self, digest: str) -> dict[str, dict[str, Any]]:
        """Return the manifests of the images that a digest leads to, by their own digests."""
        manifest = json.loads(self.fetch(digest))
        if "manifests" not in manifest:
            return {digest: manifest}
        children = [it["digest"] for it in manifest["manifests"] if oci.is_image_manifest(it)]
        return {child: json.loads(self.fetch(child)) for child in children}

    def find_status(self) -> int:
        """Return the status of the registry's answer to this process, or 0 without an answer.

        404 is the answer of an emulator that has no registry.
        """
        with suppress(HandsonError):  # why there is no answer, the push itself tells
            return self.ask("GET", "/v2/", also=range(400, 600)).status_code
        return 0

    def ask(
        self, method: str, path: str, *, also: Collection[int] = (), **options: Any
    ) -> requests.Response:
        """Return the answer to a request: a success, or a status of `also`."""
        url = urljoin(self._base, path)
        host = urlsplit(url).netloc
        try:
            # Uploads may be sent elsewhere; the token is for the registry's own host alone.
            here = host == self._destination.registry
            auth = (self._destination.username, self._destination.password) if here else None
            answer = self._session.request(method, url, auth=auth, timeout=_TIMEOUT, **options)
        except OSError as error:
            if untrusted := https.explain_untrusted(error, host):
                raise untrusted from error
            never = re.search(r"NewConnection|NameResolution|ConnectTimeout|ProxyError", str(error))
            sign = "cannot connect" if never else "connection reset"
            reason = f"{sign}: {https.find_cause(error)}"
            raise explain_refusal(reason, self._destination) from error
        if not answer.ok and answer.status_code not in also:
            raise explain_refusal(f"{answer.status_code} {_read_reason(answer)}", self._destination)
        return answer


class _UploadBody(io.FileIO):
    """A file that reports how much of it was read."""

    def __init__(self, path: Path, report: Callable[[int], None]) -> None:
        super().__init__(path)
        self._report = report

    def read(self, amount: int | None = -1, /) -> bytes:
        block = super().read(amount)
        self._report(self.tell())
        return block


def _read_reason(answer: requests.Response) -> str:
    with suppress(ValueError, KeyError, IndexError, TypeError):
        error = answer.json()["errors"][0]
        return f"{error['code']}: {error.get('message', '')}"
    return str(answer.reason or "")
