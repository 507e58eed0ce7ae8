"""The docker engine, with a client that answers from a script."""

from __future__ import annotations

import errno
import gzip
import hashlib
import http.client
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker import errors

from handson.core.errors import EngineError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.core.progress import ignore_progress
from handson.engine import oci
from handson.engine.docker_engine import DockerEngine
from handson.engine.model import BuildRequest, Destination, LocalImage
from tests.fake_registry import Shelf, serving

DOCKERFILE = "# shop\nARG A=1\nFROM ruby\n\nRUN bundle install\n"
IMAGE = LocalImage("docker", "rails-app", "sha256:abc", ("latest", "v1"), 10)
DESTINATION = Destination("127.0.0.1:1", "http", "rails-app", "AWS", "secret")


class Client:
    """Answers as docker's library does, from scripted events."""

    archive = b""

    def __init__(self, *plays: list[dict[str, Any]] | Exception) -> None:
        self.plays = list(plays)
        self.calls: list[tuple[Any, ...]] = []
        self.options: dict[str, Any] = {}
        self.hooks: dict[str, list[Any]] = {"response": []}
        self.params: dict[str, str] = {}

    def _play(self, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Play the next of the given events; the last ones again and again."""
        self.options = {**options, **self.params}
        events = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
        if isinstance(events, Exception):
            raise events
        yield from events

    def build(self, **options: Any) -> Iterator[dict[str, Any]]:
        return self._play(options)

    def push(self, repository: str, **options: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(("push", repository, options["tag"]))
        return self._play(options)

    def tag(self, image: str, repository: str, tag: str) -> None:
        self.calls.append(("tag", image, f"{repository}:{tag}"))

    def remove_image(self, name: str, *, noprune: bool) -> None:
        self.calls.append(("untag", name))

    def reload_config(self, path: str) -> None:
        self.calls.append(("logins", Path(path).read_text()))

    def get_image(self, name: str) -> Iterator[bytes]:
        return iter([self.archive])

    def inspect_image(self, name: str) -> dict[str, Any]:
        if "/" in name:
            raise errors.ImageNotFound(name)
        return {"Id": "sha256:abc", "Size": 10, "Os": "linux", "Architecture": "amd64"}


@pytest.fixture
def request_(tmp_path: Path) -> BuildRequest:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return BuildRequest(tmp_path, tmp_path / "images", tags=("latest", "v1"))


# DockerEngine.build

STEPS = [
    {"stream": "Step 1/4 : ARG A=1\n"},
    {"stream": "Step 2/4 : FROM ruby\n"},
    {"status": "Downloading", "id": "abc", "progress": "[=>  ]"},
    {"stream": " ---> 123\n"},
    {"stream": "Step 3/4 : RUN bundle install\n"},
    {"stream": "Fetching "},
    {"stream": "rails\n\x1b[31mno such gem\x1b[0m\n"},
]


def failure(request: BuildRequest, *plays: Any, say: Any = ignore_progress) -> HandsonError:
    """Return what a build raises whose engine answers with these plays."""
    with pytest.raises(HandsonError) as failed:
        DockerEngine(Client(*plays)).build(request, say=say)
    return failed.value


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
    image = DockerEngine(client).build(request_, say=ignore_progress)
    assert client.calls == [
        ("tag", "0123456789ab", "rails-app:latest"),
        ("tag", "0123456789ab", "rails-app:v1"),
    ]
    asked = {name: client.options[name] for name in ("labels", "platform", "dockerfile")}
    assert asked == {
        "labels": {"io.handson.engine": "docker"},
        "platform": "linux/amd64",
        "dockerfile": "Dockerfile",
    }
    assert (image.engine, image.platform) == ("docker", "linux/amd64")


def test_a_failing_step_is_named_with_its_line_and_last_output(request_: BuildRequest) -> None:
    failed = failure(request_, [*STEPS, {"error": "returned a non-zero code: 7"}])
    assert type(failed) is EngineError
    assert failed.problem.splitlines() == [
        "Dockerfile:5 の手順 `RUN bundle install` が失敗しました: returned a non-zero code: 7",
        "    │ Fetching rails",
        "    │ no such gem",
    ]


def test_a_failure_before_the_first_step_or_in_a_step_of_the_engines_own_is_of_no_line(
    request_: BuildRequest,
) -> None:
    own = [*STEPS, {"stream": 'STEP 5/5: LABEL "io.handson.engine"="docker"\n'}]
    for steps in ([], own):
        failed = failure(request_, [*steps, {"error": "toomanyrequests"}])
        assert "始まりませんでした: toomanyrequests" in failed.problem


RAISED: list[tuple[Exception, type[HandsonError], str]] = [
    (errors.APIError("dockerfile parse error line 2: unknown"), InvalidInput, "line 2"),
    (errors.APIError("write: no space left on device"), EngineError, "ディスクがいっぱいです"),
    (errors.DockerException("no version"), EngineError, "断りました"),
    (http.client.IncompleteRead(b""), EngineError, "途切れました"),
    (ConnectionResetError("reset"), EngineError, "途切れました"),
    (OSError(errno.ENOSPC, "No space left"), NotReady, "途中でディスクがいっぱい"),
]


def test_what_the_engine_raises_becomes_a_problem_and_a_remedy(request_: BuildRequest) -> None:
    for raised, kind, said in RAISED:
        with pytest.raises(kind, match=said):
            DockerEngine(Client(raised)).build(request_, say=ignore_progress)


PODMAN = [
    {"stream": "[1/2] STEP 1/2: FROM docker.io/library/ruby AS gems\n"},
    {"stream": "[1/2] STEP 2/2: RUN bundle install\n"},
    {"stream": "--> fa64cffd949\n"},
    {"stream": "[2/2] STEP 1/3: FROM docker.io/library/ruby\n"},
    {"stream": "[2/2] STEP 2/3: RUN bundle check\n"},
    {"stream": "The Gemfile's dependencies are missing\n"},
    {"error": 'building at STEP "RUN bundle check": exit status 1'},
]
STAGES = "FROM $BASE AS gems\nRUN bundle install\nFROM $BASE\n\nRUN bundle check\n"


def test_the_line_of_a_step_is_found_though_podman_counts_from_each_stage(
    request_: BuildRequest,
) -> None:
    (request_.context / "Dockerfile").write_text(STAGES)
    said: list[str] = []
    problem = failure(request_, PODMAN, say=said.append).problem
    assert "Dockerfile:5 の手順 `RUN bundle check`" in problem
    assert "│ The Gemfile's dependencies are missing" in problem
    assert "手順 2/3: RUN bundle check" in said


def test_a_program_of_another_processor_is_answered_with_how_to_run_it(
    request_: BuildRequest,
) -> None:
    foreign = {"stream": "exec /bin/sh: exec format error\n"}
    failed = failure(request_, [*STEPS, foreign, {"error": "returned a non-zero code: 1"}])
    assert "Rosetta" in failed.remedy


BUILT = [{"aux": {"ID": "sha256:abc"}}]


@pytest.mark.parametrize(
    "config",
    ['{"credsStore": "missing"}', '{"credHelpers": {"registry.example": "missing"}}'],
)
def test_a_broken_credential_store_is_told_and_does_not_matter(
    request_: BuildRequest, config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(config)
    said: list[str] = []
    client = Client(BUILT)
    assert DockerEngine(client).build(request_, say=said.append).id == "sha256:abc"
    assert client.calls[0] == ("logins", '{"auths": {"https://index.docker.io/v1/": {}}}')
    assert said == ["Docker の認証情報ストアを読めないので、ログイン情報なしでビルドします"]


def test_an_engine_is_not_listened_to_any_longer_when_a_build_is_interrupted(
    request_: BuildRequest,
) -> None:
    answer = io.BytesIO()

    class Interrupted(Client):
        def build(self, **_options: Any) -> Iterator[dict[str, Any]]:
            for listener in self.hooks["response"]:
                listener(answer)
            raise KeyboardInterrupt

    client = Interrupted([])
    with pytest.raises(KeyboardInterrupt):
        DockerEngine(client).build(request_, say=ignore_progress)
    assert answer.closed is True
    assert client.hooks == {"response": []}


# DockerEngine.push

MANIFEST = b'{"layers": [{"size": 3}, {"size": 4}]}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
PUSHED = [
    {"status": "Preparing", "id": "one"},
    {"status": "Pushing", "id": "one", "progressDetail": {"current": 5, "total": 10}},
    {"status": "Layer already exists", "id": "two"},
    {"status": "Pushed", "id": "one"},
    {"aux": {"Tag": "latest", "Digest": DIGEST, "Size": 500}},
]
PUSHED_BY_PODMAN = [{"status": f"latest: digest: {DIGEST} size: 735"}]


@pytest.fixture
def shelf() -> Shelf:
    """Return what a registry has after a push: a manifest with layers of seven bytes."""
    return Shelf(manifests={DIGEST: MANIFEST}, types={DIGEST: oci.MANIFEST})


@pytest.fixture
def there(shelf: Shelf) -> Iterator[Destination]:
    with serving(shelf) as address:
        yield Destination(address, "http", "rails-app", "AWS", "secret")


def test_a_push_counts_layers_and_gives_the_digest(there: Destination) -> None:
    pushed = DockerEngine(Client(PUSHED)).push(IMAGE, there, say=ignore_progress)
    assert (pushed.digest, pushed.tags) == (DIGEST, ("latest", "v1"))
    assert (pushed.layers_pushed, pushed.layers_present, pushed.size_bytes) == (1, 1, 7)


def test_the_engine_pushes_one_tag_with_the_token_and_the_others_are_led_to_the_same_image(
    there: Destination, shelf: Shelf
) -> None:
    client = Client(PUSHED)
    DockerEngine(client).push(IMAGE, there, say=ignore_progress)
    assert client.calls == [
        ("tag", "sha256:abc", f"{there.registry}/rails-app:latest"),
        ("push", f"{there.registry}/rails-app", "latest"),
        ("untag", f"{there.registry}/rails-app:latest"),
    ]
    assert client.options["auth_config"] == {"username": "AWS", "password": "secret"}
    assert shelf.manifests["v1"] == MANIFEST


def test_only_the_tags_that_were_named_are_pushed(there: Destination, shelf: Shelf) -> None:
    client = Client(PUSHED)
    DockerEngine(client).push(IMAGE, replace(there, tags=("v1",)), say=ignore_progress)
    assert [call[2] for call in client.calls if call[0] == "push"] == ["v1"]
    assert "latest" not in shelf.manifests


def test_podman_gives_the_digest_in_a_sentence_and_does_not_tell_the_layers_apart(
    there: Destination,
) -> None:
    pushed = DockerEngine(Client(PUSHED_BY_PODMAN)).push(IMAGE, there, say=ignore_progress)
    assert pushed.digest == DIGEST
    assert "レイヤー: エンジンは内訳を知らせません" in str(pushed)


@pytest.mark.parametrize(("scheme", "said"), [("http", "false"), ("https", None)])
def test_podman_is_told_where_a_registry_speaks_plain_http(
    there: Destination, scheme: str, said: str | None
) -> None:
    client = Client([{"error": "denied"}])
    with pytest.raises(NotAllowed):
        DockerEngine(client).push(IMAGE, replace(there, scheme=scheme), say=ignore_progress)
    assert client.options.get("tlsVerify") == said
    assert client.params == {}


# DockerEngine.push, sent in the place of an engine that does not reach the registry


def archive(layer: bytes) -> bytes:
    """Return what `docker save` gives for an image of one layer."""
    manifest = [{"Config": "config.json", "Layers": ["one/layer.tar"]}]
    files = {
        "config.json": b'{"os": "linux"}',
        "one/layer.tar": layer,
        "manifest.json": json.dumps(manifest).encode(),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


REFUSED = [
    {"error": "Get http://127.0.0.1:1/v2/: dial tcp 127.0.0.1:1: connect: connection refused"}
]


def test_an_image_is_sent_for_an_engine_that_does_not_reach_this_computers_registry(
    there: Destination, shelf: Shelf, tmp_path: Path
) -> None:
    said: list[str] = []
    client = Client(REFUSED)
    client.archive = archive(b"layer" * 1000)
    image = replace(IMAGE, log=tmp_path / "build.log")
    pushed = DockerEngine(client).push(image, there, say=said.append)
    manifest = json.loads(shelf.manifests["latest"])
    assert gzip.decompress(shelf.blobs[manifest["layers"][0]["digest"]]) == b"layer" * 1000
    assert shelf.blobs[manifest["config"]["digest"]] == b'{"os": "linux"}'
    assert shelf.manifests["v1"] == shelf.manifests["latest"] == shelf.manifests[pushed.digest]
    assert (pushed.engine, pushed.layers_pushed, pushed.relayed) == ("docker", 1, True)
    assert said[0] == "エンジンからこのコンピューターのレジストリに届かないので、代わりに送ります"
    assert "handson が代わりに送信" in str(pushed)
    assert list(tmp_path.iterdir()) == []
    again = DockerEngine(client).push(image, there, say=said.append)
    assert (again.layers_pushed, again.layers_present) == (0, 1)


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (gzip.compress(b"layer", mtime=0), oci.LAYER),
        (b"\x28\xb5\x2f\xfd packed", oci.ZSTD_LAYER),
    ],
    ids=["gzip", "zstd"],
)
def test_a_layer_that_an_engine_keeps_compressed_is_sent_as_it_is(
    there: Destination, shelf: Shelf, layer: bytes, kind: str
) -> None:
    client = Client(REFUSED)
    client.archive = archive(layer)
    DockerEngine(client).push(IMAGE, there, say=ignore_progress)
    [described] = json.loads(shelf.manifests["latest"])["layers"]
    assert (described["mediaType"], shelf.blobs[described["digest"]]) == (kind, layer)


def test_an_archive_that_is_none_is_told(there: Destination, shelf: Shelf) -> None:
    client = Client(REFUSED)
    client.archive = b"<html>"
    with pytest.raises(EngineError, match="途切れました"):
        DockerEngine(client).push(IMAGE, there, say=ignore_progress)
    assert "latest" not in shelf.manifests


def test_an_engine_that_does_not_reach_a_registry_elsewhere_is_told() -> None:
    elsewhere = Destination("registry.example", "https", "rails-app", "AWS", "secret")
    with pytest.raises(NotReady, match="接続できません"):
        DockerEngine(Client(REFUSED)).push(IMAGE, elsewhere, say=ignore_progress)


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
    "dial tcp 127.0.0.1:1: connect: connection refused": (NotReady, "接続できません"),
    "write tcp: connection reset by peer": (EngineError, "途中で切れました"),
    'Head "http://127.0.0.1:1/v2/": EOF': (EngineError, "途中で切れました"),
    "something new": (EngineError, "something new"),
}


def test_each_refusal_of_a_push_is_recognised_and_leaves_no_tag() -> None:
    for error, (kind, said) in REFUSALS.items():
        client = Client([{"error": error}])
        with pytest.raises(kind, match=said):
            DockerEngine(client).push(IMAGE, DESTINATION, say=ignore_progress)
        assert client.calls[-1][0] == "untag", error


def test_a_push_without_a_digest_is_no_success() -> None:
    with pytest.raises(EngineError, match="ダイジェストの返答がありません"):
        DockerEngine(Client([])).push(IMAGE, DESTINATION, say=ignore_progress)
