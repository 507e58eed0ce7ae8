"""The rules: a value that AWS takes comes back; one that it refuses is refused with AWS's code.

A table says what becomes of each value: the answer, or AWS's code and the name of the sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Network, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.course import rules
from handson.course.exercise import Exercise, NetworkForm
from tests.unit.states import pattern

ZONES = ["us-east-1c", "us-east-1a", "us-east-1b"]
REGIONS = ["ap-northeast-1", "ap-northeast-3", "eu-west-1", "us-east-1", "us-east-2"]
VPC = IPv4Network("10.0.0.0/16")
EC2, CONTAINERS = "InvalidParameterValue", "InvalidParameterException"
RANGE = "InvalidSubnet.Range"
HERE: dict[str, Any] = {"region": "us-east-1"}

quick = settings(max_examples=80)
networks = st.builds(
    lambda address, prefix: IPv4Network((address, prefix), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)


def test_the_first_block_that_is_public_is_told() -> None:
    told = rules.explain_public_block("forged", "10.0.0.0/16", "8.0.0.0/16", "9.0.0.0/16")
    assert told == messages.text("course.rules.public-block", cidr="8.0.0.0/16")
    assert rules.explain_public_block("10.0.0.0/16", "192.168.0.0/16") == ""


SENTENCES = {
    name.removeprefix("rules.").removesuffix(".problem"): (
        pattern(spoken["en"]),
        pattern(messages.catalogue("course")[name.replace(".problem", ".remedy")]["en"]),
    )
    for name, spoken in messages.catalogue("course").items()
    if name.startswith("rules.") and name.endswith(".problem")
}


@pytest.fixture(autouse=True)
def english(japanese: None) -> None:
    messages.use("en")


def refusal(rule: Callable[..., object], *values: Any, **options: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        rule(*values, **options)
    return refused.value


def judge(rule: Callable[..., object], *values: Any, **options: Any) -> object:
    """Return a rule's answer, or AWS's code and the name of the sentences of its refusal."""
    try:
        return rule(*values, **options)
    except InvalidInput as refused:
        names = [
            name
            for name, (problem, remedy) in SENTENCES.items()
            if problem.fullmatch(refused.problem) and remedy.fullmatch(refused.remedy)
        ]
        return " ".join([str(refused.code), *names])


Table = dict[str, list[Any]]
TAKEN = "taken"
"""The value comes back as it is."""


def misjudged(rule: Callable[..., object], table: Table) -> list[tuple[Any, object]]:
    """Return the values of a table that a rule answers otherwise, with its answer."""
    judged = [(answer, value, judge(rule, value)) for answer in table for value in table[answer]]
    return [
        (value, found)
        for answer, value, found in judged
        if found != (value if answer is TAKEN else answer)
    ]


# CIDR blocks

CIDRS: Table = {
    TAKEN: ["10.0.0.0/16", "10.0.0.16/28"],
    "InvalidVpc.Range vpc-range": ["10.0.0.0/15", "10.0.0.0/29", "10.0.0.0/32"],
    f"{EC2} host-bits": ["10.0.1.0/16"],
    f"{EC2} cidr": [
        *("10.0.0.0", "10.0.0.0/255.255.0.0", "10.0.0.256/16", "10.0.0.0/33", "010.0.0.0/16"),
        *("10.0.0.0/016", "fd00::/56", " 10.0.0.0/16", "10.0.0.0/16\n", ""),
    ],
    f"{EC2} not-text": [None, 16, b"10.0.0.0/16"],
}


def test_check_vpc_cidr_takes_blocks_of_16_to_28_without_host_bits() -> None:
    assert misjudged(lambda cidr: str(rules.check_vpc_cidr(cidr)), CIDRS) == []
    assert rules.check_vpc_cidr("10.0.0.0/16") == VPC


@quick
@given(cidr=st.text(max_size=20) | networks.map(str))
def test_any_text_is_a_vpc_or_is_refused(cidr: str) -> None:
    try:
        answer: object = rules.check_vpc_cidr(cidr)
    except InvalidInput as refused:
        answer = refused.code
    assert answer in (EC2, "InvalidVpc.Range") or answer == ip_network(cidr)


PLANS: dict[tuple[str, int, int], list[str]] = {
    ("10.0.0.0/16", 2, 0): ["10.0.0.0/20", "10.0.16.0/20"],
    ("10.0.0.0/16", 1, 2): ["10.0.0.0/20", "10.0.128.0/20", "10.0.144.0/20"],
    ("10.0.0.0/24", 8, 8): [f"10.0.0.{16 * n}/28" for n in range(16)],
    ("10.0.0.0/28", 0, 0): [],
}


def test_plan_blocks_gives_the_blocks_of_the_console() -> None:
    planned = {}
    for cidr, public, private in PLANS:
        form = NetworkForm(cidr=cidr, public_subnets=public, private_subnets=private)
        blocks = form.plan_blocks()
        planned[cidr, public, private] = [str(it) for it in (*blocks.public, *blocks.private)]
    assert planned == PLANS


FITTING: Table = {
    TAKEN: [("10.0.0.0/16", 1, 2), ("10.0.0.0/24", 1, 1), ("10.0.0.0/28", 0, 0)],
    f"{RANGE} vpc-small": [("10.0.0.0/25", 1, 0), ("10.0.0.0/25", 0, 1)],
    f"{EC2} not-number": [("10.0.0.0/16", -1, 0), ("10.0.0.0/16", 0, 2.5)],
}


def check_form(cidr: str, public: Any, private: Any) -> None:
    counts: dict[str, Any] = {
        "public_subnets": public,
        "private_subnets": private,
        "availability_zones": 1,
    }
    rules.check_network_form(NetworkForm(cidr=cidr, **counts))


def test_the_subnets_of_a_form_fit_into_its_vpc() -> None:
    assert misjudged(lambda form: check_form(*form) or form, FITTING) == []


def test_list_subnet_blocks_names_the_blocks_of_both_kinds() -> None:
    form = NetworkForm(public_subnets=1, private_subnets=1)
    assert rules.list_subnet_blocks(form) == {"10.0.0.0/20", "10.0.128.0/20"}


def test_check_subnets_takes_blocks_that_do_not_overlap() -> None:
    conflict = "InvalidSubnet.Conflict subnet-conflict"
    taken = ["10.0.0.0/20", "10.0.16.0/20"]
    lists = ([], taken, [*taken, "10.0.8.0/21"], [*taken, "10.0.0.0/20"])
    assert [judge(rules.check_subnets, each) for each in lists] == [None, None, conflict, conflict]


# Numbers

ZONE_COUNTS: Table = {
    f"{EC2} zone-count": [0, 4],
    f"{EC2} not-number": [-1, "2", 2.5],
}


def test_choose_zones_takes_the_first_by_name() -> None:
    assert misjudged(lambda wanted: rules.choose_zones(wanted, ZONES, **HERE), ZONE_COUNTS) == []
    chosen = [rules.choose_zones(wanted, ZONES, **HERE) for wanted in (1, 2, 3)]
    assert chosen == [sorted(ZONES)[:1], sorted(ZONES)[:2], sorted(ZONES)]
    assert judge(rules.choose_zones, 2, ZONES[:2], **HERE) == ["us-east-1a", "us-east-1c"]
    assert judge(rules.choose_zones, 2, ["us-west-1b"] * 2, **HERE) == f"{EC2} zones-few"


NAMED: Table = {
    f"{EC2} zone-elsewhere": [["us-west-1b"], ["us-east-1"], ["us-east-1-atl-2a"], ["b"], [""]],
    f"{EC2} zones-number": [
        ["us-east-1b"],
        ["us-east-1b", "us-east-1b"],
        ["us-east-1b", "us-east-1c", "us-east-1a"],
        (),
    ],
    f"{EC2} not-list": ["us-east-1b", None],
    f"{EC2} not-text": [[None]],
}


def test_named_zones_are_taken_in_their_order_if_the_region_has_them() -> None:
    assert misjudged(lambda names: rules.check_zones(names, wanted=2, **HERE), NAMED) == []
    named = rules.check_zones(["us-east-1c", "us-east-1a"], wanted=None, **HERE)
    assert named == rules.check_zones(named, wanted=2, **HERE) == ("us-east-1c", "us-east-1a")
    assert rules.choose_zones(2, ZONES, named=named, **HERE) == list(named)
    unknown = judge(rules.choose_zones, 2, ZONES, named=("us-east-1c", "us-east-1z"), **HERE)
    assert unknown == f"{EC2} zone-unknown"


COUNTS: Table = {
    f"{EC2} subnet-count": [(2, 1, 0), (2, 4, 0), (2, 2, 1), (2, 2, 3)],
    f"{EC2} subnet-count-other-zones": [(3, 2, 0), (3, 3, 1)],
    f"{EC2} not-number": [(-1, 0, 0), (2, -1, 0), (2, 2, -1)],
}


def test_check_subnet_counts_takes_what_the_console_offers() -> None:
    assert misjudged(lambda counts: rules.check_subnet_counts(*counts), COUNTS) == []
    for counts in ((2, 2, 0), (2, 0, 2), (1, 1, 2), (3, 3, 6)):
        rules.check_subnet_counts(*counts)


def test_a_bool_or_a_fraction_is_not_a_number_of_anything() -> None:
    calls: list[Callable[[Any], object]] = [
        lambda one: rules.choose_zones(one, ZONES, **HERE),
        lambda one: rules.check_subnet_counts(one, 1, 0),
        lambda one: rules.check_subnet_counts(1, one, 0),
        lambda one: rules.check_subnet_counts(1, 1, one),
        lambda one: check_form("10.0.0.0/16", one, 0),
    ]
    judged = [judge(call, value) for call in calls for value in (True, 1.0)]
    assert judged == [f"{EC2} not-number"] * 10


OTHER = NetworkForm(availability_zones=3, public_subnets=3, tenancy="dedicated")
FORMS: dict[tuple[Any, ...], object] = {
    (): None,
    ("name", ""): f"{EC2} name-empty",
    ("availability_zones", 4): f"{EC2} zone-count",
    ("availability_zones", 3): f"{EC2} subnet-count-other-zones",
    ("public_subnets", 1): f"{EC2} subnet-count",
    ("cidr", "10.0.0.0/8"): "InvalidVpc.Range vpc-range",
    ("cidr", "10.0.0.0/25"): f"{RANGE} vpc-small",
    ("s3_endpoint", 1): "None not-switch",
    ("tenancy", "dedicated"): f"{EC2} tenancy",
}


def test_check_network_form_judges_every_field() -> None:
    found = {
        change: judge(rules.check_network_form, NetworkForm(**dict([change] if change else [])))
        for change in FORMS
    }
    assert found == FORMS
    assert judge(rules.check_network_form, OTHER, usual=OTHER) is None


def test_check_switch_takes_bools_alone() -> None:
    values = (True, False, 1, 0, "on", None)
    judged = [judge(rules.check_switch, value, parameter="fargate") for value in values]
    assert judged == [True, False, *["None not-switch"] * 4]


def test_check_vpc_quota_refuses_the_sixth_vpc() -> None:
    judged = [judge(rules.check_vpc_quota, n, **HERE) for n in (4, 5, 6)]
    assert judged == [None, *["VpcLimitExceeded vpc-quota"] * 2]
    assert judge(rules.check_vpc_quota, 5, limit=6, **HERE) is None


# Names

NAMES: dict[str, tuple[Callable[..., object], Table]] = {
    "check_name_tag": (
        rules.check_name_tag,
        {
            TAKEN: ["a b_c.d:e/f=g+h-i@j", "ハンズオン 1", "通販ＥＣ", "aws", "x" * 216],
            f"{EC2} name-long": ["x" * 217],
            f"{EC2} name-empty": ["", "  ", "ecs-handson ", " ecs-handson"],
            f"{EC2} name-reserved": ["AWS:handson"],
            f"{EC2} name-characters": ["ecs\nhandson", "<b>"],
            f"{EC2} not-text": [None],
        },
    ),
    "check_cluster_name": (
        rules.check_cluster_name,
        {
            TAKEN: ["My_Cluster-1", "x", "x" * 255],
            f"{CONTAINERS} cluster-name": [
                *("x" * 256, "", "ecs handson", "ecs\n"),
                *("クラスター", "通販ー１"),  # without a form in half-width characters
            ],
            f"{CONTAINERS} not-text": [7],
        },
    ),
    "check_repository_name": (
        rules.check_repository_name,
        {
            TAKEN: ["rails-app", "shop/rails__app.v2", "a---b", "r2", "r" * 256],
            f"{CONTAINERS} repository-length": ["r" * 257, "r", ""],
            f"{CONTAINERS} repository-case": ["Rails-App"],
            f"{CONTAINERS} repository-name": [
                *("Rails App", "-rails", "rails/", "a___b", "a._b", "rails-app:latest"),
            ],
            f"{CONTAINERS} not-text": [False],
        },
    ),
    "check_image_tag": (
        rules.check_image_tag,
        {
            TAKEN: ["v1.0_RC-2", "_", "v" * 128],
            f"{CONTAINERS} image-tag": ["v" * 129, "", "-v1", "v:1"],
            f"{CONTAINERS} not-text": [3.4],
        },
    ),
    "check_region": (
        lambda name: rules.check_region(name, reversed(REGIONS)),
        {
            TAKEN: ["us-east-1"],
            f"{EC2} region": ["mars"],
            f"{EC2} region-near": ["us-eats-1", "eu-west-3a"],
            f"{EC2} region-zone": ["us-east-1a"],
            f"{EC2} region-partition": [
                *("cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-isob-east-1"),
            ],
            f"{EC2} not-text": [None],
        },
    ),
    "check_capacity_providers": (
        rules.check_capacity_providers,
        {
            TAKEN: [("FARGATE", "FARGATE_SPOT"), ()],
            f"{CONTAINERS} capacity-provider": [("FARGATE", "fargate")],
            f"{CONTAINERS} not-text": [(None,)],
            f"{EC2} not-list": ["FARGATE", None, {"FARGATE"}],
        },
    ),
}


@pytest.mark.parametrize("rule", NAMES)
def test_a_rule_of_names_takes_what_aws_takes(rule: str) -> None:
    assert misjudged(*NAMES[rule]) == []


MENDED: dict[tuple[Callable[..., object], str], str] = {
    (rules.check_cluster_name, "my shop!"): "my-shop",
    (rules.check_cluster_name, "-my shop-"): "my-shop",
    (rules.check_cluster_name, "my_shop.eu"): "my_shop-eu",
    (rules.check_cluster_name, "あ" + "x" * 300): "x" * 255,
    (rules.check_cluster_name, "ecs handson クラスター"): "ecs-handson-cluster",
    (rules.check_cluster_name, "!!!"): "ecs-handson-cluster",
    (rules.check_cluster_name, "!x!"): "ecs-handson-cluster",
    (rules.check_cluster_name, "!xy!"): "xy",
    (rules.check_repository_name, "My Goods!"): "my-goods",
    (rules.check_repository_name, "!!!"): "rails-app",
    (rules.check_repository_name, "My Rails App!"): "rails-app",
    (rules.check_repository_name, "//Goods//-x-/y__"): "goods/x/y",
    (rules.check_repository_name, "g___s"): "g-s",
    (rules.check_repository_name, "Goods.__v2"): "goods-v2",
    (rules.check_repository_name, "G" * 256): "g" * 256,
    (rules.check_repository_name, "İ" * 200): "i-" * 127 + "i",
    (NAMES["check_region"][0], "US-EAST-2"): "us-east-2",
    (NAMES["check_region"][0], "ap_northeast_1"): "ap-northeast-1",
    (NAMES["check_region"][0], "ap-northeast-1c"): "ap-northeast-1",
    (NAMES["check_region"][0], "mars"): "us-east-1",
}


def test_a_refusal_offers_the_name_that_was_probably_meant() -> None:
    offered = {case: re.findall('"([^"]*)"', refusal(*case).remedy) for case in MENDED}
    assert {case: names[0] for case, names in offered.items()} == MENDED


@quick
@given(name=st.text(st.sampled_from("aZ0._-/ !あ\n"), max_size=12))
def test_a_name_that_is_offered_in_place_of_another_is_taken(name: str) -> None:
    try:
        offered = rules.check_repository_name(name)
    except InvalidInput as refused:
        offered = re.findall(r'"([^"]*)"', refused.remedy)[0]
    assert rules.check_repository_name(offered) == offered


# Sentences

by_other = partial(rules.check_network_form, usual=OTHER)
in_region = NAMES["check_region"][0]
BLUE = Exercise(cluster="blue", repository="shop")

# Part of a refusal, the rule, and what it is asked about.
SAID: list[tuple[str, Callable[..., object], tuple[Any, ...]]] = [
    ("cidr is '10', which is not", rules.check_vpc_cidr, ("10",)),
    ("cidr is 1, which is not text (its type is int).", rules.check_vpc_cidr, (1,)),
    ("The CIDR block 10.0.1.0/16 does", rules.check_vpc_cidr, ("10.0.1.0/16",)),
    ('write "10.0.0.0/16".', rules.check_vpc_cidr, ("10.0.1.0/16",)),
    ("block 10.0.0.0/29 is a /29;", rules.check_vpc_cidr, ("10.0.0.0/29",)),
    ("public_subnets is True,", check_form, ("10.0.0.0/16", True, 0)),
    ("the VPC 10.0.0.0/25 is a /29", check_form, ("10.0.0.0/25", 1, 0)),
    ("10.0.8.0/21 overlaps the subnet 10.0.0.0/20 of", rules.check_subnets,
     (["10.0.0.0/20", "10.0.8.0/21"],)),
    ("2 Availability Zones were asked for, but the Region us-east-1 has 1 (c).",
     partial(rules.choose_zones, **HERE), (2, "c")),
    ("4 Availability Zones were asked for; \"VPC and more\" offers 1 to 3.",
     partial(rules.choose_zones, **HERE), (4, ZONES)),
    ("Zone 'us-east-1x' cannot be used in the Region us-east-1; the choices are c, d.",
     partial(rules.choose_zones, named=["us-east-1x"], **HERE), (1, "dc")),
    ("'b' is not the name of an Availability Zone in the Region us-east-1.",
     partial(rules.check_zones, wanted=2, **HERE), (["b"],)),
    ("zones must name 2 different Availability Zones, but it names us-east-1b.",
     partial(rules.check_zones, wanted=2, **HERE), (["us-east-1b"],)),
    ("availability_zones is -1,", partial(rules.choose_zones, **HERE), (-1, ZONES)),
    ("public_subnets is 1, but with 2 Availability Zones the choices are 0 or 2. [",
     rules.check_subnet_counts, (2, 1, 0)),
    ("the choices are 0. [", rules.check_subnet_counts, (0, 1, 0)),
    ("(this workshop uses 2).", rules.check_subnet_counts, (2, 1, 0)),
    ("(availability_zones=2, private_subnets=0); or, to go on with 3 zones, set private_subnets "
     "to 0, 3 or 6.", rules.check_subnet_counts, (3, 3, 1)),
    ("Set public_subnets to 0 or 3 (this workshop uses 3).", by_other,
     (replace(OTHER, public_subnets=1),)),
    ('The tenancy "default" cannot', by_other, (replace(OTHER, tenancy="default"),)),
    ("s3_endpoint is 'on', which", by_other, (replace(OTHER, s3_endpoint="on"),)),
    ("The Region eu-west-1 already has 7 VPCs, and its quota is 6.",
     partial(rules.check_vpc_quota, limit=6, region="eu-west-1"), (7,)),
    ("217 characters; with the console's endings a tag has room for 216.", rules.check_name_tag,
     ("x" * 217,)),
    ("name ' x' is", rules.check_name_tag, (" x",)),
    ("name 'aws:x' begins", rules.check_name_tag, ("aws:x",)),
    ("name '<b>' holds", rules.check_name_tag, ("<b>",)),
    ("name is 1,", rules.check_name_tag, (1,)),
    ("cluster name 'a b' cannot", rules.check_cluster_name, ("a b",)),
    ("name is 1,", rules.check_cluster_name, (1,)),
    ('Use "blue"', partial(rules.check_cluster_name, exercise=BLUE), ("!",)),
    ("name 'r' has 1 character;", rules.check_repository_name, ("r",)),
    ("name 'Rails' holds", rules.check_repository_name, ("Rails",)),
    ("name 'a___b' cannot", rules.check_repository_name, ("a___b",)),
    ("name is 1,", rules.check_repository_name, (1,)),
    ('Use "shop"', partial(rules.check_repository_name, exercise=BLUE), ("!!",)),
    ("tag '-v1' cannot", rules.check_image_tag, ("-v1",)),
    ("tag is 1,", rules.check_image_tag, (1,)),
    ("no Region 'mars'", in_region, ("mars",)),
    ("no Region 'us-eats-1'", in_region, ("us-eats-1",)),
    ("us-east-1a names an Availability Zone", in_region, ("us-east-1a",)),
    ("region is 1,", in_region, (1,)),
    ("provider 'fargate-spot'; the choices are FARGATE, FARGATE_SPOT.",
     rules.check_capacity_providers, (["fargate-spot"],)),
    ('Give "FARGATE_SPOT".', rules.check_capacity_providers, (["fargate-spot"],)),
    ('Give "FARGATE".', rules.check_capacity_providers, (["EC2"],)),
    ("capacity_providers is 7, which is not a list.", rules.check_capacity_providers, (7,)),
    ("capacity_providers is 7, which is not text", rules.check_capacity_providers, ([7],)),
]  # fmt: skip


def test_a_refusal_says_what_was_found_and_what_is_possible() -> None:
    said = [(part, str(refusal(rule, *values))) for part, rule, values in SAID]
    assert [(part, sentences) for part, sentences in said if part not in sentences] == []


FULL_WIDTH: dict[tuple[Callable[..., object], Any], str] = {
    (rules.check_vpc_cidr, "１０.0.0.0/16"): '(１０): write "10.0.0.0/16".',
    (rules.check_vpc_cidr, "“10。0。0。0/16”"): '(“, 。, ”): write "10.0.0.0/16".',
    (rules.check_name_tag, "\u3000shop"): '(full-width space): write "shop".',
    (rules.check_cluster_name, "ｅcs－hand−sonー"): '(ｅ, －, −, ー): write "ecs-hand-son-".',
    (rules.check_repository_name, "ｒ"): '(ｒ): write "r".',
    (rules.check_image_tag, "ｌatest"): '(ｌ): write "latest".',
    (NAMES["check_region"][0], "us－east-1"): '(－): write "us-east-1".',
    (NAMES["check_region"][0], "ｍars"): '(ｍ): write "mars".',
    (rules.check_capacity_providers, ("ＦARGATE",)): '(Ｆ): write "FARGATE".',
}


def test_full_width_characters_are_named_with_what_to_write_instead() -> None:
    remedies = {case: refusal(*case).remedy for case in FULL_WIDTH}
    assert {case: remedy[remedy.find("(") :] for case, remedy in remedies.items()} == FULL_WIDTH


def test_every_sentence_of_a_refusal_is_in_a_table() -> None:
    tables = [CIDRS, ZONE_COUNTS, NAMED, COUNTS, *(t for _, t in NAMES.values())]
    answers = [answer for table in tables for answer in table]
    answers += [str(answer) for answer in (*PLANS.values(), *FORMS.values())]
    named = {answer.rpartition(" ")[2] for answer in answers}
    assert SENTENCES.keys() - named == {"zones-few", "zone-unknown", "vpc-quota", "subnet-conflict"}
