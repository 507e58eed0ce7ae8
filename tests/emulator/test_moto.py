"""A second opinion: the same on moto, which is stricter in places than the embedded AWS."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from handson import cleanup, cluster, network, registry
from handson.aws import Aws, Credentials, connect_emulator
from handson.aws.refusals import READS
from handson.cluster import Form as ClusterForm
from handson.network import Form
from tests.emulator.hooks import LoseReply, StopAt, Stopped, shape, writes
from tests.unit.fake_aws import MODELS, Clock

pytestmark = [
    pytest.mark.emulator,
    # moto's and its server's own, not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

CREDENTIALS = Credentials("123456789012", "not-a-secret")
SOME_CALLS = [1, 2, 5, 8, 11]
"""The VPC, what is made in it, the default route, the last one; test_network.py takes each."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto(endpoint: str) -> str:
    urlopen(Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=10).close()
    return endpoint


def connect(endpoint: str, *hooks: Any) -> Aws:
    patience = Clock().patience(consistency=1.0)
    aws = connect_emulator(endpoint, region="us-east-1", credentials=CREDENTIALS, patience=patience)
    aws.session.register_component("data_loader", MODELS)
    aws.requests.clear()
    for hook in hooks:
        hook.attach(aws.session)
    return aws


@pytest.mark.parametrize("form", [Form(), Form(private_subnets=2), Form(private_subnets=4)])
def test_a_second_run_makes_no_mutating_call(moto: str, form: Form) -> None:
    network.ensure_network(connect(moto), form)
    again = connect(moto)
    network.ensure_network(again, form)
    assert writes(again) == []


def test_the_network_has_the_consoles_names(moto: str) -> None:
    vpc = network.ensure_network(connect(moto), Form()).vpc
    names = [vpc.name, *(item.name for item in (*vpc.subnets, *vpc.route_tables))]
    assert sorted(names) == [
        "",
        "ecs-handson-rtb-public",
        "ecs-handson-subnet-public1-us-east-1a",
        "ecs-handson-subnet-public2-us-east-1b",
        "ecs-handson-vpc",
    ]


@pytest.fixture(scope="module")
def whole(endpoint: str) -> dict[str, Any]:
    network.ensure_network(connect(endpoint), Form())
    return shape(connect(endpoint))


@pytest.mark.parametrize("k", SOME_CALLS)
@pytest.mark.parametrize("hook", [StopAt, LoseReply])
def test_an_interrupted_network_ends_as_one_made_at_once(
    whole: dict[str, Any], moto: str, hook: type[StopAt], k: int
) -> None:
    interrupted = connect(moto, hook(k))
    if hook is StopAt:
        with pytest.raises(Stopped):
            network.ensure_network(interrupted, Form())
        interrupted = connect(moto)
    network.ensure_network(interrupted, Form())
    assert shape(connect(moto)) == whole


def test_cluster_and_repository_are_made_once(moto: str) -> None:
    aws = connect(moto)
    for _ in range(2):
        cluster.ensure_cluster(aws, ClusterForm())
        registry.ensure_repository(aws, "rails-app")
    assert sorted(writes(aws)) == ["CreateCluster", "CreateRepository"]


def test_a_deleted_cluster_that_is_listed_as_inactive_is_made_anew(moto: str) -> None:
    aws = connect(moto)
    cluster.ensure_cluster(aws, ClusterForm())
    cluster.delete_cluster(aws)
    assert cluster.ensure_cluster(aws, ClusterForm()).cluster.status == "ACTIVE"


def test_an_image_is_listed_by_its_tag(moto: str) -> None:
    aws = connect(moto)
    registry.ensure_repository(aws, "rails-app")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": f"sha256:{'ab' * 32}", "size": 7},
        "layers": [{"digest": f"sha256:{'cd' * 32}", "size": 5}],
    }
    aws.call(
        "ecr",
        "PutImage",
        repositoryName="rails-app",
        imageManifest=json.dumps(manifest),
        imageTag="latest",
    )
    [image] = registry.find_images(aws, "rails-app")
    assert (image.tags, image.size_bytes, image.platforms) == (("latest",), 5, ())


def test_clean_up_leaves_the_region_as_it_was(moto: str) -> None:
    aws = connect(moto)
    empty = shape(aws)
    network.ensure_network(aws, Form(private_subnets=2))
    cluster.ensure_cluster(aws, ClusterForm())
    registry.ensure_repository(aws, "rails-app")
    done = cleanup.delete_tagged(aws)
    assert (done.left, shape(aws), cleanup.find_tagged(aws)) == ((), empty, ())


def test_clean_up_twice_makes_no_mutating_call(moto: str) -> None:
    network.ensure_network(connect(moto), Form())
    cleanup.delete_tagged(connect(moto))
    again = connect(moto)
    cleanup.delete_tagged(again)
    made = [r.operation for r in again.requests if not r.operation.startswith(READS)]
    assert made == []
