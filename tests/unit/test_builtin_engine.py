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

from handson.core.errors import EngineError, InvalidInput, NotReady
from handson.core.progress import Say, ignore_progress
from handson.engine import oci
from handson.engine.builtin_engine import BuiltinEngine
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


def build(
    shop: Path, steps: str = "COPY . /", *, base: str = "scratch", say: Say = ignore_progress
) -> LocalImage:
    (shop / "Dockerfile").write_text(f"FROM {base}\n{steps}\n")
    request = BuildRequest(shop, shop.parent / "images")
    return BuiltinEngine().build(request, say=say)


def layers(image: LocalImage) -> list[tarfile.TarFile]:
    assert image.layout
    layout = oci.ImageLayout(image.layout)
    manifest = json.loads(layout.read(layout.manifest().digest))
    packed = [layout.read(layer["digest"]) for layer in manifest["layers"]]
    return [tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) for layer in packed]


def names(image: LocalImage) -> list[list[str]]:
    return [layer.getnames() for layer in layers(image)]


COPIES = {
    "COPY app /srv/app": [
        ["srv", "srv/app", "srv/app/main.rb", "srv/app/views", "srv/app/views/page.erb"]
    ],
    "COPY start /bin/\nCOPY start /go": [["bin", "bin/start"], ["go"]],
    "COPY app/*.rb st?rt /x/": [["x", "x/main.rb", "x/start"]],
    "WORKDIR /app\nCOPY start /app\nCOPY start /app/views": [["app", "app/start"], ["app/views"]],
    # A pattern may match nothing beside another source.
    "COPY start [x-z]tart /x/": [["x", "x/start"]],
    # What is named last wins, in the order of a walk: app, then app-2.
    "COPY */main.rb /x/": [["x", "x/main.rb"]],
    "COPY app start app /x/": [["x", "x/main.rb", "x/start", "x/views", "x/views/page.erb"]],
    "COPY . /x\nWORKDIR /end": [["x", "x/Dockerfile", "x/app", "x/app/main.rb", "x/app/views",
        "x/app/views/page.erb", "x/start"]],
}  # fmt: skip


def test_each_copy_is_a_layer_of_what_it_names(shop: Path) -> None:
    assert {steps: names(build(shop, steps)) for steps in COPIES} == COPIES


def test_dockerignore_is_honoured_with_its_exceptions_and_refused_where_it_is_not_utf8(
    shop: Path,
) -> None:
    file, lines = shop / ".dockerignore", ("# no", "app/views", "!app/views/page.erb", "Dockerfile")
    file.write_text("\n".join([*lines, ".dockerignore\n"]))
    assert names(build(shop)) == [["app", "app/main.rb", "app/views/page.erb", "start"]]
    file.write_bytes("# 秘密\n.env\n".encode("cp932"))
    with pytest.raises(InvalidInput, match=r"\.dockerignore.*UTF-8"):
        build(shop)


def test_owner_and_mode_are_as_asked_and_links_stay_links_unless_they_are_the_source(
    shop: Path,
) -> None:
    (shop / "app" / "link").symlink_to("main.rb")
    steps = "COPY --chown=5:6 start /s\nCOPY --chmod=600 start /t\nCOPY app /app"
    *copied, folder = layers(build(shop, steps))
    found = [(it.uid, it.gid, it.mode, it.mtime) for layer in copied for it in layer]
    assert found == [(5, 6, 0o755, 0), (0, 0, 0o600, 0)]
    assert folder.getmember("app/link").linkname == "main.rb"
    # A link has no permissions of its own.
    assert [it.mode for it in layers(build(shop, "COPY --chmod=600 app /a"))[0] if it.issym()] == [
        0o777
    ]
    (shop / "current").symlink_to("app")
    (shop / "app" / "page").symlink_to("../current/views/page.erb")
    image = build(shop, "COPY current/views /v\nCOPY app/page /p/")
    assert names(image) == [["v", "v/page.erb"], ["p", "p/page"]]
    assert layers(image)[1].getmember("p/page").isreg()


def test_the_layout_names_tag_platform_engine_and_layers_and_steps_left_out_are_told(
    shop: Path,
) -> None:
    said: list[str] = []
    image = build(shop, "COPY start /\nRUN true", base="ruby", say=said.append)
    assert {"実行しません: FROM ruby", "実行しません: RUN true"} <= {*said}
    assert "⚠ 手順の実行: 2 個の手順" in repr(image)
    image = build(shop, "COPY start /\nCMD true", base="ruby")
    assert image.layout
    index = json.loads((image.layout / "index.json").read_text())
    named = [manifest["annotations"][oci.REFERENCE] for manifest in index["manifests"]]
    assert (index["schemaVersion"], named) == (2, ["latest"])
    config = json.loads(oci.ImageLayout(image.layout).read(image.id))
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"]["Labels"] == {"io.handson.engine": "builtin"}
    assert len(config["rootfs"]["diff_ids"]) == 1
    assert [line.get("empty_layer", False) for line in config["history"]] == [False, True]


