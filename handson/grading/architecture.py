"""The architecture as a learner's state draws it: boxes within boxes, each beside the goal.

What a box has wrong is told by the facts that the checks derived, and by `checks.vpcs` for what a
VPC has several of.  A box is the goal's where the goal has it and the state does not; where there
is no evidence to draw it from, nobody can say either.
"""

from __future__ import annotations

from collections.abc import Iterator

from handson import messages, syllabus
from handson.checks import cluster as clusters
from handson.checks import network, registries, vpcs
from handson.checks.results import line, words
from handson.grading.model import CheckMark, Result, Struct
from handson.state import Snapshot, Subnet, Vpc

SAME, DIFFERS, ABSENT, EXTRA, UNSEEN = "same", "differs", "absent", "extra", "unseen"
"""As the goal has it · not so · only in the goal · not in the goal · no evidence."""

MOST = 24
"""Boxes of one kind that are drawn; a VPC of the exercise has two subnets."""


class Box(Struct, frozen=True, kw_only=True):
    """Something that is drawn: what it is, what it is called, and what differs from the goal."""

    kind: str
    state: str
    name: str = ""
    detail: str = ""
    why: tuple[str, ...] = ()
    inside: tuple[Box, ...] = ()


def draw(result: Result) -> Box:
    """Return AWS as the evidence of a learner shows it."""
    proofs = [mark.proof for mark in result.checks if mark.proof is not None]
    places = sorted({f"{proof.account} · {proof.region}" for proof in proofs})
    return Box(
        kind="aws",
        state=SAME if proofs else UNSEEN,
        name=", ".join(places),
        inside=(*_networks(result), _cluster(result), _repository(result)),
    )


def _networks(result: Result) -> Iterator[Box]:
    mark, seen = _seen(result, network.ID)
    if seen is None:
        yield _goal_network(UNSEEN)
        return
    choice = network.choose(seen.vpcs)
    yield _goal_network(ABSENT) if choice.vpc is None else _vpc(choice.vpc, mark)
    for twin in choice.all[1 if choice.vpc else 0 :][:MOST]:
        yield Box(kind="vpc", state=EXTRA, name=_called(twin.name, twin.id), detail=twin.cidr)


def _goal_network(state: str) -> Box:
    subnets = [Box(kind="subnet", state=state, detail=block) for block in vpcs.goal_blocks()]
    gateway = Box(kind="gateway", state=state)
    goal = syllabus.NETWORK
    return Box(
        kind="vpc",
        state=state,
        name=goal.vpc_name,
        detail=goal.cidr,
        inside=(gateway, *subnets),
    )


def _vpc(vpc: Vpc, mark: CheckMark) -> Box:
    wrong = _wrong(mark, "vpc.") + _misnamed(vpc, vpc.id)
    return Box(
        kind="vpc",
        state=DIFFERS if wrong else SAME,
        name=_called(vpc.name, vpc.id),
        detail=vpc.cidr,
        why=wrong,
        inside=(*_gateways(vpc), *_zones(vpc)),
    )


def _gateways(vpc: Vpc) -> Iterator[Box]:
    attached = vpcs.attached_gateways(vpc)
    if not attached:
        yield Box(kind="gateway", state=ABSENT)
    for gateway in vpc.internet_gateways[:MOST]:
        wrong = _misnamed(vpc, gateway.id)
        if gateway.id not in attached:
            wrong = (messages.text("report.map-detached"),)
        state = DIFFERS if wrong else SAME
        name = _called(gateway.name, gateway.id)
        yield Box(kind="gateway", state=state, name=name, why=wrong)


def _zones(vpc: Vpc) -> Iterator[Box]:
    """Yield a box a zone with its subnets, then the subnets that only the goal has."""
    zones: dict[str, list[Box]] = {}
    blocks = vpcs.goal_blocks()
    # Of too many, those that the goal does not have are the ones too many.
    public = sorted(vpcs.public_subnets(vpc), key=lambda subnet: subnet.cidr not in blocks)
    for number, subnet in enumerate(public[:MOST]):
        taken = {before.zone for before in public[:number]}
        box = _public_subnet(vpc, subnet, taken=taken, number=number)
        zones.setdefault(subnet.zone, []).append(box)
    for subnet in vpcs.private_subnets(vpc)[:MOST]:
        why = (messages.text("report.map-private"),)
        box = Box(kind="subnet", state=EXTRA, name=_called(subnet.name, subnet.id), why=why)
        zones.setdefault(subnet.zone, []).append(box)
    for zone, inside in sorted(zones.items()):
        yield Box(kind="zone", state=SAME, name=line(zone), inside=tuple(inside))
    free = [block for block in blocks if block not in {s.cidr for s in public}]
    for block in free[: max(0, syllabus.NETWORK.public_subnets - len(public))]:
        yield Box(kind="subnet", state=ABSENT, detail=block)


