"""The tag that identifies a build context, by git or by digest; no container engine is needed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from handson.core.errors import NotReady
from handson.resources import push

WHO = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (folder / ".dockerignore").write_text("log\n")
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *WHO, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_context_is_tagged_with_its_commit_as_long_as_git_has_all_of_it(shop: Path) -> None:
    git(shop, "init", "--quiet")
    git(shop, "add", ".")
    git(shop, "commit", "--quiet", "-m", "shop")
    (shop / ".git" / "info" / "exclude").write_text("secret\n")
    (shop / "log").mkdir()
    (shop / "log" / "production.log").write_text("left out by .dockerignore")
    commit = git(shop, "rev-parse", "HEAD")[:12]
    assert push.make_unique_tag(shop) == commit
    (shop / "secret").touch()
    assert push.make_unique_tag(shop).startswith("ctx-")
    (shop / "secret").unlink()
    assert push.make_unique_tag(shop) == commit
    (shop / "Dockerfile").write_text("FROM scratch\n")
    assert push.make_unique_tag(shop).startswith("ctx-")


def test_without_git_the_tag_beside_the_asked_one_is_the_same_for_the_same_files(
    shop: Path,
) -> None:
    (shop / ".dockerignore").write_text("Dockerfile\n")
    tag = push.make_unique_tag(shop)
    assert (len(tag), tag[:4]) == (16, "ctx-")
    request = push.prepare_build(shop, folder=shop.parent / "images", tag="v1")
    assert request.tags == ("v1", tag)
    (shop / "Dockerfile").write_text("FROM ruby\n")
    assert push.make_unique_tag(shop) != tag


def test_a_context_that_cannot_be_read_says_which_file(shop: Path) -> None:
    with pytest.raises(NotReady, match="gone"):
        push.make_unique_tag(shop / "gone")


def test_the_tag_notices_content_and_the_executable_bit_alone(shop: Path) -> None:
    (shop / "start").write_text("puts 1")
    first = push.make_unique_tag(shop)
    (shop / "log").mkdir()
    (shop / "log" / "production.log").write_text("GET /")
    os.utime(shop / "start", (1, 1))
    assert push.make_unique_tag(shop) == first
    (shop / "start").write_text("puts 2")
    second = push.make_unique_tag(shop)
    (shop / "start").chmod(0o755)
    assert len({first, second, push.make_unique_tag(shop)}) == 3
