"""Rules of AWS for values that a learner enters; each one is checked before any call.

The embedded AWS accepts most of these mistakes, real AWS refuses them, so the workshop refuses them
on both.  Each rule takes a value of a console's form and returns it in the shape that the callers
need, or raises `InvalidInput` with AWS's error code, the reason and a remedy.  No rule calls AWS:
the caller passes the facts about the account, such as its zones and its number of VPCs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any, NoReturn

from handson.core import messages
from handson.core.errors import InvalidInput
from handson.core.files import read_data
from handson.core.text import advise_half_width, find_nearest, quote
from handson.course.exercise import FARGATE, SUBNET_BITS, Exercise, NetworkForm

LARGEST_BLOCK = 16
SMALLEST_BLOCK = 28
"""The prefix lengths that a VPC and a subnet may have (API Reference, CreateVpc, CreateSubnet)."""

MOST_ZONES = 3
VPCS_A_REGION = 5
"""The default quota (Amazon VPC User Guide, "Amazon VPC quotas")."""

FARGATE_ZONES: Mapping[str, Sequence[str]] = read_data("handson.course", "fargate_zones.toml")
"""The ids of the zones in which Fargate runs, by Region, where these are not all (Amazon ECS
Developer Guide, "Regions for Fargate").  A zone's letter means another place in each account."""

FARGATE_SPOT = "FARGATE_SPOT"
CAPACITY_PROVIDERS = (FARGATE, FARGATE_SPOT)

LONGEST_NAME = 216
"""A tag's value has at most 256 characters; the endings that the console adds take up to 40."""

EC2_INVALID = "InvalidParameterValue"
CONTAINERS_INVALID = "InvalidParameterException"
"""ECS and ECR have the same code for an invalid value."""

_CIDR = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}/(?:[0-9]|[12][0-9]|3[0-2])"
_CLUSTER = r"[A-Za-z0-9_-]{1,255}"
_REPOSITORY_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = rf"{_REPOSITORY_PART}(?:/{_REPOSITORY_PART})*"
_IMAGE_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_NAME_TAG = r"[\w .:/=+@-]+"
# GovCloud, China, the European Sovereign Cloud and the isolated partitions.
_OTHER_PARTITION = r"(?i)(cn|us-gov|us-iso\w?|eu-iso\w|eusc)-"
_ZONE = r"([a-z]{2}(?:-[a-z]+)+-[0-9])[a-z]"


def check_network_form(form: NetworkForm, *, usual: NetworkForm = NetworkForm()) -> None:
    """Refuse values of the form "VPC and more" that AWS or its console refuses.

    Args:
        form: The learner's form.
        usual: The exercise's form, whose values the remedies suggest.

    Raises:
        InvalidInput: A value is refused; the error has AWS's code, the reason and a remedy.
    """
    check_name_tag(form.name, usual=usual.name)
    # This checks the number of zones only; the region's own zones are looked up later.
    choose_zones(form.availability_zones, list("abc"[:MOST_ZONES]), region="")
    counts = (form.availability_zones, form.public_subnets, form.private_subnets)
    check_subnet_counts(*counts, usual=usual)
    prefix = check_vpc_cidr(form.cidr, usual=usual.cidr).prefixlen + SUBNET_BITS
    if prefix > SMALLEST_BLOCK and (form.public_subnets or form.private_subnets):
        code = "InvalidSubnet.Range"
        values: dict[str, Any] = {"cidr": form.cidr, "prefix": prefix, "usual": usual.cidr}
        _refuse("course.rules.vpc-small", code=code, **values)
    check_switch(form.s3_endpoint, parameter="s3_endpoint")
    if form.tenancy != usual.tenancy:
        _refuse("course.rules.tenancy", tenancy=form.tenancy)


def list_subnet_blocks(form: NetworkForm) -> set[str]:
    """Return the CIDR blocks of a checked form's subnets as text."""
    return {str(block) for blocks in form.plan_blocks() for block in blocks}


