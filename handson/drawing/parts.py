"""The parts of a picture of a target, in words ready to be painted, without places.

AWS and the company's own data center are drawn by the same frame, from two plans, so that a learner
can lay one picture beside the other: the VPC here corresponds to the switches and firewalls there.
A part that is not `made` is drawn as a dashed outline that says so.  A `mark` is what a comparison
says of a part, with the numbers of the sentences below the picture that explain it.
"""

from __future__ import annotations

from msgspec import Struct

NEW, CHANGED, GONE, WRONG, MISSING = "new", "changed", "gone", "wrong", "missing"


class Mark(Struct, frozen=True):
    """What a comparison says of a part: one of the kinds above, and the numbers of its reasons."""

    kind: str
    reasons: tuple[int, ...] = ()

    @property
    def is_outline(self) -> bool:
        """The part does not exist: only its outline is drawn."""
        return self.kind in (GONE, MISSING)


class Part(Struct, frozen=True):
    """An icon with lines below or beside it; the first line is its name."""

    icon: str
    lines: tuple[str, ...]
    made: bool = True
    mark: Mark | None = None


class Computer(Struct, frozen=True):
    """The learner's own computer, with Docker in it."""

    browser: Part
    login: Part
    image: Part


class Tier(Struct, frozen=True):
    """A subnet, or the servers of a room; `reached` by the route from the internet gateway."""

    kind: str
    name: str
    cidr: str
    public: bool
    reached: bool
    made: bool = True
    mark: Mark | None = None


class Zone(Struct, frozen=True):
    """An Availability Zone, or a server room, with its tiers from top to bottom."""

    lines: tuple[str, ...]
    tiers: tuple[Tier, ...]


class Network(Struct, frozen=True):
    """The network: its border, the gateway on the border, the route behind it, its zones."""

    part: Part
    gateway: Part
    route: str = ""
    zones: tuple[Zone, ...] = ()


class Group(Struct, frozen=True):
    """The cluster: a logical group that spans the zones, with a place for tasks in each."""

    part: Part
    slot: tuple[str, ...]
    slot_icon: str = ""


class Steps(Struct, frozen=True):
    """The words beside the arrows."""

    internet: str
    login: tuple[str, ...]
    token: tuple[str, ...]
    push: tuple[str, ...]
    pull: tuple[str, ...]


class Theme(Struct, frozen=True):
    """The colours of borders and, where it has one, the fill inside."""

    outer: str
    region: str
    network: str
    zone: str
    public: tuple[str, str]
    private: tuple[str, str]
    group: tuple[str, str]
    registry: tuple[str, str]
    image: str


COMPUTER = ("#232F3E", "#F5F7FA")
"""The border and the fill of the learner's computer."""
DOCKER = "#1D63ED"


class Plan(Struct, frozen=True):
    """Everything the frame paints; `reasons` are numbered from 1."""

    title: str
    description: str
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
    kinds: tuple[str, ...] = ()
    """The kinds of marks on the picture, which are explained below it."""
