"""The rules: what AWS refuses is refused, with AWS's code, and everything else comes back."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import quote
from handson.course import rules
from handson.course.exercise import Exercise, NetworkForm

ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
REGIONS = ["ap-northeast-1", "ap-northeast-3", "eu-west-1", "us-east-1", "us-east-2"]
VPC = IPv4Network("10.0.0.0/16")

EC2 = "InvalidParameterValue"
ECS_OR_ECR = "InvalidParameterException"

quick = settings(max_examples=80, deadline=None, derandomize=True)
networks = st.builds(
    lambda address, prefix: IPv4Network((address, prefix), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
not_text = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.lists(st.text())
)


def code_of(call: Callable[[], object]) -> str | None:
    with pytest.raises(InvalidInput) as refused:
        call()
    return refused.value.code


def remedy_of(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as refused:
        call()
    return refused.value.remedy


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a VPC of /8": (lambda: rules.check_vpc_cidr("10.0.0.0/8"), "InvalidVpc.Range"),
    "a VPC of /15": (lambda: rules.check_vpc_cidr("10.0.0.0/15"), "InvalidVpc.Range"),
    "a VPC of /29": (lambda: rules.check_vpc_cidr("10.0.0.0/29"), "InvalidVpc.Range"),
    "host bits": (lambda: rules.check_vpc_cidr("10.0.1.0/16"), EC2),
    "no prefix": (lambda: rules.check_vpc_cidr("10.0.0.0"), EC2),
    "a netmask": (lambda: rules.check_vpc_cidr("10.0.0.0/255.255.0.0"), EC2),
    "an address out of range": (lambda: rules.check_vpc_cidr("10.0.0.256/16"), EC2),
    "a prefix out of range": (lambda: rules.check_vpc_cidr("10.0.0.0/33"), EC2),
    "an octet with a zero before it": (lambda: rules.check_vpc_cidr("010.0.0.0/16"), EC2),
    "a prefix with a zero before it": (lambda: rules.check_vpc_cidr("10.0.0.0/016"), EC2),
    "an IPv6 block": (lambda: rules.check_vpc_cidr("fd00::/56"), EC2),
    "spaces": (lambda: rules.check_vpc_cidr(" 10.0.0.0/16"), EC2),
    "a line break": (lambda: rules.check_vpc_cidr("10.0.0.0/16\n"), EC2),
    "full-width digits": (lambda: rules.check_vpc_cidr("１０.0.0.0/16"), EC2),
    "an empty CIDR": (lambda: rules.check_vpc_cidr(""), EC2),
    "nine public subnets": (
        lambda: rules.plan_subnet_cidrs(VPC, public=9, private=0),
        "InvalidSubnet.Range",
    ),
    "nine private subnets": (
        lambda: rules.plan_subnet_cidrs(VPC, public=0, private=9),
        "InvalidSubnet.Range",
    ),
    "subnets of a VPC too small": (
        lambda: rules.plan_subnet_cidrs(IPv4Network("10.0.0.0/25"), public=1, private=0),
        "InvalidSubnet.Range",
    ),
    "minus one subnet": (lambda: rules.plan_subnet_cidrs(VPC, public=-1, private=0), EC2),
    "half a subnet": (lambda: rules.plan_subnet_cidrs(VPC, public=2.0, private=0), EC2),  # type: ignore[arg-type]
    "true subnets": (lambda: rules.plan_subnet_cidrs(VPC, public=True, private=0), EC2),
    "a subnet outside": (lambda: rules.check_subnets(VPC, ["10.1.0.0/20"]), "InvalidSubnet.Range"),
    "a subnet around the VPC": (
        lambda: rules.check_subnets(IPv4Network("10.0.0.0/20"), ["10.0.0.0/16"]),
        "InvalidSubnet.Range",
    ),
    "a subnet of /29": (lambda: rules.check_subnets(VPC, ["10.0.0.0/29"]), "InvalidSubnet.Range"),
    "overlapping subnets": (
        lambda: rules.check_subnets(VPC, ["10.0.0.0/20", "10.0.8.0/21"]),
        "InvalidSubnet.Conflict",
    ),
    "the same subnet twice": (
        lambda: rules.check_subnets(VPC, ["10.0.0.0/20", IPv4Network("10.0.0.0/20")]),
        "InvalidSubnet.Conflict",
    ),
    "a subnet with host bits": (
        lambda: rules.check_subnets(VPC, ["10.0.1.0/20"]),
        EC2,
    ),
    "text for subnets": (lambda: rules.check_subnets(VPC, "10.0.0.0/20"), EC2),
    "no zones": (lambda: rules.choose_zones(0, ZONES, region="us-east-1"), EC2),
    "four zones": (lambda: rules.choose_zones(4, [*ZONES, "us-east-1d"], region="us-east-1"), EC2),
    "fewer zones than asked": (
        lambda: rules.choose_zones(3, ZONES[:2], region="us-west-1"),
        EC2,
    ),
    "true zones": (lambda: rules.choose_zones(True, ZONES, region="us-east-1"), EC2),
    "one public subnet in two zones": (lambda: rules.check_subnet_counts(2, 1, 0), EC2),
    "four public subnets in two zones": (lambda: rules.check_subnet_counts(2, 4, 0), EC2),
    "three private subnets in two zones": (lambda: rules.check_subnet_counts(2, 2, 3), EC2),
    "two public subnets in three zones": (lambda: rules.check_subnet_counts(3, 2, 0), EC2),
    "a switch in words": (lambda: rules.check_switch("on", parameter="fargate"), None),
    "a switch as a number": (lambda: rules.check_switch(1, parameter="fargate"), None),
    "true public subnets": (lambda: rules.check_subnet_counts(1, True, 0), EC2),
    "an empty name": (lambda: rules.check_name_tag(""), EC2),
    "a name of spaces": (lambda: rules.check_name_tag("  "), EC2),
    "a name with a space after it": (lambda: rules.check_name_tag("ecs-handson "), EC2),
    "a name too long": (lambda: rules.check_name_tag("x" * 217), EC2),
    "a name of AWS's": (lambda: rules.check_name_tag("AWS:handson"), EC2),
    "a name with a line break": (lambda: rules.check_name_tag("ecs\nhandson"), EC2),
    "a name with markup": (lambda: rules.check_name_tag("<b>"), EC2),
    "an empty cluster name": (lambda: rules.check_cluster_name(""), ECS_OR_ECR),
    "a cluster name with a space": (lambda: rules.check_cluster_name("ecs handson"), ECS_OR_ECR),
    "a cluster name with a line break": (lambda: rules.check_cluster_name("ecs\n"), ECS_OR_ECR),
    "a cluster name in Japanese": (lambda: rules.check_cluster_name("クラスター"), ECS_OR_ECR),
    "a cluster name too long": (lambda: rules.check_cluster_name("x" * 256), ECS_OR_ECR),
    "a repository name with capitals": (
        lambda: rules.check_repository_name("Rails-App"),
        ECS_OR_ECR,
    ),
    "a repository name with a space": (
        lambda: rules.check_repository_name("rails app"),
        ECS_OR_ECR,
    ),
    "a repository name with a hyphen before it": (
        lambda: rules.check_repository_name("-rails"),
        ECS_OR_ECR,
    ),
    "a repository name with a slash after it": (
        lambda: rules.check_repository_name("rails/"),
        ECS_OR_ECR,
    ),
    "a repository name with three underscores": (
        lambda: rules.check_repository_name("a___b"),
        ECS_OR_ECR,
    ),
    "a repository name with a tag": (
        lambda: rules.check_repository_name("rails-app:latest"),
        ECS_OR_ECR,
    ),
    "a repository name of one letter": (lambda: rules.check_repository_name("r"), ECS_OR_ECR),
    "a repository name too long": (lambda: rules.check_repository_name("r" * 257), ECS_OR_ECR),
    "an empty tag": (lambda: rules.check_image_tag(""), ECS_OR_ECR),
    "a tag with a hyphen before it": (lambda: rules.check_image_tag("-v1"), ECS_OR_ECR),
    "a tag with a colon": (lambda: rules.check_image_tag("v:1"), ECS_OR_ECR),
    "a tag too long": (lambda: rules.check_image_tag("v" * 129), ECS_OR_ECR),
    "a region nobody has": (lambda: rules.check_region("mars-north-1", REGIONS), EC2),
    "a region misspelt": (lambda: rules.check_region("us-eats-1", REGIONS), EC2),
    "a zone for a region": (lambda: rules.check_region("us-east-1a", REGIONS), EC2),
    "a capacity provider misspelt": (
        lambda: rules.check_capacity_providers(["FARGATE_SPOTS"]),
        ECS_OR_ECR,
    ),
    "a capacity provider in lower case": (
        lambda: rules.check_capacity_providers(["fargate"]),
        ECS_OR_ECR,
    ),
    "a capacity provider as text": (lambda: rules.check_capacity_providers("FARGATE"), EC2),
    "dedicated tenancy": (
        lambda: rules.check_network_form(NetworkForm(tenancy="dedicated")),
        EC2,
    ),
    "a sixth VPC": (lambda: rules.check_vpc_quota(5, region="us-east-1"), "VpcLimitExceeded"),
}

ACCEPTED: dict[str, tuple[Callable[[], object], object]] = {
    "a VPC of /16": (lambda: rules.check_vpc_cidr("10.0.0.0/16"), VPC),
    "a VPC of /28": (lambda: rules.check_vpc_cidr("10.0.0.16/28"), IPv4Network("10.0.0.16/28")),
    "no subnets in a small VPC": (
        lambda: rules.plan_subnet_cidrs(IPv4Network("10.0.0.0/28"), public=0, private=0),
        rules.SubnetPlan((), ()),
    ),
    "two subnets": (
        lambda: rules.check_subnets(VPC, ["10.0.0.0/20", "10.0.16.0/20"]),
        [IPv4Network("10.0.0.0/20"), IPv4Network("10.0.16.0/20")],
    ),
    "a subnet as large as its VPC": (lambda: rules.check_subnets(VPC, [VPC]), [VPC]),
    "zones in their order": (
        lambda: rules.choose_zones(
            2, ["us-east-1f", "us-east-1b", "us-east-1a"], region="us-east-1"
        ),
        ["us-east-1a", "us-east-1b"],
    ),
    "a switch that is off": (lambda: rules.check_switch(False, parameter="fargate"), False),
    "a subnet in each of two zones": (lambda: rules.check_subnet_counts(2, 2, 0), None),
    "two private subnets in each zone": (lambda: rules.check_subnet_counts(3, 0, 6), None),
    "the exercise's name": (lambda: rules.check_name_tag("ecs-handson"), "ecs-handson"),
    "a Japanese name": (lambda: rules.check_name_tag("ハンズオン 1"), "ハンズオン 1"),
    "a cluster's name": (lambda: rules.check_cluster_name("My_Cluster-1"), "My_Cluster-1"),
    "a repository's name": (lambda: rules.check_repository_name("rails-app"), "rails-app"),
    "a repository in a namespace": (
        lambda: rules.check_repository_name("shop/rails__app.v2"),
        "shop/rails__app.v2",
    ),
    "a tag": (lambda: rules.check_image_tag("v1.0_RC-2"), "v1.0_RC-2"),
    "a region": (lambda: rules.check_region("us-east-1", known=REGIONS), "us-east-1"),
    "both capacity providers": (
        lambda: rules.check_capacity_providers(["FARGATE", "FARGATE_SPOT"]),
        ("FARGATE", "FARGATE_SPOT"),
    ),
    "no capacity provider": (lambda: rules.check_capacity_providers([]), ()),
    "a fifth VPC": (lambda: rules.check_vpc_quota(4, region="us-east-1"), None),
    "a sixth VPC under a raised quota": (
        lambda: rules.check_vpc_quota(5, limit=10, region="us-east-1"),
        None,
    ),
}


@pytest.mark.parametrize(("call", "code"), REFUSED.values(), ids=REFUSED)
def test_what_aws_refuses_is_refused_with_its_code(call: Callable[[], object], code: str) -> None:
    assert code_of(call) == code


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize(("call", "code"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_two_lines(call: Callable[[], object], code: str, language: str) -> None:
    messages.use(language)
    with pytest.raises(InvalidInput) as refused:
        call()
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize(("call", "answer"), ACCEPTED.values(), ids=ACCEPTED)
def test_what_aws_takes_comes_back(call: Callable[[], object], answer: object) -> None:
    assert call() == answer


def test_every_rule_in_the_catalogue_has_a_refusal() -> None:
    source = " ".join(_problems())
    unused = [
        name
        for name, spoken in messages.catalogue("course").items()
        if re.fullmatch(r"rules\..*\.problem", name) and not re.search(_shape(spoken["ja"]), source)
    ]
    assert unused == []


def _problems() -> list[str]:
    problems = []
    for call in [*(call for call, _ in REFUSED.values()), lambda: rules.check_vpc_cidr(1)]:  # type: ignore[arg-type]
        with pytest.raises(InvalidInput) as refused:
            call()
        problems.append(refused.value.problem)
    return problems


def _shape(problem: str) -> str:
    return re.sub(r"\\\{\w+\\\}", ".*?", re.escape(problem))


REMEDIES: dict[str, tuple[Callable[[], object], str]] = {
    "host bits": (lambda: rules.check_vpc_cidr("10.0.1.0/16"), '"10.0.0.0/16"'),
    "a misspelt region": (lambda: rules.check_region("us-eats-1", REGIONS), '"us-east-1"'),
    "a region in capitals": (lambda: rules.check_region("US-EAST-2", REGIONS), '"us-east-2"'),
    "a region with underscores": (
        lambda: rules.check_region("ap_northeast_1", REGIONS),
        '"ap-northeast-1"',
    ),
    "a zone for a region": (
        lambda: rules.check_region("ap-northeast-1c", REGIONS),
        '"ap-northeast-1"',
    ),
    "a repository in capitals": (lambda: rules.check_repository_name("Rails-App"), '"rails-app"'),
    "a repository with spaces": (lambda: rules.check_repository_name("My Goods!"), '"my-goods"'),
    "a repository like the usual one": (
        lambda: rules.check_repository_name("My Rails App!"),
        '"rails-app"',
    ),
    "a repository of signs": (lambda: rules.check_repository_name("!!!"), '"rails-app"'),
    "a cluster with spaces": (
        lambda: rules.check_cluster_name("my shop!"),
        '"my-shop"',
    ),
    "a cluster like the usual one": (
        lambda: rules.check_cluster_name("ecs handson クラスター"),
        '"ecs-handson-cluster"',
    ),
    "a cluster of signs": (lambda: rules.check_cluster_name("!!!"), '"ecs-handson-cluster"'),
    "two subnets in three zones": (
        lambda: rules.check_subnet_counts(3, 2, 0),
        "availability_zones=2",
    ),
    "one subnet in three zones": (lambda: rules.check_subnet_counts(3, 3, 1), "0、3 か 6 に"),
    "two subnets in three zones, to go on": (
        lambda: rules.check_subnet_counts(3, 2, 0),
        "0 か 3 に",
    ),
    "one subnet in two zones": (lambda: rules.check_subnet_counts(2, 1, 0), "0 か 2 に"),
    "a provider in lower case": (
        lambda: rules.check_capacity_providers(["fargate-spot"]),
        '"FARGATE_SPOT"',
    ),
}


@pytest.mark.parametrize(("call", "near"), REMEDIES.values(), ids=REMEDIES)
def test_a_refusal_offers_what_was_probably_meant(call: Callable[[], object], near: str) -> None:
    assert near in remedy_of(call)


def test_the_exercise_gets_the_consoles_blocks() -> None:
    goal = Exercise().network
    plan = rules.plan_subnet_cidrs(
        rules.check_vpc_cidr(goal.cidr), public=goal.public_subnets, private=2
    )
    assert [str(block) for block in (*plan.public, *plan.private)] == [
        "10.0.0.0/20",
        "10.0.16.0/20",
        "10.0.128.0/20",
        "10.0.144.0/20",
    ]


@quick
@given(network=networks)
def test_a_vpc_is_taken_exactly_when_its_size_is_aws_s(network: IPv4Network) -> None:
    if 16 <= network.prefixlen <= 28:
        assert rules.check_vpc_cidr(str(network)) == network
    else:
        assert code_of(lambda: rules.check_vpc_cidr(str(network))) == "InvalidVpc.Range"


@quick
@given(
    network=networks.filter(lambda network: 16 <= network.prefixlen <= 24),
    public=st.integers(0, 8),
    private=st.integers(0, 8),
)
def test_planned_subnets_are_what_the_rules_accept(
    network: IPv4Network, public: int, private: int
) -> None:
    plan = rules.plan_subnet_cidrs(network, public=public, private=private)
    blocks = [*plan.public, *plan.private]
    assert (rules.check_subnets(network, blocks), len(blocks)) == (blocks, public + private)


@quick
@given(cidr=st.text(max_size=20))
def test_text_is_a_vpc_or_is_refused_and_never_breaks(cidr: str) -> None:
    try:
        answer: object = rules.check_vpc_cidr(cidr)
    except InvalidInput as refused:
        answer = refused.code
    assert answer in (EC2, "InvalidVpc.Range") or answer == ip_network(cidr)


@quick
@given(name=st.text(st.sampled_from("aZ0._-/ !あ\n"), max_size=12))
def test_a_name_offered_in_place_of_another_is_taken(name: str) -> None:
    try:
        offered = rules.check_repository_name(name)
    except InvalidInput as refused:
        (offered,) = re.findall(r'"([^"]*)"', refused.remedy)
    assert rules.check_repository_name(offered) == offered


@quick
@given(value=not_text)
@pytest.mark.parametrize(
    "rule",
    [
        rules.check_vpc_cidr,
        rules.check_name_tag,
        rules.check_cluster_name,
        rules.check_repository_name,
        rules.check_image_tag,
        lambda value: rules.check_region(value, REGIONS),
        lambda value: rules.check_capacity_providers([value]),
    ],
)
def test_what_is_no_text_is_refused(rule: Callable[[Any], object], value: object) -> None:
    with pytest.raises(InvalidInput):
        rule(value)


@pytest.mark.parametrize("value", [None, 1, "FARGATE", {"FARGATE": 1}])
def test_what_is_no_list_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        rules.check_capacity_providers(value)


HARD_TO_SHOW = {
    "an endless number": 10**5000,
    "a long text": "x" * 100_000,
    "half a character": "\ud800",
    "signs that turn the line round": "a\u202eb\n",
    "bytes": b"\x00",
}


@pytest.mark.parametrize("value", HARD_TO_SHOW.values(), ids=HARD_TO_SHOW)
def test_a_value_is_shown_on_one_short_line(value: object) -> None:
    shown = quote(value)
    assert (len(shown) <= 61, shown.isprintable()) == (True, True)


FULL_WIDTH: dict[str, tuple[Callable[[], object], str, str]] = {
    "digits": (lambda: rules.check_vpc_cidr("１０.0.0.0/16"), "１０", "10.0.0.0/16"),
    "a slash": (lambda: rules.check_vpc_cidr("10.0.0.0／16"), "／", "10.0.0.0/16"),
    "full stops": (lambda: rules.check_vpc_cidr("10。0。0。0/16"), "。", "10.0.0.0/16"),
    "a space": (lambda: rules.check_vpc_cidr("10.0.0.0/16\u3000"), "全角の空白", "10.0.0.0/16"),
    "quotes": (lambda: rules.check_vpc_cidr("“10.0.0.0/16”"), "“, ”", "10.0.0.0/16"),
    "a space beside a name": (lambda: rules.check_name_tag("\u3000shop"), "全角の空白", "shop"),
    "a cluster": (lambda: rules.check_cluster_name("ｅcs－handson"), "ｅ, －", "ecs-handson"),
    "a dash": (lambda: rules.check_cluster_name("ecs−handson"), "−", "ecs-handson"),
    "a repository": (lambda: rules.check_repository_name("ｒails-app"), "ｒ", "rails-app"),
    "a long sound": (lambda: rules.check_repository_name("railsーapp"), "ー", "rails-app"),
    "a tag": (lambda: rules.check_image_tag("ｌatest"), "ｌ", "latest"),
    "a region": (lambda: rules.check_region("us－east-1", REGIONS), "－", "us-east-1"),
    "a provider": (lambda: rules.check_capacity_providers(["ＦARGATE"]), "Ｆ", "FARGATE"),
}


@pytest.mark.parametrize(("call", "signs", "mended"), FULL_WIDTH.values(), ids=FULL_WIDTH)
def test_full_width_signs_are_named_and_what_to_write_instead(
    call: Callable[[], object], signs: str, mended: str
) -> None:
    remedy = remedy_of(call)
    assert (f"「{signs}」" in remedy, f'"{mended}"' in remedy) == (True, True)


@pytest.mark.parametrize("name", ["通販サイト", "通販ー１", "rails app"])
def test_what_would_not_be_plain_either_way_keeps_the_rules_own_remedy(name: str) -> None:
    assert "半角" not in remedy_of(lambda: rules.check_cluster_name(name))


def test_a_name_tag_may_be_in_full_width_letters() -> None:
    assert rules.check_name_tag("通販ＥＣ") == "通販ＥＣ"
