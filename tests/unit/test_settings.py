"""Settings: where each value comes from, what is refused, and what the home folder keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from msgspec.structs import replace

from handson.aws import settings
from handson.aws.settings import Settings
from handson.core import messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.files import shorten_path
from handson.core.folders import find_notebooks_folder
from handson.course.exercise import Exercise

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reader(environ: dict[str, str] | None = None, **arguments: Any) -> Settings:
        environ = {"HANDSON_HOME": str(tmp_path / "home")} | (environ or {})
        return settings.read_settings(environ, cwd=tmp_path, **arguments)

    return reader


VARIABLES = {
    "HANDSON_TARGET": ("target", "aws", "emulator"),
    "HANDSON_ENDPOINT_URL": ("endpoint_url", "http://a:1", "http://b:2"),
    "HANDSON_REGION": ("region", "eu-west-1", "ap-northeast-1"),
    "HANDSON_LEARNER": ("learner", "Hanako", "Taro"),
    "HANDSON_LANG": ("lang", "en", "ja"),
    "HANDSON_AWS_ACCOUNT": ("aws_account", "111122223333", "444455556666"),
    "HANDSON_ENGINE": ("engine", "builtin", "docker"),
    "HANDSON_BASE_IMAGE": ("base_image", "ruby:3.4", "ruby:3.3"),
    "HANDSON_ACTIVITY_LOG": ("activity_log", "on", "off"),
}


def test_a_value_is_that_of_its_variable_or_of_an_argument_without_spaces(read: Read) -> None:
    for variable, (name, value, other) in VARIABLES.items():
        given = {variable: f" {value} "}
        arguments = (None, "", "  ", f" {other} ")
        found = [getattr(read(given, **{name: it}), name) for it in arguments]
        assert found == [value, value, value, other], variable


def test_what_no_variable_of_the_workshop_gives_has_a_default(read: Read, tmp_path: Path) -> None:
    defaults = Settings(
        target="emulator", exercise=Exercise(), region="us-east-1", endpoint_url=None, learner="",
        home=tmp_path / "home", lang="ja", aws_account=None, engine="auto", base_image=None,
        hand_in=None, activity_log="off",
    )  # fmt: skip
    seen = read({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"})
    assert replace(seen, environ={}) == defaults
    seen = read(dict.fromkeys([*VARIABLES, "HANDSON_HAND_IN"], ""))
    assert replace(seen, environ={}) == defaults
    assert read().docker_host == ""


def test_a_value_is_kept_in_one_way_however_it_is_written(read: Read, tmp_path: Path) -> None:
    for url in ("http://ec2.amazonaws.com.localhost", "http://not-amazonaws.com:65535"):
        assert read(endpoint_url=url).endpoint_url == url
    assert read(endpoint_url="http://[::1]:4566//").endpoint_url == "http://[::1]:4566"
    assert read({"DOCKER_HOST": "unix:///x.sock"}).docker_host == "unix:///x.sock"
    assert read({"HANDSON_HAND_IN": "out"}).hand_in == tmp_path / "out"
    assert read(hand_in="~/out").hand_in == Path.home() / "out"
    assert read(aws_account="1111-2222-3333").aws_account == "111122223333"
    assert read(home="~/workshop").home == Path.home() / "workshop"
    assert read(home=tmp_path / "mine").home == tmp_path / "mine"


NAMES = (
    "target, endpoint_url, region, learner, home, lang, aws_account, engine, base_image, hand_in, "
    "activity_log, course"
)
BAD_ENDPOINTS = (
    "localhost:4566", "ftp://localhost", "http://:4566", "http://[::1",
    "http://localhost:x", "http://localhost:0",
)  # fmt: skip
SHOWN = dict(zip(BAD_ENDPOINTS, BAD_ENDPOINTS, strict=True)) | {
    "http://me:hunter2@localhost:1": "localhost:1",
    "me:hunter2@localhost:1": "localhost:1",
}
"""What is repeated of an endpoint: no password."""
OF_AWS = {
    "https://ec2.us-east-1.amazonaws.com": "ec2.us-east-1.amazonaws.com",
    "https://EC2.US-EAST-1.AMAZONAWS.COM:443/": "ec2.us-east-1.amazonaws.com",
    "http://sts.amazonaws.com.": "sts.amazonaws.com.",
    "https://ec2.cn-north-1.amazonaws.com.cn": "ec2.cn-north-1.amazonaws.com.cn",
    "https://ec2.us-east-1.api.aws": "ec2.us-east-1.api.aws",
    "https://1.dkr-ecr.us-east-1.on.aws": "1.dkr-ecr.us-east-1.on.aws",
}
PATHS, OF_NOBODY = ("home", "course", "hand_in"), "~no-such-user"
CHOICES = {"target": "emulator / aws", "engine": "auto / docker / builtin", "lang": "ja / en"}
WRONG: list[tuple[dict[str, Any], str, dict[str, str]]] = [
    ({"target": "aws", "endpoint_url": "http://a:1"}, "both", {"value": "http://a:1"}),
    ({"aws_account": "1111222233334"}, "account", {"value": "1111222233334"}),
    ({"aws_account": "１１１１２２２２３３３３"}, "account", {"value": "１１１１２２２２３３３３"}),
    ({"aws_account": 111122223333}, "not-text", {"name": "aws_account", "value": "111122223333"}),
    ({"learner": 7}, "not-text", {"name": "learner", "value": "7"}),
    ({"learner": "a\nb"}, "learner", {}),
    ({"learner": "x" * 81}, "learner", {}),
    *(({name: f"{OF_NOBODY}/x"}, "no-user", {"path": f"{OF_NOBODY}/x"}) for name in PATHS),
    ({"regoin": "x"}, "unknown", {"name": "regoin", "near": "region", "choices": NAMES}),
    ({"qqqqqqq": "x"}, "unknown", {"name": "qqqqqqq", "near": "learner", "choices": NAMES}),
    *(({"endpoint_url": url}, "endpoint", {"value": shown}) for url, shown in SHOWN.items()),
    *(({"endpoint_url": url}, "aws-endpoint", {"value": host}) for url, host in OF_AWS.items()),
    *(
        ({name: "x"}, "choice", {"name": f"HANDSON_{name.upper()}", "value": "x", "choices": valid})
        for name, valid in CHOICES.items()
    ),
]


def test_a_wrong_value_is_refused_and_creates_nothing(read: Read, tmp_path: Path) -> None:
    for arguments, key, values in WRONG:
        with pytest.raises(InvalidInput) as refused:
            read(**arguments)
        told = (refused.value.problem, refused.value.remedy)
        assert told == messages.advice(f"aws.settings.{key}", **values)
    with pytest.raises(InvalidInput, match="us-east-1"):
        read(region="us-eas-1")
    assert list(tmp_path.iterdir()) == []


SPOKEN = {
    ("notebooks/en", "ja"): "ja",
    ("notebooks/en/deeper", ""): "en",
    ("notebooks/ja", "en"): "en",
    ("notebooks", ""): "ja",
    (".", ""): "ja",
    ("mine", ""): "en",  # the only edition that is laid out there
    ("mine", "ja"): "ja",
}


def test_messages_are_in_the_language_of_the_settings_or_else_of_the_edition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def speak(wanted: str, switch: Callable[..., object], *given: Any, **named: Any) -> str:
        messages.use("en" if wanted == "ja" else "ja")
        switch(*given, **named)
        return messages.language()

    for folder in ("notebooks/ja", "notebooks/en/deeper", "mine/en"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mine/en/00-prepare.ipynb").touch()
    for (where, given), wanted in SPOKEN.items():
        monkeypatch.chdir(tmp_path / where)
        monkeypatch.setenv("HANDSON_LANG", given)
        environ = {"HANDSON_LANG": given}
        found = speak(wanted, settings.read_settings, environ, cwd=tmp_path / where)
        assert (where, given, found) == (where, given, wanted)
        assert speak(wanted, settings.choose_language, given) == wanted
        assert speak(wanted, settings.choose_language) == wanted


NOTEBOOKS = {
    "a/notebooks/ja/deeper": "a/notebooks",
    "a/notebooks": "a/notebooks",
    "a": "a/notebooks",
    "other/ja": None,
    "b/notebooks/en": None,
    "a/workspace/en/deeper": "a/workspace",
    "a/docs": "a/workspace",  # of a checkout's two, the learner's
    "mine/docker-rails-workshop": "mine",
    "workspace": None,
    "c/docs": "c/notebooks",  # its folder `workspace` is somebody else's
}


def test_the_default_home_is_beside_the_notebooks_around_or_here(tmp_path: Path) -> None:
    for where in ("a/workspace/en", "mine/ja", "c/workspace/ja", "c/notebooks/ja"):
        (tmp_path / where).mkdir(parents=True)
    (tmp_path / "mine/ja/00-prepare.ipynb").touch()
    for where, folder in NOTEBOOKS.items():
        if folder == "a/workspace":
            (tmp_path / folder / "en" / "00-prepare.ipynb").touch()
        here, found = tmp_path / where, tmp_path / folder if folder else None
        here.mkdir(parents=True, exist_ok=True)
        assert find_notebooks_folder(here) == found
        assert settings.default_home(here) == (found or here) / ".handson"
        assert settings.read_settings({}, cwd=here).home == (found or here) / ".handson"


def test_a_process_is_given_its_home_by_its_folder_and_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HANDSON_HOME", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert (settings.find_home(), settings.nbgrader_step()) == (tmp_path / ".handson", "")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde ")
    assert settings.nbgrader_step() == "autograde"
    monkeypatch.setenv("HANDSON_HOME", " mine ")
    assert settings.find_home() == tmp_path / "mine"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("HANDSON_ENGINE", "builtin")
    chosen = settings.read_environment(region="eu-west-1")
    found = (chosen.home, chosen.engine, chosen.region)
    assert found == (tmp_path / "mine", "builtin", "eu-west-1")


def test_a_home_folder_that_cannot_be_written_is_refused(read: Read, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "sealed").mkdir()  # where not even root can make the probe
    (tmp_path / "sealed" / ".writable").symlink_to(tmp_path / "gone" / "file")
    for place in ("file", "sealed", "a\0b"):
        with pytest.raises(NotReady, match="書き込めません") as refused:
            read(home=place)
        assert Path(place).name in refused.value.problem
    assert (tmp_path / "file").read_text() == "mine"


def test_the_home_of_an_assignment_is_outside_of_what_is_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ecs-handson"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for cell, around in (({"source": "a checksum"}, folder), ({"checksum": "58ab"}, tmp_path)):
        (folder / "01-network.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
        assert settings.is_assignment(folder) is (around == tmp_path)
        assert settings.default_home(folder) == around / ".handson"


def test_a_name_is_remembered_in_the_home_folder_unless_it_is_invalid(read: Read) -> None:
    name, before = "山田 花子" + "x" * 75, read().as_environment()
    home = read(learner=name, home="a/b").home
    settings.remember_learner(home, name)
    assert list(home.iterdir()) == [home / "learner"]
    settings.remember_learner(read().home, name)
    assert (read().learner, read(before).learner) == (name, name)
    assert read({"HANDSON_LEARNER": "Taro"}).learner == "Taro"
    for content in (b"\xff\xfe", b"x" * 81, b"a\x00b", b"", b" \n"):
        (read().home / "learner").write_bytes(content)
        assert (content, read().learner) == (content, "")


HUB = {"JUPYTERHUB_USER": " taro.yamada@example.ac.jp "}
NAMED = {
    "hub": ({}, {}, "taro.yamada@example.ac.jp"),
    "kept": ({}, {}, "Hanako"),
    "environment": ({"HANDSON_LEARNER": "Jiro"}, {"learner": " "}, "Jiro"),
    "argument": ({"HANDSON_LEARNER": "Jiro"}, {"learner": "Saburo"}, "Saburo"),
}


def test_the_user_of_a_hub_is_the_learner_behind_every_other_name(read: Read) -> None:
    for source, (environ, arguments, name) in NAMED.items():
        if source == "kept":
            settings.remember_learner(read().home, "Hanako")
        found = read(HUB | environ, **arguments)
        assert (found.learner, found.learner_from) == (name, source)
        passed_on = "" if source in ("hub", "kept") else name
        assert found.as_environment()["HANDSON_LEARNER"] == passed_on


def test_a_user_of_binder_or_with_a_name_that_no_record_bears_has_no_name(read: Read) -> None:
    made_up = HUB | {"BINDER_LAUNCH_HOST": "https://mybinder.org/"}
    for environ in ({}, made_up, *({"JUPYTERHUB_USER": it} for it in ("", "a\nb", "x" * 81))):
        found = read(environ)
        assert (found.learner, found.learner_from) == ("", "")


def test_a_home_is_its_owners_alone_also_an_open_one_and_no_folder_around_it(
    read: Read, tmp_path: Path
) -> None:
    home, around = tmp_path / "home", tmp_path.stat().st_mode
    home.mkdir(mode=0o755)
    settings.remember_learner(read().home, "Hanako")
    assert [path.stat().st_mode & 0o777 for path in (home, home / "learner")] == [0o700, 0o600]
    assert (read(home=tmp_path).home, tmp_path.stat().st_mode) == (tmp_path, around)


def test_a_name_that_cannot_be_kept_is_refused_and_leaves_nothing_half_made(read: Read) -> None:
    home = read().home
    (home / "learner").mkdir()
    with pytest.raises(NotReady, match="同じ名前のフォルダー"):
        settings.remember_learner(home, "Hanako")
    assert (read().learner, list(home.iterdir())) == ("", [home / "learner"])


def test_a_kernel_reads_the_same_settings_again_and_the_rest_of_the_environment(
    read: Read, tmp_path: Path
) -> None:
    given = {"home": "other", "hand_in": "out"}
    given |= {name: value for name, value, _ in VARIABLES.values()}
    for left_out in ("target", "endpoint_url"):  # which exclude each other
        chosen = read(**given | {left_out: ""})
        environ = chosen.as_environment()
        again = settings.read_settings(environ, cwd=tmp_path / "elsewhere")
        same = {"environ": chosen.environ, "learner_from": chosen.learner_from}
        assert replace(again, **same) == chosen
    theirs = {"LD_LIBRARY_PATH": "/x", "HANDSON_LANG": "ja", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    chosen = read(theirs, lang="en")
    wanted = theirs | {"HANDSON_LANG": "en", "HANDSON_BASE_IMAGE": ""}
    assert chosen.as_environment().items() >= wanted.items()
    assert "hunter2" not in repr(chosen)


def test_the_regions_are_those_of_the_standard_partition_each_once_and_in_order() -> None:
    regions = settings.list_regions()
    assert list(regions) == sorted(set(regions))
    known = botocore.session.get_session().get_available_regions("ec2", partition_name="aws")
    assert {*known} <= {*regions}
    assert {"aws-global", "cn-north-1", "us-gov-west-1"}.isdisjoint(regions)


def test_a_path_is_shown_from_here_from_the_users_folder_or_in_full() -> None:
    shown = {
        Path.cwd() / "notebooks" / ".handson": "notebooks/.handson",
        Path.cwd().parent / "beside": "../beside",
        Path.home() / "workshop": "~/workshop",
        Path("/nowhere/at/all"): "/nowhere/at/all",
    }
    assert {path: shorten_path(path) for path in shown} == shown


LAB = '[exercise]\nkey = "spring"\nregions = ["eu-west-1"]\n'


def lay_course(folder: Path, text: str = LAB) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return folder / "course.toml"


def test_a_course_is_found_beside_the_notebooks_or_by_its_variable_and_nowhere_else(
    read: Read, tmp_path: Path
) -> None:
    notebooks, other = tmp_path / "work" / "ja", lay_course(tmp_path / "other")
    lay_course(tmp_path), lay_course(tmp_path / "home")
    notebooks.mkdir(parents=True)
    (notebooks / "00-prepare.ipynb").touch()

    def find_keys(**environ: str) -> list[str]:
        home = {"HANDSON_HOME": str(tmp_path / "home")}
        found = [settings.read_settings(home | environ, cwd=it) for it in (notebooks, other.parent)]
        return [each.variation.key if each.variation else "" for each in found]

    assert find_keys() == ["", "spring"]
    lay_course(notebooks.parent, LAB.replace("spring", "workspace"))
    assert find_keys() == ["workspace", "spring"]
    lay_course(notebooks, LAB.replace("spring", "notebook"))
    assert find_keys() == ["notebook", "spring"]
    assert find_keys(HANDSON_COURSE=str(lay_course(tmp_path / "hub", ""))) == ["", ""]
    with pytest.raises(InvalidInput, match=r"none\.toml"):
        find_keys(HANDSON_COURSE=str(tmp_path / "none.toml"))


def test_a_process_is_given_its_course_by_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HANDSON_COURSE", raising=False)
    assert settings.find_variation() is None
    lay_course(tmp_path / "hub", LAB)
    monkeypatch.setenv("HANDSON_COURSE", " hub/course.toml ")
    found = settings.find_variation()
    assert (found.key if found else "") == "spring"


def test_a_learners_exercise_follows_from_the_name_and_its_region_is_the_default(
    read: Read, tmp_path: Path
) -> None:
    course = lay_course(tmp_path)
    own = read(learner="Hanako")
    assert own.variation
    assert own.exercise == own.variation.derive_exercise("hanako")
    assert own.region == "eu-west-1"
    other = read(learner="Hanako", region="us-east-1")
    assert (other.exercise, other.region) == (own.exercise, "us-east-1")
    nobody = read({"HANDSON_COURSE": str(course)})
    assert nobody.exercise == Exercise()
    # Kernels learn the name later, and with it the region.
    names = ("HANDSON_COURSE", "HANDSON_REGION")
    passed = [tuple(map(it.as_environment().get, names)) for it in (nobody, own, other)]
    assert passed == [(str(course), ""), ("", ""), ("", "us-east-1")]
    # `handson run` runs the worked notebooks.
    usual = [it.without_course() for it in (nobody, own)]
    assert [(it.exercise, it.region, it.variation) for it in usual] == [
        (Exercise(), "us-east-1", None)
    ] * 2
    assert usual[0].as_environment()["HANDSON_COURSE"] == ""


def test_a_course_that_is_damaged_is_told_with_its_line_before_anything_is_made(
    read: Read, tmp_path: Path
) -> None:
    course = lay_course(tmp_path, LAB + "vary = 7\n")
    with pytest.raises(InvalidInput, match=r"course\.toml:4 \(vary = 7\)"):
        read(learner="Hanako")
    course.unlink()
    course.symlink_to(tmp_path / "gone")  # it is not there, and was meant to be
    with pytest.raises(InvalidInput, match=r"course\.toml"):
        read(learner="Hanako")
    assert [it.name for it in tmp_path.iterdir()] == [course.name]
