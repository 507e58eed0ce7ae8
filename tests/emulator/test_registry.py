"""Repositories and images on the embedded AWS, pushed over the registry protocol."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import urllib3

from handson.aws import emulator as room
from handson.core.errors import InvalidInput, NotReady
from handson.course.state import Platform
from handson.engine.model import ENGINE_LABEL
from handson.resources.images import ImageList, find_images
from handson.resources.push import forget_image_uri, read_image_uri, record_image_uri
from handson.resources.repository import delete_repositories, ensure_repository, find_repositories
from tests.emulator.hooks import Inside, LoseReply, Moto, StopAt, Stopped, connect, writes

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

OCI = "application/vnd.oci.image"
AMD64 = Platform(os="linux", architecture="amd64")


class Registry:
    """Pushes small images as docker does: blobs, then manifests, then a tag.

    moto serves no registry: there the manifests alone are put, through ECR's API.
    """

    def __init__(self, running: room.Running, repository: str = "rails-app") -> None:
        self._repository = repository
        self._ecr = connect(running).client("ecr") if isinstance(running, Moto) else None
        self._base = f"{running.endpoint}/v2/{repository}"
        inside = isinstance(running, Inside)
        self._ask = running.door.answer if inside else urllib3.PoolManager(retries=False).request

    def image(self, *, architecture: str = "amd64", built_by: str = "docker") -> dict[str, Any]:
        config = {
            "os": "linux",
            "architecture": architecture,
            "config": {"Labels": {ENGINE_LABEL: built_by}},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
        layer = self.blob(f"layer of {architecture}".encode())
        described = self.blob(json.dumps(config).encode())
        return {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": {"mediaType": f"{OCI}.config.v1+json", **described},
            "layers": [{"mediaType": f"{OCI}.layer.v1.tar+gzip", **layer}],
        }

    def blob(self, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if self._ecr:
            return {"digest": digest, "size": len(data)}
        place = self._ask("POST", f"{self._base}/blobs/uploads/").headers["Location"]
        url = place if place.startswith("http") else f"{self._base.split('/v2/')[0]}{place}"
        sign = "&" if "?" in url else "?"
        answer = self._ask("PUT", f"{url}{sign}digest={digest}", body=data)
        assert answer.status == 201
        return {"digest": digest, "size": len(data)}

    def put(self, manifest: dict[str, Any], *, tag: str = "") -> dict[str, Any]:
        """Put a manifest under its digest, or under a tag; return its descriptor."""
        data = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        media_type = manifest["mediaType"]
        if self._ecr:
            named = {"imageTag": tag} if tag else {}
            self._ecr.put_image(
                repositoryName=self._repository,
                imageManifest=data.decode(),
                imageDigest=digest,
                **named,
            )
            return {"mediaType": media_type, "digest": digest, "size": len(data)}
        answer = self._ask(
            "PUT",
            f"{self._base}/manifests/{tag or digest}",
            body=data,
            headers={"Content-Type": media_type},
        )
        assert answer.status == 201
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def index(self, *children: dict[str, Any], tag: str) -> str:
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.index.v1+json",
            "manifests": list(children),
        }
        return str(self.put(manifest, tag=tag)["digest"])


@pytest.fixture
def pushed(emulator: room.Running) -> Registry:
    ensure_repository(connect(emulator), "rails-app")
    return Registry(emulator)


def images(emulator: room.Running) -> Any:
    return find_images(connect(emulator), "rails-app")


def test_the_repository_is_private_mutable_and_tagged_and_made_once(emulator: room.Running) -> None:
    with pytest.raises(Stopped):
        ensure_repository(connect(emulator, StopAt(1)), "rails-app")
    lost = LoseReply(1)
    made = ensure_repository(connect(emulator, lost), "rails-app").repository
    host = f"{emulator.account}.dkr.ecr.us-east-1.amazonaws.com"
    assert (made.name, made.uri) == ("rails-app", f"{host}/rails-app")
    assert (made.tag_mutability, made.tagged) == ("MUTABLE", True)
    again = connect(emulator)
    ensure_repository(again, "rails-app")
    assert (lost.seen, writes(again)) == (["CreateRepository"], [])


def test_deleting_takes_the_images_along_and_leaves_what_was_made_by_hand(
    emulator: room.Running, pushed: Registry, client: Any
) -> None:
    client("ecr").create_repository(repositoryName="by-hand")
    pushed.put(pushed.image(), tag="latest")
    aws = connect(emulator)
    gone = [removal.resource.name for removal in delete_repositories(aws)]
    assert (gone, delete_repositories(aws)) == (["rails-app"], [])
    assert [found.name for found in find_repositories(aws)] == ["by-hand"]
    assert images(emulator) == ()


def test_an_index_with_an_attestation_is_one_image(
    emulator: room.Running, pushed: Registry
) -> None:
    manifest = pushed.image()
    image = pushed.put(manifest)
    statement = pushed.blob(b'{"_type": "https://in-toto.io/Statement/v0.1"}')
    proof = {
        **pushed.image(architecture="unknown"),
        "layers": [{"mediaType": "application/vnd.in-toto+json", **statement}],
    }
    attestation = {
        **pushed.put(proof),
        "annotations": {
            "vnd.docker.reference.digest": image["digest"],
            "vnd.docker.reference.type": "attestation-manifest",
        },
        "platform": {"os": "unknown", "architecture": "unknown"},
    }
    described = {**image, "platform": {"os": "linux", "architecture": "amd64"}}
    digest = pushed.index(described, attestation, tag="latest")
    [found] = images(emulator)
    assert (found.digest, found.tags) == (digest, ("latest",))
    assert (found.platforms, found.built_by) == ((AMD64,), "docker")
    assert found.size_bytes == manifest["layers"][0]["size"]


def test_images_without_a_tag_are_listed_where_nothing_has_one_and_parts_never(
    emulator: room.Running, pushed: Registry
) -> None:
    part = pushed.put(pushed.image(architecture="arm64"))
    assert [(image.digest, image.tags) for image in images(emulator)] == [(part["digest"], ())]
    whole = pushed.index({**part, "platform": {"os": "linux", "architecture": "arm64"}}, tag="")
    assert [image.digest for image in images(emulator)] == [whole]
    shown = str(ImageList("rails-app", images(emulator)))
    assert "docker build --platform linux/amd64 -t rails-app ." in shown
    pushed.put(pushed.image(), tag="latest")
    assert [image.tags for image in images(emulator)] == [("latest",)]


# The recorded URI


def test_the_uri_of_an_image_is_recorded_shown_and_forgotten(
    emulator: room.Running, pushed: Registry, home: Any
) -> None:
    home.mkdir()
    digest = pushed.put(pushed.image(), tag="latest")["digest"]
    shown = str(record_image_uri(connect(emulator), home, repository="rails-app", tag="latest"))
    recorded = read_image_uri(home)
    uri = f"{emulator.account}.dkr.ecr.us-east-1.amazonaws.com/rails-app:latest"
    assert recorded
    assert (recorded.uri, recorded.digest) == (uri, digest)
    assert [word for word in (uri, f"rails-app@{digest}") if word not in shown] == []
    for _ in range(2):
        forget_image_uri(home)
        assert read_image_uri(home) is None


def test_what_cannot_be_recorded_is_told(
    emulator: room.Running, pushed: Registry, home: Any
) -> None:
    def refused(repository: str, tag: str) -> NotReady:
        with pytest.raises(NotReady) as refusal:
            record_image_uri(connect(emulator), home, repository=repository, tag=tag)
        return refusal.value

    pushed.put(pushed.image(), tag="v1")
    assert refused("goods", "v1").code == "RepositoryNotFoundException"
    untagged = refused("rails-app", "latest")
    assert (untagged.code, "v1" in untagged.problem) == ("ImageNotFoundException", True)
    assert len(str(refused("rails-app", "v1")).splitlines()) == 2  # no home folder to keep it in
    assert not home.exists()
    aws = connect(emulator)
    for repository, tag in (("Rails App", "latest"), ("rails-app", "la test")):
        with pytest.raises(InvalidInput):
            record_image_uri(aws, home, repository=repository, tag=tag)
    assert aws.requests == []


def test_a_record_that_cannot_be_read_is_none(home: Any) -> None:
    home.mkdir()
    for content in (b"", b"{", b"[]", b'{"uri": 1}', b'{"uri": "x"}', b"\xff"):
        (home / "image-uri.json").write_bytes(content)
        assert (content, read_image_uri(home)) == (content, None)
