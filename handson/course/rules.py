"""Rules of AWS for values that a learner enters; each one is checked before any call.

The embedded AWS accepts most of these mistakes, real AWS refuses them, so the workshop refuses them
on both.  Each rule takes a value of a console's form and returns it in the shape that the callers
need, or raises `InvalidInput` with AWS's error code, the reason and a remedy.  No rule calls AWS:
the caller passes the facts about the account, such as its zones and its number of VPCs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any, NoReturn

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.text import advise_half_width, find_nearest, quote
from handson.course.exercise import Exercise, NetworkForm

LARGEST_BLOCK = 16
SMALLEST_BLOCK = 28
"""The prefix lengths that a VPC and a subnet may have (API Reference, CreateVpc, CreateSubnet)."""

SUBNET_BITS = 4
BLOCKS_A_KIND = 8
"""The console divides a VPC into 16 blocks: 8 for public subnets, then 8 for private ones."""

MOST_ZONES = 3
VPCS_A_REGION = 5
"""The default quota (Amazon VPC User Guide, "Amazon VPC quotas")."""

CAPACITY_PROVIDERS = ("FARGATE", "FARGATE_SPOT")

LONGEST_NAME = 216
"""A tag's value has at most 256 characters; the endings that the console adds take up to 40."""

EC2_INVALID = "InvalidParameterValue"
ECS_INVALID = "InvalidParameterException"
ECR_INVALID = "InvalidParameterException"

_CIDR = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}/(?:[0-9]|[12][0-9]|3[0-2])")
_CLUSTER = re.compile(r"[A-Za-z0-9_-]{1,255}")
_REPOSITORY_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_REPOSITORY_PART}(?:/{_REPOSITORY_PART})*")
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NAME_TAG = re.compile(r"[\w .:/=+@-]+")
_ZONE = re.compile(r"([a-z]{2}(?:-[a-z]+)+-[0-9])[a-z]")


@dataclass(frozen=True)
class SubnetPlan:
    """The CIDR blocks of the subnets that "VPC and more" creates, in the console's order."""

    public: tuple[IPv4Network, ...]
    private: tuple[IPv4Network, ...]


def check_vpc_cidr(cidr: str) -> IPv4Network:
    """Return a VPC's IPv4 CIDR block as a network.

    The console refuses host bits; the API silently sets them to zero (API Reference, CreateVpc,
    CidrBlock).  A learner who enters 10.0.1.0/16 means another block, so the rule refuses it too,
    with the API's code for an invalid value.

    Raises:
        InvalidInput: The text is not a CIDR block or has host bits (InvalidParameterValue), or the
            block is larger than /16 or smaller than /28 (InvalidVpc.Range; API Reference, "Error
            codes").
    """
    network = _parse_network(cidr, parameter="cidr")
    if not LARGEST_BLOCK <= network.prefixlen <= SMALLEST_BLOCK:
        _refuse(
            "course.rules.vpc-range", code="InvalidVpc.Range", cidr=cidr, prefix=network.prefixlen
        )
    return network


def plan_subnet_cidrs(vpc: IPv4Network, *, public: int, private: int) -> SubnetPlan:
    """Return the blocks that the console's "VPC and more" gives to the subnets.

    A subnet's prefix is 4 bits longer than the VPC's.  Public subnets get the blocks from the first
    of the 16 on, private ones those from the ninth on.

    Raises:
        InvalidInput: A kind has more than 8 subnets, or the blocks would be smaller than /28
            (InvalidSubnet.Range), or a number is negative or not whole (InvalidParameterValue).
    """
    counts = {"public_subnets": public, "private_subnets": private}
    for parameter, count in counts.items():
        _check_whole_number(count, parameter=parameter)
        if count > BLOCKS_A_KIND:
            _refuse(
                "course.rules.too-many",
                code="InvalidSubnet.Range",
                cidr=vpc,
                parameter=parameter,
                count=count,
                most=BLOCKS_A_KIND,
            )
    prefix = vpc.prefixlen + SUBNET_BITS
    if prefix > SMALLEST_BLOCK:
        if public or private:
            _refuse("course.rules.vpc-small", code="InvalidSubnet.Range", cidr=vpc, prefix=prefix)
        return SubnetPlan((), ())
    blocks = list(vpc.subnets(prefixlen_diff=SUBNET_BITS))
    return SubnetPlan(
        public=tuple(blocks[:public]),
        private=tuple(blocks[BLOCKS_A_KIND : BLOCKS_A_KIND + private]),
    )


