"""What evidence carries: the trimmed state gives the same verdict, and no JSON breaks a check."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import checks, syllabus
from handson.course.state import (
    Cluster,
    Image,
    InternetGateway,
    Platform,
    RecordedRun,
    RecordedUri,
    Repository,
    Route,
    RouteTable,
    Sighting,
    Snapshot,
    Subnet,
    Vpc,
)
from tests.unit import states

quick = settings(max_examples=60, deadline=None, derandomize=True)
every_check = pytest.mark.parametrize("check_id", syllabus.CHECK_IDS)

odd = st.sampled_from(["", "x", "a:b", "{0}", "%s", "\n", "'; rm -rf /", "<b>", "0.0.0.0/0", "ok"])
flags = st.booleans()


def some(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


def words(*right: str) -> st.SearchStrategy[str]:
    return st.sampled_from(right) | odd


subnet_ids = words("subnet-1", "subnet-2")
gateway_ids = words("igw-1", "igw-2", "nat-1", "local")
subnets = st.builds(
    Subnet,
    id=subnet_ids,
    name=words("ecs-handson-subnet-public1-us-east-1a", "my-private", "public"),
    cidr=words("10.0.0.0/20", "10.0.16.0/20", "10.0.128.0/20"),
    zone=words("us-east-1a", "us-east-1b"),
    map_public_ip=flags,
)
routes = st.builds(
    Route,
    destination=words("0.0.0.0/0", "10.0.0.0/16"),
    target=gateway_ids,
    state=words("active", "blackhole"),
)
tables = st.builds(
    RouteTable,
    id=words("rtb-1", "rtb-2"),
    name=words("ecs-handson-rtb-public"),
    main=flags,
    subnets=some(subnet_ids),
    routes=some(routes),
)
gateways = st.builds(
    InternetGateway,
    id=gateway_ids,
    name=words("ecs-handson-igw"),
    attachment=words("available", "detached"),
)
cidrs = words("10.0.0.0/16", "10.1.0.0/16")
vpcs = st.builds(
    Vpc,
    id=words("vpc-1", "vpc-2"),
    name=words("ecs-handson-vpc", "prod"),
    cidr=cidrs,
    cidrs=some(cidrs),
    ipv6_cidrs=some(odd, 1),
    tenancy=words("default"),
    is_default=flags,
    state=words("available"),
    dns_support=flags,
    dns_hostnames=flags,
    subnets=some(subnets, 4),
    route_tables=some(tables),
    internet_gateways=some(gateways, 2),
    tagged=flags,
)
clusters = st.builds(
    Cluster,
    name=words("ecs-handson-cluster", "ecs-handson-clustr", "default"),
    arn=words("arn:aws:ecs:us-east-1:112233445566:cluster/x", "arn:aws:ecs:eu-west-1:1:x"),
    status=words("ACTIVE", "INACTIVE", "PROVISIONING"),
    capacity_providers=some(words("FARGATE", "FARGATE_SPOT", "asg")),
    container_instances=st.integers(0, 2),
)
repositories = st.builds(
    Repository,
    name=words("rails-app", "rails_app", "nginx"),
    arn=words("arn:aws:ecr-public::1:repository/rails-app"),
    uri=words(states.REPOSITORY_URI, "public.ecr.aws/x/rails-app"),
    registry_id=odd,
    tag_mutability=odd,
)
digests = st.sampled_from([states.DIGEST, states.OTHER_DIGEST, "sha256:x"])
images = st.builds(
    Image,
    repository=words("rails-app", "rails_app", "nginx"),
    digest=digests,
    tags=some(words("latest", "v1")),
    media_type=odd,
    platforms=some(st.builds(Platform, os=words("linux"), architecture=words("amd64", "arm64"))),
    size_bytes=st.integers(0, 10),
    pushed_at=words("2026-01-01", "2026-01-02"),
    built_by=st.none() | words("docker", "builtin"),
)
recorded = st.builds(
    RecordedUri,
    uri=words(
        f"{states.REPOSITORY_URI}:latest",
        f"{states.REPOSITORY_URI}@{states.DIGEST}",
        f"{states.REPOSITORY_URI}:v1".replace(states.REGION, states.ELSEWHERE),
    ),
    digest=digests,
    recorded_at=odd,
)
runs = st.builds(
    RecordedRun,
    repository=words("rails-app", "nginx"),
    digest=digests,
    ran_at=odd,
    engine=words("docker"),
    status=st.sampled_from([0, 200, 302, 500]),
)
sightings = st.builds(
    Sighting,
    check=words(*syllabus.CHECK_IDS),
    region=words(states.REGION, states.ELSEWHERE),
    id=odd,
)
snapshots = st.builds(
    Snapshot,
    target=st.just(states.target()),
    vpcs=some(vpcs | st.just(states.vpc())),
    clusters=some(clusters),
    repositories=some(repositories),
    images=some(images, 4),
    recorded_uri=st.none() | recorded,
    recorded_run=st.none() | runs,
    elsewhere=some(sightings),
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
any_json = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@every_check
@quick
@given(snapshot=snapshots)
def test_a_trimmed_snapshot_gives_the_same_result(check_id: str, snapshot: Snapshot) -> None:
    trimmed = checks.trim(check_id, snapshot)
    assert checks.run_check(check_id, trimmed) == checks.run_check(check_id, snapshot)


@every_check
@quick
@given(snapshot=snapshots)
def test_trimming_twice_trims_no_more(check_id: str, snapshot: Snapshot) -> None:
    trimmed = checks.trim(check_id, snapshot)
    assert checks.trim(check_id, trimmed) == trimmed


@every_check
@quick
@given(snapshot=snapshots)
def test_the_result_is_derived_from_json_as_it_was_seen(check_id: str, snapshot: Snapshot) -> None:
    carried = json.loads(json.dumps(checks.trim(check_id, snapshot).to_json()))
    assert checks.derive(check_id, carried) == checks.run_check(check_id, snapshot)


@quick
@given(snapshot=snapshots)
def test_a_fact_passes_exactly_when_it_was_seen_as_expected(snapshot: Snapshot) -> None:
    facts = [fact for check in checks.run_checks(snapshot).checks for fact in check.facts]
    assert [fact.passed for fact in facts] == [fact.observed == fact.expected for fact in facts]


@quick
@given(snapshot=snapshots)
def test_every_false_fact_is_explained_by_a_cause(snapshot: Snapshot) -> None:
    results = checks.run_checks(snapshot).checks
    false = {fact.id for check in results for fact in check.facts if not fact.passed}
    explained = {id for check in results for cause in check.diagnoses for id in cause.facts}
    assert false - explained == set()


@quick
@given(snapshot=snapshots, language=st.sampled_from(messages.LANGUAGES))
def test_whatever_was_seen_can_be_shown_and_written(snapshot: Snapshot, language: str) -> None:
    messages.use(language)
    verification = checks.run_checks(snapshot)
    written = json.dumps(verification.to_json())
    shown = [repr(result) for result in (verification, *verification.checks)]
    assert all([written, *shown])


@every_check
@quick
@given(observed=any_json)
def test_json_that_describes_no_state_is_refused(check_id: str, observed: object) -> None:
    with pytest.raises(InvalidInput):
        checks.derive(check_id, observed)


@quick
@given(data=st.data(), check_id=st.sampled_from(syllabus.CHECK_IDS), junk=any_json)
def test_a_spoilt_record_is_judged_or_refused_and_never_breaks(
    data: st.DataObject, check_id: str, junk: object
) -> None:
    carried = checks.trim(check_id, states.finished()).to_json()
    places = list(_places(carried))
    holder, key = places[data.draw(st.integers(0, len(places) - 1))]
    holder[key] = junk
    assert _judged(check_id, carried) in (True, False, None)


def _places(item: Any) -> Any:
    keys = item.keys() if isinstance(item, dict) else range(len(item))
    for key in list(keys):
        yield item, key
        if isinstance(item[key], (dict, list)):
            yield from _places(item[key])


def _judged(check_id: str, observed: object) -> bool | None:
    try:
        result = checks.derive(check_id, observed)
    except InvalidInput:
        return None
    repr(result)
    return result.passed


def _nested(depth: int) -> object:
    inner: object = []
    for _ in range(depth):
        inner = [inner]
    return inner


def _circle() -> object:
    circle: dict[str, Any] = {"target": states.target().to_json()}
    circle["vpcs"] = [circle]
    return circle


def finished_with(**changes: Any) -> Callable[[], object]:
    return lambda: {**states.finished().to_json(), **changes}


HOSTILE: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "text that says passed": lambda: "passed",
    "a verdict without a state": lambda: {"passed": True, "facts": []},
    "no target": lambda: {"vpcs": []},
    "a number for a name": finished_with(clusters=[{**states.cluster().to_json(), "name": 1}]),
    "text for a number": finished_with(
        clusters=[{**states.cluster().to_json(), "container_instances": "0"}]
    ),
    "a flag for a number": finished_with(
        clusters=[{**states.cluster().to_json(), "container_instances": False}]
    ),
    "a fraction for a number": finished_with(
        clusters=[{**states.cluster().to_json(), "container_instances": 0.5}]
    ),
    "text for a flag": finished_with(vpcs=[{**states.vpc().to_json(), "dns_support": "true"}]),
    "an object for a list": finished_with(vpcs={}),
    "an endless number": finished_with(
        clusters=[{**states.cluster().to_json(), "container_instances": 10**6000}]
    ),
    "half a character": finished_with(
        clusters=[{**states.cluster().to_json(), "status": "\ud800"}]
    ),
    "lists without end": lambda: {"target": _nested(100_000)},
    "a circle": _circle,
    "more VPCs than anyone has": finished_with(vpcs=[states.vpc().to_json()] * 2000),
    "bytes": lambda: b"{}",
    "an object of another kind": object,
}


@every_check
@pytest.mark.parametrize("observed", HOSTILE.values(), ids=HOSTILE)
def test_hostile_evidence_is_refused(check_id: str, observed: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput):
        checks.derive(check_id, observed())


def test_a_verdict_written_into_the_evidence_is_not_read() -> None:
    wrong = states.with_cluster(states.finished(), status="FAILED")
    carried = {**checks.trim("cluster", wrong).to_json(), "passed": True, "diagnoses": []}
    assert checks.derive("cluster", carried).passed is False


def test_a_crowd_of_subnets_is_refused_quickly() -> None:
    crowd = states.vpc(subnets=(states.subnet(1),) * 600)
    with pytest.raises(InvalidInput):
        checks.derive("network", replace(states.finished(), vpcs=(crowd,)).to_json())


def test_other_peoples_vpcs_are_not_carried() -> None:
    stranger = states.vpc(id="vpc-0other", name="production", cidr="10.9.0.0/16", tagged=False)
    trimmed = checks.trim("network", states.finished(vpcs=(stranger, states.vpc())))
    assert trimmed.vpcs == (states.vpc(),)


def test_other_images_are_not_carried() -> None:
    other = states.image(digest=states.OTHER_DIGEST, tags=("old",))
    trimmed = checks.trim("image", states.finished(images=(other, states.image())))
    assert (trimmed.images, trimmed.vpcs, trimmed.clusters) == ((states.image(),), (), ())


@pytest.mark.parametrize("ending", [":latest", f"@{states.DIGEST}"])
def test_only_the_uris_own_image_is_carried_with_it(ending: str) -> None:
    other = states.image(digest=states.OTHER_DIGEST, tags=("old",))
    snapshot = states.with_uri(
        states.finished(images=(other, states.image())), uri=states.REPOSITORY_URI + ending
    )
    assert checks.trim("image-uri", snapshot).images == (states.image(),)


def test_a_check_like_no_other_is_refused_with_the_first() -> None:
    with pytest.raises(InvalidInput) as refused:
        checks.run_check("", states.finished())
    assert f'"{syllabus.CHECK_IDS[0]}"' in refused.value.remedy


@pytest.mark.parametrize("call", [checks.run_check, checks.trim])
def test_an_unknown_check_is_refused_with_the_nearest(call: Callable[..., object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        call("netwrok", states.finished())
    assert '"network"' in refused.value.remedy


@pytest.mark.parametrize("check_id", [None, 1, ["network"], "", "x" * 10_000])
def test_evidence_for_no_check_is_refused(check_id: Any) -> None:
    with pytest.raises(InvalidInput):
        checks.derive(check_id, states.finished().to_json())
