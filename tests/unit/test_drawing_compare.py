"""Before and after, goal and actual: what is marked on a picture, and why."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from handson.core import errors, messages
from handson.course import checks
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.drawing import aws_picture, compare, draw, frame
from handson.drawing.plan import CHANGED, GONE, MISSING, NEW, WRONG, Mark, Plan
from tests.unit import states

EXERCISE = Exercise()
DONE = states.finished()
FIRST = "subnet-0a1b2c3d4e5f60001"
SECOND = "subnet-0a1b2c3d4e5f60002"
VPC_AND_MORE = {"network", "gateway", FIRST, SECOND}


def since(before: Snapshot, after: Snapshot) -> dict[str, Mark]:
    return dict(compare.compare_snapshots(before, after, EXERCISE).marks)


def goal(snapshot: Snapshot) -> dict[str, Mark]:
    return dict(compare.compare_with_goal(snapshot, EXERCISE).marks)


def plan(snapshot: Snapshot) -> Plan:
    return aws_picture.plan_aws(snapshot, EXERCISE, compare.compare_with_goal(snapshot, EXERCISE))


def test_nothing_is_marked_where_nothing_has_changed_and_two_comparisons_are_refused() -> None:
    assert since(DONE, DONE) == {}
    assert "前に見たときから、何も変わっていません。" in draw(DONE, since=DONE).svg
    with pytest.raises(errors.InvalidInput):
        draw(DONE, since=DONE, goal=True)


CHANGES: list[tuple[Snapshot, Snapshot, dict[str, str]]] = [
    (replace(DONE, vpcs=(states.default_vpc(),)), DONE, dict.fromkeys(VPC_AND_MORE, NEW)),
    *((replace(DONE, **{f"{part}s": ()}), DONE, {part: NEW}) for part in ("cluster", "image")),
    *((DONE, replace(DONE, **{f"{part}s": ()}), {part: GONE}) for part in ("cluster", "image")),
    (replace(DONE, repositories=()), DONE, {"repository": NEW}),
    (DONE, replace(DONE, repositories=()), {"repository": GONE}),
    (DONE, states.with_table(DONE, routes=(states.LOCAL,)), {FIRST: CHANGED, SECOND: CHANGED}),
    (DONE, states.with_image(DONE, digest=states.OTHER_DIGEST), {"image": CHANGED}),
]


def test_what_is_new_gone_or_changed_is_marked_and_nothing_else() -> None:
    for before, after, marks in CHANGES:
        assert {part: mark.kind for part, mark in since(before, after).items()} == marks
    anew = states.with_vpc(DONE, id="vpc-0a1b2c3d4e5f69999")
    assert since(DONE, anew)["network"].kind == NEW


def test_a_deleted_subnet_stays_as_an_outline_with_its_name() -> None:
    after = states.with_vpc(DONE, subnets=(states.subnet(1),))
    drawn = aws_picture.plan_aws(after, EXERCISE, compare.compare_snapshots(DONE, after, EXERCISE))
    tiers = [tier for zone in drawn.zones for tier in zone.tiers]
    ghosts = [(tier.name, tier.kind) for tier in tiers if not tier.made]
    assert ghosts == [("ecs-handson-subnet-public2-us-east-1b", "パブリックサブネット")]


def test_a_change_says_what_it_was_and_what_it_is() -> None:
    before = states.with_cluster(DONE, status="PROVISIONING")
    found = compare.compare_snapshots(before, DONE, EXERCISE)
    assert found.marks == {"cluster": Mark(CHANGED, (1,))}
    assert found.reasons == ("ecs-handson-cluster: PROVISIONING → ACTIVE",)


def test_a_finished_workshop_is_as_it_should_be() -> None:
    assert goal(DONE) == {}
    assert goal(replace(DONE, recorded_run=None)) == {}  # advice is not marked
    assert "すべて目標のとおりです。" in draw(DONE, goal=True).svg
    assert ">1</text>" not in draw(DONE, goal=True).svg
    assert ">1</text>" in draw(states.empty(), goal=True).svg


def test_all_that_a_new_account_lacks_is_an_outline_with_its_name() -> None:
    found = goal(states.empty())
    kinds = {part: mark.kind for part, mark in found.items()}
    assert kinds == dict.fromkeys(("network", "cluster", "repository", "image"), MISSING)
    drawn = plan(states.empty())
    ghosts = [drawn.parts[name] for name in ("network", "cluster", "repository")]
    names = ["VPC ecs-handson-vpc", "ECS クラスター ecs-handson-cluster", "Amazon ECR"]
    assert [(part.made, part.lines[0]) for part in ghosts] == [(False, name) for name in names]


def test_a_missing_subnet_or_gateway_is_an_outline_in_its_place() -> None:
    drawn = plan(states.with_vpc(DONE, subnets=(states.subnet(1),)))
    ghosts = [
        (zone.lines[1], tier.cidr, tier.mark)
        for zone in drawn.zones
        for tier in zone.tiers
        if not tier.made
    ]
    assert ghosts == [("us-east-1b", "10.0.16.0/20", Mark(MISSING, (1,)))]
    gateway = plan(states.with_vpc(DONE, internet_gateways=())).parts["gateway"]
    assert (gateway.made, gateway.mark and gateway.mark.kind) == (False, MISSING)
    drawn = plan(states.with_table(DONE, routes=(states.LOCAL,)))  # still meant to be public
    seen = [(tier.public, tier.reached) for zone in drawn.zones for tier in zone.tiers]
    assert seen == [(True, False)] * 2


PRIVATE = states.private_subnet(1)
SPOILED = {
    "zone": (states.with_subnet(DONE, 2, zone="us-east-1a"), SECOND),
    "private": (states.with_vpc(DONE, subnets=(*map(states.subnet, (1, 2)), PRIVATE)), PRIVATE.id),
    "route": (states.with_table(DONE, routes=(states.LOCAL,)), FIRST),
    "cidr": (states.with_vpc(DONE, cidr="10.9.0.0/16", cidrs=("10.9.0.0/16",)), "network"),
    "gateway name": (states.with_gateway(DONE, name="mine"), "gateway"),
    "cluster": (states.with_cluster(DONE, capacity_providers=("mine",)), "cluster"),
    "misspelt": (states.with_cluster(DONE, name="ecs-handson-clustr"), "cluster"),
    "repository": (states.with_repository(DONE, uri="elsewhere"), "repository"),
    "platform": (states.with_image(DONE, platforms=(states.ARM64,)), "image"),
    "uri": (replace(DONE, recorded_uri=None), "image"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_wrong_is_red_and_numbered_after_the_reasons_of_the_checks(name: str) -> None:
    spoiled, part = SPOILED[name]
    found = compare.compare_with_goal(spoiled, EXERCISE)
    assert found.marks[part].kind == WRONG
    svg = draw(spoiled, goal=True).svg
    assert (frame.COLOURS[WRONG] in svg, ">✘ " in svg) == (True, True)  # never by colour alone
    numbers = {number for mark in found.marks.values() for number in mark.reasons}
    assert numbers == set(range(1, len(found.reasons) + 1)) != set()
    failing = [result for result in checks.run_checks(spoiled).checks if not result.passed]
    said = {cause.message for result in failing for cause in result.diagnoses}
    assert set(found.reasons) - said == set()


def test_the_description_tells_what_is_marked_and_why() -> None:
    described = draw(states.with_cluster(DONE, status="FAILED"), goal=True).description
    cluster = messages.text("drawing.part.cluster")
    assert messages.label("drawing.said-marked", WRONG, names=cluster) in described
    assert "FAILED" in described
