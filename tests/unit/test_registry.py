"""Repositories and images as ECR describes them: indexes, attestations, platforms, absence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from handson.core.errors import AWSError, HandsonError, InvalidInput
from handson.course.state import Platform
from handson.resources.images import ENGINE_LABEL, ImageList, find_images
from handson.resources.repository import (
    delete_repositories,
    ensure_repository,
    make_destination,
    require_repository,
)
from tests import fake_registry
from tests.unit.fake_aws import ACCOUNT, FakeAws, Refusal, closed

ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/rails-app"
HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
RAW = {
    "repositoryName": "rails-app",
    "repositoryArn": ARN,
    "repositoryUri": f"{HOST}/rails-app",
    "registryId": ACCOUNT,
    "imageTagMutability": "MUTABLE",
}
OWN = {"tags": [{"Key": "handson", "Value": "ecs-handson"}]}
FOUND = {"repositories": [RAW]}
ABSENT = Refusal("RepositoryNotFoundException")
TOKYO = timezone(timedelta(hours=9))
OCI = "application/vnd.oci.image"


@pytest.fixture
def fake() -> FakeAws:
    fake = FakeAws()
    fake.answers("DescribeRepositories", ABSENT, FOUND)
    fake.answers("CreateRepository", {"repository": RAW})
    fake.answers("ListTagsForResource", OWN)
    return fake


# ensure_repository, require_repository


def test_a_missing_repository_is_created_with_the_workshops_tag_and_nothing_else(
    fake: FakeAws,
) -> None:
    made = ensure_repository(fake.connect(), "rails-app").repository
    assert (made.uri, made.tagged) == (f"{HOST}/rails-app", True)
    sent = [parameters for name, parameters in fake.calls if name == "CreateRepository"]
    assert sent == [{"repositoryName": "rails-app", **OWN}]


def test_a_repository_that_is_there_is_left_alone(fake: FakeAws) -> None:
    fake.answers("DescribeRepositories", FOUND)
    ensure_repository(fake.connect(), "rails-app")
    assert "CreateRepository" not in fake.operations


def test_another_kernel_that_was_a_moment_earlier_is_as_good(fake: FakeAws) -> None:
    fake.answers("CreateRepository", Refusal("RepositoryAlreadyExistsException"))
    assert ensure_repository(fake.connect(), "rails-app").repository.name == "rails-app"


def test_a_lost_reply_is_looked_after_before_creating_again(fake: FakeAws) -> None:
    fake.answers("CreateRepository", closed())
    ensure_repository(fake.connect(), "rails-app")
    assert fake.operations.count("CreateRepository") == 1


def test_a_repository_that_is_not_shown_yet_is_waited_for(fake: FakeAws) -> None:
    fake.answers("DescribeRepositories", ABSENT, ABSENT, ABSENT, FOUND)
    assert ensure_repository(fake.connect(), "rails-app").repository.name == "rails-app"


def refusal(call: Callable[..., Any], fake: FakeAws, name: str = "rails-app") -> HandsonError:
    with pytest.raises(HandsonError) as error:
        call(fake.connect(), name)
    assert len(str(error.value).splitlines()) == 2
    return error.value


def test_another_refusal_is_told(fake: FakeAws) -> None:
    fake.answers("CreateRepository", Refusal("LimitExceededException", "too\nmany"))
    refused = refusal(ensure_repository, fake)
    assert (type(refused), refused.code) == (AWSError, "LimitExceededException")


def test_a_name_that_ecr_would_refuse_is_refused_before_any_call(fake: FakeAws) -> None:
    assert type(refusal(ensure_repository, fake, "Rails App")) is InvalidInput
    assert fake.calls == []


MEANT = {
    ("rails-ap", "rails-app", "zoo"): '"rails-app"',
    ("rails", "rails-app", "zoo"): '"rails-app"',
    ("goods", "rails-app", "zoo"): '"rails-app"',
    ("goodz", "goods", "rails-app"): '"goods"',
    # Where none could be meant, the workshop's is made first.
    ("rails-app",): 'workshop.ensure_repository(name="rails-app")',
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


# delete_repositories


@pytest.mark.parametrize(
    ("tags", "gone"), [(OWN, ["rails-app"]), ({"tags": []}, [])], ids=["tagged", "untagged"]
)
def test_only_tagged_repositories_are_deleted(
    fake: FakeAws, tags: dict[str, Any], gone: list[str]
) -> None:
    fake.answers("DescribeRepositories", FOUND)
    fake.answers("ListTagsForResource", tags)
    fake.answers("DeleteRepository", {})
    delete_repositories(fake.connect())
    sent = [said["repositoryName"] for name, said in fake.calls if name == "DeleteRepository"]
    assert sent == gone


def test_a_repository_that_is_gone_already_is_content(fake: FakeAws) -> None:
    fake.answers("DescribeRepositories", FOUND)
    fake.answers("DeleteRepository", closed(), ABSENT)
    assert [removal.reason for removal in delete_repositories(fake.connect())] == [""]


# make_destination


@pytest.mark.parametrize(
    ("kind", "scheme", "registry"), [("aws", "https", HOST), ("emulator", "http", "127.0.0.1:1")]
)
def test_the_login_is_the_token_without_its_user(
    fake: FakeAws, kind: str, scheme: str, registry: str
) -> None:
    token = {"authorizationToken": "QVdTOmEtcGFzczp3b3Jk"}
    fake.answers("GetAuthorizationToken", {"authorizationData": [token]})
    fake.answers("DescribeRepositories", FOUND)
    aws = fake.connect(kind=kind)
    login = make_destination(aws, require_repository(aws, "rails-app"), tags=["latest"])
    assert (login.username, login.password) == ("AWS", "a-pass:word")
    assert (login.scheme, login.registry) == (scheme, registry)


# find_images


class Shelf:
    """A repository's content: manifests and blobs by digest, and what DescribeImages lists."""

    def __init__(self, fake: FakeAws, kept: fake_registry.Shelf, address: str) -> None:
        self.details: list[dict[str, Any]] = []
        self.manifests: dict[str, Any] = {}
        self.blobs = kept.blobs
        self.fetched = kept.seen
        fake.answers("DescribeImages", lambda _: {"imageDetails": self.details})
        fake.answers("BatchGetImage", self._batch)
        place = f"http://{address}/v2/rails-app/blobs"
        fake.answers(
            "GetDownloadUrlForLayer",
            lambda asked: {"downloadUrl": f"{place}/{asked['layerDigest']}"},
        )
        self._aws = fake.connect()

    def put(
        self, digest: str, manifest: Mapping[str, Any], *, tags: list[str], **detail: Any
    ) -> None:
        pushed = detail.pop("pushed", datetime(2026, 1, 15, 18, 30, tzinfo=TOKYO))
        tagged = {"imageTags": tags} if tags else {}
        self.details.append({"imageDigest": digest, "imagePushedAt": pushed, **tagged, **detail})
        self.manifests[digest] = manifest

    def plain(
        self, digest: str, *, architecture: str = "amd64", labels: Any = None
    ) -> dict[str, Any]:
        """Put a plain manifest, of two layers, without a tag; return it."""
        config = {"os": "linux", "architecture": architecture, "config": {"Labels": labels}}
        self.blobs[f"{digest}-config"] = json.dumps(config).encode()
        manifest = {
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": {"digest": f"{digest}-config", "size": 200},
            "layers": [{"size": 100}, {"size": 23}],
        }
        self.manifests[digest] = manifest
        return manifest

    def found(self) -> Any:
        return find_images(self._aws, "rails-app")

    def _batch(self, asked: dict[str, Any]) -> dict[str, Any]:
        digests = [image["imageDigest"] for image in asked["imageIds"]]
        return {
            "images": [
                {
                    "imageId": {"imageDigest": digest},
                    "imageManifest": json.dumps(self.manifests[digest]),
                }
                for digest in digests
                if digest in self.manifests
            ]
        }


