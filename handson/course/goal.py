"""The state of a finished exercise, derived from the exercise without any call."""

from __future__ import annotations

from msgspec.structs import replace

from handson.course import rules
from handson.course.exercise import PLATFORM, Exercise
from handson.course.network_form import describe_network
from handson.course.state import Cluster, Image, Platform, Repository, Snapshot, Target, Vpc

_ACCOUNT = "123456789012"


def describe_goal(exercise: Exercise) -> Snapshot:
    """Return the snapshot of the finished exercise, with the names that the console gives."""
    return Snapshot(
        target=Target(kind="aws", account=_ACCOUNT, region=exercise.region),
        vpcs=(describe_goal_network(exercise),),
        clusters=(_cluster(exercise),),
        repositories=(_repository(exercise),),
        images=(_image(exercise),),
    )


def describe_goal_network(exercise: Exercise, region: str = "") -> Vpc:
    """Return the exercise's network in its region or another, in the first zones by name."""
    region, form = region or exercise.region, replace(exercise.network, s3_endpoint=False)
    zones = [f"{region}{letter}" for letter in "abc"[: form.availability_zones]]
    return describe_network(form, zones=zones, region=region)


def _cluster(exercise: Exercise) -> Cluster:
    name = exercise.cluster
    return Cluster(
        name=name,
        arn=f"arn:aws:ecs:{exercise.region}:{_ACCOUNT}:cluster/{name}",
        status="ACTIVE",
        capacity_providers=rules.CAPACITY_PROVIDERS,
        container_instances=0,
        tagged=True,
    )


def _repository(exercise: Exercise) -> Repository:
    name = exercise.repository
    return Repository(
        name=name,
        arn=f"arn:aws:ecr:{exercise.region}:{_ACCOUNT}:repository/{name}",
        uri=f"{_ACCOUNT}.dkr.ecr.{exercise.region}.amazonaws.com/{name}",
        registry_id=_ACCOUNT,
        tag_mutability="MUTABLE",
        tagged=True,
    )


def _image(exercise: Exercise) -> Image:
    system, architecture = PLATFORM
    return Image(
        repository=exercise.repository,
        digest="sha256:" + "0" * 64,
        tags=(exercise.tag,),
        media_type="application/vnd.oci.image.manifest.v1+json",
        platforms=(Platform(os=system, architecture=architecture),),
        size_bytes=0,
        pushed_at="",
    )
