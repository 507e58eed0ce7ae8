"""Settings: where each value comes from, what is refused, and what the home folder keeps."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from handson.aws import settings
from handson.aws.settings import Settings
from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import shorten_path
from handson.course.exercise import Exercise

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Answer ``read({"HANDSON_…": "…"}, region="…")`` in a home folder of its own."""

    def reader(environ: dict[str, str] | None = None, **arguments: Any) -> Settings:
        environ = {"HANDSON_HOME": str(tmp_path / "home")} | (environ or {})
        return settings.read_settings(environ, cwd=tmp_path, **arguments)

    return reader


# read_settings: where a value comes from

VARIABLES = {
    "HANDSON_TARGET": ("target", "aws", "emulator"),
    "HANDSON_ENDPOINT_URL": ("endpoint_url", "http://a:1", "http://b:2"),
    "HANDSON_REGION": ("region", "eu-west-1", "ap-northeast-1"),
    "HANDSON_LEARNER": ("learner", "Hanako", "Taro"),
    "HANDSON_LANG": ("lang", "en", "ja"),
    "HANDSON_AWS_ACCOUNT": ("aws_account", "111122223333", "444455556666"),
    "HANDSON_ENGINE": ("engine", "builtin", "docker"),
    "HANDSON_BASE_IMAGE": ("base_image", "ruby:3.4", "ruby:3.3"),
}


def test_a_value_is_that_of_its_variable_or_of_an_argument_without_spaces(read: Read) -> None:
    for variable, (name, value, other) in VARIABLES.items():
        given = {variable: f" {value} "}
        arguments = (None, "", "  ", f" {other} ")
        found = [getattr(read(given, **{name: it}), name) for it in arguments]
        assert found == [value, value, value, other], variable


def test_what_nobody_gives_has_a_default(read: Read, tmp_path: Path) -> None:
    defaults = Settings(
        target="emulator",
        exercise=Exercise(region="us-east-1"),
        endpoint_url=None,
        learner="",
        home=tmp_path / "home",
        lang="ja",
        aws_account=None,
        engine="auto",
        base_image=None,
        hand_in=None,
    )
    assert read() == defaults
    assert read(dict.fromkeys([*VARIABLES, "HANDSON_HAND_IN"], "")) == defaults


def test_only_variables_of_the_workshop_are_settings(read: Read) -> None:
    own = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "TARGET": "aws"}
    assert read(own) == read()


def test_the_docker_host_is_that_of_the_environment_if_it_names_one(read: Read) -> None:
    assert read({"DOCKER_HOST": "unix:///x.sock"}).docker_host == "unix:///x.sock"
    assert read().docker_host == ""


def test_the_folder_to_hand_in_is_below_the_current_one_or_the_users(
    read: Read, tmp_path: Path
) -> None:
    assert read({"HANDSON_HAND_IN": "out"}).hand_in == tmp_path / "out"
    assert read(hand_in="~/out").hand_in == Path.home() / "out"


def test_an_account_may_be_written_with_hyphens(read: Read) -> None:
    assert read(aws_account="1111-2222-3333").aws_account == "111122223333"


def test_the_environment_is_not_shown_with_the_settings(read: Read) -> None:
    assert "hunter2" not in repr(read({"AWS_SECRET_ACCESS_KEY": "hunter2"}))


# read_settings: what is refused

NAMES = (
    "target, endpoint_url, region, learner, home, lang, aws_account, engine, base_image, hand_in"
)
WRONG: list[tuple[dict[str, Any], str, dict[str, str]]] = [
    ({"target": "aws", "endpoint_url": "http://a:1"}, "both", {"value": "http://a:1"}),
    ({"aws_account": "12345"}, "account", {"value": "12345"}),
    ({"aws_account": "1111222233334"}, "account", {"value": "1111222233334"}),
    ({"aws_account": "１１１１２２２２３３３３"}, "account", {"value": "１１１１２２２２３３３３"}),
    ({"aws_account": 111122223333}, "not-text", {"name": "aws_account", "value": "111122223333"}),
    ({"learner": 7}, "not-text", {"name": "learner", "value": "7"}),
    ({"learner": "a\nb"}, "learner", {}),
    ({"learner": "x" * 81}, "learner", {}),
    ({"regoin": "x"}, "unknown", {"name": "regoin", "near": "region", "choices": NAMES}),
    ({"qqqqqqq": "x"}, "unknown", {"name": "qqqqqqq", "near": "learner", "choices": NAMES}),
]
BAD_ENDPOINTS = (
    "localhost:4566", "ftp://localhost", "http://", "http://:4566", "http://[::1",
    "http://localhost:x", "http://localhost:0", "http://localhost:65536",
)  # fmt: skip
SHOWN = {
    "http://me:hunter2@localhost:1": "localhost:1",
    "me:hunter2@localhost:1": "localhost:1",
    "https://hunter2@x": "x",
    **{url: url for url in BAD_ENDPOINTS},
}
"""What is repeated of an endpoint: no password."""
CHOICES = {
    "target": ("HANDSON_TARGET", "emulator / aws"),
    "engine": ("HANDSON_ENGINE", "auto / docker / builtin"),
    "lang": ("HANDSON_LANG", "ja / en"),
}