def check_subnets(vpc: IPv4Network, cidrs: Sequence[str | IPv4Network]) -> list[IPv4Network]:
    """Return the subnets' blocks as networks; each lies inside the VPC, and no two overlap.

    Raises:
        InvalidInput: A block is not a CIDR block (InvalidParameterValue), is not between /16 and
            /28 or lies outside the VPC (InvalidSubnet.Range), or overlaps another one
            (InvalidSubnet.Conflict; API Reference, "Error codes").
    """
    networks = [
        _parse_network(cidr, parameter="cidrs") for cidr in _check_list(cidrs, parameter="cidrs")
    ]
    for network in networks:
        if not LARGEST_BLOCK <= network.prefixlen <= SMALLEST_BLOCK:
            _refuse("course.rules.subnet-size", code="InvalidSubnet.Range", cidr=network)
        if not network.subnet_of(vpc):
            _refuse(
                "course.rules.subnet-outside", code="InvalidSubnet.Range", cidr=network, vpc=vpc
            )
    for one, other in combinations(networks, 2):
        if one.overlaps(other):
            _refuse(
                "course.rules.subnet-conflict", code="InvalidSubnet.Conflict", cidr=other, other=one
            )
    return networks


def choose_zones(wanted: int, available: Sequence[str], *, region: str) -> list[str]:
    """Return the first `wanted` Availability Zones of a region, in the order of their names.

    Raises:
        InvalidInput: `wanted` is not a number from 1 to 3, which the console offers, or the region
            has fewer zones (InvalidParameterValue).
    """
    _check_whole_number(wanted, parameter="availability_zones")
    if not 1 <= wanted <= MOST_ZONES:
        _refuse("course.rules.zone-count", code=EC2_INVALID, wanted=wanted, most=MOST_ZONES)
    choices = sorted(set(available))
    if wanted > len(choices):
        _refuse(
            "course.rules.zones-few",
            code=EC2_INVALID,
            wanted=wanted,
            count=len(choices),
            names=", ".join(choices),
            region=region,
        )
    return choices[:wanted]


def check_subnet_counts(
    zones: int, public: int, private: int, *, usual: NetworkForm = NetworkForm()
) -> None:
    """Refuse numbers of subnets that the console does not offer for this number of zones.

    The console offers no or one public subnet a zone, and no, one or two private subnets a zone.

    Args:
        zones: The number of Availability Zones.
        public: The number of public subnets.
        private: The number of private subnets.
        usual: The form of the exercise, whose numbers the remedy suggests.

    Raises:
        InvalidInput: The console does not offer the number (InvalidParameterValue).
    """
    _check_whole_number(zones, parameter="availability_zones")
    _check_choice("public_subnets", public, zones=zones, choices=(0, zones), usual=usual)
    _check_choice(
        "private_subnets", private, zones=zones, choices=(0, zones, 2 * zones), usual=usual
    )


def check_name_tag(name: str) -> str:
    """Return the name with which the console begins the Name tags.

    The name is also the value of tags on ECS and ECR, which take letters, digits, spaces and
    ``_ . : / = + - @`` (Amazon ECS Developer Guide, "Tag restrictions").

    Raises:
        InvalidInput: The name is empty, has spaces at an end, is too long, begins with ``aws:`` or
            holds another character (InvalidParameterValue).
    """
    _check_text(name, parameter="name", code=EC2_INVALID)
    if not name.strip() or name != name.strip():
        _refuse("course.rules.name-empty", code=EC2_INVALID, typed=name, name=quote(name))
    if len(name) > LONGEST_NAME:
        _refuse("course.rules.name-long", code=EC2_INVALID, count=len(name), most=LONGEST_NAME)
    if name.casefold().startswith("aws:"):
        _refuse("course.rules.name-reserved", code=EC2_INVALID, typed=name, name=quote(name))
    if not _NAME_TAG.fullmatch(name):
        _refuse("course.rules.name-characters", code=EC2_INVALID, typed=name, name=quote(name))
    return name