REFUSED = {
    "COPY missing /": "missing",
    "COPY ../outside /": "コンテキストの外",
    "COPY start app /file": "スラッシュ",
    "ADD goods.tar /": "アーカイブ",
    "ADD goods.zst /": "アーカイブ",
    "COPY pipe /": "pipe",
    "COPY suid /": "suid",
    "COPY start /.wh.start": ".wh.start",
    "COPY start /.wh.x/y": ".wh.x",
    "COPY start linked/*.rb /y/": "linked",
    "COPY start app/../sta* /y/": "sta",
    r'COPY ["start", "sta\\\\rt*", "/y/"]': "",
    # Go reads these patterns otherwise than Python does.
    "COPY start [s /x/": "",
    "COPY start [a-]tart /x/": "",
    "COPY start [z-a]tart /x/": "",
    # What .dockerignore names is missing, and a link to it, too.
    "COPY hidden /": "hidden",
    "COPY ghost /": "ghost",
    # What stands at a path is not replaced by another kind; nor is a work folder.
    "COPY start /x/start/y": "/x/",
    "COPY app /x/start": "/x/",
    "COPY start /x/views/page.erb/": "/x/",
    "WORKDIR /x/start": "/x/",
}


def test_a_copy_that_cannot_be_is_refused_with_its_line_and_leaves_nothing(shop: Path) -> None:
    with tarfile.open(shop / "goods.tar", "w") as archive:
        archive.add(shop / "start", "start")
    (shop / ".dockerignore").write_text("hidden\n")
    (shop / "goods.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    os.mkfifo(shop / "pipe")
    (shop / "suid").touch()
    (shop / "suid").chmod(0o4755)
    (shop / "linked").symlink_to("app")
    for link, target in {"hidden": "start", "ghost": "hidden", "link": "app"}.items():
        (shop / link).symlink_to(target)
    for step, reason in REFUSED.items():
        with pytest.raises(InvalidInput, match=f"Dockerfile:[34].*{reason}"):
            build(shop, f"COPY --chmod=755 app start link /x/\n{step}\nCOPY start y")
    assert list((shop.parent / "images").iterdir()) == []


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "app/../../shop/start", "app/up/../../beside", "link"]
)
def test_a_link_never_leads_out_of_the_context(shop: Path, target: str) -> None:
    (shop.parent / "beside").write_text("secret")
    (shop / "app" / "up").symlink_to("..")
    (shop / "link").symlink_to(target)
    for source in ("link", "li*", "link/x"):
        with pytest.raises(InvalidInput, match="コンテキスト") as refused:
            build(shop, f"COPY {source} /x")
        assert "HANDSON_ENGINE" not in refused.value.remedy


def test_a_disk_that_fails_leaves_nothing_behind(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = {errno.ENOSPC: NotReady, errno.EDQUOT: NotReady, errno.EIO: EngineError}
    numbers = iter(failing)

    def fail(*_arguments: object) -> None:
        raise OSError(next(numbers), "full or broken")

    monkeypatch.setattr(tarfile.TarFile, "addfile", fail)
    for kind in failing.values():
        with pytest.raises(kind):
            build(shop)
    assert list((shop.parent / "images").iterdir()) == []


def test_the_same_files_give_the_same_bytes_and_others_another_image(shop: Path) -> None:
    first = build(shop)
    os.utime(shop / "start", (1, 1))
    assert build(shop) == first
    (shop / "start").write_text("#!/bin/bash")
    assert build(shop).id != first.id


def test_building_again_leaves_whole_blobs_alone_and_mends_what_is_spoiled(shop: Path) -> None:
    first = build(shop)
    packed = names(first)
    assert first.layout is not None
    blobs = sorted((first.layout / "blobs" / "sha256").iterdir())
    with blobs[0].open("rb") as pushing:  # by another kernel
        build(shop)
        assert os.path.samestat(os.fstat(pushing.fileno()), blobs[0].stat())
    assert sorted((first.layout / "blobs" / "sha256").iterdir()) == blobs
    for file in (first.layout / "index.json", *blobs):
        file.write_bytes(file.read_bytes()[:5])
    assert names(build(shop)) == packed
