"""The docker engine, with a client that answers from a script."""

from __future__ import annotations

import errno
import gzip
import hashlib
import http.client
import io
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from docker import errors
from msgspec.structs import replace

from handson.core.errors import EngineError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.core.progress import Say, ignore_progress
from handson.engine import oci
from handson.engine.docker_engine import DockerEngine
from handson.engine.model import BuildRequest, Destination, LocalImage, PushedImage
from tests.fake_registry import Shelf, serving

DOCKERFILE = "# shop\nARG A=1\nFROM ruby\n\nRUN bundle install\n"
IMAGE = LocalImage("docker", "rails-app", "sha256:abc", "latest", 10)
DESTINATION = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "secret", IMAGE.tag)


class Client:
    """Answers as docker's library does: with its events again and again, or with an error."""

    def __init__(self, play: list[dict[str, Any]] | BaseException, saved: bytes = b"") -> None:
        self.play, self.saved = play, saved
        self.product = "Engine"
        self.answer = io.BytesIO()
        self.calls: list[tuple[Any, ...]] = []
        self.options: dict[str, Any] = {}
        self.hooks: dict[str, list[Any]] = {"response": []}
        self.params: dict[str, str] = {}

    def build(self, **options: Any) -> Iterator[dict[str, Any]]:
        self.options = {**options, **self.params}
        if "fileobj" in options:
            with tarfile.open(fileobj=options["fileobj"]) as tar:
                self.calls.append(("context", *tar.getnames()))
        for listener in self.hooks["response"]:
            listener(self.answer)
        if isinstance(self.play, BaseException):
            raise self.play
        return iter(self.play)

    def push(self, repository: str, tag: str, **options: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(("push", repository, tag))
        return self.build(**options)

    def tag(self, image: str, repository: str, tag: str) -> None:
        self.calls.append(("tag", image, f"{repository}:{tag}"))

    def remove_image(self, name: str, *, noprune: bool) -> None:
        self.calls.append(("untag", name))

    def version(self) -> dict[str, Any]:
        return {"Components": [{"Name": self.product}]}

    def reload_config(self) -> None:
        self.calls.append(("logins",))

    def get_image(self, _name: str) -> Iterator[bytes]:
        return iter([self.saved])

    def inspect_image(self, name: str) -> dict[str, Any]:
        if "/" in name:
            raise errors.ImageNotFound(name)
        return {"Id": "sha256:abc", "Size": 10, "Os": "linux", "Architecture": "amd64"}


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of all programs that are found: there is no docker command at first."""
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "programs"


@pytest.fixture
def request_(tmp_path: Path) -> BuildRequest:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return BuildRequest(tmp_path, tmp_path / "images", build_args={"A": "2 3"})


STEPS = [
    {"stream": "Step 1/4 : ARG A=1\nStep 2/4 : FROM ruby\n"},
    {"status": "Downloading", "id": "abc", "progress": "[=>  ]"},
    {"stream": " ---> 123\nStep 3/4 : RUN bundle install\nFetching "},
    {"stream": "rails\n\x1b[31mno such gem\x1b[0m\n"},
]


def failure(request: BuildRequest, *events: Any, say: Say = ignore_progress) -> EngineError:
    """Return what a build raises whose engine answers with these events."""
    with pytest.raises(EngineError) as failed:
        DockerEngine(Client([*events])).build(request, say=say)
    return failed.value


def test_a_build_tells_its_steps_keeps_a_log_and_gives_the_tag_and_the_engines_label(
    request_: BuildRequest,
) -> None:
    said: list[str] = []
    client = Client([*STEPS, {"stream": "Successfully built 0123456789ab\n"}])
    image = DockerEngine(client).build(request_, say=said.append)
    assert said == [
        "手順 1/4: ARG A=1",
        "手順 2/4: FROM ruby",
        "abc Downloading [=> ]",
        "手順 3/4: RUN bundle install",
        "Fetching rails",
        "no such gem",
    ]
    assert image.log
    assert image.log.read_text().splitlines()[-3:-1] == ["Fetching rails", "no such gem"]
    assert client.options["tag"] == "rails-app:latest"
    assert client.options["labels"] == {"io.handson.engine": "docker"}
    assert client.options["platform"] == "linux/amd64"
    assert (image.engine, image.platform) == ("docker", "linux/amd64")


def test_what_dockerignore_names_is_not_sent_however_the_file_was_saved(
    request_: BuildRequest, programs: Path
) -> None:
    client = Client([{"stream": "Successfully built 0123456789ab\n"}])
    ignore = request_.context / ".dockerignore"
    for name in (".env", "app.rb"):
        (request_.context / name).touch()
    # The engine needs these two files, and leaves them out of the image itself.
    ignore.write_bytes("\ufeff.env\r\nimages\r\nDockerfile\r\n.dockerignore\r\n".encode())
    DockerEngine(client).build(request_, say=ignore_progress)
    assert client.calls[1] == ("context", ".dockerignore", "Dockerfile", "app.rb")
    for encoding in ("cp932", "utf-16"):
        ignore.write_text("# 秘密\n.env\n", encoding=encoding)
        with pytest.raises(InvalidInput, match=r"\.dockerignore .*UTF-8"):
            DockerEngine(client).build(request_, say=ignore_progress)
    called = install_docker(programs, BUILT)
    with pytest.raises(InvalidInput, match=r"\.dockerignore .*UTF-8"):
        DockerEngine(client).build(request_, say=ignore_progress)
    assert not called.exists()
    (request_.context / "Dockerfile").write_text("FROM ruby # 店\n", encoding="cp932")
    with pytest.raises(InvalidInput, match=r"Dockerfile .*UTF-8.*Shift_JIS"):
        DockerEngine(client).build(request_, say=ignore_progress)


def test_a_failing_step_is_named_with_its_line_and_last_output(request_: BuildRequest) -> None:
    failed = failure(request_, *STEPS, {"error": "returned a non-zero code: 7"})
    assert failed.problem.splitlines() == [
        "Dockerfile:5 の手順 `RUN bundle install` が失敗しました: returned a non-zero code: 7",
        "    │ Fetching rails",
        "    │ no such gem",
    ]
    foreign = {"stream": "exec /bin/sh: exec format error\n"}
    failed = failure(request_, *STEPS, foreign, {"error": "returned a non-zero code: 1"})
    assert "Rosetta" in failed.remedy
    # Before the first step, and in a step of the engine's own, there is no line to name.
    own = {"stream": 'STEP 5/5: LABEL "io.handson.engine"="docker"\n'}
    for steps in ([], [*STEPS, own]):
        failed = failure(request_, *steps, {"error": "toomanyrequests"})
        assert "始まりませんでした: toomanyrequests" in failed.problem


RAISED: list[tuple[BaseException, type[BaseException], str]] = [
    (errors.APIError("dockerfile parse error line 2: unknown"), InvalidInput, "line 2"),
    (errors.APIError("write: no space left on device"), EngineError, "ディスクがいっぱいです"),
    (errors.DockerException("no version"), EngineError, "断りました"),
    (http.client.IncompleteRead(b""), EngineError, "途切れました"),
    (OSError(errno.ENOSPC, "No space left"), NotReady, "途中でディスクがいっぱい"),
    (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
]


def test_what_the_engine_raises_ends_the_listening_and_is_explained(request_: BuildRequest) -> None:
    for raised, kind, said in RAISED:
        client = Client(raised)
        with pytest.raises(kind, match=said):
            DockerEngine(client).build(request_, say=ignore_progress)
        assert (client.answer.closed, client.hooks) == (True, {"response": []})


PODMAN = """\
[1/2] STEP 1/2: FROM docker.io/library/ruby AS gems
[1/2] STEP 2/2: RUN bundle install
--> fa64cffd949
[2/2] STEP 1/3: FROM docker.io/library/ruby
[2/2] STEP 2/3: RUN bundle check
The Gemfile's dependencies are missing
"""
STAGES = "FROM $BASE AS gems\nRUN bundle install\nFROM $BASE\n\nRUN bundle check\n"


def test_the_line_of_a_step_is_found_though_podman_counts_from_each_stage(
    request_: BuildRequest,
) -> None:
    (request_.context / "Dockerfile").write_text(STAGES)
    said: list[str] = []
    error = {"error": 'building at STEP "RUN bundle check": exit status 1'}
    problem = failure(request_, {"stream": PODMAN}, error, say=said.append).problem
    assert "Dockerfile:5 の手順 `RUN bundle check`" in problem
    assert "│ The Gemfile's dependencies are missing" in problem
    assert "手順 2/3: RUN bundle check" in said


# A docker command with buildx: it notes how it was called, and says what it is given to say.
COMMAND = """\
#!{python}
import json, os, pathlib, sys, time
place = pathlib.Path(__file__).parent
if sys.argv[1:] == ["buildx", "version"]:
    sys.exit(print("github.com/docker/buildx v0.12.1 30feaa1"))
config = pathlib.Path(os.environ.get("DOCKER_CONFIG", "-"), "config.json")
logins = config.read_text() if config.exists() else ""
(place / "called").write_text(json.dumps([sys.argv[1:], dict(os.environ), logins]))
if {endless}:
    os.fork()
sys.stderr.write({output!r})
sys.stderr.flush()
if {endless}:
    time.sleep(60)
sys.exit({code})
"""
BUILT = """\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s

#4 [1/2] FROM docker.io/library/ruby:3@sha256:00
#4 sha256:abc 1.05MB / 29.13MB 0.3s
#4 DONE 0.5s

#5 [2/2] RUN bundle install
#5 0.215 Fetching rails
#5 12.04 \x1b[32mdone\x1b[0m
#5 DONE 12.1s
"""
FAILED = """\
#5 ERROR: process "/bin/sh -c bundle install" did not complete successfully: exit code: 7
------
 > [2/2] RUN bundle install:
0.215 Fetching rails
0.300 no such gem
------
Dockerfile:5
--------------------
   3 |     FROM ruby
   5 | >>> RUN bundle install
--------------------
ERROR: failed to build: failed to solve: process "/bin/sh -c bundle install" did not complete \
successfully: exit code: 7

View build details: docker-desktop://dashboard/build/default
"""


def install_docker(programs: Path, output: str, *, code: int = 0, endless: bool = False) -> Path:
    """Make a docker command, and return the file in which it notes how it was called."""
    programs.mkdir(exist_ok=True)
    script = COMMAND.format(python=sys.executable, output=output, code=code, endless=endless)
    (programs / "docker").write_text(script)
    (programs / "docker").chmod(0o755)
    return programs / "called"


def test_where_the_docker_command_has_buildx_it_builds_with_buildkit(
    request_: BuildRequest, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called, said, client = install_docker(programs, BUILT), list[str](), Client([])
    monkeypatch.setenv("BUILDX_BUILDER", "elsewhere")
    docker = DockerEngine(client, DOCKER_HOST="unix:///x.sock")
    image = docker.build(request_, say=said.append)
    assert said == [
        "手順 1/2: FROM docker.io/library/ruby:3@sha256:00",
        "sha256:abc 1.05MB / 29.13MB 0.3s",
        "手順 2/2: RUN bundle install",
        "Fetching rails",
        "done",
    ]
    assert (image.id, image.tag, client.options) == ("sha256:abc", "latest", {})
    assert client.calls == [("logins",)]
    arguments, environ, logins = json.loads(called.read_text())
    assert (arguments[0], arguments[-1], logins) == ("build", str(request_.context), "")
    assert set(arguments[1:-1]) == {
        "--progress=plain",
        "--platform=linux/amd64",
        f"--file={request_.context / 'Dockerfile'}",
        "--tag=rails-app:latest",
        "--label=io.handson.engine=docker",
        "--build-arg=A=2 3",
    }
    assert (environ["DOCKER_HOST"], environ["DOCKER_BUILDKIT"]) == ("unix:///x.sock", "1")
    assert (environ["BUILDX_NO_DEFAULT_ATTESTATIONS"], "BUILDX_BUILDER" in environ) == ("1", False)
    assert image.log
    assert {"#1 DONE 0.0s", "Fetching rails"} <= set(image.log.read_text().splitlines())


def test_without_buildx_or_for_podman_or_with_buildkit_switched_off_the_engines_api_builds(
    request_: BuildRequest, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = install_docker(programs, "")
    podman, switched_off, other = (Client([{"aux": {"ID": "sha256:abc"}}]) for _ in range(3))
    podman.product = "Podman Engine"
    DockerEngine(podman).build(request_, say=ignore_progress)
    with monkeypatch.context() as patch:
        patch.setenv("DOCKER_BUILDKIT", "0")
        DockerEngine(switched_off).build(request_, say=ignore_progress)
    (programs / "docker").write_text("#!/bin/sh\necho buildah 1.28.2\n")  # Podman's of this name
    DockerEngine(other).build(request_, say=ignore_progress)
    built = [client.options["tag"] for client in (podman, switched_off, other)]
    assert (built, called.exists()) == (["rails-app:latest"] * 3, False)


def test_a_step_that_fails_in_buildkit_is_named_with_its_line_and_last_output(
    request_: BuildRequest, programs: Path
) -> None:
    # Of Docker 20.10 the line has to be found by the step's words.
    older = FAILED.replace("Dockerfile:5\n", "").replace("failed to build: ", "")
    for printed in (FAILED, older):
        install_docker(programs, BUILT + printed, code=1)
        failed = failure(request_)
        assert failed.problem.splitlines() == [
            'Dockerfile:5 の手順 `RUN bundle install` が失敗しました: process "/bin/sh -c bundle '
            'install" did not complete successfully: exit code: 7',
            "    │ Fetching rails",
            "    │ no such gem",
        ]
    install_docker(programs, "ERROR: failed to solve: ruby: not found\n", code=1)
    assert failure(request_).problem == "ビルドが始まりませんでした: ruby: not found"


# What engines say of the third line: the classic builder of Docker 20.10, and BuildKit's readers.
NEWER = {
    "COPY --link a /a": "dockerfile parse error line 3: Unknown flag: link",
    "COPY --parents a /a": "dockerfile parse error line 3: Unknown flag: parents",
    "RUN <<EOF\nhello\nEOF": "dockerfile parse error line 4: unknown instruction: HELLO",
    "COPY --chmod=700 a /a": "the --chmod option requires BuildKit. Refer to https://docs.docker…",
    "RUN --mount=type=cache,target=/x make": "the --mount option requires BuildKit. Refer to …",
}


@pytest.mark.parametrize(("line", "reason"), NEWER.items())
def test_a_line_that_needs_buildkit_or_a_newer_one_is_named_with_what_to_do(
    line: str, reason: str, request_: BuildRequest, programs: Path
) -> None:
    (request_.context / "Dockerfile").write_text(f"FROM scratch\nENV A=1\n{line}\n")
    shown = line.partition("\n")[0]
    step = {"stream": f"Step 3/3 : {shown}\n"}
    refused = errors.APIError(reason) if "parse error" in reason else [step, {"error": reason}]
    with pytest.raises(InvalidInput) as told:
        DockerEngine(Client(refused)).build(request_, say=ignore_progress)
    assert f"Dockerfile:3 の `{shown}` には BuildKit が必要" in told.value.problem
    assert {"`docker", "version`", "build", ".`"} <= set(re.split(r"[ 、でと]", told.value.remedy))
    reason = reason.replace("line 3: Unknown flag: ", "on line 3: unknown flag: --")
    if "parse error" in reason:
        install_docker(programs, f"ERROR: failed to build: failed to solve: {reason}\n", code=1)
        with pytest.raises(InvalidInput) as told:
            DockerEngine(Client([])).build(request_, say=ignore_progress)
        assert f"この Docker の BuildKit は、Dockerfile:3 の `{shown}` を読めません" in str(
            told.value
        )
        assert "# syntax=docker/dockerfile:1" in told.value.remedy


def test_a_line_that_no_builder_knows_is_named_without_buildkit(request_: BuildRequest) -> None:
    (request_.context / "Dockerfile").write_text("FROM scratch\nCOPY --lnk a /a\n")
    client = Client(errors.APIError("dockerfile parse error line 2: Unknown flag: lnk"))
    with pytest.raises(InvalidInput, match="Dockerfile:2 の手順 `COPY --lnk a /a`") as told:
        DockerEngine(client).build(request_, say=ignore_progress)
    assert "BuildKit" not in str(told.value)


def test_a_build_that_is_interrupted_ends_the_docker_command_and_its_plugin(
    request_: BuildRequest, programs: Path
) -> None:
    install_docker(programs, BUILT, endless=True)
    family: list[psutil.Process] = []

    def interrupt(line: str) -> None:
        if line == "done":
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):  # one of another test's may have ended
                    family.extend([child] if str(programs / "docker") in child.cmdline() else [])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DockerEngine(Client([])).build(request_, say=interrupt)
    left = psutil.wait_procs(family, timeout=10)[1]
    assert (len(family), left) == (2, [])


def test_logins_that_cannot_be_read_are_told_and_do_not_matter(
    request_: BuildRequest, programs: Path, tmp_path: Path
) -> None:
    (tmp_path / ".docker" / "cli-plugins").mkdir(parents=True)
    for broken in (
        '{"credsStore": "none"}',
        '{"credHelpers": {"x.example": "none"}}',
        '{"auths": {"x.example": {"auth": "!!!"}}}',
        '{"auths": ',
    ):
        (tmp_path / ".docker" / "config.json").write_text(broken)
        said: list[str] = []
        client = Client([{"aux": {"ID": "sha256:abc"}}])
        assert DockerEngine(client).build(request_, say=said.append).id == "sha256:abc"
        assert ("logins",) not in client.calls
        assert len(said) == 1
        assert "config.json" in said[0]
        assert "ログイン情報なしでビルドします" in said[0]
    # The docker command goes on with the rest of the configuration.
    empty, rest = {"https://index.docker.io/v1/": {}}, {"cliPluginsExtraDirs": ["/opt/plugins"]}
    called = install_docker(programs, BUILT)
    for broken, left in (('{"auths": ', {}), (json.dumps({**rest, "credsStore": "none"}), rest)):
        (tmp_path / ".docker" / "config.json").write_text(broken)
        DockerEngine(Client([])).build(request_, say=ignore_progress)
        assert json.loads(json.loads(called.read_text())[2]) == {**left, "auths": empty}


MANIFEST = b'{"layers": [{"size": 3}, {"size": 4}]}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
PUSHED = [
    {"status": "Preparing", "id": "one"},
    {"status": "Pushing", "id": "one", "progressDetail": {"current": 5, "total": 10}},
    {"status": "Layer already exists", "id": "two"},
    {"status": "Pushed", "id": "one"},
    {"aux": {"Tag": "latest", "Digest": DIGEST, "Size": 500}},
]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(manifests={DIGEST: MANIFEST})


@pytest.fixture
def there(shelf: Shelf) -> Iterator[Destination]:
    with serving(shelf) as address:
        yield replace(DESTINATION, registry=address)


def push(client: Client, there: Destination) -> PushedImage:
    return DockerEngine(client).push(IMAGE, there, say=ignore_progress)


def test_the_engine_pushes_the_tag_with_the_token_and_loses_it_again(there: Destination) -> None:
    client = Client(PUSHED)
    pushed = push(client, there)
    assert (pushed.digest, pushed.tag) == (DIGEST, "latest")
    assert (pushed.layers_pushed, pushed.layers_present, pushed.size_bytes) == (1, 1, 7)
    assert client.calls == [
        ("tag", "sha256:abc", f"{there.registry}/rails-app:latest"),
        ("push", f"{there.registry}/rails-app", "latest"),
        ("untag", f"{there.registry}/rails-app:latest"),
    ]
    assert client.options["auth_config"] == {"username": "AWS", "password": "secret"}


def test_podman_is_told_of_plain_http_and_gives_the_digest_in_a_sentence_but_no_layers(
    there: Destination, shelf: Shelf
) -> None:
    client = Client([{"status": f"latest: digest: {DIGEST} size: 735"}])
    pushed = push(client, replace(there, tag="named"))
    assert (pushed.digest, set(shelf.manifests)) == (DIGEST, {DIGEST})
    assert client.calls[1] == ("push", f"{there.registry}/rails-app", "named")
    assert (client.options["tlsVerify"], client.params) == ("false", {})
    client = Client([{"error": "denied"}])
    with pytest.raises(NotAllowed):
        push(client, replace(DESTINATION, scheme="https"))
    assert "tlsVerify" not in client.options


def archive() -> bytes:
    """Return what `docker save` gives for an image of `LAYERS`."""
    files = {f"{number}/layer.tar": layer for number, layer in enumerate(LAYERS)}
    manifest = json.dumps([{"Config": "config.json", "Layers": list(files)}]).encode()
    files |= {"config.json": b'{"os": "linux"}', "manifest.json": manifest}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


UNREACHED = "Get http://127.0.0.1:1/v2/: dial tcp 127.0.0.1:1: connect: connection refused"
LAYERS = (b"layer" * 1000, gzip.compress(b"layer", mtime=0), b"\x28\xb5\x2f\xfd packed")


def test_an_image_is_sent_for_an_engine_that_does_not_reach_this_computers_registry(
    there: Destination, shelf: Shelf, tmp_path: Path
) -> None:
    engine = DockerEngine(Client([{"error": UNREACHED}], saved=archive()))
    image = replace(IMAGE, log=tmp_path / "build.log")
    pushed = engine.push(image, there, say=ignore_progress)
    manifest = json.loads(shelf.manifests["latest"])
    # Layers that the engine keeps compressed are sent as they are.
    plain, *packed = [shelf.blobs[layer["digest"]] for layer in manifest["layers"]]
    assert (gzip.decompress(plain), *packed) == LAYERS
    kinds = [layer["mediaType"] for layer in manifest["layers"]]
    assert kinds == [oci.LAYER, oci.LAYER, oci.ZSTD_LAYER]
    assert shelf.blobs[manifest["config"]["digest"]] == b'{"os": "linux"}'
    assert shelf.manifests["latest"] == shelf.manifests[pushed.digest]
    assert (pushed.engine, pushed.layers_pushed, pushed.relayed) == ("docker", 3, True)
    assert list(tmp_path.iterdir()) == []
    again = engine.push(image, there, say=ignore_progress)
    assert (again.layers_pushed, again.layers_present) == (0, 3)


def test_an_archive_that_is_none_and_a_registry_elsewhere_are_told(there: Destination) -> None:
    with pytest.raises(EngineError, match="途切れました"):
        push(Client([{"error": UNREACHED}], saved=b"<html>"), there)
    elsewhere = replace(DESTINATION, registry="registry.example", scheme="https")
    with pytest.raises(NotReady, match="接続できません"):
        push(Client([{"error": UNREACHED}]), elsewhere)


REFUSALS: dict[str, tuple[type[HandsonError], str]] = {
    "no basic auth credentials": (NotAllowed, "許可しません"),
    "denied: Your authorization token has expired. Reauthenticate": (NotAllowed, "期限"),
    "name unknown: The repository with name 'x' does not exist": (NotReady, "ensure_repository"),
    "tag invalid: The image tag 'v1' already exists … is immutable": (EngineError, "IMMUTABLE"),
    "unexpected status: 400 Bad Request": (NotAllowed, "HANDSON_REGION"),
    "error parsing HTTP 400 response body: unexpected end": (NotAllowed, "HANDSON_REGION"),
    "Error saving credentials: error storing credentials": (EngineError, "credsStore"),
    "error getting credentials - err: exec: docker-credential-desktop": (EngineError, "creds"),
    "server gave HTTP response to HTTPS client": (NotReady, "接続できません"),
    "write /var/lib/docker: no space left on device": (EngineError, "ディスクがいっぱい"),
    UNREACHED: (NotReady, "接続できません"),
    "write tcp: connection reset by peer": (EngineError, "途中で切れました"),
    'Head "http://127.0.0.1:1/v2/": EOF': (EngineError, "途中で切れました"),
    "something new": (EngineError, "something new"),
}


def test_each_refusal_of_a_push_is_recognised_and_so_is_a_push_without_a_digest() -> None:
    for error, (kind, said) in REFUSALS.items():
        client = Client([{"error": error}])
        with pytest.raises(kind, match=said):
            push(client, DESTINATION)
        assert client.calls[-1][0] == "untag", error
    with pytest.raises(EngineError, match="ダイジェストの返答がありません"):
        push(Client([]), DESTINATION)
