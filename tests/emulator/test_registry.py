"""Repositories on real emulators, with images that are pushed over the registry protocol."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import urllib3

from handson.aws import emulator as room
from handson.course.state import Platform
from handson.engine.model import ENGINE_LABEL
from handson.resources.cleanup import delete_tagged
from handson.resources.images import find_images
from handson.resources.repository import ensure_repository, find_repositories
from tests.emulator.hooks import Inside, LoseReply, Moto, StopAt, Stopped, connect, writes

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

OCI = "application/vnd.oci.image"
AMD64 = Platform(os="linux", architecture="amd64")


class Registry:
    """Pushes small images as docker does: blobs, then manifests, then a tag.

    moto serves no registry: there the manifests alone are put, through ECR's API.
    """

    def __init__(self, running: room.Running) -> None:
        self._ecr = connect(running).client("ecr") if isinstance(running, Moto) else None
        self._base = f"{running.endpoint}/v2/rails-app"
        inside = isinstance(running, Inside)
        self._ask = running.door.answer if inside else urllib3.PoolManager(retries=False).request

    def image(self, *, architecture: str = "amd64") -> dict[str, Any]:
        config = {
            "os": "linux",
            "architecture": architecture,
            "config": {"Labels": {ENGINE_LABEL: "docker"}},
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
            named = {"repositoryName": "rails-app"} | ({"imageTag": tag} if tag else {})
            self._ecr.put_image(imageManifest=data.decode(), imageDigest=digest, **named)
        else:
            url = f"{self._base}/manifests/{tag or digest}"
            answer = self._ask("PUT", url, body=data, headers={"Content-Type": media_type})
            assert answer.status == 201
        return {"mediaType": media_type, "digest": digest, "size": len(data)}


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
    emulator: room.Running, client: Any
) -> None:
    client("ecr").create_repository(repositoryName="by-hand")
    aws = connect(emulator)
    ensure_repository(aws, "rails-app")
    pushing = Registry(emulator)
    pushing.put(pushing.image(), tag="latest")
    assert len(find_images(aws, "rails-app")) == 1
    gone = [item.name for item in delete_tagged(aws).found]
    assert (gone, delete_tagged(aws).removals) == (["rails-app"], ())
    assert [found.name for found in find_repositories(aws)] == ["by-hand"]
    assert find_images(aws, "rails-app") == ()
