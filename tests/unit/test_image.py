"""Tags, push commands and checked input."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
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


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", *who, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def committed(shop: Path) -> str:
    git(shop, "init", "--quiet")
    git(shop, "add", ".")
    git(shop, "commit", "--quiet", "-m", "shop")
    return git(shop, "rev-parse", "HEAD")[:12]


def test_a_context_that_git_has_is_tagged_with_its_commit(shop: Path, committed: str) -> None:
    assert push.make_unique_tag(shop) == committed


def test_what_dockerignore_leaves_out_does_not_count_as_untracked(
    shop: Path, committed: str
) -> None:
    (shop / "log").mkdir()
    (shop / "log" / "production.log").write_text("GET /")
    assert push.make_unique_tag(shop) == committed


@pytest.mark.usefixtures("committed")
def test_a_changed_context_is_tagged_with_its_digest(shop: Path) -> None:
    (shop / "Dockerfile").write_text("FROM scratch\n")
    assert push.make_unique_tag(shop).startswith("ctx-")


@pytest.mark.usefixtures("committed")
def test_a_context_with_a_file_that_git_does_not_have_is_tagged_with_its_digest(
    shop: Path,
) -> None:
    (shop / ".gitignore").write_text("secret\n")
    (shop / "secret").write_text("x")
    assert push.make_unique_tag(shop).startswith("ctx-")


def test_without_git_the_tag_is_the_same_for_the_same_files(shop: Path) -> None:
    tag = push.make_unique_tag(shop)
    assert tag == push.make_unique_tag(shop)
    assert (len(tag), tag[:4]) == (16, "ctx-")


def test_an_ignored_dockerfile_still_counts(shop: Path) -> None:
    (shop / ".dockerignore").write_text("Dockerfile\n")
    before = push.make_unique_tag(shop)
    (shop / "Dockerfile").write_text("FROM ruby\n")
    assert push.make_unique_tag(shop) != before


REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def commands(context: Path | str, **changes: Any) -> push.PushCommands:
    given = {"registry": REGISTRY, "region": "us-east-1", **changes}
    return push.PushCommands("rails-app", context, **given)


def test_the_push_commands_are_the_consoles() -> None:
    registry = REGISTRY
    found = commands("../shop")
    login = f"docker login --username AWS --password-stdin {registry}"
    rest = (
        "docker build -t rails-app .",
        f"docker tag rails-app:latest {registry}/rails-app:latest",
        f"docker push {registry}/rails-app:latest",
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


def test_a_folder_with_spaces_is_quoted_for_each_shell() -> None:
    found = commands("my shop's")
    assert found.bash[0] == """cd 'my shop'"'"'s'"""
    assert found.powershell[0] == "Set-Location 'my shop''s'"


def test_on_an_emulator_both_shells_are_pointed_at_it_first() -> None:
    found = commands(
        "shop", registry="127.0.0.1:4990", setup={"AWS_ENDPOINT_URL": "http://o'host:1"}
    )
    password = "aws ecr get-login-password --region us-east-1"
    login = f"{password} | docker login --username AWS --password-stdin 127.0.0.1:4990"
    assert (found.bash[0], found.bash[3]) == (
        """export AWS_ENDPOINT_URL='http://o'"'"'host:1'""",
        login,
    )
    assert (found.powershell[0], found.powershell[2], found.powershell[3]) == (
        "$env:AWS_ENDPOINT_URL = 'http://o''host:1'",
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


def test_a_prepared_request_has_the_asked_tag_and_the_unique_one(shop: Path) -> None:
    request = push.prepare_build(shop, folder=shop.parent / "images", tag="v1")
    assert request.tags == ("v1", push.make_unique_tag(shop))


@pytest.mark.parametrize(("name", "tag"), [("Rails", "latest"), ("rails-app", "-v1"), ("a b", "x")])
def test_a_name_or_tag_that_docker_refuses_is_refused(shop: Path, name: str, tag: str) -> None:
    with pytest.raises(InvalidInput):
        push.prepare_build(shop, folder=shop.parent / "images", name=name, tag=tag)


def test_a_context_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="gone"):
        push.prepare_build(tmp_path / "gone", folder=tmp_path)


def test_a_context_that_is_not_there_is_looked_for_beside_the_notebook(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop.parent)
    found = [push.locate_context(f"{place}/{shop.name}") for place in ("../elsewhere", ".")]
    assert found == [Path(shop.name), f"./{shop.name}"]


def test_a_context_that_is_nowhere_stays_what_was_asked_for(tmp_path: Path) -> None:
    assert push.locate_context("../elsewhere/shop") == "../elsewhere/shop"


def test_a_context_without_a_dockerfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Dockerfile がありません"):
        push.prepare_build(tmp_path, folder=tmp_path)


def test_a_context_that_cannot_be_read_says_which_file(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> str:
        raise PermissionError(13, "Permission denied", str(shop / "key"))

    monkeypatch.setattr(push, "digest_context", fail)
    with pytest.raises(NotReady, match="key"):
        push.make_unique_tag(shop)


class NoEngine:
    name = "docker"

    def push(self, *_arguments: object, **_options: object) -> PushedImage:
        raise AssertionError("nothing may be pushed")


def test_an_image_of_another_engine_is_refused_before_the_push() -> None:
    packed = LocalImage("builtin", "rails-app", "sha256:abc", ("latest",), 10)
    destination = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "x")
    with pytest.raises(InvalidInput, match="builtin"):
        push.push_image(NoEngine(), packed, destination=destination, say=ignore_progress)  # type: ignore[arg-type]


def test_a_tag_that_docker_refuses_is_refused_before_the_push() -> None:
    built = LocalImage("docker", "rails-app", "sha256:abc", ("latest",), 10)
    destination = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "x", ("bad tag",))
    with pytest.raises(InvalidInput, match="bad tag"):
        push.push_image(NoEngine(), built, destination=destination, say=ignore_progress)  # type: ignore[arg-type]


def test_both_engines_fill_the_same_rows() -> None:
    docker = LocalImage("docker", "rails-app", "sha256:abc", ("latest",), 10, steps=("FROM a",))
    builtin = LocalImage(
        "builtin",
        "rails-app",
        "sha256:abc",
        ("latest",),
        10,
        steps=("FROM a",),
        skipped_steps=("F",),
    )
    pairs = zip(repr(docker).splitlines(), repr(builtin).splitlines(), strict=True)
    differing = [
        (one.split(":")[0].split()[-1], two.split(":")[0].split()[-1])
        for one, two in pairs
        if one != two
    ]
    assert differing == [("エンジン", "エンジン"), ("手順の実行", "手順の実行")]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_pushed_image_shows_digest_and_layers(language: str) -> None:
    messages.use(language)
    pushed = PushedImage("docker", "rails-app", "sha256:d", ("latest",), 2, 3, 96_700_000)
    shown = repr(pushed)
    assert "sha256:d" in shown
    assert "96.7 MB" in shown
