"""The docker engine, with a client that answers from a script."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from docker import errors

from handson import engine
from handson.engine import BuildRequest, Destination, DockerEngine, LocalImage, container
from handson.errors import EngineError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.progress import silent

DOCKERFILE = "# shop\nARG A=1\nFROM ruby\n\nRUN bundle install\n"
IMAGE = LocalImage("docker", "rails-app", "sha256:abc", ("latest", "v1"), 10)
DESTINATION = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "secret")


class Client:
    """Answers as docker's library does, from scripted events."""

    def __init__(self, events: list[dict[str, Any]] | Exception) -> None:
        self.events = events
        self.calls: list[tuple[Any, ...]] = []
        self.options: dict[str, Any] = {}

    def _play(self, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
        self.options = options
        if isinstance(self.events, Exception):
            raise self.events
        yield from self.events

    def build(self, **options: Any) -> Iterator[dict[str, Any]]:
        return self._play(options)

    def push(self, repository: str, **options: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(("push", repository, options["tag"]))
        return self._play(options)

    def tag(self, image: str, repository: str, tag: str) -> None:
        self.calls.append(("tag", image, f"{repository}:{tag}"))

    def remove_image(self, name: str, *, noprune: bool) -> None:
        self.calls.append(("untag", name))

    def inspect_image(self, name: str) -> dict[str, Any]:
        if "/" in name:
            raise errors.ImageNotFound(name)
        return {"Id": "sha256:abc", "Size": 10, "Os": "linux", "Architecture": "amd64"}


@pytest.fixture
def request_(tmp_path: Path) -> BuildRequest:
    file = tmp_path / "Dockerfile"
    file.write_text(DOCKERFILE)
    return BuildRequest(tmp_path, file, tmp_path / "images", tags=("latest", "v1"))


@pytest.fixture
def known_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "layers_size", lambda *_arguments: 7)


STEPS = [
    {"stream": "Step 1/4 : ARG A=1\n"},
    {"stream": "Step 2/4 : FROM ruby\n"},
    {"status": "Downloading", "id": "abc", "progress": "[=>  ]"},
    {"stream": " ---> 123\n"},
    {"stream": "Step 3/4 : RUN bundle install\n"},
    {"stream": "Fetching "},
    {"stream": "rails\n\x1b[31mno such gem\x1b[0m\n"},
]


def test_a_build_tells_its_steps_and_keeps_a_log(request_: BuildRequest) -> None:
    said: list[str] = []
    client = Client([*STEPS, {"aux": {"ID": "sha256:abc"}}])
    image = DockerEngine(client).build(request_, say=said.append)
    assert said == [
        "手順 1/4: ARG A=1",
        "手順 2/4: FROM ruby",
        "abc Downloading [=> ]",
        "手順 3/4: RUN bundle install",
        "Fetching rails",
        "no such gem",
    ]
    assert image.log is not None
    assert image.log.read_text().splitlines()[-2:] == ["Fetching rails", "no such gem"]


def test_a_build_gives_every_tag_and_the_engines_label(request_: BuildRequest) -> None:
    client = Client([{"stream": "Successfully built 0123456789ab\n"}])
    image = DockerEngine(client).build(request_, say=silent)
    assert client.calls == [
        ("tag", "0123456789ab", "rails-app:latest"),
        ("tag", "0123456789ab", "rails-app:v1"),
    ]
    assert client.options["labels"] == {"io.handson.engine": "docker"}
    assert (client.options["platform"], client.options["dockerfile"]) == (
        "linux/amd64",
        "Dockerfile",
    )
    assert (image.engine, image.platform) == ("docker", "linux/amd64")


def test_a_failing_step_is_named_with_its_line_and_last_output(request_: BuildRequest) -> None:
    client = Client([*STEPS, {"error": "returned a non-zero code: 7"}])
    with pytest.raises(EngineError) as failed:
        DockerEngine(client).build(request_, say=silent)
    assert failed.value.problem.splitlines() == [
        "Dockerfile:5 の手順 `RUN bundle install` が失敗しました: returned a non-zero code: 7",
        "    │ Fetching rails",
        "    │ no such gem",
    ]


def test_a_build_that_fails_before_its_first_step_says_so(request_: BuildRequest) -> None:
    with pytest.raises(EngineError, match="始まりませんでした: toomanyrequests"):
        DockerEngine(Client([{"error": "toomanyrequests"}])).build(request_, say=silent)


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (errors.APIError("dockerfile parse error line 2: unknown"), InvalidInput, "line 2"),
        (errors.APIError("write: no space left on device"), EngineError, "ディスクがいっぱい"),
        (errors.DockerException("Credentials store error: x"), EngineError, "credsStore"),
        (ConnectionResetError("reset"), EngineError, "途切れました"),
        (OSError(errno.ENOSPC, "No space left on device"), NotReady, "ディスクがいっぱい"),
    ],
)
def test_what_the_engine_raises_becomes_a_problem_and_a_remedy(
    request_: BuildRequest, raised: Exception, kind: type[HandsonError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        DockerEngine(Client(raised)).build(request_, say=silent)


PUSHED = [
    {"status": "Preparing", "id": "one"},
    {"status": "Pushing", "id": "one", "progressDetail": {"current": 5, "total": 10}},
    {"status": "Layer already exists", "id": "two"},
    {"status": "Pushed", "id": "one"},
    {"aux": {"Tag": "latest", "Digest": "sha256:d", "Size": 500}},
]


@pytest.mark.usefixtures("known_size")
def test_a_push_counts_layers_and_gives_the_digest() -> None:
    pushed = DockerEngine(Client(PUSHED)).push(IMAGE, DESTINATION, say=silent)
    assert (pushed.digest, pushed.tags) == ("sha256:d", ("latest", "v1"))
    assert (pushed.layers_pushed, pushed.layers_present, pushed.size_bytes) == (1, 1, 7)


@pytest.mark.usefixtures("known_size")
def test_the_registrys_tags_are_taken_away_again() -> None:
    client = Client(PUSHED)
    named = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "secret", ("v1",))
    DockerEngine(client).push(IMAGE, named, say=silent)
    assert client.calls == [
        ("tag", "sha256:abc", "127.0.0.1:1/rails-app:v1"),
        ("push", "127.0.0.1:1/rails-app", "v1"),
        ("untag", "127.0.0.1:1/rails-app:v1"),
    ]


@pytest.mark.usefixtures("known_size")
def test_the_token_travels_with_the_push_alone() -> None:
    client = Client(PUSHED)
    DockerEngine(client).push(IMAGE, DESTINATION, say=silent)
    assert client.options["auth_config"] == {"username": "AWS", "password": "secret"}


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ("no basic auth credentials", NotAllowed, "許可しません"),
        ("denied: Your authorization token has expired. Reauthenticate", NotAllowed, "期限"),
        (
            "name unknown: The repository with name 'x' does not exist",
            NotReady,
            "ensure_repository",
        ),
        ("tag invalid: The image tag 'v1' already exists … is immutable", EngineError, "IMMUTABLE"),
        ("dial tcp 127.0.0.1:1: connect: connection refused", NotReady, "接続できません"),
        ("write tcp: connection reset by peer", EngineError, "途中で切れました"),
        ('Head "http://127.0.0.1:1/v2/": EOF', EngineError, "途中で切れました"),
        ("something new", EngineError, "something new"),
    ],
)
def test_each_refusal_of_a_push_is_recognised(
    error: str, kind: type[HandsonError], said: str
) -> None:
    client = Client([{"error": error}])
    with pytest.raises(kind, match=said):
        DockerEngine(client).push(IMAGE, DESTINATION, say=silent)
    assert client.calls[-1][0] == "untag"