def check_vpc_cidr(cidr: str, *, usual: str = NetworkForm().cidr) -> IPv4Network:
    """Return a VPC's IPv4 CIDR block as a network; `usual` is the exercise's.

    The console refuses host bits; the API silently sets them to zero (API Reference, CreateVpc,
    CidrBlock).  A learner who enters 10.0.1.0/16 means another block, so the rule refuses it too,
    with the API's code for an invalid value.

    Raises:
        InvalidInput: The text is not a CIDR block or has host bits (InvalidParameterValue), or the
            block is larger than /16 or smaller than /28 (InvalidVpc.Range; API Reference, "Error
            codes").
    """
    network = _parse_network(cidr)
    if not LARGEST_BLOCK <= network.prefixlen <= SMALLEST_BLOCK:
        code, prefix = "InvalidVpc.Range", network.prefixlen
        _refuse("course.rules.vpc-range", code=code, cidr=cidr, prefix=prefix, usual=usual)
    return network


def explain_public_block(*cidrs: str) -> str:
    """Return why a VPC should not have the first of these blocks that is public, if one is.

    AWS accepts it, and recommends the ranges of RFC 1918 (Amazon VPC User Guide, "VPC CIDR
    blocks").
    """
    for cidr in cidrs:
        with suppress(ValueError):  # a grader reads it from a file that may be forged
            if IPv4Network(cidr).is_global:
                return messages.text("course.rules.public-block", cidr=cidr)
    return ""


def check_subnets(cidrs: Iterable[str]) -> None:
    """Refuse CIDR blocks for the subnets of a VPC of which two overlap.

    Raises:
        InvalidInput: Two overlap (InvalidSubnet.Conflict; API Reference, "Error codes").
    """
    for one, other in combinations(map(IPv4Network, cidrs), 2):
        if one.overlaps(other):
            code = "InvalidSubnet.Conflict"
            _refuse("course.rules.subnet-conflict", code=code, cidr=other, other=one)


def choose_zones(
    wanted: int, available: Sequence[str], *, region: str, named: Sequence[str] = ()
) -> list[str]:
    """Return the named zones, or the first `wanted` zones of a region in the order of their names.

    Args:
        wanted: The number of zones.
        available: The Availability Zones that can be used.
        region: Their region.
        named: The zones that the learner chose, as `check_zones` returns them.

    Raises:
        InvalidInput: `wanted` is not a number from 1 to 3, which the console offers, or the region
            has fewer zones, or not the named ones (InvalidParameterValue).
    """
    _check_whole_number(wanted, parameter="availability_zones")
    if not 1 <= wanted <= MOST_ZONES:
        _refuse("course.rules.zone-count", wanted=wanted, most=MOST_ZONES)
    choices = sorted(set(available))
    values: dict[str, Any] = {"names": ", ".join(choices), "region": region}
    if wanted > len(choices):
        _refuse("course.rules.zones-few", wanted=wanted, count=len(choices), **values)
    for name in named:
        if name not in choices:
            _refuse("course.rules.zone-unknown", typed=name, **values)
    return list(named) or choices[:wanted]


def check_zones(names: Sequence[str], *, region: str, wanted: int | None) -> tuple[str, ...]:
    """Return the Availability Zones that a learner names.

    Args:
        names: The names, "us-east-1b".
        region: The region of the workshop.
        wanted: Their number, if the learner names it as well.

    Raises:
        InvalidInput: A name is not that of a zone in the region, or stands there twice, or the
            number is another one (InvalidParameterValue).
    """
    for name in _check_list(names, parameter="zones"):
        zone = re.fullmatch(_ZONE, check_text(name, parameter="zones"))
        if not zone or zone[1] != region:
            _refuse("course.rules.zone-elsewhere", typed=name, region=region)
    wanted = len(names) if wanted is None else wanted
    if len({*names}) != wanted or len(names) != wanted:
        _refuse("course.rules.zones-number", names=", ".join(names), wanted=wanted)
    return tuple(names)


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
    rows = (
        ("public_subnets", public, usual.public_subnets, {0, zones}),
        ("private_subnets", private, usual.private_subnets, {0, zones, 2 * zones}),
    )
    as_usual = zones == usual.availability_zones
    key = "course.rules.subnet-count" if as_usual else "course.rules.subnet-count-other-zones"
    for parameter, value, right, choices in rows:
        _check_whole_number(value, parameter=parameter)
        if value not in choices:
            *most, last = map(str, sorted(choices))
            listed = [messages.text("course.rules.comma").join(most)] if most else []
            choice = messages.text("course.rules.or").join([*listed, last])
            values: dict[str, Any] = {"usual": right, "usual_zones": usual.availability_zones}
            values |= {"parameter": parameter, "value": value, "zones": zones}
            _refuse(key, choices=choice, **values)