def check_cluster_name(name: str, *, exercise: Exercise | None = None) -> str:
    """Return an ECS cluster's name: 1 to 255 letters, digits, hyphens and underscores.

    Raises:
        InvalidInput: The name is invalid (InvalidParameterException; API Reference,
            CreateCluster, clusterName).
    """
    _check_text(name, parameter="name", code=ECS_INVALID)
    if not _CLUSTER.fullmatch(name):
        mended = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:255]
        suggested = _suggest_name(mended, usual=(exercise or Exercise()).cluster)
        _refuse(
            "course.rules.cluster-name",
            code=ECS_INVALID,
            typed=name,
            name=quote(name),
            mended=suggested,
        )
    return name


def check_repository_name(name: str, *, exercise: Exercise | None = None) -> str:
    """Return an ECR repository's name: 2 to 256 characters, lower case.

    Raises:
        InvalidInput: The name is invalid (InvalidParameterException; API Reference,
            CreateRepository, repositoryName).
    """
    _check_text(name, parameter="name", code=ECR_INVALID)
    if not 2 <= len(name) <= 256:
        _refuse(
            "course.rules.repository-length",
            code=ECR_INVALID,
            typed=name,
            name=quote(name),
            count=len(name),
        )
    if not _REPOSITORY.fullmatch(name):
        key = "course.rules.repository-name"
        if _REPOSITORY.fullmatch(name.lower()):
            key = "course.rules.repository-case"
        _refuse(
            key,
            code=ECR_INVALID,
            typed=name,
            name=quote(name),
            mended=_mend_repository_name(name, usual=(exercise or Exercise()).repository),
        )
    return name


def check_image_tag(tag: str) -> str:
    """Return an image's tag: up to 128 letters, digits, ``_``, ``.`` and ``-``, as in Docker.

    Raises:
        InvalidInput: The tag is invalid (InvalidParameterException, as PutImage answers; Docker
            says "invalid reference format").
    """
    _check_text(tag, parameter="tag", code=ECR_INVALID)
    if not _IMAGE_TAG.fullmatch(tag):
        _refuse("course.rules.image-tag", code=ECR_INVALID, typed=tag, tag=quote(tag))
    return tag


def check_region(name: str, known: Iterable[str]) -> str:
    """Return the name of a region, one of those in `known`.

    Raises:
        InvalidInput: No region has the name (InvalidParameterValue, as DescribeRegions answers).
    """
    _check_text(name, parameter="region", code=EC2_INVALID)
    choices = sorted(known)
    if name in choices:
        return name
    zone = _ZONE.fullmatch(name)
    if zone and zone[1] in choices:
        _refuse("course.rules.region-zone", code=EC2_INVALID, name=name, region=zone[1])
    near = find_nearest(name, choices)
    if near:
        _refuse(
            "course.rules.region-near", code=EC2_INVALID, typed=name, name=quote(name), near=near
        )
    _refuse("course.rules.region", code=EC2_INVALID, typed=name, name=quote(name))


def check_capacity_providers(names: Sequence[str]) -> tuple[str, ...]:
    """Return the capacity providers of a cluster without servers: FARGATE, FARGATE_SPOT or both.

    Raises:
        InvalidInput: Another name is among them (InvalidParameterException, as CreateCluster
            answers).
    """
    for name in _check_list(names, parameter="capacity_providers"):
        _check_text(name, parameter="capacity_providers", code=ECS_INVALID)
        if name not in CAPACITY_PROVIDERS:
            near = find_nearest(name, CAPACITY_PROVIDERS) or CAPACITY_PROVIDERS[0]
            _refuse(
                "course.rules.capacity-provider",
                code=ECS_INVALID,
                typed=name,
                name=quote(name),
                near=near,
                choices=", ".join(CAPACITY_PROVIDERS),
            )
    return tuple(names)


