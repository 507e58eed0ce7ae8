"""Push commands, and what is checked before a build and a push."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from handson.core.cards import CommandBlock
from handson.core.errors import InvalidInput, NotReady
from handson.core.progress import ignore_progress
from handson.engine.model import Destination, LocalImage
from handson.resources import push
from tests.fake_registry import Shelf, serving


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return folder


REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def commands(context: Path | str, **changes: Any) -> push.PushCommands:
    given = {"registry": REGISTRY, "region": "us-east-1", **changes}
    return push.PushCommands("rails-app", context, **given)


ACCOUNT = "sts get-caller-identity --query Account --output text"
PASSWORD = "ecr get-login-password --region us-east-1"


def test_the_push_commands_are_the_consoles() -> None:
    found = commands("../shop")
    login = f"docker login --username AWS --password-stdin {REGISTRY}"
    rest = (
        "docker build --platform linux/amd64 -t rails-app .",
        f"docker tag rails-app:latest {REGISTRY}/rails-app:latest",
        f"docker push {REGISTRY}/rails-app:latest",
    )
    assert found.bash == (
        "cd ../shop",
        f"AWS_ACCOUNT_ID=$(aws {ACCOUNT})",
        "echo $AWS_ACCOUNT_ID",
        f"aws {PASSWORD} | {login}",
        *rest,
    )
    assert found.powershell == (
        "Set-Location ../shop",
        "$AWS_ACCOUNT_ID = (Get-STSCallerIdentity).Account",
        "echo $AWS_ACCOUNT_ID",
        f"(Get-ECRLoginCommand).Password | {login}",
        *rest,
    )
    shells = ("macOS / Linux(bash)", "Windows(PowerShell)")
    assert [shell for shell in shells if shell not in repr(found)] == []


def test_where_there_is_no_aws_command_handson_takes_its_place_in_both_shells() -> None:
    beside = commands("shop", program="/my tools/handson")
    assert beside.bash[1] == f"AWS_ACCOUNT_ID=$('/my tools/handson' {ACCOUNT})"
    assert beside.powershell[1] == f"$AWS_ACCOUNT_ID = & '/my tools/handson' {ACCOUNT}"
    found = commands("shop", program="handson")
    assert found.bash[3:] == found.powershell[3:]
    assert found.bash[3].startswith(f"handson {PASSWORD} | docker login ")
    said = "aws コマンドがインストールされていない"
    assert [said in repr(each) for each in (found, commands("shop"))] == [True, False]


def test_on_an_emulator_both_shells_are_pointed_at_it_first_and_words_are_quoted() -> None:
    found = commands(
        "my shop's",
        registry="127.0.0.1:4990",
        setup={"AWS_ENDPOINT_URL": "http://o'host:1"},
        base_image="my ruby",
        tag="v1",
    )
    login = "docker login --username AWS --password-stdin 127.0.0.1:4990"
    rest = (
        "echo $AWS_ACCOUNT_ID",
        f"aws {PASSWORD} | {login}",
        "docker build --platform linux/amd64 -t rails-app:v1 --build-arg 'BASE_IMAGE=my ruby' .",
        "docker tag rails-app:v1 127.0.0.1:4990/rails-app:v1",
        "docker push 127.0.0.1:4990/rails-app:v1",
    )
    bash = ("""export AWS_ENDPOINT_URL='http://o'"'"'host:1'""", """cd 'my shop'"'"'s'""")
    powershell = ("$env:AWS_ENDPOINT_URL = 'http://o''host:1'", "Set-Location 'my shop''s'")
    assert found.bash == (*bash, f"AWS_ACCOUNT_ID=$(aws {ACCOUNT})", *rest)
    assert found.powershell == (*powershell, f"$AWS_ACCOUNT_ID = aws {ACCOUNT}", *rest)
    shown = [part.lines[0] for part in found.card().parts if isinstance(part, CommandBlock)]
    assert shown == [bash[1], bash[0], powershell[1], powershell[0]]  # a terminal may be set up
    opened = [part.unfolded for part in found.card().parts if isinstance(part, CommandBlock)]
    assert opened == [True, False, False, False]


def test_a_name_tag_or_context_that_docker_refuses_is_refused(shop: Path, tmp_path: Path) -> None:
    for name, tag in (("Rails", "latest"), ("rails-app", "-v1"), ("a b", "x")):
        with pytest.raises(InvalidInput):
            push.prepare_build(shop, folder=tmp_path, name=name, tag=tag)
    for place, why in ((tmp_path / "gone", "gone"), (tmp_path, "Dockerfile がありません")):
        with pytest.raises(InvalidInput, match=why):
            push.prepare_build(place, folder=tmp_path)


def test_a_missing_context_is_looked_for_here(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    places = (f"../elsewhere/{shop.name}", f"./{shop.name}", "../elsewhere/other")
    found = [push.locate_context(place) for place in places]
    assert found == [Path(shop.name), f"./{shop.name}", "../elsewhere/other"]


IMAGE = LocalImage("docker", "rails-app", "sha256:abc", "latest", 10, steps=("FROM a",))


def test_an_image_of_another_engine_and_a_bad_tag_are_refused_before_the_push() -> None:
    docker: Any = SimpleNamespace(name="docker")  # that cannot push
    built = replace(IMAGE, engine="builtin")
    for image, tag, named in ((built, "latest", "builtin"), (IMAGE, "bad tag", "bad tag")):
        destination = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "x", tag)
        with pytest.raises(InvalidInput, match=named):
            push.push_image(docker, image, destination=destination, say=ignore_progress)


def test_an_emulator_without_a_registry_is_told_before_the_push() -> None:
    docker: Any = SimpleNamespace(name="docker", push=lambda *_, **__: "pushed")
    for status, kept in {404: False, 401: True, 200: True}.items():
        with serving(Shelf(root=status)) as registry:
            destination = Destination(registry, "http", "rails-app", "AWS", "x", "latest")
            put = partial(push.push_image, docker, IMAGE, destination=destination)
            if kept:
                assert put(say=ignore_progress) == "pushed"
            else:
                with pytest.raises(NotReady, match="HANDSON_ENDPOINT_URL"):
                    put(say=ignore_progress)


def test_both_engines_fill_the_same_rows() -> None:
    builtin = replace(IMAGE, engine="builtin", skipped_steps=("FROM a",))
    pairs = zip(repr(IMAGE).splitlines(), repr(builtin).splitlines(), strict=True)
    differing = [
        tuple(row.split(":")[0].split()[-1] for row in pair) for pair in pairs if len(set(pair)) > 1
    ]
    assert differing == [("エンジン", "エンジン"), ("手順の実行", "手順の実行")]