def check_name_tag(name: str, *, usual: str = NetworkForm().name) -> str:
    """Return the name with which the console begins the Name tags; `usual` is the exercise's.

    The name is also the value of tags on ECS and ECR, which take letters, digits, spaces and
    ``_ . : / = + - @`` (Amazon ECS Developer Guide, "Tag restrictions").

    Raises:
        InvalidInput: The name is empty, has spaces at an end, is too long, begins with ``aws:`` or
            holds another character (InvalidParameterValue).
    """
    check_text(name, parameter="name")
    if not name.strip() or name != name.strip():
        _refuse("course.rules.name-empty", typed=name, usual=usual)
    if len(name) > LONGEST_NAME:
        _refuse("course.rules.name-long", count=len(name), most=LONGEST_NAME, usual=usual)
    if name.casefold().startswith("aws:"):
        _refuse("course.rules.name-reserved", typed=name)
    if not re.fullmatch(_NAME_TAG, name):
        _refuse("course.rules.name-characters", typed=name)
    return name


def check_cluster_name(name: str, *, exercise: Exercise = Exercise()) -> str:
    """Return an ECS cluster's name: 1 to 255 letters, digits, hyphens and underscores.

    Raises:
        InvalidInput: The name is invalid (InvalidParameterException; API Reference,
            CreateCluster, clusterName).
    """
    check_text(name, parameter="name", code=CONTAINERS_INVALID)
    if not re.fullmatch(_CLUSTER, name):
        mended = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:255]
        mended = _suggest_name(mended, usual=exercise.cluster)
        _refuse("course.rules.cluster-name", code=CONTAINERS_INVALID, typed=name, mended=mended)
    return name


def check_repository_name(name: str, *, exercise: Exercise = Exercise()) -> str:
    """Return an ECR repository's name: 2 to 256 characters, lower case.

    Raises:
        InvalidInput: The name is invalid (InvalidParameterException; API Reference,
            CreateRepository, repositoryName).
    """
    code = CONTAINERS_INVALID
    check_text(name, parameter="name", code=code)
    if not 2 <= len(name) <= 256:
        values = {"count": len(name), "usual": exercise.repository}
        _refuse("course.rules.repository-length", code=code, typed=name, **values)
    if not re.fullmatch(_REPOSITORY, name):
        key = "course.rules.repository-name"
        if re.fullmatch(_REPOSITORY, name.lower()):
            key = "course.rules.repository-case"
        mended = _mend_repository_name(name, usual=exercise.repository)
        _refuse(key, code=code, typed=name, mended=mended)
    return name


def check_image_tag(tag: str) -> str:
    """Return an image's tag: up to 128 letters, digits, ``_``, ``.`` and ``-``, as in Docker.

    Raises:
        InvalidInput: The tag is invalid (InvalidParameterException, as PutImage answers; Docker
            says "invalid reference format").
    """
    check_text(tag, parameter="tag", code=CONTAINERS_INVALID)
    if not re.fullmatch(_IMAGE_TAG, tag):
        _refuse("course.rules.image-tag", code=CONTAINERS_INVALID, typed=tag)
    return tag