def check_switch(value: object, *, parameter: str) -> bool:
    """Return the value of a form's switch: True or False; 1 and 0 do not count.

    Raises:
        InvalidInput: The value is not a bool.
    """
    if not isinstance(value, bool):
        raise InvalidInput(
            *messages.advice("course.rules.not-switch", parameter=parameter, value=quote(value))
        )
    return value


def check_vpc_quota(existing: int, *, limit: int = VPCS_A_REGION, region: str) -> None:
    """Refuse one more VPC where the region already has as many as its quota allows.

    Raises:
        InvalidInput: The quota is reached (VpcLimitExceeded).
    """
    if existing >= limit:
        _refuse(
            "course.rules.vpc-quota",
            code="VpcLimitExceeded",
            existing=existing,
            limit=limit,
            region=region,
        )


def _parse_network(cidr: object, *, parameter: str) -> IPv4Network:
    if isinstance(cidr, IPv4Network):
        return cidr
    text = _check_text(cidr, parameter=parameter, code=EC2_INVALID)
    try:
        network = IPv4Network(text, strict=False) if _CIDR.fullmatch(text) else None
    except ValueError:
        network = None
    if network is None:
        _refuse(
            "course.rules.cidr", code=EC2_INVALID, typed=text, parameter=parameter, cidr=quote(text)
        )
    if str(network) != text:
        _refuse("course.rules.host-bits", code=EC2_INVALID, cidr=text, network=network)
    return network


def _check_choice(
    parameter: str, value: int, *, zones: int, choices: Sequence[int], usual: NetworkForm
) -> None:
    _check_whole_number(value, parameter=parameter)
    if value not in choices:
        *most, last = map(str, sorted(set(choices)))
        listed = [messages.text("course.rules.comma").join(most)] if most else []
        offered = messages.text("course.rules.or").join([*listed, last])
        key = "course.rules.subnet-count"
        if zones != usual.availability_zones:
            key = "course.rules.subnet-count-other-zones"
        _refuse(
            key,
            code=EC2_INVALID,
            parameter=parameter,
            value=quote(value),
            zones=zones,
            choices=offered,
            usual=getattr(usual, parameter),
            usual_zones=usual.availability_zones,
        )


def _mend_repository_name(name: str, *, usual: str) -> str:
    mended = re.sub(r"[^a-z0-9/._-]+", "-", name.lower())
    parts = (re.sub(r"[._-]{2,}", "-", part).strip("._-") for part in mended.split("/"))
    joined = "/".join(part for part in parts if part)[:256].rstrip("/._-")
    return _suggest_name(joined, usual=usual)


def _suggest_name(mended: str, *, usual: str) -> str:
    """Return the name for a remedy: the exercise's if the learner's is similar or almost empty."""
    return usual if len(mended) < 2 or find_nearest(mended, [usual]) else mended


def _check_whole_number(value: object, *, parameter: str) -> None:
    # Python counts True as an int; a form with "2 subnets" means neither True nor 2.0.
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        _refuse(
            "course.rules.not-number", code=EC2_INVALID, parameter=parameter, value=quote(value)
        )


def _check_text(value: object, *, parameter: str, code: str) -> str:
    if not isinstance(value, str):
        kind = type(value).__name__
        _refuse(
            "course.rules.not-text", code=code, parameter=parameter, value=quote(value), kind=kind
        )
    return value


def _check_list(values: object, *, parameter: str) -> Sequence[Any]:
    if isinstance(values, str) or not isinstance(values, Sequence):
        _refuse("course.rules.not-list", code=EC2_INVALID, parameter=parameter, value=quote(values))
    return values


def _refuse(key: str, /, *, code: str, typed: str = "", **values: object) -> NoReturn:
    """Raise the refusal whose sentences stand under `key`, with AWS's error code.

    Args:
        key: The key in the catalogue of messages.
        code: AWS's error code.
        typed: What the learner typed; full-width characters in it take the place of the remedy,
            because they have to be corrected first.
        values: The placeholders of the sentences.
    """
    problem, remedy = messages.advice(key, **values)
    raise InvalidInput(problem, advise_half_width(typed) or remedy, code=code)
