"""Repositories on real emulators, with images that are pushed over the registry protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handson.aws import emulator as room
from handson.engine.model import ENGINE_LABEL
from handson.resources.cleanup import delete_tagged
from handson.resources.images import find_images
from handson.resources.repository import ensure_repository, find_repositories
from tests.emulator.hooks import LoseReply, Moto, StopAt, Stopped, connect, writes
from tests.emulator.test_registry_blobs import Wire, digest_of

pytestmark = [pytest.mark.emulator, pytest.mark.second_opinion]

OCI = "application/vnd.oci.image"


class Registry(Wire):
    """Pushes small images as docker does: blobs, then a manifest with a tag.

    moto serves no registry: there the manifests alone are put, through ECR's API.
    """

    def __init__(self, running: room.Running) -> None:
        super().__init__(running, "rails-app")
        self._ecr = connect(running).client("ecr") if isinstance(running, Moto) else None

    def image(self, *, architecture: str = "amd64") -> dict[str, Any]:
        config = {
            "os": "linux",
            "architecture": architecture,
            "config": {"Labels": {ENGINE_LABEL: "docker"}},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
        layer = self._describe(f"layer of {architecture}".encode())
        described = self._describe(json.dumps(config).encode())
        return {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": {"mediaType": f"{OCI}.config.v1+json", **described},
            "layers": [{"mediaType": f"{OCI}.layer.v1.tar+gzip", **layer}],
        }

    def _describe(self, data: bytes) -> dict[str, Any]:
        digest = digest_of(data) if self._ecr else self.blob(data)
        return {"digest": digest, "size": len(data)}

    def put(self, manifest: dict[str, Any], *, tag: str = "latest") -> str:
        if not self._ecr:
            return super().put(manifest, tag=tag)
        named = {"repositoryName": self.repository, "imageTag": tag}
        put = self._ecr.put_image(imageManifest=json.dumps(manifest), **named)
        return str(put["image"]["imageId"]["imageDigest"])


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
