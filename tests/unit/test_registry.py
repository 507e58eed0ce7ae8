"""Repositories and images as ECR describes them: indexes, attestations, platforms, absence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.course.state import Image, Platform
from handson.resources.images import ENGINE_LABEL, ImageList, find_images
from handson.resources.push import IMAGE_URI, record_image_uri
from handson.resources.repository import (
    ensure_repository,
    list_repository_resources,
    make_destination,
    require_repository,
)
from tests import fake_registry
from tests.unit.fake_aws import ACCOUNT, FakeAws, Refusal, closed

HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/rails-app"
RAW = {"repositoryName": "rails-app", "repositoryArn": ARN, "repositoryUri": f"{HOST}/rails-app",
       "registryId": ACCOUNT, "imageTagMutability": "MUTABLE"}  # fmt: skip
OWN = {"tags": [{"Key": "handson", "Value": "ecs-handson"}]}
FOUND = {"repositories": [RAW]}
MADE = {"repository": RAW}
ABSENT = Refusal("RepositoryNotFoundException")
OCI = "application/vnd.oci.image"


@pytest.fixture
def fake() -> FakeAws:
    fake = FakeAws()
    fake.answers("DescribeRepositories", FOUND)
    fake.answers("ListTagsForResource", OWN)
    return fake


def refusal(call: Callable[..., Any], fake: FakeAws, name: str = "rails-app") -> HandsonError:
    with pytest.raises(HandsonError) as error:
        call(fake.connect(), name)
    return error.value


ENSURED: dict[str, tuple[list[Any], Any, int]] = {
    # what is seen, the answer to CreateRepository, how often it is called
    "it is missing": ([ABSENT, FOUND], MADE, 1),
    "it is there": ([FOUND], MADE, 0),
    "it was made meanwhile": ([ABSENT, FOUND], Refusal("RepositoryAlreadyExistsException"), 1),
    "the reply is lost": ([ABSENT, FOUND], closed(), 1),
    "it is not shown yet": ([ABSENT, ABSENT, ABSENT, FOUND], MADE, 1),
}


def test_a_repository_that_is_missing_is_created_once_with_the_tag_or_refused(
    fake: FakeAws,
) -> None:
    for case, (seen, answer, calls) in ENSURED.items():
        fake.answers("DescribeRepositories", *seen)
        fake.answers("CreateRepository", answer)
        fake.calls.clear()
        made = ensure_repository(fake.connect(), "rails-app").repository
        sent = [{"repositoryName": "rails-app", **OWN}] * calls
        found = (made.uri, made.tagged, fake.said("CreateRepository"))
        assert (case, found) == (case, (f"{HOST}/rails-app", True, sent))
    fake.calls.clear()
    assert type(refusal(ensure_repository, fake, "Rails App")) is InvalidInput
    assert fake.calls == []
    fake.answers("DescribeRepositories", ABSENT)
    fake.answers("CreateRepository", Refusal("LimitExceededException", "too\nmany"))
    assert refusal(ensure_repository, fake).code == "LimitExceededException"


MEANT = {
    ("rails", "rails-app", "zoo"): '"rails-app"',
    ("goods", "rails-app", "zoo"): '"rails-app"',
    ("goodz", "goods", "rails-app"): '"goods"',
    # Where none could be meant, the workshop's is made first.
    ("rails",): 'workshop.ensure_repository(name="rails-app")',
    ("rails-app", "rails-ap"): 'workshop.ensure_repository(name="rails-app")',
    ("shelf", "zoo"): 'workshop.ensure_repository(name="rails-app")',
}


def test_a_missing_repository_is_answered_with_the_one_that_could_be_meant(fake: FakeAws) -> None:
    for (name, *there), meant in MEANT.items():
        found = {"repositories": [RAW | {"repositoryName": it} for it in there]}
        fake.answers("DescribeRepositories", partial(answer, found))
        refused = refusal(require_repository, fake, name)
        assert meant in refused.remedy
        assert meant.startswith("workshop.") or ", ".join(there) in refused.problem


def answer(found: dict[str, Any], asked: dict[str, Any]) -> Any:
    return ABSENT if "repositoryNames" in asked else found


def test_only_tagged_repositories_are_deleted_and_may_be_gone(fake: FakeAws) -> None:
    for tags, answers, gone in (({"tags": []}, [], []), (OWN, [closed(), ABSENT], [""])):
        fake.answers("ListTagsForResource", tags)
        fake.answers("DeleteRepository", *answers)
        listed = list_repository_resources(fake.connect())
        assert [it.delete() for it in listed if it.resource.tagged] == gone
    deleted = fake.said("DeleteRepository")[0]
    assert deleted == {"repositoryName": "rails-app", "force": True}


def test_the_login_is_the_token_without_its_user(fake: FakeAws) -> None:
    token = {"authorizationToken": "QVdTOmEtcGFzczp3b3Jk"}
    fake.answers("GetAuthorizationToken", {"authorizationData": [token]})
    places = {"aws": ("https", HOST), "emulator": ("http", "127.0.0.1:1")}
    for kind, place in places.items():
        aws = fake.connect(kind=kind)
        login = make_destination(aws, require_repository(aws, "rails-app"), tag="latest")
        assert (login.username, login.password) == ("AWS", "a-pass:word")
        assert (login.scheme, login.registry) == place


AMD64 = Platform(os="linux", architecture="amd64")
ARM64 = Platform(os="linux", architecture="arm64")


class Shelf:
    """A repository's content: manifests and blobs by digest, and what DescribeImages lists."""

    def __init__(self, fake: FakeAws, kept: fake_registry.Shelf, address: str) -> None:
        self.details: list[dict[str, Any]] = []
        self.manifests: dict[str, Any] = {}
        self.blobs = kept.blobs
        self.fetched = kept.seen
        self.stale = 0  # so many addresses are no longer good when they are asked
        self._refuse = kept.refuse
        fake.answers("DescribeImages", lambda _: {"imageDetails": self.details})
        fake.answers("BatchGetImage", self._batch)
        self._place = f"http://{address}/v2/rails-app/blobs/"
        fake.answers("GetDownloadUrlForLayer", self._locate)
        self.aws = fake.connect()

    def put(self, digest: str, manifest: Mapping[str, Any], *tags: str, day: int = 15) -> None:
        pushed = datetime(2026, 1, day, 18, 30, tzinfo=timezone(timedelta(hours=9)))
        tagged = {"imageTags": list(tags)} if tags else {}
        self.details.append({"imageDigest": digest, "imagePushedAt": pushed, **tagged})
        self.manifests[digest] = manifest

    def plain(self, digest: str, *, architecture: str = "amd64") -> dict[str, Any]:
        """Keep the configuration of an image of two layers; return its manifest."""
        labels = {"Labels": {ENGINE_LABEL: "builtin"}}
        config = {"os": "linux", "architecture": architecture, "config": labels}
        self.blobs[f"{digest}-config"] = json.dumps(config).encode()
        return {
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": {"digest": f"{digest}-config", "size": 200},
            "layers": [{"size": 100}, {"size": 23}],
        }

    def put_plain(self, *tags: str, architecture: str = "amd64") -> dict[str, Any]:
        manifest = self.plain("sha256:a", architecture=architecture)
        self.put("sha256:a", manifest, *tags)
        return manifest

    def put_index(self, *children: dict[str, Any], tags: tuple[str, ...] = ("latest",)) -> None:
        """Put an index, and without a tag an image for amd64, one for arm64 and a proof."""
        for name, kind in (("amd64", "amd64"), ("arm64", "arm64"), ("unknown", "amd64")):
            self.put(f"sha256:{name}", self.plain(f"sha256:{name}", architecture=kind))
        manifest = {"mediaType": f"{OCI}.index.v1+json", "manifests": list(children)}
        self.put("sha256:index", manifest, *tags)

    def found(self) -> tuple[Image, ...]:
        return find_images(self.aws, "rails-app")

    def card(self) -> str:
        return str(ImageList("rails-app", self.found()))

    def _locate(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._refuse["GET"] = (403, "", "")
        if not self.stale:
            self._refuse.clear()
        self.stale = max(0, self.stale - 1)
        return {"downloadUrl": self._place + asked["layerDigest"]}

    def _batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [it for it in asked["imageIds"] if it["imageDigest"] in self.manifests]
        manifests = [json.dumps(self.manifests[it["imageDigest"]]) for it in found]
        both = zip(found, manifests, strict=True)
        return {"images": [{"imageId": it, "imageManifest": text} for it, text in both]}


@pytest.fixture
def shelf(fake: FakeAws) -> Iterator[Shelf]:
    kept = fake_registry.Shelf()
    with fake_registry.serving(kept) as address:
        yield Shelf(fake, kept, address)


def child(name: str, **platform: str) -> dict[str, Any]:
    return {"digest": f"sha256:{name}", "size": 500} | ({"platform": platform} if platform else {})


def test_a_plain_image_is_read_from_its_configuration_the_newest_push_first(shelf: Shelf) -> None:
    shelf.put_plain("latest", "abc", architecture="arm64")
    plain = Image(
        repository="rails-app", digest="sha256:a", tags=("abc", "latest"), platforms=(ARM64,),
        media_type=f"{OCI}.manifest.v1+json", size_bytes=123, built_by="builtin",
        pushed_at="2026-01-15T09:30:00+00:00",
    )  # fmt: skip
    assert shelf.found() == (plain,)
    for day in (16, 18, 17):
        shelf.put(f"sha256:{day}", shelf.plain(f"sha256:{day}"), str(day), day=day)
    assert [image.tags[0] for image in shelf.found()] == ["18", "17", "16", "abc"]


FOR_AMD64 = child("amd64", os="linux", architecture="amd64")
FOR_ARM64 = child("arm64", os="linux", architecture="arm64")
PROOF = child("unknown", os="unknown", architecture="unknown")
INDEXES = {
    "as Docker pushes it": ([FOR_AMD64, PROOF], (AMD64,), 123),
    "for two platforms": ([FOR_AMD64, FOR_ARM64], (AMD64, ARM64), 246),
    "that states no platform": ([child("arm64")], (ARM64,), 123),
}


@pytest.mark.parametrize("case", INDEXES)
def test_an_index_is_one_image_for_the_platforms_of_its_children(shelf: Shelf, case: str) -> None:
    children, *wanted = INDEXES[case]
    shelf.put_index(*children)
    found = [[image.digest, image.platforms, image.size_bytes] for image in shelf.found()]
    assert found == [["sha256:index", *wanted]]


def test_images_without_a_tag_are_listed_where_none_has_one_and_parts_never(shelf: Shelf) -> None:
    shelf.put_index(FOR_AMD64, PROOF, tags=())
    assert {image.digest for image in shelf.found()} == {"sha256:index", "sha256:arm64"}
    assert "docker build --platform linux/amd64 -t rails-app ." in shelf.card()
    shelf.put_plain("latest")
    assert [image.tags for image in shelf.found()] == [("latest",)]


def test_a_configuration_that_is_not_read_is_told_with_its_host_and_the_reason(
    shelf: Shelf, fake: FakeAws
) -> None:
    manifest = shelf.put_plain("latest")
    shelf.blobs.clear()
    reasons = {None: "HTTP 404", b"<html>": "設定ではありません", b"[]": "設定ではありません"}
    for content, reason in reasons.items():
        shelf.blobs.update({"sha256:a-config": content} if content else {})
        [image] = shelf.found()
        assert image.unread
        assert (image.platforms, reason in image.unread.problem) == ((), True)
        assert "127.0.0.1" in image.unread.problem
        assert (shelf.card()[0], image.unread.problem in shelf.card()) == ("⚠", True)
    shelf.fetched.clear()
    manifest["config"]["size"] = 10**9  # too large to be fetched
    assert (shelf.found()[0].platforms, shelf.fetched) == ((), [])
    fake.answers("GetDownloadUrlForLayer", Refusal("LayerInaccessibleException", "not yet"))
    manifest["config"]["size"] = 200
    assert "not yet" in shelf.card()
    del shelf.manifests["sha256:a"]
    assert shelf.found()[0].unread


def test_a_platform_is_not_in_doubt_where_an_index_or_the_configuration_says_it(
    shelf: Shelf,
) -> None:
    shelf.put_index(FOR_AMD64, PROOF)
    shelf.blobs.clear()
    assert (shelf.found()[0].platforms, shelf.found()[0].unread) == ((AMD64,), None)
    shelf.details.clear()
    shelf.put_plain("latest")
    shelf.blobs["sha256:a-config"] = b"{}"  # of something that is no image
    assert (shelf.found()[0].platforms, shelf.found()[0].unread) == ((), None)


def test_a_new_address_is_asked_for_once_where_s3_takes_one_no_longer(shelf: Shelf) -> None:
    shelf.put_plain("latest")
    for stale, found in ((1, (AMD64,)), (2, ())):
        shelf.stale = stale
        assert (stale, shelf.found()[0].platforms) == (stale, found)
    shelf.stale = 2
    assert "HTTP 403" in shelf.card()


def test_an_image_that_fargate_does_not_run_is_caught_with_the_reason_and_the_command(
    shelf: Shelf,
) -> None:
    shelf.put_index(FOR_ARM64, FOR_AMD64)
    shelf.put_plain("latest")
    assert (shelf.card()[0], "docker build" in shelf.card()) == ("✔", False)
    shelf.details.clear()
    shelf.put_plain("latest", architecture="arm64")
    shown = shelf.card()
    assert (shown[0], "exec format error" in shown) == ("⚠", True)
    assert "    docker build --platform linux/amd64 -t rails-app:latest ." in shown.splitlines()
    shelf.put_index(FOR_ARM64)
    reason = "image Manifest does not contain descriptor matching platform 'linux/amd64'"
    assert reason in shelf.card()


def test_the_uri_of_an_image_is_recorded_shown_and_forgotten(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put_plain("latest")
    shown = str(record_image_uri(shelf.aws, tmp_path, repository="rails-app", tag="latest"))
    recorded = IMAGE_URI.read(tmp_path)
    uri = f"{HOST}/rails-app:latest"
    assert recorded
    assert (recorded.uri, recorded.digest) == (uri, "sha256:a")
    assert [word for word in (uri, f"{HOST}/rails-app@sha256:a") if word not in shown] == []
    for _ in range(2):
        IMAGE_URI.forget(tmp_path)
        assert IMAGE_URI.read(tmp_path) is None
    for content in (b"", b"[]", b'{"uri": 1}', b'{"uri": "x"}', b"\xff"):
        (tmp_path / "image-uri.json").write_bytes(content)
        assert (content, IMAGE_URI.read(tmp_path)) == (content, None)


def test_what_cannot_be_recorded_is_told(shelf: Shelf, fake: FakeAws, tmp_path: Path) -> None:
    def refused(name: str, tag: str) -> HandsonError:
        record = partial(record_image_uri, home=tmp_path / "gone", tag=tag)
        return refusal(lambda aws, name: record(aws, repository=name), fake, name)

    for name, tag in (("Rails App", "latest"), ("rails-app", "la test")):
        assert type(refused(name, tag)) is InvalidInput
    assert fake.calls == []
    shelf.put_plain("v1")
    assert refused("rails-app", "latest").code == "ImageNotFoundException"
    assert type(refused("rails-app", "v1")) is NotReady  # no home folder to keep it in
    fake.answers("DescribeRepositories", partial(answer, FOUND))
    assert refused("goods", "v1").code == "RepositoryNotFoundException"
    assert not list(tmp_path.iterdir())
