from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handson.aws import settings
from handson.aws.settings import Settings
from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.files import shorten_path
from handson.course.exercise import Exercise

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Answer ``read(region="…", environ={"HANDSON_…": "…"})`` in a home folder of its own."""

    def reader(environ: dict[str, str] | None = None, **arguments: Any) -> Settings:
        environ = {"HANDSON_HOME": str(tmp_path / "home")} | (environ or {})
        return settings.read_settings(environ, cwd=tmp_path, **arguments)

    return reader


# Where a value comes from

VALUES = [
    ("target", "HANDSON_TARGET", "target", "aws", "emulator"),
    ("endpoint_url", "HANDSON_ENDPOINT_URL", "endpoint_url", "http://a:1", "http://b:2"),
    ("region", "HANDSON_REGION", "region", "eu-west-1", "ap-northeast-1"),
    ("learner", "HANDSON_LEARNER", "learner", "Hanako", "Taro"),
    ("lang", "HANDSON_LANG", "lang", "en", "ja"),
    ("aws_account", "HANDSON_AWS_ACCOUNT", "aws_account", "111122223333", "444455556666"),
    ("engine", "HANDSON_ENGINE", "engine", "builtin", "docker"),
    ("base_image", "HANDSON_BASE_IMAGE", "base_image", "ruby:3.4", "ruby:3.3"),
]
ATTRIBUTES = "argument, variable, attribute, one, other"


@pytest.mark.parametrize(ATTRIBUTES, VALUES)
def test_a_value_is_read_from_the_environment(
    read: Read, argument: str, variable: str, attribute: str, one: str, other: str
) -> None:
    assert getattr(read({variable: one}), attribute) == one


@pytest.mark.parametrize(ATTRIBUTES, VALUES)
def test_an_argument_beats_the_environment(
    read: Read, argument: str, variable: str, attribute: str, one: str, other: str
) -> None:
    assert getattr(read({variable: one}, **{argument: other}), attribute) == other


@pytest.mark.parametrize("empty", ["", "  ", None])
@pytest.mark.parametrize(ATTRIBUTES, VALUES)
def test_an_empty_argument_does_not_hide_the_environment(
    read: Read, argument: str, variable: str, attribute: str, one: str, other: str, empty: str
) -> None:
    assert getattr(read({variable: one}, **{argument: empty}), attribute) == one


@pytest.mark.parametrize(
    ("attribute", "default"),
    [
        ("target", "emulator"),
        ("endpoint_url", None),
        ("region", Exercise().region),
        ("learner", ""),
        ("lang", "ja"),
        ("aws_account", None),
        ("engine", "auto"),
        ("base_image", None),
    ],
)
@pytest.mark.parametrize("environ", [{}, {v: "" for _, v, *_ in VALUES}], ids=["unset", "empty"])
def test_a_value_that_nobody_gives_has_a_default(
    read: Read, attribute: str, default: str, environ: dict[str, str]
) -> None:
    assert getattr(read(environ), attribute) == default


def test_the_exercise_is_the_workshops_own_in_the_chosen_region(read: Read) -> None:
    assert read(region="eu-west-1").exercise == Exercise(region="eu-west-1")


def test_the_learners_own_aws_region_is_not_looked_at(read: Read) -> None:
    own = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    assert read(own).region == "us-east-1"


def test_a_setting_that_does_not_exist_is_answered_with_the_nearest(read: Read) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(learnr="Hanako")
    assert ("learnr" in refused.value.problem, "learner " in refused.value.remedy) == (True, True)


def test_the_docker_host_is_taken_from_the_environment(read: Read) -> None:
    assert read({"DOCKER_HOST": "unix:///x.sock"}).docker_host == "unix:///x.sock"


def test_messages_speak_the_chosen_language(read: Read) -> None:
    read(lang="en")
    assert messages.language() == "en"


def test_an_account_may_be_written_with_hyphens(read: Read) -> None:
    assert read(aws_account="1111-2222-3333").aws_account == "111122223333"


def test_the_environment_is_not_shown_with_the_settings(read: Read) -> None:
    assert "hunter2" not in repr(read({"AWS_SECRET_ACCESS_KEY": "hunter2"}))


# What is refused

WRONG = [
    ({"target": "azure"}, "HANDSON_TARGET", "emulator / aws"),
    ({"engine": "podman"}, "HANDSON_ENGINE", "auto / docker / builtin"),
    ({"lang": "fr"}, "HANDSON_LANG", "ja / en"),
    ({"region": "us-eas-1"}, "us-eas-1", "us-east-1"),
    ({"region": "ap-northeast-9"}, "ap-northeast-9", "ap-northeast-"),
    ({"aws_account": "12345"}, "HANDSON_AWS_ACCOUNT", "12"),
    ({"aws_account": "１１１１２２２２３３３３"}, "HANDSON_AWS_ACCOUNT", "12"),
    ({"aws_account": 111122223333}, "aws_account", "111122223333"),
    ({"endpoint_url": "localhost:4566"}, "HANDSON_ENDPOINT_URL", "http"),
    ({"endpoint_url": "ftp://localhost"}, "HANDSON_ENDPOINT_URL", "http"),
    ({"endpoint_url": "http://"}, "HANDSON_ENDPOINT_URL", "http"),
    ({"endpoint_url": "http://[::1"}, "HANDSON_ENDPOINT_URL", "http"),
    ({"endpoint_url": "http://localhost:port"}, "HANDSON_ENDPOINT_URL", "http"),
    ({"endpoint_url": "http://localhost:99999"}, "HANDSON_ENDPOINT_URL", "http"),
    ({"learner": "a\nb"}, "80", "handson.start"),
    ({"learner": "x" * 81}, "80", "handson.start"),
    ({"learner": 7}, "learner", "7"),
]


@pytest.mark.parametrize(("arguments", "named", "wanted"), WRONG)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_wrong_value_is_named_with_what_is_wanted(
    read: Read, arguments: dict[str, Any], named: str, wanted: str, language: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(**({"lang": language} | arguments))
    said = str(refusal.value)
    assert [named in said, wanted in said, said.count("\n")] == [True, True, 1]


@pytest.mark.parametrize(("arguments", "named", "wanted"), WRONG)
def test_a_wrong_value_creates_nothing(
    read: Read, tmp_path: Path, arguments: dict[str, Any], named: str, wanted: str
) -> None:
    with pytest.raises(InvalidInput):
        read(**arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["http://me:hunter2@localhost:1", "me:hunter2@localhost:1", "https://hunter2@x"]
)
def test_a_password_in_an_endpoint_is_refused_and_not_repeated(read: Read, url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(endpoint_url=url)
    assert "hunter2" not in str(refusal.value)


# The home folder


def test_the_home_folder_is_made(read: Read, tmp_path: Path) -> None:
    assert read(home=str(tmp_path / "a" / "b")).home.is_dir()


def test_a_home_folder_that_was_just_made_is_empty(read: Read) -> None:
    assert list(read().home.iterdir()) == []


def test_a_relative_home_folder_is_below_the_current_one(read: Read, tmp_path: Path) -> None:
    assert read(home="mine").home == tmp_path / "mine"


def test_a_tilde_is_the_users_folder(read: Read) -> None:
    assert read(home="~/workshop").home == Path.home() / "workshop"


def test_a_home_folder_may_be_given_as_a_path(read: Read, tmp_path: Path) -> None:
    assert read(home=tmp_path / "mine").home == tmp_path / "mine"


def test_the_home_folder_is_beside_the_notebooks(tmp_path: Path) -> None:
    kernel = tmp_path / "notebooks" / "ja"
    kernel.mkdir(parents=True)
    assert settings.read_settings({}, cwd=kernel).home == tmp_path / "notebooks" / ".handson"


def test_it_is_the_same_one_from_the_folder_above_the_notebooks(tmp_path: Path) -> None:
    (tmp_path / "notebooks" / "ja").mkdir(parents=True)
    assert settings.read_settings({}, cwd=tmp_path).home == tmp_path / "notebooks" / ".handson"


def test_without_notebooks_the_home_folder_is_here(tmp_path: Path) -> None:
    assert settings.read_settings({}, cwd=tmp_path).home == tmp_path / ".handson"


@pytest.fixture
def assignment(tmp_path: Path) -> Path:
    """A folder with a notebook as nbgrader hands it out."""
    folder = tmp_path / "ecs-handson"
    folder.mkdir()
    (folder / "01-network.ipynb").write_text('{"cells": [{"checksum": "58ab"}]}', encoding="utf-8")
    return folder


def test_the_home_folder_of_an_assignment_is_around_what_is_handed_in(assignment: Path) -> None:
    assert settings.default_home(assignment) == assignment.parent / ".handson"


def test_a_folder_with_notebooks_that_nobody_handed_out_keeps_its_home(assignment: Path) -> None:
    (assignment / "01-network.ipynb").write_text('{"cells": []}', encoding="utf-8")
    assert settings.default_home(assignment) == assignment / ".handson"


def test_the_file_to_hand_in_is_put_beside_the_notebook_unless_a_folder_is_named(
    read: Read, tmp_path: Path
) -> None:
    assert [read({}).hand_in, read({"HANDSON_HAND_IN": "out"}).hand_in] == [None, tmp_path / "out"]


def test_no_notebooks_are_found_where_there_are_none(tmp_path: Path) -> None:
    assert settings.find_notebooks_folder(tmp_path) is None


def no_folder(tmp_path: Path) -> str:
    (tmp_path / "file").write_text("mine")
    return str(tmp_path / "file")


def below_no_folder(tmp_path: Path) -> str:
    return no_folder(tmp_path) + "/home"


@pytest.mark.parametrize(
    "place", [no_folder, below_no_folder, lambda _: "~nobody-of-that-name/x", lambda _: "a\0b"]
)
def test_a_home_that_cannot_be_a_folder_is_refused(
    read: Read, tmp_path: Path, place: Callable[[Path], str]
) -> None:
    with pytest.raises(NotReady, match="書き込めません") as refusal:
        read(home=place(tmp_path))
    assert "HANDSON_HOME" in refusal.value.remedy


def test_a_file_in_the_place_of_the_home_is_left_as_it_is(read: Read, tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        read(home=no_folder(tmp_path))
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_is_read_only_is_refused(read: Read, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o500)
    with pytest.raises(NotReady, match="書き込めません"):
        read()


# The learner


def test_the_learner_is_remembered_in_the_home_folder(read: Read) -> None:
    settings.remember_learner(read().home, "山田 花子")
    assert read().learner == "山田 花子"


def test_the_environment_beats_what_is_remembered(read: Read) -> None:
    settings.remember_learner(read().home, "Hanako")
    assert read({"HANDSON_LEARNER": "Taro"}).learner == "Taro"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 1000, b"a\x00b", b""])
def test_a_remembered_name_that_cannot_be_one_is_none(read: Read, content: bytes) -> None:
    (read().home / "learner").write_bytes(content)
    assert read().learner == ""


def test_a_folder_in_the_place_of_the_remembered_name_is_none(read: Read) -> None:
    (read().home / "learner").mkdir()
    assert read().learner == ""


def test_a_name_that_cannot_be_kept_is_refused_in_two_lines(read: Read) -> None:
    home = read().home
    (home / "learner").mkdir()
    with pytest.raises(NotReady, match="同じ名前のフォルダー"):
        settings.remember_learner(home, "Hanako")


def test_a_name_that_cannot_be_kept_leaves_nothing_half_made(read: Read) -> None:
    home = read().home
    (home / "learner").mkdir()
    with pytest.raises(HandsonError):
        settings.remember_learner(home, "Hanako")
    assert [path.name for path in home.iterdir()] == ["learner"]


# Real AWS, or what stands in its place


def test_real_aws_and_an_endpoint_at_once_are_refused(read: Read) -> None:
    with pytest.raises(InvalidInput, match="HANDSON_ENDPOINT_URL") as refusal:
        read(target="aws", endpoint_url="http://127.0.0.1:5000")
    assert "http://127.0.0.1:5000" in refusal.value.problem


AWS_ITSELF = [
    "https://ec2.us-east-1.amazonaws.com",
    "https://EC2.US-EAST-1.AMAZONAWS.COM:443/",
    "https://sts.amazonaws.com.",
    "http://amazonaws.com",
    "https://112233445566.dkr.ecr.us-east-1.amazonaws.com",
    "https://ec2.cn-north-1.amazonaws.com.cn",
    "https://ec2.us-east-1.api.aws",
]


@pytest.mark.parametrize("url", AWS_ITSELF)
def test_aws_itself_is_no_endpoint_in_its_own_place(read: Read, url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(endpoint_url=url)
    assert "HANDSON_TARGET=aws" in refusal.value.remedy


LOOKS_LIKE_AWS = [
    "http://ec2.us-east-1.amazonaws.com.localhost:4566",
    "http://not-amazonaws.com:4566",
    "http://amazonaws.com.example.org",
]


@pytest.mark.parametrize("url", LOOKS_LIKE_AWS)
def test_a_host_that_only_looks_like_aws_stays_an_emulator(read: Read, url: str) -> None:
    chosen = read(endpoint_url=url)
    assert (chosen.target, chosen.endpoint_url) == ("emulator", url)


# What a kernel is given


def test_a_kernel_reads_the_same_settings_again(read: Read, tmp_path: Path) -> None:
    arguments = {argument: one for argument, _, _, one, _ in VALUES}
    arguments["target"] = "emulator"  # real AWS and an endpoint at once are refused
    chosen = read(home=str(tmp_path / "other"), **arguments)
    assert settings.read_settings(chosen.as_environment(), cwd=tmp_path / "elsewhere") == chosen


def test_a_kernel_gets_the_rest_of_the_environment_too(read: Read) -> None:
    assert read({"LD_LIBRARY_PATH": "/x"}).as_environment()["LD_LIBRARY_PATH"] == "/x"


def test_a_name_given_later_in_a_notebook_is_found_by_the_next_kernel(read: Read) -> None:
    settings.remember_learner(read().home, "before")
    environment = read().as_environment()
    settings.remember_learner(read().home, "after")
    assert read(environment).learner == "after"


def test_every_region_is_named_once() -> None:
    assert len(set(settings.list_regions())) == len(settings.list_regions())


def test_the_regions_are_those_that_the_aws_library_knows() -> None:
    botocore = pytest.importorskip("botocore.session")
    known = botocore.get_session().get_available_regions("ec2", partition_name="aws")
    assert set(known) - set(settings.list_regions()) == set()


# How a folder is told


@pytest.mark.parametrize(
    ("path", "told"),
    [("notebooks/.handson", "notebooks/.handson"), ("../beside", "../beside")],
)
def test_a_folder_near_by_is_told_from_here(path: str, told: str) -> None:
    assert shorten_path(Path(os.path.normpath(Path.cwd() / path))) == told


def test_a_folder_of_the_user_is_told_from_there() -> None:
    assert shorten_path(Path.home() / "workshop") == "~/workshop"


def test_any_other_folder_is_told_in_full() -> None:
    assert shorten_path(Path("/nowhere/at/all")) == str(Path("/nowhere/at/all"))
