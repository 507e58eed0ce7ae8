"""Push commands, and what is checked before a build and a push."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.progress import ignore_progress
from handson.engine.model import Destination, LocalImage, PushedImage
from handson.resources import push


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (folder / ".dockerignore").write_text("log\n")
    return folder


# PushCommands

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def commands(context: Path | str, **changes: Any) -> push.PushCommands:
    given = {"registry": REGISTRY, "region": "us-east-1", **changes}
    return push.PushCommands("rails-app", context, **given)


def test_the_push_commands_are_the_consoles() -> None:
    found = commands("../shop")
    login = f"docker login --username AWS --password-stdin {REGISTRY}"
    rest = (
        "docker build -t rails-app .",
        f"docker tag rails-app:latest {REGISTRY}/rails-app:latest",
        f"docker push {REGISTRY}/rails-app:latest",
    )
    assert found.bash == (
        "cd ../shop",
        "aws sts get-caller-identity",
        f"aws ecr get-login-password --region us-east-1 | {login}",
        *rest,
    )
    assert found.powershell == (
        "Set-Location ../shop",
        "Get-STSCallerIdentity",
        f"(Get-ECRLoginCommand).Password | {login}",
        *rest,
    )


def test_on_an_emulator_both_shells_are_pointed_at_it_first_and_folders_are_quoted() -> None:
    setup = {"AWS_ENDPOINT_URL": "http://o'host:1"}
    found = commands("my shop's", registry="127.0.0.1:4990", setup=setup)
    password = "aws ecr get-login-password --region us-east-1"
    login = f"{password} | docker login --username AWS --password-stdin 127.0.0.1:4990"
    assert found.bash[:4] == (
        """export AWS_ENDPOINT_URL='http://o'"'"'host:1'""",
        """cd 'my shop'"'"'s'""",
        "aws sts get-caller-identity",
        login,
    )
    assert found.powershell[:4] == (
        "$env:AWS_ENDPOINT_URL = 'http://o''host:1'",
        "Set-Location 'my shop''s'",
        "aws sts get-caller-identity",
        login,
    )
    assert found.bash[-1] == found.powershell[-1] == "docker push 127.0.0.1:4990/rails-app:latest"


def test_another_base_image_is_given_to_the_build() -> None:
    found = commands("shop", base_image="my ruby", tag="v1")
    build = "docker build -t rails-app:v1 --build-arg 'BASE_IMAGE=my ruby' ."
    assert build in found.bash
    assert build in found.powershell


def test_the_push_commands_show_both_shells(shop: Path) -> None:
    shown = repr(commands(shop))
    assert "macOS / Linux(bash)" in shown
    assert "Windows(PowerShell)" in shown


# prepare_build, locate_context


@pytest.mark.parametrize(("name", "tag"), [("Rails", "latest"), ("rails-app", "-v1"), ("a b", "x")])
def test_a_name_or_tag_that_docker_refuses_is_refused(shop: Path, name: str, tag: str) -> None:
    with pytest.raises(InvalidInput):
        push.prepare_build(shop, folder=shop.parent / "images", name=name, tag=tag)


def test_a_context_that_is_missing_or_has_no_dockerfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="gone"):
        push.prepare_build(tmp_path / "gone", folder=tmp_path)
    with pytest.raises(InvalidInput, match="Dockerfile がありません"):
        push.prepare_build(tmp_path, folder=tmp_path)


def test_a_context_that_is_not_there_is_looked_for_beside_the_notebook(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop.parent)
    places = (f"../elsewhere/{shop.name}", f"./{shop.name}", "../elsewhere/other")
    found = [push.locate_context(place) for place in places]
    assert found == [Path(shop.name), f"./{shop.name}", "../elsewhere/other"]


# push_image, LocalImage, PushedImage


class NoEngine:
    name = "docker"

    def push(self, *_arguments: object, **_options: object) -> PushedImage:
        raise AssertionError("nothing may be pushed")


@pytest.mark.parametrize(
    ("engine", "tags", "named"), [("builtin", (), "builtin"), ("docker", ("bad tag",), "bad tag")]
)
def test_an_image_of_another_engine_and_a_bad_tag_are_refused_before_the_push(
    engine: str, tags: tuple[str, ...], named: str
) -> None:
    image = LocalImage(engine, "rails-app", "sha256:abc", ("latest",), 10)
    destination = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "x", tags)
    with pytest.raises(InvalidInput, match=named):
        push.push_image(NoEngine(), image, destination=destination, say=ignore_progress)  # type: ignore[arg-type]


def test_both_engines_fill_the_same_rows() -> None:
    docker = LocalImage("docker", "rails-app", "sha256:abc", ("latest",), 10, steps=("FROM a",))
    builtin = replace(docker, engine="builtin", skipped_steps=("FROM a",))
    pairs = zip(repr(docker).splitlines(), repr(builtin).splitlines(), strict=True)
    differing = [
        tuple(row.split(":")[0].split()[-1] for row in pair) for pair in pairs if len(set(pair)) > 1
    ]
    assert differing == [("エンジン", "エンジン"), ("手順の実行", "手順の実行")]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_pushed_image_shows_digest_and_layers(language: str) -> None:
    messages.use(language)
    pushed = PushedImage("docker", "rails-app", "sha256:d", ("latest",), 2, 3, 96_700_000)
    shown = repr(pushed)
    assert "sha256:d" in shown
    assert "96.7 MB" in shown
