"""Pushes over the OCI distribution protocol 1.1: missing blobs, then a manifest for each tag.

Bodies are streamed from disk, so memory stays flat.  A second push sends only what is missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from handson.core import messages
from handson.core.errors import EngineError, HandsonError
from handson.core.progress import Say
from handson.engine import oci
from handson.engine.model import Destination, PushedImage
from handson.engine.push_progress import PushProgress
from handson.engine.registry_errors import explain_refusal

if TYPE_CHECKING:
    import requests

_BLOCK = 1 << 20
_ATTEMPTS = 3
_REPEATABLE = {"HEAD", "GET", "POST", "PUT"}
"""Methods that may be repeated.  A blob's bytes (PATCH) go to an address that works only once, so
`_send_blob` begins a new upload."""
_TEMPORARY = {429, 500, 502, 503, 504}
_THREADS = 2
_TIMEOUT = (5.0, 300.0)  # seconds to connect, seconds of silence (a registry hashes a blob)
_MANIFESTS = ", ".join(
    (
        oci.MANIFEST,
        oci.INDEX,
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)


def push_layout(
    layout: oci.ImageLayout, destination: Destination, *, tags: Sequence[str], say: Say
) -> PushedImage:
    """Push the image of a layout under `tags`; the registry confirms its digest.

    Raises:
        HandsonError: The registry refused, is not reachable, or broke off more than twice.
    """
    manifest = layout.manifest()
    content = json.loads(layout.read(manifest.digest))
    progress = PushProgress(say)
    registry = RegistryClient(destination)
    _send_layers(registry, layout, content["layers"], progress)
    _send_blob(registry, layout, content["config"], PushProgress(lambda _line: None))
    _put_tags(registry, layout.read(manifest.digest), manifest, tags, say)
    return PushedImage(
        engine="builtin",
        repository=destination.repository,
        digest=manifest.digest,
        tags=tuple(tags),
        layers_pushed=progress.pushed,
        layers_present=progress.present,
        size_bytes=sum(layer["size"] for layer in content["layers"]),
    )


def add_tags(destination: Destination, digest: str, tags: Sequence[str], *, say: Say) -> None:
    """Give further `tags` to an image in the registry; only its manifest is sent.

    Raises:
        HandsonError: The registry does not have the image, or refused a tag.
    """
    if tags:
        registry = RegistryClient(destination)
        content, media_type = registry.fetch(digest)
        _put_tags(registry, content, oci.Blob(media_type, digest, len(content)), tags, say)


def measure_layers(destination: Destination, digest: str) -> int:
    """Return the bytes of an image's layers as the registry lists them.

    Raises:
        HandsonError: The registry does not have the manifest of `digest`, or does not answer.
    """
    image = next(iter(_fetch_images(destination, digest).values()))
    return sum(int(layer["size"]) for layer in image["layers"])


def list_content_digests(destination: Destination, digest: str) -> list[str]:
    """Return the digests of an image's manifests and configurations, behind an index as well.

    Raises:
        HandsonError: The registry does not have the manifest of `digest`, or does not answer.
    """
    images = _fetch_images(destination, digest)
    return [*images, *(image["config"]["digest"] for image in images.values())]


class RegistryClient:
    """A client of one repository of a registry.

    Raises (all methods):
        HandsonError: The registry refused or does not answer, with the reason.
    """

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._base = f"{destination.scheme}://{destination.registry}/v2/{destination.repository}/"
        self._session = _open_session(destination)

    def has_blob(self, digest: str) -> bool:
        """Return whether the repository has the blob of `digest`."""
        answer = self._ask("HEAD", f"blobs/{digest}", fine=(200, 404))
        return bool(answer.status_code == 200)

    def send_blob(self, digest: str, body: _UploadBody) -> None:
        """Upload a blob; the registry checks its digest."""
        opened = self._ask("POST", "blobs/uploads/", fine=(202,))
        place = urljoin(opened.url, opened.headers["Location"])
        headers = {"Content-Type": "application/octet-stream"}
        sent = self._ask("PATCH", place, fine=(202, 204), data=body, headers=headers)
        place = urljoin(place, sent.headers.get("Location", place))
        mark = "&" if urlsplit(place).query else "?"
        self._ask("PUT", f"{place}{mark}digest={digest}", fine=(201, 204))

    def put_manifest(self, reference: str, content: bytes, manifest: oci.Blob) -> None:
        """Put a manifest under a tag, and check that the registry reports the same digest."""
        headers = {"Content-Type": manifest.media_type}
        path = f"manifests/{reference}"
        answer = self._ask("PUT", path, fine=(200, 201), data=content, headers=headers)
        reported = answer.headers.get("Docker-Content-Digest") or self.digest(reference)
        if reported != manifest.digest:
            found = messages.advice("engine.wrong-digest", seen=reported, wanted=manifest.digest)
            raise EngineError(*found)

    def digest(self, reference: str) -> str:
        """Return the digest of the manifest that a tag or digest leads to."""
        content, _ = self.fetch(reference)
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def manifest(self, reference: str) -> dict[str, Any]:
        """Return the manifest or index that a tag or digest leads to."""
        content, _ = self.fetch(reference)
        found: dict[str, Any] = json.loads(content)
        return found

    def fetch(self, reference: str) -> tuple[bytes, str]:
        """Return the bytes and type of the manifest or index that a tag or digest leads to."""
        answer = self._ask("GET", f"manifests/{reference}", headers={"Accept": _MANIFESTS})
        return answer.content, answer.headers.get("Content-Type") or oci.MANIFEST

    def answers(self) -> bool:
        """Return whether this process reaches the registry; any answer counts."""
        try:
            self._ask("GET", "/v2/", fine=range(100, 600))
        except HandsonError:
            return False
        return True

    def _ask(
        self, method: str, path: str, *, fine: Sequence[int] = (200,), **options: Any
    ) -> requests.Response:
        import requests

        url = urljoin(self._base, path)
        try:
            # Uploads may be sent elsewhere; the token is for the registry's own host alone.
            here = urlsplit(url).netloc == self._destination.registry
            auth = (self._destination.username, self._destination.password) if here else None
            answer = self._session.request(method, url, auth=auth, timeout=_TIMEOUT, **options)
        except requests.exceptions.RequestException as error:
            raise self._broken(error) from error
        if answer.status_code not in fine:
            raise explain_refusal(f"{answer.status_code} {_read_reason(answer)}", self._destination)
        return answer

    def _broken(self, error: Exception) -> Exception:
        reason = str(error)
        connected = "NewConnectionError" not in reason and "ConnectTimeout" not in reason
        sign = "connection reset" if connected else "cannot connect"
        return explain_refusal(f"{sign}: {reason}", self._destination)


class _UploadBody:
    """The body of an upload: a file that is read in blocks, and reports its progress."""

    def __init__(self, path: Path, layer: str, progress: PushProgress) -> None:
        self._file = path.open("rb")
        self._layer = layer
        self._progress = progress
        self._sent = 0
        self._size = path.stat().st_size

    def __len__(self) -> int:
        return self._size

    def read(self, amount: int = -1) -> bytes:
        """Return the next bytes."""
        block = self._file.read(amount)
        self._sent += len(block)
        self._progress.advance(self._layer, sent=self._sent, size=self._size)
        return block

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _fetch_images(destination: Destination, digest: str) -> dict[str, dict[str, Any]]:
    """Return the manifests of the images that a digest leads to, by their own digests."""
    registry = RegistryClient(destination)
    manifest = registry.manifest(digest)
    if "manifests" not in manifest:
        return {digest: manifest}
    children = [child["digest"] for child in manifest["manifests"] if oci.is_image_manifest(child)]
    return {child: registry.manifest(child) for child in children}


def _put_tags(
    registry: RegistryClient, content: bytes, manifest: oci.Blob, tags: Sequence[str], say: Say
) -> None:
    for tag in tags:
        say(messages.text("engine.tagging", tag=tag))
        registry.put_manifest(tag, content, manifest)


def _send_layers(
    registry: RegistryClient,
    layout: oci.ImageLayout,
    layers: Sequence[dict[str, Any]],
    progress: PushProgress,
) -> None:
    unique = {layer["digest"]: layer for layer in layers}
    for digest, layer in unique.items():
        progress.advance(digest, sent=0, size=layer["size"])
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting = [
            pool.submit(_send_blob, registry, layout, it, progress) for it in unique.values()
        ]
        try:
            for sent in waiting:
                sent.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _send_blob(
    registry: RegistryClient, layout: oci.ImageLayout, blob: dict[str, Any], progress: PushProgress
) -> None:
    digest = blob["digest"]
    if registry.has_blob(digest):
        progress.skip(digest)
        return
    for attempt in range(1, _ATTEMPTS + 1):
        with closing(_UploadBody(layout.blob_path(digest), digest, progress)) as body:
            try:
                registry.send_blob(digest, body)
                break
            except EngineError:
                if attempt == _ATTEMPTS:
                    raise
    progress.finish(digest)


def _open_session(destination: Destination) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    session = requests.Session()
    # A registry on this machine is never behind a proxy.
    session.trust_env = not destination.here
    retries = Retry(
        _ATTEMPTS - 1,
        allowed_methods=_REPEATABLE,
        status_forcelist=_TEMPORARY,
        raise_on_status=False,
        backoff_factor=0.2,
        respect_retry_after_header=False,
    )
    adapter = HTTPAdapter(pool_maxsize=_THREADS, max_retries=retries)
    adapter.poolmanager.connection_pool_kw["blocksize"] = _BLOCK
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _read_reason(answer: requests.Response) -> str:
    with suppress(ValueError, KeyError, IndexError, TypeError):
        error = answer.json()["errors"][0]
        return f"{error['code']}: {error.get('message', '')}"
    return str(answer.reason or "")
