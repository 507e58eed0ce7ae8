"""The registry's blobs: the distribution protocol as spoken, and what stays on disk when."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3

from handson.aws import emulator as room
from handson.core.waiting import wait_until
from tests.emulator.conftest import client_of
from tests.emulator.hooks import Inside, log_in, order
from tests.emulator.processes import kill

pytestmark = [pytest.mark.emulator, pytest.mark.process]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SHOP = "team/rails-app"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Wire:
    """Speaks the protocol with a repository, without any of its own opinion."""

    def __init__(self, running: room.Running, repository: str = SHOP) -> None:
        self.running = running
        self.repository = repository
        inside = isinstance(running, Inside)
        self._ask = running.door.answer if inside else urllib3.PoolManager(retries=False).request

    def ask(self, method: str, path: str, **options: Any) -> Any:
        url = path if path.startswith("/") else f"/v2/{self.repository}/{path}"
        headers = log_in(self.running) | dict(options.pop("headers", {}))
        return self._ask(method, f"{self.running.endpoint}{url}", headers=headers, **options)

    def open(self) -> str:
        return str(self.ask("POST", "blobs/uploads/").headers["Location"])

    def confirm(self, place: str, data: bytes, **options: Any) -> None:
        assert self.ask("PUT", f"{place}?digest={digest_of(data)}", **options).status == 201

    def blob(self, data: bytes) -> str:
        """Push a blob as docker does: in a request of its own, then confirmed."""
        place = self.open()
        self.ask("PATCH", place, body=data)
        self.confirm(place, data)
        return digest_of(data)

    def manifest(self, layer: bytes) -> str:
        """Push an image of this layer; return its digest."""
        blobs = [{"digest": self.blob(each), "size": len(each)} for each in (b"{}", layer)]
        content = {"schemaVersion": 2, "config": blobs[0], "layers": blobs[1:]}
        return self.put({"mediaType": MANIFEST} | content)

    def put(self, manifest: dict[str, Any], *, tag: str = "latest") -> str:
        """Put a manifest under a tag; return its digest."""
        data, headers = json.dumps(manifest).encode(), {"Content-Type": manifest["mediaType"]}
        assert self.ask("PUT", f"manifests/{tag}", body=data, headers=headers).status == 201
        return digest_of(data)

    def get(self, digest: str) -> bytes | None:
        answer = self.ask("GET", f"blobs/{digest}")
        return bytes(answer.data) if answer.status == 200 else None


def codes(answer: Any) -> tuple[int, str]:
    """Return the status of a refusal and its code."""
    return answer.status, json.loads(answer.data)["errors"][0]["code"]


@contextlib.contextmanager
def ecr_of(running: room.Running) -> Iterator[Any]:
    with contextlib.closing(client_of(running, "ecr")) as client:
        yield client


def repository(running: room.Running, name: str = SHOP) -> Wire:
    with ecr_of(running) as ecr:
        ecr.create_repository(repositoryName=name)
    return Wire(running, name)


def on_disk(home: Path) -> set[str]:
    return {f"sha256:{path.name}" for path in (home / "emulator/registry/blobs").iterdir()}


def uploads(home: Path) -> list[Path]:
    return list((home / "emulator/registry/uploads").iterdir())


def start(home: Path, region: str = "us-east-1") -> Wire:
    return Wire(room.ensure_running(home, region=region))


def started(home: Path) -> Wire:
    """Start the embedded AWS of a home folder, with a repository."""
    return repository(start(home).running)


def restarted(home: Path) -> Wire:
    room.stop_emulator(home)
    return start(home)


@pytest.fixture
def shop(emulator: room.Running) -> Wire:
    return repository(emulator)


@pytest.fixture
def disk(emulator: room.Running) -> Path:
    """The home folder of `emulator`."""
    return Path(psutil.Process(emulator.pid).cwd()).parent


def test_a_blob_is_had_whole_however_it_was_pushed(shop: Wire) -> None:
    parts = [b"first ", b"second ", b"last"]
    place = shop.open()
    for part in parts[:2]:
        shop.ask("PATCH", place, body=part)
    shop.confirm(place, b"first second last", body=parts[2])
    assert shop.get(digest_of(b"first second last")) == b"first second last"
    at_once = shop.ask("POST", f"blobs/uploads/?digest={digest_of(b'whole')}", body=b"whole")
    assert at_once.status == 202  # so that it is sent again, as the distribution protocol says
    shop.confirm(at_once.headers["Location"], b"whole", body=b"whole")
    place, data = shop.open(), b"a" * 70_000 + b"b"
    shop.ask("PATCH", place, body=iter([data[:-1], b"b"]), chunked=True)  # without its length
    shop.confirm(place, data)
    headers = shop.ask("HEAD", f"blobs/{digest_of(data)}").headers
    told = (headers["Content-Length"], headers["Docker-Content-Digest"])
    assert told == ("70001", digest_of(data))
    many_blocks = os.urandom((5 << 20) + 17)
    assert [shop.get(shop.blob(data)) for data in (b"", many_blocks)] == [b"", many_blocks]


def test_a_digest_that_is_not_the_blobs_is_refused_and_leaves_nothing(
    shop: Wire, disk: Path
) -> None:
    wrong = [digest_of(b"another"), "sha256:0", "../../escape", ""]
    seen = {}
    for digest in wrong:
        place = shop.open()
        shop.ask("PATCH", place, body=b"blob")
        seen[digest] = codes(shop.ask("PUT", f"{place}?digest={digest}"))
    assert seen == dict.fromkeys(wrong, (400, "DIGEST_INVALID"))
    assert (on_disk(disk), uploads(disk)) == (set(), [])


def test_what_is_unknown_is_refused_by_its_code(shop: Wire, disk: Path) -> None:
    other, cancelled = repository(shop.running, "other"), shop.open()
    place = shop.open().replace(SHOP, "other")
    assert shop.ask("DELETE", cancelled).status == 204
    abroad = {"Host": f"{shop.running.account}.dkr.ecr.eu-west-1.amazonaws.com"}
    body, nobodys = b"x" * 200_000, Wire(shop.running, "nobodys")
    blob = f"blobs/{shop.blob(b'here')}"
    seen = [
        (404, "NAME_UNKNOWN", nobodys.ask("POST", "blobs/uploads/", body=body)),
        (404, "NAME_UNKNOWN", shop.ask("GET", blob, headers=abroad)),
        (404, "BLOB_UPLOAD_UNKNOWN", shop.ask("PATCH", "blobs/uploads/nobodys", body=body)),
        (404, "BLOB_UPLOAD_UNKNOWN", other.ask("PATCH", place, body=b"x")),
        (404, "BLOB_UPLOAD_UNKNOWN", shop.ask("PATCH", cancelled, body=b"x")),
    ]
    assert [codes(answer) for *_, answer in seen] == [(status, code) for status, code, _ in seen]
    assert len(uploads(disk)) == 1
    asked = [("GET", "blobs/uploads/"), ("POST", blob), ("GET", shop.open())]
    assert [shop.ask(*method).status for method in asked] == [405, 405, 405]


def test_an_upload_that_was_cut_leaves_nothing_and_is_begun_anew(shop: Wire, disk: Path) -> None:
    place, data = shop.open(), os.urandom(300_000)
    with socket.create_connection(("127.0.0.1", shop.running.port)) as cut:
        fields = {"Host": "localhost", "Content-Length": len(data), **log_in(shop.running)}
        lines = [f"PATCH {place} HTTP/1.1", *(f"{name}: {it}" for name, it in fields.items())]
        head = "\r\n".join([*lines, "", ""])
        cut.sendall(head.encode() + data[:200_000])
    wait_until(lambda: uploads(disk), done=lambda it: not it, what="no upload", timeout=30)
    assert codes(shop.ask("PATCH", place, body=data)) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert shop.get(shop.blob(data)) == data


def test_a_blob_of_another_repository_is_asked_for_and_not_mounted(shop: Wire) -> None:
    digest, other = shop.blob(b"shared"), repository(shop.running, "other")
    assert other.get(digest) is None
    answer = other.ask("POST", f"blobs/uploads/?mount={digest}&from={SHOP}")
    assert (answer.status, "Location" in answer.headers, other.get(digest)) == (202, True, None)


def test_ecr_and_the_registry_have_the_same_images(
    shop: Wire, client: Callable[[str], Any]
) -> None:
    ecr = client("ecr")
    digest, by_hand = shop.manifest(b"layer"), b'{"put": "by hand"}'
    [described] = ecr.describe_images(repositoryName=SHOP)["imageDetails"]
    assert (described["imageDigest"], described["imageTags"]) == (digest, ["latest"])
    listed = ecr.list_images(repositoryName=SHOP)["imageIds"]
    assert listed == [{"imageDigest": digest, "imageTag": "latest"}]
    named = ecr.batch_get_image(repositoryName=SHOP, imageIds=[{"imageDigest": digest}])
    manifest = named["images"][0]["imageManifest"]
    ecr.put_image(repositoryName=SHOP, imageManifest=manifest, imageTag="again")
    ecr.put_image(repositoryName=SHOP, imageManifest=by_hand.decode(), imageTag="hand")
    assert shop.ask("GET", "manifests/again").data.decode() == manifest
    assert shop.ask("GET", f"manifests/{digest_of(by_hand)}").data == by_hand
    ecr.batch_delete_image(repositoryName=SHOP, imageIds=[{"imageDigest": digest}])
    assert codes(shop.ask("GET", f"manifests/{digest}")) == (404, "MANIFEST_UNKNOWN")


def test_a_deleted_repository_leaves_nothing_but_what_another_has_and_a_reset_nothing(
    shop: Wire, client: Callable[[str], Any], disk: Path
) -> None:
    ecr, other = client("ecr"), repository(shop.running, "other")
    image, shared, place = shop.manifest(b"layer"), shop.blob(b"shared"), shop.open()
    other.blob(b"shared")
    shop.ask("PATCH", place, body=b"on its way")
    ecr.delete_repository(repositoryName=SHOP, force=True)
    assert (on_disk(disk), uploads(disk), other.get(shared)) == ({shared}, [], b"shared")
    ecr.create_repository(repositoryName=SHOP)
    assert [shop.get(digest_of(b"layer")), shop.get(shared)] == [None, None]
    assert shop.ask("GET", f"manifests/{image}").status == 404
    assert codes(shop.ask("PATCH", place, body=b"late")) == (404, "BLOB_UPLOAD_UNKNOWN")
    shop.manifest(b"layer")
    shop.ask("PATCH", shop.open(), body=b"on its way")
    order(shop.running, "/_ministack/reset")
    assert (on_disk(disk), uploads(disk)) == (set(), [])


def test_an_image_is_had_after_a_stop_a_kill_and_a_change_of_region(home: Path) -> None:
    layer, shop = os.urandom(100_000), started(home)
    image = shop.manifest(layer)
    stopped = restarted(home)
    assert (home / "emulator/state/ecr.json").stat().st_size < 10_000  # it holds no blob
    seen = [stopped.get(digest_of(layer)), stopped.ask("GET", "manifests/latest").status]
    kill(stopped.running)
    killed = start(home)
    seen += [killed.get(digest_of(layer)), killed.ask("GET", f"manifests/{image}").status]
    assert seen == [layer, 200, layer, 200]
    assert start(home, "ap-northeast-1").get(digest_of(layer)) == layer


def test_a_kill_takes_no_confirmed_blob_and_brings_no_deleted_repository_back(home: Path) -> None:
    shop = started(home)
    digest = shop.blob(b"confirmed")
    shop.ask("PATCH", shop.open(), body=b"not confirmed")
    kill(shop.running)
    again = start(home)
    assert (again.get(digest), uploads(home)) == (b"confirmed", [])
    with ecr_of(again.running) as ecr:
        ecr.delete_repository(repositoryName=SHOP, force=True)
    kill(again.running)
    assert start(home).ask("GET", "manifests/latest").status == 404


def test_a_stop_removes_what_no_manifest_refers_to(home: Path) -> None:
    shop = started(home)
    gone, kept = shop.manifest(b"gone"), [digest_of(b"{}"), digest_of(b"kept")]
    shop.manifest(b"kept")
    repository(shop.running, "other").blob(b"half of a push")
    with ecr_of(shop.running) as ecr:
        ecr.batch_delete_image(repositoryName=SHOP, imageIds=[{"imageDigest": gone}])
    again = restarted(home)
    assert on_disk(home) == {*kept}
    assert again.get(kept[1]) == b"kept"


def test_a_blob_that_a_power_cut_shortened_is_to_be_pushed_again(shop: Wire, disk: Path) -> None:
    digest = shop.blob(b"whole")
    (disk / "emulator/registry/blobs" / digest.removeprefix("sha256:")).write_bytes(b"who")
    assert (shop.get(digest), shop.get(shop.blob(b"whole"))) == (None, b"whole")


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process's files")
def test_a_disk_that_takes_no_more_is_told_and_left_clean(shop: Wire, disk: Path) -> None:
    data, place = os.urandom(3 << 20), shop.open()
    limits = psutil.Process(shop.running.pid)
    before = limits.rlimit(psutil.RLIMIT_FSIZE)
    limits.rlimit(psutil.RLIMIT_FSIZE, (2 << 20, before[1]))
    try:
        answer = shop.ask("PATCH", place, body=data)
    finally:
        limits.rlimit(psutil.RLIMIT_FSIZE, before)
    said = json.loads(answer.data)["errors"][0]["message"]
    assert (answer.status, "File too large" in said, uploads(disk)) == (507, True, [])
    assert shop.get(shop.blob(data)) == data


def test_a_failed_save_that_was_made_up_for_is_no_loss_and_a_reset_removes_all(home: Path) -> None:
    shop = started(home)
    state = home / "emulator/state"
    state.rename(state.with_name("aside"))
    state.write_text("a file where the folder should be")
    shop.blob(b"layer")
    state.unlink()
    assert room.stop_emulator(home) is True
    room.reset_emulator(home)
    assert not (home / "emulator/registry").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_large_blob_costs_no_memory(shop: Wire) -> None:
    def most_memory() -> int:
        """Return the most resident memory that the process has had, in kB."""
        status = Path(f"/proc/{shop.running.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0])

    before, data = most_memory(), os.urandom(1 << 20) * 64
    shop.get(shop.blob(data))
    assert most_memory() - before < 32_000


@pytest.mark.usefixtures("inside")  # it loads MiniStack as all tests want it
def test_ministack_keeps_its_registry_in_the_mappings_that_blobs_keeps() -> None:
    from ministack.core.responses import AccountRegionScopedDict
    from ministack.services import ecr

    books = {"repositories", "images", "layer_blobs", "manifest_blobs"}
    policies = {"lifecycle_policies", "repo_policies"}
    kinds = {type(getattr(ecr, f"_{name}")) for name in books}
    assert (set(ecr.get_state()), kinds) == (books | policies, {AccountRegionScopedDict})
