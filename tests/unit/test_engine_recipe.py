"""What image a Dockerfile describes to the builtin engine, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.engine import dockerfile, recipe
from handson.engine.recipe import Recipe

SECOND = 1_000_000_000


def read(text: str, **build_args: str) -> Recipe:
    return recipe.read_recipe(dockerfile.parse_dockerfile(text), build_args=build_args)


CONFIGS: dict[str, dict[str, Any]] = {
    "USER 1000": {"User": "1000"},
    "user 1:2": {"User": "1:2"},
    # The value before the instruction counts within it (Dockerfile reference, "ENV").
    "ENV A=hello\nENV A=bye B=$A\nENV C=$A": {"Env": ["A=bye", "B=hello", "C=bye"]},
    "ENV A='x y' B=a\\ b C= D=x=y": {"Env": ["A=x y", "B=a b", "C=", "D=x=y"]},
    "LABEL a=1 'b c'=2\nLABEL a=3": {"Labels": {"a": "3", "b c": "2"}},
    "WORKDIR /": {"WorkingDir": "/"},
    "WORKDIR /app/\nWORKDIR sub/../v": {"WorkingDir": "/app/v"},
    "EXPOSE 3000 53/udp 9/sctp": {"ExposedPorts": {"3000/tcp": {}, "53/udp": {}, "9/sctp": {}}},
    "EXPOSE 1 65535\nEXPOSE 8000-8001/udp 7-7": {
        "ExposedPorts": {"1/tcp": {}, "65535/tcp": {}, "8000/udp": {}, "8001/udp": {}, "7/tcp": {}}
    },
    'VOLUME /data /log\nVOLUME ["/a b"]': {"Volumes": {"/data": {}, "/log": {}, "/a b": {}}},
    "CMD serve  now": {"Cmd": ["/bin/sh", "-c", "serve  now"]},
    'CMD ["serve", "$A"]\nCMD []': {"Cmd": []},
    'ENTRYPOINT ["run"]\nCMD ["$A"]': {"Entrypoint": ["run"], "Cmd": ["$A"]},
    'CMD ["x"]\nENTRYPOINT exec y': {"Cmd": ["x"], "Entrypoint": ["/bin/sh", "-c", "exec y"]},
    "ARG A=1\nENV A=2\nENV B=$A": {"Env": ["A=2", "B=2"]},
    "ARG A=1\nARG B=${A}2 C\nENV D=[$B][$C][$E]": {"Env": ["D=[12][][]"]},
    # The platform's arguments count where they are declared; PATH is Docker's own.
    "ENV A=[$TARGETARCH]": {"Env": ["A=[]"]},
    "ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT\n"
    "ENV A=$TARGETPLATFORM B=$TARGETOS C=$TARGETARCH D=$TARGETVARIANT": {
        "Env": ["A=linux/amd64", "B=linux", "C=amd64", "D="]
    },
    "ARG TARGETOS=x\nENV B=$TARGETOS": {"Env": ["B=x"]},
    "ARG BUILDOS=\nENV B=$BUILDOS": {"Env": ["B="]},
    "ARG A=1\nFROM b\nARG A=1\nENV B=$A": {"Env": ["B=1"]},
    # An entrypoint empties the command of the stage below; a stage does not change that one.
    'CMD ["x"]\nFROM b\nENTRYPOINT ["y"]': {"Entrypoint": ["y"]},
    'CMD ["x"]\nFROM b\nCMD ["z"]\nENTRYPOINT ["y"]': {"Cmd": ["z"], "Entrypoint": ["y"]},
    "ENV A=1\nFROM b\nENV A=2\nFROM b\nENV B=$A": {"Env": ["A=1", "B=1"]},
}  # fmt: skip
HEALTH_CHECKS: dict[str, dict[str, Any]] = {
    "none": {"Test": ["NONE"]},
    'cmd ["probe", "it"]': {"Test": ["CMD", "probe", "it"]},
    "CMD  probe  it": {"Test": ["CMD-SHELL", "probe  it"]},
    "--interval=1h2m3s CMD x": {"Test": ["CMD-SHELL", "x"], "Interval": 3723 * SECOND},
    "--timeout=1s500ms CMD x": {"Test": ["CMD-SHELL", "x"], "Timeout": 1_500_000_000},
    "--start-period=1ms CMD x": {"Test": ["CMD-SHELL", "x"], "StartPeriod": 1_000_000},
    "--start-interval=1000us CMD x": {"Test": ["CMD-SHELL", "x"], "StartInterval": 1_000_000},
    "--interval=1000001ns CMD x": {"Test": ["CMD-SHELL", "x"], "Interval": 1_000_001},
    "--retries=1 CMD x": {"Test": ["CMD-SHELL", "x"], "Retries": 1},
    "--retries=10 CMD x": {"Test": ["CMD-SHELL", "x"], "Retries": 10},
}
CONFIGS |= {f"STOPSIGNAL {it}": {"StopSignal": it} for it in ("SIGINT", "HUP", "1", "59", "64")}
CONFIGS |= {f"HEALTHCHECK {it}": {"Healthcheck": HEALTH_CHECKS[it]} for it in HEALTH_CHECKS}


PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def configure(steps: str) -> dict[str, Any]:
    """Return the configuration of an image on `scratch`, without the PATH that Docker gives it."""
    config = read(f"FROM scratch AS b\n{steps}").config
    first, *others = config.pop("Env")
    assert first == PATH
    return {**config, "Env": others} if others else config


def test_instructions_become_the_configuration() -> None:
    assert {steps: configure(steps) for steps in CONFIGS} == CONFIGS


def test_an_image_on_scratch_has_docker_s_path_until_it_sets_its_own() -> None:
    env = read("FROM scratch\nENV A=1 PATH=/shop:$PATH").config["Env"]
    assert env == [PATH.replace("=", "=/shop:"), "A=1"]


BASES = {
    "ARG BASE=ruby\nFROM ${BASE}": "debian",
    "ARG BASE\nFROM ${BASE:-ruby}": "debian",
    "FROM ${BASE:-ruby}": "ruby",
    "ARG OTHER=x\nFROM ruby:$OTHER": "ruby:x",
    "FROM ruby-$TARGETARCH": "ruby-amd64",
    "FROM --platform=$TARGETPLATFORM ruby": "ruby",
}
ARGUMENTS = {
    "ARG A=1\nFROM scratch\nENV B=[$A]": "B=[]",
    "ARG A=1\nFROM scratch\nARG A\nENV B=[$A]": "B=[1]",
    "ARG A=1\nFROM scratch\nARG A=2\nENV B=[$A]": "B=[2]",
    "FROM scratch\nARG GIVEN=1\nENV B=[$GIVEN]": "B=[here]",
    "FROM scratch\nENV B=[$GIVEN]": "B=[]",
}


def test_build_arguments_reach_from_and_the_steps_that_declare_them() -> None:
    assert {text: read(text, BASE="debian").base for text in BASES} == BASES
    assert read("FROM ruby\nARG NONE\nENV B=[$NONE]").config["Env"] == ["B=[]"]
    assert {text: read(text, GIVEN="here").config["Env"][1] for text in ARGUMENTS} == ARGUMENTS


DESTINATIONS = {
    "COPY a .": "/app/",
    "COPY a x": "/app/x",
    "COPY a x/": "/app/x/",
    "COPY git@notes x": "/app/x",  # a file's name; for ADD it would be a repository's
    "COPY a ../q": "/q",
    "COPY a //q//r": "/q/r",
    "COPY a /": "/",
    'ADD ["a", "b c"]': "/app/b c",
}


def test_a_destination_is_absolute_and_keeps_the_slash_of_a_folder() -> None:
    copies = {step: read(f"FROM scratch\nWORKDIR /app\n{step}").copies for step in DESTINATIONS}
    assert {step: copy.destination for step, [_, copy] in copies.items()} == DESTINATIONS


OWNERS_AND_MODES = {
    "COPY": ((0, 0), None),
    "COPY --chown=5": ((5, 5), None),
    "ADD --chown=5:6 --chmod=640": ((5, 6), 0o640),
    "COPY --chmod=0777": ((0, 0), 0o777),
    "COPY --chown=$ID:$ID": ((7, 7), None),
}


def test_a_copy_knows_its_sources_owner_and_mode_and_a_work_folder_has_no_source() -> None:
    made = "FROM scratch\nARG ID=7 F=a\nWORKDIR /w\nWORKDIR v"
    copies = {step: read(f"{made}\n{step} $F b c/").copies[2] for step in OWNERS_AND_MODES}
    assert {step: (it.owner, it.mode) for step, it in copies.items()} == OWNERS_AND_MODES
    assert copies["COPY"].sources == ("a", "b")
    folders = [(it.sources, it.destination) for it in read(f"{made}\nWORKDIR /").copies]
    assert folders == [((), "/w/"), ((), "/w/v/"), ((), "/")]


STAGES = """
ARG BASE=ruby:3.4
FROM ${BASE} AS Gems
ARG NOTHING
ENV PART=gems PATH=$PATH
COPY --from=nginx:1 /a /b
FROM debian:12 as shop
WORKDIR /shop
RUN --mount=type=bind <<EOF
true
EOF
COPY --from=GEMS /gems /gems
ADD . .
FROM shop
ARG NOTHING
COPY --from=0 /gems /again
USER 1
"""


def test_the_image_is_the_last_stage_on_top_of_those_that_its_from_names() -> None:
    found = read(STAGES)
    assert found.base == "debian:12"
    assert found.config == {"WorkingDir": "/shop", "User": "1"}
    assert [copy.sources for copy in found.copies] == [(), (".",)]
    assert found.skipped == [
        "FROM ruby:3.4 AS Gems",
        "ENV PART=gems PATH=$PATH",
        "COPY --from=nginx:1 /a /b",
        "FROM debian:12 as shop",
        "RUN --mount=type=bind <<EOF",
        "COPY --from=GEMS /gems /gems",
        "COPY --from=0 /gems /again",
    ]
    assert [(it["created_by"], it.get("empty_layer", False)) for it in found.history] == [
        ("WORKDIR /shop", True),
        ("ADD . .", False),
        ("ARG NOTHING", True),
        ("USER 1", True),
    ]


REFUSED: dict[str, tuple[str, str, dict[str, str]]] = {
    "COPY --from=nginx:1 /a /b": ("cannot-do", "copy-from", {}),
    "COPY --from=1 /a /b": ("cannot-do", "copy-from", {}),
    "ADD b https://example.com/a /a/": ("cannot-do", "add-url", {}),
    "ADD git@example.com:a/b /a": ("cannot-do", "add-url", {}),
    "COPY --chown=rails a b": ("cannot-do", "owner", {}),
    "COPY --chown=1:rails a b": ("cannot-do", "owner", {}),
    "ONBUILD RUN true": ("cannot-do", "instruction", {"keyword": "ONBUILD"}),
    'SHELL ["bash", "-c"]': ("cannot-do", "instruction", {"keyword": "SHELL"}),
    "FROM --platform=linux/arm64 ruby": ("cannot-do", "platform", {}),
    # The arguments of the stage below reach BuildKit's stage, and not the classic builder's.
    "FROM below\nENV A=$INNER": ("cannot-do", "variable", {"name": "INNER"}),
    "ENV A=$BUILDARCH": ("cannot-do", "variable", {"name": "BUILDARCH"}),
    "COPY <<EOF /a\nhello\nEOF": ("needs-buildkit", "here-document", {}),
    "COPY --parents --link a b": ("needs-buildkit", "option", {"flag": "--link"}),
    "COPY --quick a b": ("wrong-step", "flag", {"flag": "--quick"}),
    "RUN --link true": ("wrong-step", "flag", {"flag": "--link"}),
    "ADD --from=0 a b": ("wrong-step", "flag", {"flag": "--from"}),
    "COPPY a b": ("wrong-step", "unknown", {"keyword": "COPPY", "nearest": "COPY"}),
    "QQQQ a b": ("wrong-step", "unknown", {"keyword": "QQQQ", "nearest": "COPY"}),
}
for option in ("--parents", "--exclude", "--checksum", "--keep-git-dir", "--unpack"):
    REFUSED[f"ADD {option}=x a b"] = ("needs-buildkit", "option", {"flag": option})


def advice_on(text: str) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read(text)
    return refused.value.problem, refused.value.remedy


def test_what_cannot_be_done_honestly_is_refused_with_its_line_and_its_reason() -> None:
    base_sets = messages.text("engine.cannot-do.variable", name="PATH")
    assert base_sets in advice_on("FROM ruby\nENV A=/x:$PATH\n")[0]
    assert {step: advice_on(f"FROM scratch AS below\nARG INNER=1\n{step}") for step in REFUSED} == {
        step: messages.advice(
            f"engine.{key}",
            where=f"Dockerfile:{4 if step.startswith('FROM below') else 3}",
            step=step.partition("\n")[step.startswith("FROM below") * 2],
            reason=messages.text(f"engine.{key}.{reason}", **values),
        )
        for step, (key, reason, values) in REFUSED.items()
    }


WRONG = (
     "FROM", "FROM a AS", "FROM a NAMED b", "FROM a AS b c", "FROM $NONE", "COPY lonely",
     "FROM a AS 1x", "FROM a AS $X", "FROM a AS Base", "FROM a AS scratch", "FROM a\u3000AS b",
     "ENV $NONE=1", "LABEL ''=1", "ARG 'A'=1", "ARG =1", "ARG a.b=1", "ARG PATH=/bin",
     "COPY a\u3000b", "COPY a x/.",
     "EXPOSE \uff18\uff10", "COPY --chmod=\uff16\uff14\uff14 a b", "USER 1\v2", "WORKDIR '/a b'",
     "HEALTHCHECK --interval=1.5s CMD x", "HEALTHCHECK --interval=9999999h CMD x",
     "HEALTHCHECK --interval=999999h999999h999999h CMD x", "HEALTHCHECK --retries=\uff12 CMD x",
     'COPY ["a"]', "COPY []", "COPY --chmod=u+x a b", "COPY --chmod=64 a b", "COPY --chmod=888 a b",
     "VOLUME []", "COPY a $NONE", "ENV A", "ENV =1", "ENV OLD two words", 'LABEL "open',
     "HEALTHCHECK maybe", "HEALTHCHECK CMD", "HEALTHCHECK CMD []", "HEALTHCHECK NONE x",
     "HEALTHCHECK --retries=1 NONE", "HEALTHCHECK --retries=0 CMD x",
     "HEALTHCHECK --interval=soon CMD x", "HEALTHCHECK --interval=1s2 CMD x",
     "HEALTHCHECK --interval=999us CMD x", "HEALTHCHECK --interval=0 CMD x",
     "USER", "USER a b", "WORKDIR a b", "CMD", 'CMD ["a"] b',
     "EXPOSE 0", "EXPOSE 65536", "EXPOSE 80-65536", "EXPOSE 9-8", "EXPOSE 3000/http",
     "EXPOSE x80", "STOPSIGNAL SIGNOTHING", "STOPSIGNAL 0", "STOPSIGNAL 65", "STOPSIGNAL 1 2",
     "RUN <<EOF\nUSER 1", "ARG 'open",
)  # fmt: skip


# What a name means that has a value already, each of Docker's builders decides for itself.
AGAIN = (
    "ARG TARGETARCH=x\nFROM scratch", "FROM scratch\nARG A=1\nARG A=2",
    "FROM scratch\nENV A=1\nARG A=2", "FROM scratch AS b\nARG A=1\nFROM b\nARG A",
    "FROM scratch\nHEALTHCHECK NONE\nHEALTHCHECK CMD x", "FROM scratch AS b\nFROM B",
    "FROM scratch\nCOPY a ..",
    "# escape=x\nFROM scratch", "# escape=`\n# escape=`\nFROM scratch", "# syntax=x\nFROM scratch",
)  # fmt: skip


def test_a_step_that_cannot_be_read_is_refused_with_its_line_and_not_left_to_docker() -> None:
    remedy = messages.advice("engine.unread", where="", step="", reason="")[1]
    found = {step: advice_on(f"FROM scratch AS base\n{step}\n") for step in WRONG}
    assert [step for step, (problem, _) in found.items() if "Dockerfile:2 " not in problem] == []
    assert {step: said for step, (_, said) in found.items() if said != remedy} == {}
    assert {advice_on(text)[1] for text in AGAIN} == {remedy}
    for step, part in (("ENV A=1 'UGLY", "'UGLY"), ("EXPOSE 80 9-8", "9-8"), ("CMD", "CMD")):
        said = messages.label("engine.unread", "malformed", part=part)
        assert said in advice_on(f"FROM scratch\n{step}\n")[0]
    assert advice_on("ARG A=1\n") == messages.advice("engine.no-from")
    assert messages.text("engine.wrong-step.before-from") in advice_on("USER 1\nFROM scratch\n")[0]
