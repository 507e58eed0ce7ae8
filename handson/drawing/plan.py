"""What stands where in the picture of the target, in words ready to be painted.

AWS and the company's own machine room are drawn by the same frame, from two plans, so that a
learner can lay one picture beside the other: what is the VPC here is the switches and firewalls
there.  A part that is not `made` is drawn as a dashed outline that says so.  A `mark` is what a
comparison says of a part, and the numbers of the sentences below the picture that say why.
"""

from __future__ import annotations

from dataclasses import dataclass

NEW, CHANGED, GONE, WRONG, MISSING = "new", "changed", "gone", "wrong", "missing"


@dataclass(frozen=True)
class Mark:
    """What a comparison says of a part: one of the kinds above, and the numbers of its reasons."""

    kind: str
    reasons: tuple[int, ...] = ()


@dataclass(frozen=True)
class Part:
    """An icon with lines below or beside it; the first line is its name."""

    icon: str
    lines: tuple[str, ...]
    made: bool = True
    mark: Mark | None = None


@dataclass(frozen=True)
class Computer:
    """The learner's own computer, with Docker in it."""

    name: str
    browser: Part
    login: Part
    docker: str
    image: Part


@dataclass(frozen=True)
class Tier:
    """A subnet, or the servers of a room; `reached` by the route from the internet gateway."""

    kind: str
    name: str
    cidr: str
    public: bool
    reached: bool
    made: bool = True
    mark: Mark | None = None


@dataclass(frozen=True)
class Zone:
    """An Availability Zone, or a server room, with its tiers from top to bottom."""

    lines: tuple[str, ...]
    tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Network:
    """The network: its border, the gateway on the border, the route behind it, its zones."""

    part: Part
    gateway: Part
    route: str
    zones: tuple[Zone, ...]


@dataclass(frozen=True)
class Group:
    """The cluster: a logical group that spans the zones, with a place for tasks in each."""

    part: Part
    slot: tuple[str, ...]
    slot_icon: str = ""


@dataclass(frozen=True)
class Steps:
    """The words beside the arrows."""

    internet: str
    login: tuple[str, ...]
    token: tuple[str, ...]
    push: tuple[str, ...]
    pull: tuple[str, ...]


@dataclass(frozen=True)
class Theme:
    """The colours of borders and, where it has one, the fill inside."""

    outer: str
    region: str
    network: str
    zone: str
    public: tuple[str, str]
    private: tuple[str, str]
    group: tuple[str, str]
    registry: tuple[str, str]
    computer: tuple[str, str]
    image: str


@dataclass(frozen=True)
class Plan:
    """Everything the frame paints; `reasons` are numbered from 1."""

    title: str
    description: str
    language: str
    theme: Theme
    computer: Computer
    outer: Part
    region: str
    login: Part
    registry: Part
    image: Part
    network: Network
    group: Group
    steps: Steps
    legend: str
    others: str = ""
    reasons: tuple[str, ...] = ()
    signs: tuple[tuple[str, str], ...] = ()
    """The kinds of marks that are explained below the picture, with what they mean."""
