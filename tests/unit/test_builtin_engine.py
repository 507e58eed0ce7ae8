"""The builtin engine: from a folder to an OCI layout."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from handson.core.errors import EngineError, HandsonError, InvalidInput, NotReady
from handson.core.progress import ignore_progress
from handson.engine import oci
from handson.engine.builtin_engine import BuiltinEngine, digest_context
from handson.engine.model import BuildRequest, LocalImage


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "app" / "views").mkdir(parents=True)
    (folder / "app" / "views" / "page.erb").write_text("hello")
    (folder / "app" / "main.rb").write_text("puts 1")
    (folder / "start").write_text("#!/bin/sh")
    (folder / "start").chmod(0o755)
    return folder


def request(shop: Path, dockerfile: str, *, tags: tuple[str, ...] = ("latest",)) -> BuildRequest:
    (shop / "Dockerfile").write_text(dockerfile)
    return BuildRequest(shop, shop.parent / "images", tags=tags)


def build(shop: Path, dockerfile: str) -> LocalImage:
    return BuiltinEngine().build(request(shop, dockerfile), say=ignore_progress)


def layers(image: LocalImage) -> list[tarfile.TarFile]:
    assert image.layout is not None
    layout = oci.ImageLayout(image.layout)
    manifest = json.loads(layout.read(layout.manifest().digest))
    packed = [layout.read(layer["digest"]) for layer in manifest["layers"]]
    return [tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) for layer in packed]


def names(image: LocalImage) -> list[list[str]]:
    return [layer.getnames() for layer in layers(image)]


# BuiltinEngine.build: what is copied

COPIES = {
    "COPY app /srv/app": [
        ["srv", "srv/app", "srv/app/main.rb", "srv/app/views", "srv/app/views/page.erb"]
    ],
    "COPY start /bin/\nCOPY start /go": [["bin", "bin/start"], ["go"]],
    "COPY app/*.rb st?rt /x/": [["x", "x/main.rb", "x/start"]],
    "WORKDIR /app\nCOPY start /app\nCOPY start /app/views": [["app", "app/start"], ["app/views"]],
    # A pattern may match nothing beside another source.
    "COPY start *.lock /x/": [["x", "x/start"]],
    "COPY start [z-a]tart /x/": [["x", "x/start"]],
}


def test_each_copy_is_a_layer_of_what_it_names(shop: Path) -> None:
    found = {steps: names(build(shop, f"FROM scratch\n{steps}\n")) for steps in COPIES}
    assert found == COPIES


def test_dockerignore_is_honoured_with_its_exceptions(shop: Path) -> None:
    (shop / ".dockerignore").write_text(
        "# no\napp/views\n!app/views/page.erb\nDockerfile\n.dockerignore\n"
    )
    image = build(shop, "FROM scratch\nCOPY . /\n")
    assert names(image) == [["app", "app/main.rb", "app/views/page.erb", "start"]]


def test_owner_and_mode_are_as_asked_and_times_are_zero(shop: Path) -> None:
    image = build(shop, "FROM scratch\nCOPY --chown=5:6 start /s\nCOPY --chmod=600 start /t\n")
    found = [(it.uid, it.gid, it.mode, it.mtime) for layer in layers(image) for it in layer]
    assert found == [(5, 6, 0o755, 0), (0, 0, 0o600, 0)]


def test_links_are_kept_as_links(shop: Path) -> None:
    (shop / "app" / "link").symlink_to("main.rb")
    image = build(shop, "FROM scratch\nCOPY app /app\n")
    assert layers(image)[0].getmember("app/link").linkname == "main.rb"


def test_the_same_files_give_the_same_bytes_and_others_another_image(shop: Path) -> None:
    first = build(shop, "FROM scratch\nCOPY . /\n")
    os.utime(shop / "start", (1, 1))
    assert build(shop, "FROM scratch\nCOPY . /\n") == first
    (shop / "start").write_text("#!/bin/bash")
    assert build(shop, "FROM scratch\nCOPY . /\n").id != first.id


def test_the_configuration_says_platform_engine_and_layers(shop: Path) -> None:
    image = build(shop, "FROM ruby\nCOPY start /\nCMD true\n")
    assert image.layout is not None
    config = json.loads(oci.ImageLayout(image.layout).read(image.id))
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"]["Labels"] == {"io.handson.engine": "builtin"}
    assert len(config["rootfs"]["diff_ids"]) == 1
    assert [line.get("empty_layer", False) for line in config["history"]] == [False, True]


def test_the_layout_names_its_tags(shop: Path) -> None:
    image = BuiltinEngine().build(
        request(shop, "FROM scratch\n", tags=("latest", "v1")), say=ignore_progress
    )
    assert image.layout is not None
    index = json.loads((image.layout / "index.json").read_text())
    named = [manifest["annotations"][oci.REFERENCE] for manifest in index["manifests"]]
    assert named == ["latest", "v1"]


def test_the_steps_that_are_left_out_are_said_and_warned_of(shop: Path) -> None:
    said: list[str] = []
    image = BuiltinEngine().build(request(shop, "FROM ruby\nRUN true\n"), say=said.append)
    assert said == ["実行しません: FROM ruby", "実行しません: RUN true"]
    warning = "2 個の手順(FROM と RUN、ほかのステージの手順)は実行していません。"
    assert f"⚠ 手順の実行: {warning}" in repr(image)


# BuiltinEngine.build: what is refused

REFUSED = {
    "COPY missing /": "missing",
    "COPY app/*.py /": r"app/\*\.py",
    "COPY ../outside /": "コンテキストの外",
    "COPY start app /file": "スラッシュ",
    "ADD goods.tar /": "アーカイブ",
    # Go reads these patterns otherwise than Python does.
    "COPY start [!s]tart /x/": "",
    "COPY start [s /x/": "",
}


def test_a_copy_that_cannot_be_is_refused_with_its_line_and_leaves_nothing(shop: Path) -> None:
    with tarfile.open(shop / "goods.tar", "w") as archive:
        archive.add(shop / "start", "start")
    for step, reason in REFUSED.items():
        with pytest.raises(InvalidInput, match=f"Dockerfile:3.*{reason}"):
            build(shop, f"FROM scratch\nCOPY start /\n{step}\n")
    assert list((shop.parent / "images").iterdir()) == []


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "../beside", "app/../../shop/start", "app/up/../../beside", "link"],
)
def test_a_link_never_leads_out_of_the_context(shop: Path, target: str) -> None:
    (shop.parent / "beside").write_text("secret")
    (shop / "app" / "up").symlink_to("..")
    (shop / "link").symlink_to(target)
    for source in ("link", "li*", "link/x"):
        with pytest.raises(InvalidInput, match="コンテキスト") as refused:
            build(shop, f"FROM scratch\nCOPY {source} /x\n")
        assert "HANDSON_ENGINE" not in refused.value.remedy


def test_a_link_inside_the_context_is_followed_when_it_is_the_source(shop: Path) -> None:
    (shop / "current").symlink_to("app")
    (shop / "app" / "page").symlink_to("../current/views/page.erb")
    image = build(shop, "FROM scratch\nCOPY current/views /v\nCOPY app/page /p/\n")
    assert names(image) == [["v", "v/page.erb"], ["p", "p/page"]]
    assert layers(image)[1].getmember("p/page").isreg()


def test_a_file_that_dockerignore_names_is_missing_and_a_link_to_it_too(shop: Path) -> None:
    (shop / ".dockerignore").write_text("start\n")
    (shop / "link").symlink_to("start")
    for name in ("start", "link"):
        with pytest.raises(InvalidInput, match=name):
            build(shop, f"FROM scratch\nCOPY {name} /\n")


@pytest.mark.parametrize(
    "step",
    [
        "COPY start /x/start/y",
        "COPY app /x/start",
        "COPY start /x/link/y",
        "WORKDIR /x/start\nCOPY start y",
    ],
)
def test_what_stands_at_a_path_is_not_replaced_by_another_kind(shop: Path, step: str) -> None:
    (shop / "link").symlink_to("app")
    with pytest.raises(InvalidInput, match="/x/"):
        build(shop, f"FROM scratch\nCOPY . /x/\n{step}\n")


def test_a_dockerignore_that_is_not_utf8_is_named(shop: Path) -> None:
    (shop / ".dockerignore").write_bytes("# 秘密\n.env\n".encode("cp932"))
    with pytest.raises(InvalidInput, match=r"\.dockerignore.*UTF-8"):
        build(shop, "FROM scratch\nCOPY . /\n")


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, NotReady), (errno.EDQUOT, NotReady), (errno.EIO, EngineError)],
)
def test_a_disk_that_fails_leaves_nothing_behind(
    shop: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[HandsonError]
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tarfile.TarFile, "addfile", fail)
    with pytest.raises(kind):
        build(shop, "FROM scratch\nCOPY . /\n")
    assert list((shop.parent / "images").iterdir()) == []


# BuiltinEngine.build, again


def test_building_again_replaces_the_layout_of_the_same_image(shop: Path) -> None:
    first = build(shop, "FROM scratch\nCOPY . /\n")
    assert first.layout is not None
    (first.layout / "index.json").write_text("spoiled")
    again = build(shop, "FROM scratch\nCOPY . /\n")
    assert again.layout == first.layout
    assert json.loads((first.layout / "index.json").read_text())["schemaVersion"] == 2


def test_building_again_leaves_the_blobs_alone_that_another_kernel_may_be_pushing(
    shop: Path,
) -> None:
    first = build(shop, "FROM scratch\nCOPY . /\n")
    assert first.layout is not None
    blobs = sorted((first.layout / "blobs" / "sha256").iterdir())
    with blobs[0].open("rb") as pushing:
        build(shop, "FROM scratch\nCOPY . /\n")
        assert os.path.samestat(os.fstat(pushing.fileno()), blobs[0].stat())
    assert sorted((first.layout / "blobs" / "sha256").iterdir()) == blobs


def test_building_again_mends_a_blob_that_was_cut_short(shop: Path) -> None:
    first = build(shop, "FROM scratch\nCOPY . /\n")
    assert first.layout is not None
    for blob in (first.layout / "blobs" / "sha256").iterdir():
        blob.write_bytes(blob.read_bytes()[:5])
    assert names(build(shop, "FROM scratch\nCOPY . /\n")) != []


# digest_context


def test_the_context_digest_notices_content_and_the_executable_bit(shop: Path) -> None:
    seen = {digest_context(shop)}
    (shop / "app" / "main.rb").write_text("puts 2")
    seen.add(digest_context(shop))
    (shop / "start").chmod(0o644)
    seen.add(digest_context(shop))
    assert len(seen) == 3


def test_the_context_digest_leaves_ignored_files_and_times_out(shop: Path) -> None:
    (shop / ".dockerignore").write_text("log\n")
    first = digest_context(shop)
    (shop / "log").mkdir()
    (shop / "log" / "production.log").write_text("GET /")
    os.utime(shop / "start", (1, 1))
    assert digest_context(shop) == first