@pytest.fixture
def shelf(fake: FakeAws) -> Iterator[Shelf]:
    kept = fake_registry.Shelf()
    with fake_registry.serving(kept) as address:
        yield Shelf(fake, kept, address)


def index(*children: dict[str, Any]) -> dict[str, Any]:
    return {"mediaType": f"{OCI}.index.v1+json", "manifests": list(children)}


def child(digest: str, **platform: str) -> dict[str, Any]:
    return {"digest": digest, "size": 500} | ({"platform": platform} if platform else {})


AMD64 = Platform(os="linux", architecture="amd64")
ARM64 = Platform(os="linux", architecture="arm64")


@pytest.mark.parametrize(("architecture", "platform"), [("amd64", AMD64), ("arm64", ARM64)])
def test_a_plain_image_is_read_from_its_configuration(
    shelf: Shelf, architecture: str, platform: Platform
) -> None:
    labels = {ENGINE_LABEL: "builtin"}
    plain = shelf.plain("sha256:a", architecture=architecture, labels=labels)
    shelf.put("sha256:a", plain, tags=["latest", "abc"])
    [image] = shelf.found()
    assert (image.platforms, image.size_bytes, image.tags) == ((platform,), 123, ("abc", "latest"))
    assert image.built_by == "builtin"
    assert image.pushed_at == "2026-01-15T09:30:00+00:00"