def _public_subnet(vpc: Vpc, subnet: Subnet, *, taken: set[str], number: int) -> Box:
    goal, why = syllabus.NETWORK, list(_misnamed(vpc, subnet.id))
    if subnet.cidr not in vpcs.goal_blocks():
        why.append(messages.text("report.map-goal", goal=", ".join(vpcs.goal_blocks())))
    if len(taken) < goal.availability_zones and subnet.zone in taken:
        why.append(messages.text("report.map-same-zone"))
    way = vpcs.way_out(vpc, subnet)
    if way != vpcs.TO_GATEWAY:
        why.append(f"{line(way)} ({messages.text('report.map-goal', goal=vpcs.TO_GATEWAY)})")
    state = EXTRA if number >= goal.public_subnets else DIFFERS if why else SAME
    name = _called(subnet.name, subnet.id)
    return Box(kind="subnet", state=state, name=name, detail=line(subnet.cidr), why=tuple(why))


def _cluster(result: Result) -> Box:
    mark, seen = _seen(result, clusters.ID)
    goal = syllabus.CLUSTER
    found = clusters.find(seen) if seen else None
    if found is None:
        state = UNSEEN if seen is None else ABSENT
        return Box(kind="cluster", state=state, name=goal.name, detail=goal.capacity_provider)
    wrong = _wrong(mark, "cluster.")
    return Box(
        kind="cluster",
        state=DIFFERS if wrong else SAME,
        name=line(found.name),
        detail=", ".join(map(line, (found.status, *found.capacity_providers[:4]))),
        why=wrong,
    )


def _repository(result: Result) -> Box:
    mark, seen = _seen(result, "repository")
    goal = syllabus.REPOSITORY
    inside = (_image(result), _uri(result))
    found = next((r for r in seen.repositories if r.name == goal.name), None) if seen else None
    if found is None:
        state = UNSEEN if seen is None else ABSENT
        return Box(kind="repository", state=state, name=goal.name, inside=inside)
    wrong = _wrong(mark, "repository.")
    state = DIFFERS if wrong else SAME
    name, detail = line(found.name), line(found.uri)
    return Box(kind="repository", state=state, name=name, detail=detail, why=wrong, inside=inside)


def _image(result: Result) -> Box:
    mark, seen = _seen(result, "image")
    goal = syllabus.REPOSITORY
    images = registries.own_images(seen) if seen else []
    found = registries.tagged(images, goal.tag) or registries.newest(images)
    if found is None:
        return Box(kind="image", state=UNSEEN if seen is None else ABSENT, name=goal.tag)
    wrong = _wrong(mark, "image.")
    return Box(
        kind="image",
        state=DIFFERS if wrong else SAME,
        name=", ".join(map(line, found.tags[:4])) or "-",
        detail=line(found.digest)[:19],
        why=wrong,
    )


def _uri(result: Result) -> Box:
    mark, seen = _seen(result, "image-uri")
    if seen is None or seen.recorded_uri is None:
        return Box(kind="uri", state=UNSEEN if seen is None else ABSENT)
    wrong = _wrong(mark, "uri.")
    name = line(seen.recorded_uri.uri)
    return Box(kind="uri", state=DIFFERS if wrong else SAME, name=name, why=wrong)


def _seen(result: Result, check_id: str) -> tuple[CheckMark, Snapshot | None]:
    """Return a check and the state that its evidence describes, or None without such evidence."""
    mark = result.check(check_id)
    observed = mark.proof.observed if mark.proof is not None else None
    return mark, None if observed is None else Snapshot.from_json(observed)


def _wrong(mark: CheckMark, prefix: str) -> tuple[str, ...]:
    """Return what is said of the facts that are not as the goal has them."""
    facts = [f for f in mark.facts if f.id.startswith(prefix) and not (f.passed or f.advice)]
    return tuple(
        f"{messages.text(f'checks.fact.{fact.id}')}: {words(fact.observed)} "
        f"({messages.text('report.map-goal', goal=words(fact.expected))})"
        for fact in facts
    )


def _misnamed(vpc: Vpc, resource: str) -> tuple[str, ...]:
    named = (each for each in vpcs.named_resources(vpc) if each.id == resource)
    wanted = [each.wanted for each in named if each.name != each.wanted]
    return tuple(messages.text("report.map-goal", goal=line(name)) for name in wanted)


def _called(name: str, resource: str) -> str:
    return line(name or resource)