def advice_on(read: Read, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read(**arguments)
    return refused.value.problem, refused.value.remedy


def test_a_wrong_value_is_refused_and_creates_nothing(read: Read, tmp_path: Path) -> None:
    for arguments, key, values in WRONG:
        assert advice_on(read, **arguments) == messages.advice(f"aws.settings.{key}", **values)
    assert list(tmp_path.iterdir()) == []


def test_a_value_outside_of_the_choices_is_answered_with_them(read: Read) -> None:
    for name, (variable, choices) in CHOICES.items():
        wanted = messages.advice("aws.settings.choice", name=variable, value="x", choices=choices)
        assert advice_on(read, **{name: "x"}) == wanted


def test_an_endpoint_that_is_no_url_or_names_a_user_is_refused(read: Read) -> None:
    assert {url: advice_on(read, endpoint_url=url) for url in SHOWN} == {
        url: messages.advice("aws.settings.endpoint", value=shown) for url, shown in SHOWN.items()
    }


def test_an_unknown_region_is_answered_with_the_nearest(read: Read) -> None:
    with pytest.raises(InvalidInput, match="us-east-1"):
        read(region="us-eas-1")


def test_real_aws_is_not_accepted_as_an_endpoint(read: Read) -> None:
    hosts = {
        "https://ec2.us-east-1.amazonaws.com": "ec2.us-east-1.amazonaws.com",
        "https://EC2.US-EAST-1.AMAZONAWS.COM:443/": "ec2.us-east-1.amazonaws.com",
        "http://sts.amazonaws.com.": "sts.amazonaws.com.",
        "http://amazonaws.com": "amazonaws.com",
        "https://ec2.cn-north-1.amazonaws.com.cn": "ec2.cn-north-1.amazonaws.com.cn",
        "https://ec2.us-east-1.api.aws": "ec2.us-east-1.api.aws",
        "https://1.dkr-ecr.us-east-1.on.aws": "1.dkr-ecr.us-east-1.on.aws",
    }
    assert {url: advice_on(read, endpoint_url=url) for url in hosts} == {
        url: messages.advice("aws.settings.aws-endpoint", value=host) for url, host in hosts.items()
    }


def test_an_endpoint_is_kept_without_the_slash_at_its_end(read: Read) -> None:
    kept = {
        "http://ec2.amazonaws.com.localhost": "http://ec2.amazonaws.com.localhost",
        "http://not-amazonaws.com:65535": "http://not-amazonaws.com:65535",
        "http://localhost:1": "http://localhost:1",
        "https://localhost/": "https://localhost",
        "http://[::1]:4566//": "http://[::1]:4566",
    }
    assert {url: read(endpoint_url=url).endpoint_url for url in kept} == kept


# The language: read_settings, choose_language


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    for lang in ("ja", "en"):
        (folder / lang).mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("where", "given", "wanted"),
    [
        ("notebooks/en", "", "en"),
        ("notebooks/en/deeper", "", "en"),
        ("notebooks/en", "ja", "ja"),
        ("notebooks/ja", "", "ja"),
        ("notebooks/ja", "en", "en"),
        ("notebooks", "", "ja"),
        (".", "", "ja"),
    ],
)
def test_messages_are_in_the_language_of_the_settings_or_else_of_the_edition(
    notebooks: Path, where: str, given: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoken(switch: Callable[[], object]) -> str:
        messages.use("en" if wanted == "ja" else "ja")
        switch()
        return messages.language()

    here = notebooks.parent / where
    here.mkdir(exist_ok=True)
    monkeypatch.chdir(here)
    environ = {"HANDSON_LANG": given}
    assert spoken(lambda: settings.read_settings(environ, cwd=here)) == wanted
    assert spoken(lambda: settings.choose_language(given)) == wanted
    monkeypatch.setenv("HANDSON_LANG", given)
    assert spoken(settings.choose_language) == wanted


# The home folder: read_settings, default_home, find_home, find_notebooks_folder


def test_the_home_folder_is_made_and_left_as_it_is(read: Read, tmp_path: Path) -> None:
    home = read(home=str(tmp_path / "a" / "b")).home
    assert list(home.iterdir()) == []
    (home / "journal").touch()
    assert list(read(home=str(home)).home.iterdir()) == [home / "journal"]


def test_the_home_folder_is_given_by_text_or_path_here_or_below_the_users(
    read: Read, tmp_path: Path
) -> None:
    assert read(home="mine").home == tmp_path / "mine"
    assert read(home="~/workshop").home == Path.home() / "workshop"
    assert read(home=tmp_path / "mine").home == tmp_path / "mine"


@pytest.mark.parametrize("where", ["notebooks/ja", "notebooks/ja/deeper", "notebooks", "."])
def test_the_default_home_is_beside_the_notebooks_around(notebooks: Path, where: str) -> None:
    (notebooks / "ja" / "deeper").mkdir()
    here = notebooks.parent / where
    assert settings.find_notebooks_folder(here) == notebooks
    assert settings.default_home(here) == notebooks / ".handson"
    assert settings.read_settings({}, cwd=here).home == notebooks / ".handson"


@pytest.mark.parametrize("folders", ["other/ja", "notebooks/en"])
def test_without_notebooks_around_the_default_home_is_here(tmp_path: Path, folders: str) -> None:
    here = tmp_path / folders
    here.mkdir(parents=True)
    assert settings.find_notebooks_folder(here) is None
    assert settings.default_home(here) == here / ".handson"


def test_find_home_is_that_of_the_settings_and_creates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HANDSON_HOME", raising=False)
    assert settings.find_home() == tmp_path / ".handson"
    monkeypatch.setenv("HANDSON_HOME", " mine ")
    assert settings.find_home() == tmp_path / "mine"
    assert list(tmp_path.iterdir()) == []


def test_read_environment_reads_the_variables_and_the_folder_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDSON_ENGINE", "builtin")
    chosen = settings.read_environment(region="eu-west-1")
    assert (chosen.home, chosen.engine) == (tmp_path / ".handson", "builtin")
    assert chosen.region == "eu-west-1"


def in_the_way(tmp_path: Path) -> str:
    (tmp_path / "file").write_text("mine")
    return str(tmp_path / "file")


def below_a_file(tmp_path: Path) -> str:
    return in_the_way(tmp_path) + "/home"


def not_writable(tmp_path: Path) -> str:
    """Make a folder in which the probe cannot be made, not even by root."""
    (tmp_path / "sealed").mkdir()
    (tmp_path / "sealed" / ".writable").symlink_to(tmp_path / "gone" / "file")
    return str(tmp_path / "sealed")


@pytest.mark.parametrize(
    "place", [in_the_way, below_a_file, not_writable, lambda _: "~no-such-user/x", lambda _: "a\0b"]
)
def test_a_home_folder_that_cannot_be_made_or_written_is_refused(
    read: Read, tmp_path: Path, place: Callable[[Path], str]
) -> None:
    home = place(tmp_path)
    with pytest.raises(NotReady, match="書き込めません") as refused:
        read(home=home)
    assert Path(home).name in refused.value.problem
    assert "HANDSON_HOME" in refused.value.remedy
    assert place is not in_the_way or Path(home).read_text() == "mine"


# nbgrader: is_assignment, default_home, nbgrader_step


@pytest.fixture
def assignment(tmp_path: Path) -> Path:
    """Return a folder with a notebook as nbgrader hands it out."""
    folder = tmp_path / "ecs-handson"
    folder.mkdir()
    (folder / "01-network.ipynb").write_text('{"cells": [{"checksum": "58ab"}]}', encoding="utf-8")
    return folder


def test_the_home_of_an_assignment_is_outside_of_what_is_handed_in(
    assignment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(assignment)
    assert settings.default_home(assignment) == assignment.parent / ".handson"
    assert settings.is_assignment() is True


@pytest.mark.parametrize("content", ['{"cells": [{"source": "a checksum"}]}', None])
def test_a_folder_whose_notebooks_nobody_handed_out_keeps_its_home(
    assignment: Path, content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (assignment / "01-network.ipynb").unlink()
    if content:
        (assignment / "01-network.ipynb").write_text(content, encoding="utf-8")
    monkeypatch.chdir(assignment)
    assert settings.default_home(assignment) == assignment / ".handson"
    assert settings.is_assignment() is False


def test_nbgrader_names_the_step_that_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert settings.nbgrader_step() == ""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde ")
    assert settings.nbgrader_step() == "autograde"


# The learner: remember_learner, read_settings


def test_a_name_of_eighty_characters_is_remembered_in_the_home_folder(read: Read) -> None:
    name = "山田 花子" + "x" * 75
    settings.remember_learner(read(learner=name).home, name)
    assert read().learner == name


def test_the_environment_beats_what_is_remembered(read: Read) -> None:
    settings.remember_learner(read().home, "Hanako")
    assert read({"HANDSON_LEARNER": "Taro"}).learner == "Taro"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 81, b"a\x00b", b"", b" \n"])
def test_a_remembered_name_that_is_invalid_is_none(read: Read, content: bytes) -> None:
    (read().home / "learner").write_bytes(content)
    assert read().learner == ""


def test_a_name_that_cannot_be_kept_is_refused_and_leaves_nothing_half_made(read: Read) -> None:
    home = read().home
    (home / "learner").mkdir()
    assert read().learner == ""
    with pytest.raises(NotReady, match="同じ名前のフォルダー"):
        settings.remember_learner(home, "Hanako")
    assert [path.name for path in home.iterdir()] == ["learner"]


# as_environment: what a kernel is given


def test_a_kernel_reads_the_same_settings_again(read: Read, tmp_path: Path) -> None:
    for target in ({"target": "aws"}, {"endpoint_url": "http://a:1"}):
        chosen = read(
            home="other",
            region="eu-west-1",
            learner="Hanako",
            lang="en",
            aws_account="111122223333",
            engine="builtin",
            base_image="ruby:3.4",
            hand_in="out",
            **target,
        )
        environ = chosen.as_environment()
        assert settings.read_settings(environ, cwd=tmp_path / "elsewhere") == chosen


def test_a_kernel_gets_the_rest_of_the_environment_and_the_arguments_on_top(read: Read) -> None:
    environ = read({"LD_LIBRARY_PATH": "/x", "HANDSON_LANG": "ja"}, lang="en").as_environment()
    assert {name: environ[name] for name in ("LD_LIBRARY_PATH", "HANDSON_LANG")} == {
        "LD_LIBRARY_PATH": "/x",
        "HANDSON_LANG": "en",
    }
    assert environ["HANDSON_BASE_IMAGE"] == ""


def test_a_name_given_later_in_a_notebook_is_found_by_the_next_kernel(read: Read) -> None:
    settings.remember_learner(read().home, "before")
    environment = read().as_environment()
    settings.remember_learner(read().home, "after")
    assert read(environment).learner == "after"


# list_regions


def test_the_regions_are_those_of_the_standard_partition_each_once_and_in_order() -> None:
    regions = settings.list_regions()
    assert list(regions) == sorted(set(regions))
    session = botocore.session.get_session()
    known = set(session.get_available_regions("ec2", partition_name="aws"))
    assert known - set(regions) == set()
    others = {"aws-global", "cn-north-1", "us-gov-west-1"}
    assert others & set(regions) == set()


# shorten_path


def test_a_path_is_shown_from_here_from_the_users_folder_or_in_full() -> None:
    here, user = Path.cwd(), Path.home()
    shown = {
        here / "notebooks" / ".handson": "notebooks/.handson",
        here.parent / "beside": "../beside",
        user / "workshop": "~/workshop",
        Path("/nowhere/at/all"): os.sep + os.path.join("nowhere", "at", "all"),
    }
    assert {path: shorten_path(path) for path in shown} == shown