def test_a_push_without_a_digest_is_no_success() -> None:
    with pytest.raises(EngineError, match="ダイジェストの返答がありません"):
        DockerEngine(Client([])).push(IMAGE, DESTINATION, say=silent)


def nowhere(tmp_path: Path) -> str:
    return f"unix://{tmp_path / 'docker.sock'}"


def test_docker_that_was_asked_for_and_does_not_answer_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"docker\.sock"):
        engine.choose("docker", docker_host=nowhere(tmp_path))


def test_auto_takes_builtin_where_docker_does_not_answer(tmp_path: Path) -> None:
    assert engine.choose("auto", docker_host=nowhere(tmp_path)).name == "builtin"


def test_builtin_is_not_taken_by_itself_on_real_aws(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="builtin"):
        engine.choose("auto", real_aws=True, docker_host=nowhere(tmp_path))


def test_builtin_by_name_is_taken_on_real_aws(tmp_path: Path) -> None:
    assert engine.choose("builtin", real_aws=True).name == "builtin"


class Daemon(BaseHTTPRequestHandler):
    """Just enough of the Docker API to be recognised."""

    def log_message(self, *_arguments: Any) -> None: ...

    def do_GET(self) -> None:
        body = b'{"ApiVersion":"1.41","Version":"20.10","Os":"linux","Arch":"amd64"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def daemon() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Daemon)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"tcp://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_auto_takes_docker_where_it_answers(daemon: str) -> None:
    found = engine.choose("auto", docker_host=daemon).describe()
    assert (found.name, found.version, found.platform) == ("docker", "20.10", "linux/amd64")
