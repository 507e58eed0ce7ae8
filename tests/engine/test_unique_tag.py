"""The tag that identifies a build context, by git or by digest; no container engine is needed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from handson.core.errors import NotReady
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
    (shop / "log").mkdir()
    (shop / "log" / "production.log").write_text("left out by .dockerignore")
    assert push.make_unique_tag(shop) == committed


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("changed", ["Dockerfile", "secret"])
def test_a_context_that_git_does_not_have_like_this_is_tagged_with_its_digest(
    shop: Path, changed: str
) -> None:
    (shop / ".git" / "info" / "exclude").write_text("secret\n")
    (shop / changed).write_text("FROM scratch\n")
    assert push.make_unique_tag(shop).startswith("ctx-")


def test_without_git_the_tag_is_the_same_for_the_same_files(shop: Path) -> None:
    (shop / ".dockerignore").write_text("Dockerfile\n")
    tag = push.make_unique_tag(shop)
    assert tag == push.make_unique_tag(shop)
    assert (len(tag), tag[:4]) == (16, "ctx-")
    (shop / "Dockerfile").write_text("FROM ruby\n")
    assert push.make_unique_tag(shop) != tag


def test_a_prepared_request_has_the_asked_tag_and_the_unique_one(shop: Path) -> None:
    request = push.prepare_build(shop, folder=shop.parent / "images", tag="v1")
    assert request.tags == ("v1", push.make_unique_tag(shop))


def test_a_context_that_cannot_be_read_says_which_file(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / "key").touch()
    reading = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "key":
            raise PermissionError(13, "Permission denied", str(path))
        return reading(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(NotReady, match="key"):
        push.make_unique_tag(shop)
