"""What the two engines have in common, seen on the same folder."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from handson.core.errors import NotReady
from handson.core.progress import ignore_progress
from handson.engine import Engine, oci
from handson.engine.builtin_engine import BuiltinEngine
from handson.engine.model import BuildRequest, Destination, LocalImage
from handson.resources import push

pytestmark = pytest.mark.engine

NAME = "handson-test-trial"
DOCKERFILE = """\
# escape=\\
ARG WHERE=/srv
FROM scratch
ARG WHERE=/srv/shop
LABEL title="a shop"
ENV ONE=1 \\
    TWO="${ONE} and 2"
WORKDIR ${WHERE}
COPY . .
COPY goods/*.svg goods/te?.txt ./public/
COPY --chown=1000:1001 start /usr/bin/go
COPY goods /goods
ADD start /added/
EXPOSE 3000
VOLUME ["/data"]
HEALTHCHECK --interval=10s --retries=2 CMD ["/usr/bin/go", "probe"]
STOPSIGNAL SIGINT
USER 1000:1001
ENTRYPOINT ["/usr/bin/go"]
CMD ["serve"]
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "goods" / "old").mkdir(parents=True)
    (folder / "log").mkdir()
    for name in ("tea.svg", "cup.svg", "tea.txt", "old/cup.txt"):
        (folder / "goods" / name).write_text(name)
    (folder / "log" / "production.log").write_text("GET /")
    (folder / "log" / "keep").write_text("")
    (folder / "start").write_text("#!/bin/sh")
    (folder / "start").chmod(0o750)
    (folder / "link").symlink_to("goods/tea.svg")
    (folder / ".dockerignore").write_text("log/*\n!log/keep\n**/old\nDockerfile\n.dockerignore\n")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


@pytest.fixture(autouse=True)
def swept(client: docker.APIClient) -> Iterator[None]:
    """Leave no image behind."""
    yield
    if client.images(name=NAME):
        client.remove_image(f"{NAME}:latest", force=True)


def built(engine: Engine, context: Path) -> LocalImage:
    folder = context.parent / "images"
    request = BuildRequest(context, folder, name=NAME)
    return engine.build(request, say=ignore_progress)


def files(layers: list[bytes]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            for it in tar:
                content = tar.extractfile(it).read() if it.isreg() else it.linkname  # type: ignore[union-attr]
                kind = (it.type, it.uid, it.gid) + (
                    () if it.isdir() else (it.mode & 0o7777, content)
                )
                found[it.name.strip("/")] = kind
    return found


def of_docker(client: docker.APIClient, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    saved = io.BytesIO(b"".join(client.get_image(name)))
    with tarfile.open(fileobj=saved) as tar:

        def read(path: str) -> bytes:
            return tar.extractfile(path).read()  # type: ignore[union-attr]

        manifest = json.loads(read("manifest.json"))[0]
        config = json.loads(read(manifest["Config"]))["config"]
        return config, files([read(layer) for layer in manifest["Layers"]])


def of_layout(image: LocalImage) -> tuple[dict[str, Any], dict[str, Any]]:
    assert image.layout is not None
    layout = oci.ImageLayout(image.layout)
    manifest = json.loads(layout.read(layout.manifest().digest))
    layers = [gzip.decompress(layout.read(layer["digest"])) for layer in manifest["layers"]]
    return json.loads(layout.read(image.id))["config"], files(layers)


def test_both_copy_the_same_files_and_set_the_same_configuration(
    engine: Engine, client: docker.APIClient, context: Path
) -> None:
    of_engine, files_of_engine = of_docker(client, built(engine, context).id)
    of_builtin, files_of_builtin = of_layout(built(BuiltinEngine(), context))
    assert files_of_builtin == files_of_engine
    assert of_builtin.pop("Labels") == of_engine["Labels"] | {"io.handson.engine": "builtin"}
    # docker adds a PATH of its own where no base image brings one.
    of_engine["Env"] = [it for it in of_engine["Env"] if not it.startswith("PATH=")]
    assert of_builtin == {name: of_engine[name] for name in of_builtin}


def test_a_missing_repository_is_named_with_its_remedy(
    engine: Engine, context: Path, destination: Destination
) -> None:
    nowhere = replace(destination, repository="missing")
    for chosen in (engine, BuiltinEngine()):
        with pytest.raises(NotReady, match="missing"):
            push.push_image(
                chosen, built(chosen, context), destination=nowhere, say=ignore_progress
            )


def test_what_builtin_pushes_docker_can_pull(
    client: docker.APIClient, engine: Engine, context: Path, destination: Destination
) -> None:
    builtin = BuiltinEngine()
    pushed = push.push_image(
        builtin, built(builtin, context), destination=destination, say=ignore_progress
    )
    name = f"{destination.registry}/{destination.repository}"
    client.pull(name, tag="latest", auth_config={"username": "AWS", "password": "token"})
    found = client.inspect_image(f"{name}:latest")
    client.remove_image(f"{name}:latest", force=True)
    assert f"{name}@{pushed.digest}" in found["RepoDigests"]
    assert found["Config"]["Labels"]["io.handson.engine"] == "builtin"
