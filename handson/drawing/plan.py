"""The parts of a picture of a target, in words ready to be painted, without places.

AWS and the company's own data center are painted by the same frame, from two plans, so that a
learner can lay one picture beside the other: the VPC here corresponds to the switches there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from handson.core.files import read_data

KINDS = NEW, CHANGED, GONE, WRONG, MISSING = "new", "changed", "gone", "wrong", "missing"
"""The kinds of marks, in the order of the legend."""
COUNT = "count"


class Mark(Struct, frozen=True):
    """The result of a comparison for a part: a kind above, and the numbers of the reasons.

    A mark of the kind `COUNT` has `words` instead, which its badge shows in large letters.
    """

    kind: str
    reasons: tuple[int, ...] = ()
    words: str = ""


class Part(Struct, frozen=True):
    """An icon with lines below or beside it; the first line is its name.

    A part that is not `made` is drawn as a dashed outline with its lines.
    """

    icon: str
    lines: Sequence[str]
    made: bool = True
    mark: Mark | None = None


NO_GATEWAY = Part("", (), made=False)
"""In the place of a gateway that neither exists nor is missing."""


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

    lines: Sequence[str]
    tiers: tuple[Tier, ...]


class Theme(Struct, frozen=True):
    """What is the same on every picture of a view.

    That is the colour of each border and, where it has one, the fill inside; zones look like the
    region.  And the icons of the parts, of what signs in on the learner's computer (client), of
    what that reaches (login) and, where they have one, of the outermost border (outer) and of the
    cluster's place for tasks (slot), and of a cluster without Fargate (servers).
    """

    outer: str
    region: str
    network: str
    public: tuple[str, str]
    private: tuple[str, str]
    cluster: tuple[str, str]
    registry: tuple[str, str]
    image: str
    icons: Mapping[str, str]


THEMES = msgspec.convert(read_data("handson.drawing", "themes.toml"), dict[str, Theme])
"""Those of the two pictures, by the name of their view."""


class Plan(Struct, frozen=True, kw_only=True):
    """Everything the frame paints, but for what is the same on every picture of the view.

    Attributes:
        view: The view, which names the theme and the words of the rest.
        region: The words on the border inside the outermost one.
        own_image: The name of the image on that computer.
        parts: The parts by name; the gateway may be `NO_GATEWAY`.
        others: The line about other resources.
        reasons: The sentences below the picture, numbered from 1 where there are marks.
        kinds: The kinds of marks on the picture.
    """

    view: str
    title: str
    description: str
    region: str
    own_image: str
    parts: Mapping[str, Part]
    zones: tuple[Zone, ...]
    others: str = ""
    reasons: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
