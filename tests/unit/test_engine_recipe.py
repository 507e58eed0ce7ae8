"""What the builtin engine reads out of a Dockerfile, and what it refuses."""

from __future__ import annotations

import re

import pytest

from handson.core.errors import InvalidInput
from handson.engine import dockerfile, recipe
from handson.engine.recipe import Recipe


def read(text: str, **build_args: str) -> Recipe:
    return recipe.read_recipe(dockerfile.parse_dockerfile(text), build_args=build_args)


def test_settings_become_the_image_configuration() -> None:
    found = read(
        "FROM scratch\nENV A=1 B=${A}2\nLABEL title='a shop'\nWORKDIR /app\nWORKDIR sub\n"
        "USER 1000\nEXPOSE 3000 53/udp\nVOLUME /data\nSTOPSIGNAL SIGINT\n"
        'ENTRYPOINT ["run"]\nCMD serve now\n'
    )
    assert found.config == {
        "Env": ["A=1", "B=2"],
        "Labels": {"title": "a shop"},
        "WorkingDir": "/app/sub",
        "User": "1000",
        "ExposedPorts": {"3000/tcp": {}, "53/udp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGINT",
        "Entrypoint": ["run"],
        "Cmd": ["/bin/sh", "-c", "serve now"],
    }


def test_a_healthcheck_keeps_its_times_in_nanoseconds() -> None:
    found = read('FROM scratch\nHEALTHCHECK --interval=1m30s --retries=3 CMD ["probe"]\n')
    assert found.config["Healthcheck"] == {
        "Test": ["CMD", "probe"],
        "Interval": 90_000_000_000,
        "Retries": 3,
    }


def test_the_base_and_what_would_run_are_skipped_and_said() -> None:
    found = read("FROM ruby:3.4\nRUN bundle install\nCMD true\n")
    assert found.skipped == ["FROM ruby:3.4", "RUN bundle install"]


STAGES = """
ARG BASE=ruby:3.4
FROM ${BASE} AS Gems
ENV PART=gems
COPY Gemfile ./
RUN bundle install
FROM debian:12
WORKDIR /shop
COPY --from=gems /gems /gems
COPY --from=0 /gems /again
COPY . .
"""


def test_of_several_stages_the_last_one_is_the_image() -> None:
    found = read(STAGES)
    assert (found.base, found.config, [copy.sources for copy in found.copies]) == (
        "debian:12",
        {"WorkingDir": "/shop"},
        [(".",)],
    )


def test_the_steps_of_other_stages_and_what_is_copied_from_them_are_skipped_and_said() -> None:
    assert read(STAGES).skipped == [
        "FROM ruby:3.4 AS Gems",
        "ENV PART=gems",
        "COPY Gemfile ./",
        "RUN bundle install",
        "FROM debian:12",
        "COPY --from=gems /gems /gems",
        "COPY --from=0 /gems /again",
    ]


def test_the_last_stage_alone_is_carried_out() -> None:
    found = read(STAGES)
    copied = [copy.step.source for copy in found.copies]
    assert (found.config["WorkingDir"], copied) == ("/shop", ["COPY . ."])


def test_a_stage_on_top_of_another_has_what_that_one_has() -> None:
    found = read(
        "FROM ruby:3.4 AS base\nENV A=1\nCOPY a /a\nFROM base AS build\nRUN make\n"
        "FROM base\nENV B=${A}2\n"
    )
    assert (found.config["Env"], len(found.copies), found.skipped) == (
        ["A=1", "B=12"],
        1,
        ["FROM ruby:3.4 AS base", "FROM base AS build", "RUN make"],
    )


def test_a_stage_does_not_change_the_one_below() -> None:
    found = read("FROM scratch AS a\nENV A=1\nFROM a\nENV A=2\nFROM a\nENV B=$A\n")
    assert found.config["Env"] == ["A=1", "B=1"]


def test_scratch_is_no_step_that_is_skipped() -> None:
    assert read("FROM scratch\n").skipped == []


def test_build_arguments_reach_from_and_the_steps_that_declare_them() -> None:
    found = read("ARG BASE=ruby\nFROM ${BASE}\nARG BASE\nENV IT=${BASE}\n", BASE="debian")
    assert (found.base, found.config["Env"]) == ("debian", ["IT=debian"])


def test_an_argument_before_from_is_unknown_after_it() -> None:
    assert read("ARG A=1\nFROM scratch\nENV B=[$A]\n").config["Env"] == ["B=[]"]


def test_a_copy_knows_owner_mode_and_absolute_destination() -> None:
    copy = read("FROM scratch\nWORKDIR /app\nCOPY --chown=5:6 --chmod=640 a b ./\n").copies[0]
    assert (copy.sources, copy.destination) == (("a", "b"), "/app/")
    assert (copy.owner, copy.mode) == ((5, 6), 0o640)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("COPY --from=nginx:1 /a /b", "別のイメージ"),
        ("ADD https://example.com/a /a", "URL"),
        ("COPY <<EOF /a\nhello\nEOF", "ヒアドキュメント"),
        ("ONBUILD RUN true", "ONBUILD"),
        ("FETCH everything", "知らない命令"),
        ("COPY --chown=rails:rails a b", "--chown"),
        ("COPY --parents a b", "オプション --parents"),
        ("COPY --link a b", "BuildKit"),
        ('SHELL ["bash", "-c"]', "SHELL"),
        ("ENV A=$PATH", "PATH"),
        ("ARG BUILDARCH\nENV A=$BUILDARCH", "BUILDARCH"),
    ],
)
def test_what_cannot_be_done_honestly_is_refused_with_its_line(step: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(f"FROM scratch\n\n{step}\n")
    assert re.search("Dockerfile:[34]", refused.value.problem)
    assert reason in refused.value.problem


@pytest.mark.parametrize(
    "step",
    ["COPY lonely", "ENV A", "HEALTHCHECK maybe", "USER", 'LABEL "open', "COPY --chmod=u+x a b",
     "HEALTHCHECK --interval=soon CMD true", "WORKDIR a b", "SHELL sh", "FROM", "FROM a AS",
     "FROM a NAMED b", "ENV OLD two words", "RUN <<EOF\nUSER 1", "COPY --quick a b", "CMD",
     "EXPOSE 3000/http", "EXPOSE 9-8", "STOPSIGNAL SIGNOTHING", 'CMD ["a"] b', "ENV A=\ufffd"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_line(step: str) -> None:
    with pytest.raises(InvalidInput, match="Dockerfile:2"):
        read(f"FROM scratch\n{step}\n")


def test_a_dockerfile_without_from_is_refused() -> None:
    with pytest.raises(InvalidInput, match="FROM がありません"):
        read("ARG A=1\n")


def test_only_arg_may_stand_before_from() -> None:
    with pytest.raises(InvalidInput, match="FROM より前"):
        read("RUN true\nFROM scratch\n")


def test_a_here_document_that_only_runs_is_skipped_like_any_run() -> None:
    assert read("FROM scratch\nRUN <<EOF\ntrue\nEOF\n").skipped == ["RUN <<EOF"]


def test_a_misspelt_instruction_is_answered_with_the_nearest_and_not_with_docker() -> None:
    with pytest.raises(InvalidInput, match=r"COPPY.*COPY") as refused:
        read("FROM scratch\nCOPPY a b\n")
    assert "HANDSON_ENGINE" not in refused.value.remedy


def test_a_space_behind_the_sign_opens_no_here_document() -> None:
    with pytest.raises(InvalidInput, match=r"Dockerfile:3.*HELLO"):
        read("FROM ruby\nRUN cat << EOF\nhello\nEOF\n")


@pytest.mark.parametrize("name", ["PATH", "LANG"])
def test_a_variable_that_the_base_image_may_set_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        read(f"FROM ruby\nENV A=/x:${name}\n")


def test_the_platform_has_arguments_of_its_own() -> None:
    found = read("FROM scratch\nARG TARGETARCH\nARG TARGETOS=x\nENV A=$TARGETARCH B=$TARGETOS\n")
    assert found.config["Env"] == ["A=amd64", "B=x"]


@pytest.mark.parametrize("platform", ["linux/amd64", "$TARGETPLATFORM"])
def test_the_images_own_platform_may_be_named(platform: str) -> None:
    assert read(f"FROM --platform={platform} scratch\nUSER 1\n").config == {"User": "1"}


def test_another_platform_is_refused() -> None:
    with pytest.raises(InvalidInput, match="プラットフォーム"):
        read("FROM --platform=linux/arm64 ruby\n")


def test_an_entrypoint_empties_the_command_that_was_inherited() -> None:
    stages = 'FROM scratch AS b\nCMD ["x"]\nFROM b\n'
    assert read(f'{stages}ENTRYPOINT ["y"]\n').config == {"Entrypoint": ["y"]}
    own = read(f'{stages}CMD ["z"]\nENTRYPOINT ["y"]\n').config
    assert own == {"Cmd": ["z"], "Entrypoint": ["y"]}


def test_a_range_of_ports_is_each_of_them() -> None:
    found = read("FROM scratch\nEXPOSE 8000-8002/udp\n").config["ExposedPorts"]
    assert found == {"8000/udp": {}, "8001/udp": {}, "8002/udp": {}}


def test_paths_are_cleaned_and_variables_reach_the_json_form() -> None:
    found = read('FROM scratch\nARG F=a\nWORKDIR /w/x/../v\nCOPY ["$F", "../q"]\n')
    assert found.config["WorkingDir"] == "/w/v"
    assert [(copy.sources, copy.destination) for copy in found.copies] == [(("a",), "/w/q")]


def test_a_stage_that_is_left_out_may_hold_what_only_docker_does() -> None:
    found = read("FROM ruby AS a\nCOPY --from=nginx:1 /a /b\nENV P=$PATH\nFROM scratch\nUSER 1\n")
    assert found.config == {"User": "1"}