def test_what_docker_pushes_today_is_one_image(shelf: Shelf) -> None:
    shelf.put("sha256:child", shelf.plain("sha256:child"), tags=[])
    shelf.put("sha256:proof", shelf.plain("sha256:proof"), tags=[])
    children = (
        child("sha256:child", os="linux", architecture="amd64"),
        child("sha256:proof", os="unknown", architecture="unknown"),
    )
    shelf.put("sha256:index", index(*children), tags=["latest"])
    assert [(image.digest, image.platforms, image.size_bytes) for image in shelf.found()] == [
        ("sha256:index", (AMD64,), 123)
    ]


def test_an_index_for_two_platforms_lists_both(shelf: Shelf) -> None:
    shelf.plain("sha256:x")
    shelf.plain("sha256:y", architecture="arm64")
    children = (
        child("sha256:x", os="linux", architecture="amd64"),
        child("sha256:y", os="linux", architecture="arm64"),
    )
    shelf.put("sha256:index", index(*children), tags=["latest"])
    assert shelf.found()[0].platforms == (AMD64, ARM64)


def test_an_index_that_states_no_platform_is_read_from_the_configurations(shelf: Shelf) -> None:
    shelf.plain("sha256:x", architecture="arm64")
    shelf.put("sha256:index", index(child("sha256:x")), tags=["latest"])
    assert shelf.found()[0].platforms == (ARM64,)


def test_untagged_manifests_are_left_out(shelf: Shelf) -> None:
    shelf.put("sha256:a", shelf.plain("sha256:a"), tags=[])
    shelf.put("sha256:b", shelf.plain("sha256:b"), tags=["latest"])
    assert [image.digest for image in shelf.found()] == ["sha256:b"]


def test_a_missing_repository_holds_no_images(fake: FakeAws) -> None:
    fake.answers("DescribeImages", ABSENT)
    assert find_images(fake.connect(), "rails-app") == ()


@pytest.mark.parametrize("blob", [b"", b"<html>", b"[]", b"null", None])
def test_a_configuration_that_cannot_be_read_leaves_the_platform_open(
    shelf: Shelf, blob: bytes | None
) -> None:
    shelf.put("sha256:a", shelf.plain("sha256:a"), tags=["latest"])
    del shelf.blobs["sha256:a-config"]
    if blob is not None:
        shelf.blobs["sha256:a-config"] = blob
    assert shelf.found()[0].platforms == ()
    assert card(shelf).startswith("✔")


def test_a_configuration_too_large_to_be_one_is_not_fetched(shelf: Shelf) -> None:
    manifest = shelf.plain("sha256:a")
    manifest["config"]["size"] = 10**9
    shelf.put("sha256:a", manifest, tags=["latest"])
    assert shelf.found()[0].platforms == ()
    assert shelf.fetched == []


def test_an_image_whose_manifest_is_not_given_out_is_still_listed(shelf: Shelf) -> None:
    shelf.put("sha256:a", {}, tags=["latest"])
    del shelf.manifests["sha256:a"]
    assert [image.digest for image in shelf.found()] == ["sha256:a"]


def test_the_newest_push_comes_first(shelf: Shelf) -> None:
    for day in (1, 3, 2):
        digest = f"sha256:{day}"
        pushed = datetime(2026, 1, day, tzinfo=TOKYO)
        shelf.put(digest, shelf.plain(digest), tags=[str(day)], pushed=pushed)
    assert [image.tags for image in shelf.found()] == [("3",), ("2",), ("1",)]


# ImageList


def card(shelf: Shelf) -> str:
    return str(ImageList("rails-app", shelf.found()))


def put_index(shelf: Shelf, *architectures: str) -> None:
    children = []
    for architecture in architectures:
        shelf.plain(f"sha256:{architecture}", architecture=architecture)
        children.append(child(f"sha256:{architecture}", os="linux", architecture=architecture))
    shelf.put("sha256:index", index(*children), tags=["latest"])


def test_an_image_that_fargate_runs_needs_no_mending(shelf: Shelf) -> None:
    put_index(shelf, "arm64", "amd64")
    shelf.put("sha256:a", shelf.plain("sha256:a"), tags=["latest"])
    shown = card(shelf)
    assert shown.startswith("✔")
    assert "docker build" not in shown


def test_an_arm64_image_is_caught_with_the_reason_and_the_command_that_mends_it(
    shelf: Shelf,
) -> None:
    shelf.put("sha256:a", shelf.plain("sha256:a", architecture="arm64"), tags=["latest"])
    shown = card(shelf)
    assert shown.startswith("⚠")
    assert "rails-app:latest は linux/arm64 用のイメージです" in shown
    assert "exec format error" in shown
    assert "    docker build --platform linux/amd64 -t rails-app:latest ." in shown.splitlines()


def test_an_index_without_amd64_is_caught_with_the_reason_of_its_own(shelf: Shelf) -> None:
    put_index(shelf, "arm64")
    reason = "image Manifest does not contain descriptor matching platform 'linux/amd64'"
    assert reason in card(shelf)
