"""What `.dockerignore` leaves of a build context, as BuildKit reads it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from handson.core.errors import InvalidInput
from handson.engine.build_context import compile_pattern, list_context

FILES = ("a.txt", "b.rb", "app/main.rb", "app/views/page.erb", "lib/views/x", "lib-2/a.txt")
APP = "app app/main.rb app/views app/views/page.erb"
LIBS = "lib lib/views lib/views/x lib-2 lib-2/a.txt"
ALL = f"a.txt {APP} b.rb {LIBS}"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def leave(shop: Path, text: str, *, encoding: str = "utf-8") -> str:
    (shop / ".dockerignore").write_text(text, encoding=encoding, newline="")
    return " ".join(path for path in list_context(shop) if path != ".dockerignore")


LEFT = {
    "": ALL,
    "# app\n\n  \n  # app\n": ALL,
    "app\r\n  lib* \r\n": "a.txt b.rb",
    "/app/\n./lib\nlib-2/../lib-2": "a.txt b.rb",
    "../app\n.\n..\n/": ALL,
    "app/*": f"a.txt app b.rb {LIBS}",
    "app/**\nlib**": "a.txt app b.rb",
    "*.txt": f"{APP} b.rb {LIBS}",
    "**/*.txt\n?.rb": f"{APP} lib lib/views lib/views/x lib-2",
    "**/views": "a.txt app app/main.rb b.rb lib lib-2 lib-2/a.txt",
    "[a-b].*\nlib[!x]2": f"{APP} lib lib/views lib/views/x lib-2 lib-2/a.txt",
    "lib[^x]2": f"a.txt {APP} b.rb lib lib/views lib/views/x",
    "a\\.txt": ALL.removeprefix("a.txt "),
    # The last pattern that matches wins; an exception reaches into a folder that is left out.
    "*\n!app/views": "app/views app/views/page.erb",
    "*\n! a.txt\n!*.rb\nb.rb": "a.txt",
    "*\n!**/*.rb": "app/main.rb b.rb",
    "!app\napp": f"a.txt b.rb {LIBS}",
    "app/main.rb\n!app": ALL.replace(" app/main.rb", ""),
}


def test_each_line_leaves_out_what_docker_leaves_out_in_the_order_of_a_walk(shop: Path) -> None:
    assert {text: leave(shop, text) for text in LEFT} == LEFT


def test_a_mark_is_no_part_of_the_first_line_and_a_sign_behind_spaces_no_comment(
    shop: Path,
) -> None:
    assert leave(shop, "app\nlib*\n", encoding="utf-8-sig") == "a.txt b.rb"
    (shop / "#a").touch()
    assert leave(shop, "app\nlib*\n  #a\n") == "a.txt b.rb"  # no comment for Docker
    (shop / "Dockerfile.dockerignore").write_text("*\n!b.rb\n")  # BuildKit prefers this one
    assert list_context(shop) == ("b.rb",)


@pytest.mark.parametrize(("encoding", "name"), [("utf-16", "UTF-16"), ("cp932", "Shift_JIS")])
def test_another_encoding_is_refused_by_name(shop: Path, encoding: str, name: str) -> None:
    with pytest.raises(InvalidInput, match=rf"\.dockerignore .*UTF-8.*{name}"):
        leave(shop, "# 秘密\n.env\n", encoding=encoding)


@pytest.mark.parametrize(
    "line", ["!", "a[", "a]", "[a-", "[z-a]", "[]a]", "**lib", "***", "a^b", "a\\", "\\a"]
)
def test_a_pattern_that_go_reads_otherwise_is_refused_with_its_line(shop: Path, line: str) -> None:
    with pytest.raises(InvalidInput, match=r"\.dockerignore:2 "):
        leave(shop, f"\n{line}\n")


def test_a_pattern_is_matched_whole_and_its_other_signs_are_plain() -> None:
    assert compile_pattern("x+(1).t?t").fullmatch("x+(1).txt")
    assert not compile_pattern("*").fullmatch("a/b")


def test_a_socket_is_left_out_and_a_link_is_not_followed(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / "link").symlink_to("app")
    (shop / "link-to-nothing").symlink_to("gone")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(shop)  # an address has at most 108 bytes
        server.bind("socket")
        assert leave(shop, "") == ALL + " link link-to-nothing"