def check_region(name: str, known: Iterable[str], *, usual: str = Exercise().region) -> str:
    """Return the name of a region, one of those in `known`; `usual` is the exercise's.

    Raises:
        InvalidInput: No region has the name (InvalidParameterValue, as DescribeRegions answers).
    """
    check_text(name, parameter="region")
    choices = sorted(known)
    if name in choices:
        return name
    zone = re.fullmatch(_ZONE, name)
    if zone and zone[1] in choices:
        _refuse("course.rules.region-zone", name=name, region=zone[1])
    if re.match(_OTHER_PARTITION, name):
        _refuse("course.rules.region-partition", typed=name, usual=usual)
    near = find_nearest(name, choices)
    if near:
        _refuse("course.rules.region-near", typed=name, near=near)
    _refuse("course.rules.region", typed=name, usual=usual)


def check_capacity_providers(names: Sequence[str]) -> tuple[str, ...]:
    """Return the capacity providers of a cluster without servers: FARGATE, FARGATE_SPOT or both.

    Raises:
        InvalidInput: Another name is among them (InvalidParameterException, as CreateCluster
            answers).
    """
    code, choices = CONTAINERS_INVALID, CAPACITY_PROVIDERS
    for name in _check_list(names, parameter="capacity_providers"):
        check_text(name, parameter="capacity_providers", code=code)
        if name not in choices:
            values = {"near": find_nearest(name, choices) or FARGATE, "choices": ", ".join(choices)}
            _refuse("course.rules.capacity-provider", code=code, typed=name, **values)
    return tuple(names)


def check_switch(value: object, *, parameter: str) -> bool:
    """Return the value of a form's switch: True or False; 1 and 0 do not count.

    Raises:
        InvalidInput: The value is not a bool.
    """
    if not isinstance(value, bool):
        _refuse("course.rules.not-switch", code=None, parameter=parameter, value=value)
    return value


def check_vpc_quota(existing: int, *, limit: int = VPCS_A_REGION, region: str) -> None:
    """Refuse one more VPC where the region already has as many as its quota allows.

    Raises:
        InvalidInput: The quota is reached (VpcLimitExceeded).
    """
    if existing >= limit:
        values: dict[str, Any] = {"existing": existing, "limit": limit, "region": region}
        _refuse("course.rules.vpc-quota", code="VpcLimitExceeded", **values)


def _parse_network(cidr: object) -> IPv4Network:
    text = check_text(cidr, parameter="cidr")
    try:
        network = IPv4Network(text, strict=False) if re.fullmatch(_CIDR, text) else None
    except ValueError:
        network = None
    if network is None:
        _refuse("course.rules.cidr", typed=text, parameter="cidr")
    if str(network) != text:
        _refuse("course.rules.host-bits", cidr=text, network=network)
    return network


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
        _refuse("course.rules.not-number", parameter=parameter, value=value)


def check_text(value: object, *, parameter: str, code: str = EC2_INVALID) -> str:
    """Return a text.

    Raises:
        InvalidInput: It is something else.
    """
    if not isinstance(value, str):
        kind = type(value).__name__
        _refuse("course.rules.not-text", code=code, parameter=parameter, value=value, kind=kind)
    return value


def _check_list(values: object, *, parameter: str) -> Sequence[Any]:
    if isinstance(values, str) or not isinstance(values, Sequence):
        _refuse("course.rules.not-list", parameter=parameter, value=values)
    return values


def _refuse(
    key: str,
    /,
    *,
    code: str | None = EC2_INVALID,
    typed: str = "",
    value: object = None,
    **values: object,
) -> NoReturn:
    """Raise the refusal whose sentences stand under `key`, with AWS's error code.

    Args:
        key: The key in the catalogue of messages.
        code: AWS's error code.
        typed: What the learner typed, which the sentences quote; full-width characters in it take
            the place of the remedy, because they have to be corrected first.
        value: A value of a wrong type, which the sentences quote.
        values: The other placeholders of the sentences.
    """
    problem, remedy = messages.advice(key, typed=quote(typed), value=quote(value), **values)
    raise InvalidInput(problem, advise_half_width(typed) or remedy, code=code)
