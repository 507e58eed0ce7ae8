"""Lays a plan out, and paints its parts at their places.

A comparison shows as a border in the colour of its mark and a badge.  Colour never stands alone:
each badge has a word or the numbers of its reasons.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from handson.core.messages import label, text
from handson.drawing.compare import CLUSTER, GATEWAY, IMAGE, NETWORK, REPOSITORY
from handson.drawing.plan import COUNT, GONE, KINDS, THEMES, Mark, Part, Plan, Tier
from handson.drawing.scene import GHOST, INK, PAPER, QUIET, Arrow, Box, Icon, Label, Point, Scene
from handson.drawing.svg_document import fill_lines, measure, wrap

COLOURS = dict(zip(KINDS, ("#2e7d32", "#1565c0", GHOST, "#c62828", GHOST), strict=True))
COLOURS[COUNT] = COLOURS["changed"]
"""The colour of each kind of mark."""
COMPUTER, DOCKER = "#F5F7FA", "#1D63ED"
"""The colour inside the learner's computer, and the one of Docker's border."""
_SIGN_IN = "#C7131F"
_HEAD, _TEXT, _SMALL, _BADGE = 14.0, 12.5, 12.0, 11.0
_COUNT = 15.0
_LEADING = _SMALL + 4
_PART_ROOM = 136.0
_ZONE_HEAD, _TIER_HEAD = 50.0, 96.0
_BAND, _BAND_OVER = 150.0, 14.0
_FIRST_TIER, _LOW_TIER = _TIER_HEAD + _BAND + 14, 96.0


class Column(Struct, frozen=True):
    """The places in one zone; `gutter` is the x of the way down beside it."""

    zone: Box
    tiers: tuple[Box, ...]
    gutter: float


def compose(plan: Plan) -> Scene:
    """Return the scene of a picture that is read in a narrow window, or beside another.

    From top to bottom: the learner's computer, the services, the network.  Each thing stands below
    what it is reached from; the way of the image runs down the right side, so that no arrow crosses
    another.
    """
    margin, top, inset, side, lane = 4.0, 36.0, 10.0, 18.0, 30.0
    icons_row, outer_top = top + 74, top + 214
    services_row, registry_top = outer_top + 118, outer_top + 62
    network_top = registry_top + 262
    zones_top = network_top + 90
    left = margin + 2 * inset
    columns, band = _place_columns(plan, (left + side, zones_top), width=166, gutter=28)
    network = _surround(columns, band, (left, network_top), right=lane + side)
    registry = Box(network.right - 158, registry_top, 158, 214)
    end = network.bottom + (26 if plan.others else 0) + inset
    region = Box(margin + inset, outer_top + 34, network.width + 2 * inset, end - outer_top - 34)
    outer = Box(margin, outer_top, region.width + 2 * inset, end + inset - outer_top)
    computer = Box(margin, top, outer.width, 164)
    middle, gate, login = registry.middle[0], left + 34, left + 156
    docker = Box(middle - 75, top + 10, 150, computer.height - 20)
    down, bus, beside = network.right - lane / 2, zones_top - 16, computer.bottom + 36

    frame = Frame(plan, width=outer.right + margin, left=margin)
    row = {"browser": (gate, icons_row), "client": (login, icons_row)}
    frame.paint_computer(computer, docker, **row, image=(middle, icons_row + 8))
    frame.paint_borders(outer, region, heading=login + 10)
    frame.paint_services((login, services_row), registry, shelf=registry_top + 106)
    frame.paint_network(network, columns, left=gate + 28, right=network.right)
    frame.paint_cluster(band, columns)
    frame.paint_step("login", beside, (login, icons_row + 66), (login, services_row - 28))
    points = ((login + 30, services_row), (registry.x - 3, services_row))
    frame.paint_step("token", (login + 30 + registry.x) / 2, *points)
    frame.paint_step("push", beside, (middle, docker.bottom + 2), (middle, registry.y - 3))
    turn, tip = (down, band.y + 40), (band.right + 3, band.y + 40)
    frame.paint_step("pull", registry.bottom + 34, (down, registry.bottom + 3), turn, tip)
    words = (gate + 28, network_top - 22)
    frame.paint_gateway((gate, network_top), words, room=middle - gate - 30)
    points, room = ((gate, icons_row + 46), (gate, network_top - 26)), registry.x - gate - 20
    frame.paint_step("internet", network_top - 80, *points, room=room)
    frame.paint_routes(columns, (gate + 12, bus - 8), (gate, network_top + 24), (gate, bus))
    frame.paint_notes(outer, region)
    return frame


def _place_columns(
    plan: Plan, corner: Point, *, width: float, gutter: float
) -> tuple[tuple[Column, ...], Box]:
    """Place zones side by side from a corner on, and the cluster's band over all of them.

    All zones are as high as the one with the most tiers.  The band runs behind the first tier of
    each zone and is at least as wide as two zones.
    """
    left, top = corner
    band_top = top + _ZONE_HEAD + _TIER_HEAD
    most = max((len(zone.tiers) for zone in plan.zones), default=1)
    height = _ZONE_HEAD + _FIRST_TIER + (most - 1) * (_LOW_TIER + 10) + 12
    columns = []
    for number, zone in enumerate(plan.zones):
        x = left + number * (width + gutter)
        tiers = [Box(x + 10, top + _ZONE_HEAD, width - 20, _FIRST_TIER)]
        for _ in zone.tiers[1:]:
            tiers.append(Box(x + 10, tiers[-1].bottom + 10, width - 20, _LOW_TIER))
        # Neighbours share the gutter between them.
        beside = x - gutter / 2 if number % 2 else x + width + gutter / 2
        columns.append(Column(Box(x, top, width, height), tuple(tiers), beside))
    wide = max(2, len(columns)) * (width + gutter) - gutter
    return tuple(columns), Box(left - _BAND_OVER, band_top, wide + 2 * _BAND_OVER, _BAND)


def _surround(columns: tuple[Column, ...], band: Box, corner: Point, *, right: float) -> Box:
    """Return the network's box around the zones, or around the band where there are none."""
    (left, top), bottom = corner, columns[0].zone.bottom if columns else band.bottom
    return Box(left, top, band.right - _BAND_OVER + right - left, bottom + 16 - top)


class Frame(Scene):
    """The scene of a plan; `compose` calls its methods from the outside to the inside."""

    def __init__(self, plan: Plan, *, width: float, left: float) -> None:
        super().__init__(width, 0, plan.title, plan.description)
        self.plan = plan
        self.theme = THEMES[plan.view]
        self.left = left
        self.add_lines(Label(left, 28, 18, bold=True, room=width - 2 * left), plan.title)

    def _say(self, name: str) -> list[str]:
        """Return the lines that are the same on every picture of this view."""
        return label("drawing.words", f"{self.plan.view}.{name}").split("\n")

    def paint_computer(
        self, own: Box, docker: Box, *, browser: Point, client: Point, image: Point
    ) -> None:
        """Paint the learner's computer; Docker's box stands beside its name, or below it."""
        self.boxes.append(own.styled(INK, COMPUTER))
        self.add_lines(Label(own.x + 12, own.y + 22, bold=True), text("drawing.computer"))
        self._paint_part(Part("onprem/client/client", (text("drawing.browser"),)), browser, 44)
        self._paint_part(Part(self.theme.icons["client"], self._say("client")), client, 44)
        self.boxes.append(docker.styled(DOCKER, PAPER))
        self.icons.append(Icon("onprem/container/docker", docker.x + 22, docker.y + 18, 26))
        name = Label(docker.x + 42, docker.y + 23, bold=True, colour=DOCKER)
        self.add_lines(name, text("drawing.docker"))
        # Only the registry tells of the image: without it there, none may have been built here.
        (x, y), built = image, self.plan.parts[IMAGE].made
        said = text("drawing.built") if built else text("drawing.not-built")
        own_image = Part(self.theme.icons["image"], (self.plan.own_image, said), made=built)
        if self._paint_border(Box(x - 66, y - 30, 132, 80), own_image):
            wrapped = len(wrap(self.plan.own_image, _PART_ROOM, size=_TEXT)) > 1
            self._paint_part(own_image, (x, y - 8 * wrapped), 48)

    def paint_borders(self, outer: Box, region: Box, *, heading: float) -> None:
        """Paint the two outer borders, with their names starting at x = `heading`."""
        theme, left = self.theme, heading
        self.boxes.append(outer.styled(theme.outer, PAPER))
        self.boxes.append(region.styled(theme.region, dashed=True))
        if icon := theme.icons.get("outer"):
            self.icons.append(Icon(icon, left + 12, outer.y + 18, 26))
            left += 32
        self.add_lines(Label(left, outer.y + 24, _HEAD, bold=True), *self._say("outer"))
        room = region.width / 2
        name = Label(heading, region.y + 20, bold=True, colour=theme.region, room=room)
        self.add_lines(name, self.plan.region)

    def paint_services(self, login: Point, registry: Box, *, shelf: float) -> None:
        """Paint what a sign-in reaches, and the registry with its icon at the height `shelf`."""
        self._paint_part(Part(self.theme.icons["login"], self._say("login")), login, 48)
        part, (stroke, fill) = self.plan.parts[REPOSITORY], self.theme.registry
        if self._paint_border(registry.styled(stroke, fill), part):
            middle, room = registry.middle[0], registry.width - 12
            self._name_part(part, Label(middle, registry.y + 22, 13, "middle", stroke, room=room))
            self.icons.append(Icon(part.icon, middle, shelf, 52))
            self._paint_image(Box(registry.x + 8, shelf + 36, registry.width - 16, 64))
            self._add_badge((registry.right - 6, registry.y), part.mark)

    def _paint_image(self, box: Box) -> None:
        part = self.plan.parts[IMAGE]
        if self._paint_border(box.styled(self.theme.image, PAPER), part):
            self.icons.append(Icon(part.icon, box.x + 20, box.middle[1], 28))
            head, *rest = part.lines
            left, room = box.x + 38, box.width - 42
            lines = wrap(head, room, size=_SMALL)
            top = box.middle[1] + 4 - (len(lines) + len(rest) - 1) * 8
            self.add_lines(Label(left, top, _SMALL, bold=True, room=room), *lines)
            below = top + _LEADING * len(lines)
            self.add_lines(Label(left, below, _SMALL, colour=QUIET, room=room), *rest)
            self._add_badge((box.right - 4, box.bottom), part.mark)

    def paint_network(
        self, box: Box, columns: Sequence[Column], *, left: float, right: float
    ) -> None:
        """Paint the network with its zones; the words about it stand between `left` and `right`."""
        part, theme = self.plan.parts[NETWORK], self.theme
        # The cluster's band lies over the middle, so the words of an outline stand above it.
        if not self._paint_border(box.styled(theme.network, PAPER), part, first=box.y + 56):
            return
        self.icons.append(Icon(part.icon, left + 16, box.y + 24, 30))
        name = Label(left + 38, box.y + 21, _HEAD, colour=theme.network, room=right - left - 42)
        self._name_part(part, name, size=_TEXT)
        for column, zone in zip(columns, self.plan.zones, strict=True):
            border = column.zone
            self.boxes.append(border.styled(theme.region, dashed=True))
            (x, _), room = border.middle, border.width - 8
            name = Label(x, border.y + 22, _SMALL, "middle", theme.region, bold=True, room=room)
            self.add_lines(name, *zone.lines)
            for tier_box, tier in zip(column.tiers, zone.tiers, strict=True):
                self._paint_tier(tier_box, tier)
        self._add_badge((box.right - 12, box.y), part.mark)

    def _paint_tier(self, box: Box, tier: Tier) -> None:
        stroke, fill = self.theme.public if tier.public else self.theme.private
        self._add_border(box.styled(stroke, fill), tier, ghost=PAPER)
        stroke, ink = (stroke, INK) if tier.made else (GHOST, GHOST)
        left, room = box.x + 9, box.width - 14
        kind = Label(left, box.y + 19, _TEXT, colour=stroke, bold=True, room=room)
        self.add_lines(kind, tier.kind)
        names = wrap(tier.name, room, size=_SMALL, most=3)
        self.add_lines(Label(left, box.y + 36, _SMALL, colour=ink, room=room), *names)
        below = box.y + 37 + _LEADING * len(names)
        self.add_lines(Label(left, below, _TEXT, colour=ink, bold=True, room=room), tier.cidr)
        self._add_badge((box.right - 4, box.y), tier.mark)

    def paint_cluster(self, band: Box, columns: Sequence[Column]) -> None:
        """Paint the cluster over all zones, with a place for tasks, or a worker node, in each."""
        part, (stroke, fill) = self.plan.parts[CLUSTER], self.theme.cluster
        if not self._paint_border(band.styled(stroke, fill), part, ghost=PAPER):
            return
        self.icons.append(Icon(part.icon, band.x + 28, band.y + 30, 36))
        name = Label(band.x + 54, band.y + 26, colour=stroke, room=band.width - 60)
        self._name_part(part, name)
        icon, lines = self.theme.icons.get("slot"), self._say("slot")
        zones = [(column.zone.x + 20, column.zone.width - 40) for column in columns]
        for left, width in zones or [(band.x + 24, band.width - 48)]:
            box = Box(left, band.y + 62, width, band.height - 76)
            self.boxes.append(box.styled(stroke, PAPER, dashed=not icon))
            (x, y), room = box.middle, box.width - 8
            if icon:
                self.icons.append(Icon(icon, box.x + 20, y, 28))
                x, room = x + 18, room - 32
            first = y + 4 - (len(lines) - 1) * 8
            self.add_lines(Label(x, first, _SMALL, "middle", QUIET, room=room), *lines)
        self._add_badge((band.right - 6, band.y), part.mark)

    def paint_step(self, name: str, words: float, *points: Point, room: float = 0) -> None:
        """Paint the arrow of a step, dashed while it does not work, with its words beside it.

        Args:
            name: One of internet, login, token, push, pull.
            words: Where the words stand along the arrow: the x of their middle above a level one,
                the y of their last line beside an upright one, on the side to which it turns.
            points: The bends of the arrow.
            room: How wide a line may be; 0 for any width.
        """
        plan, lines = self.plan, self._say(f"{name}-step")
        # An image in the registry shows that someone signed in and pushed.  Nothing is pulled or
        # requested before step 3 starts a task.
        works = plan.parts[IMAGE].made and name in ("login", "token", "push")
        colour = _SIGN_IN if name in ("login", "token") else INK
        if name == "internet":
            if not plan.parts[GATEWAY].made:
                return
            colour, lines = QUIET, [*wrap(lines[0], room, size=_SMALL)]
        self.arrows.append(Arrow(points, colour, dashed=not works))
        x, y = points[0]
        if points[1][1] == y:
            label = Label(words, y - 8, _SMALL, "middle", colour)
        elif points[-1][0] < x:
            label = Label(x - 8, words, _SMALL, "end", colour)
        else:
            label = Label(x + 10, words, _SMALL, "start", colour)
        self.add_lines(replace(label, y=label.y - (len(lines) - 1) * _LEADING), *lines)

    def paint_gateway(self, centre: Point, words: Point, *, room: float) -> None:
        """Paint the internet gateway, if the network has one, and its lines starting at `words`."""
        part, (x, y), (left, top) = self.plan.parts[GATEWAY], centre, words
        if not part.lines:
            return
        lines = part.lines if part.made else (part.lines[0], part.lines[-1])
        colour = INK if part.made else GHOST
        if part.mark is not None:
            left += 8
            self._add_border(Box(x - 27, y - 27, 54, 54, fill=PAPER), part, ghost=PAPER)
        self.add_lines(Label(left, top, _SMALL, colour=colour, room=room), *lines)
        self._add_badge((x - 17, y - 27), part.mark)
        if part.made:
            self.icons.append(Icon(part.icon, x, y, 44))

    def paint_routes(self, columns: Sequence[Column], words: Point, *points: Point) -> None:
        """Paint the routes that lead from the gateway along `points`, then into each subnet."""
        colour, bus, count = self.theme.network, points[-1][1], len(self.arrows)
        for column, zone in zip(columns, self.plan.zones, strict=True):
            x = column.gutter
            for box, tier in zip(column.tiers, zone.tiers, strict=True):
                if tier.reached and self.plan.parts[GATEWAY].made:
                    side, y = box.right + 3 if x > box.x else box.x - 3, box.y + 18
                    self.arrows.append(Arrow((*points, (x, bus), (x, y), (side, y)), colour))
        if len(self.arrows) > count:
            self.add_lines(Label(*words, _SMALL, colour=colour), *self._say("route-step"))

    def paint_notes(self, outer: Box, region: Box) -> None:
        """Write what else exists, and below the picture the meaning of lines and marks."""
        plan, left = self.plan, self.left
        room = self.width - 2 * left
        x, within = region.x + 12, region.width - 24
        others = Label(x, region.bottom - 11, _SMALL, colour=QUIET, room=within)
        self.add_lines(others, plan.others)
        y = outer.bottom + 24
        legend = fill_lines(self._say("legend")[0], room, size=_SMALL)
        self.add_lines(Label(left, y, _SMALL, colour=QUIET), *legend)
        y += (len(legend) - 1) * _LEADING + 26
        if plan.kinds:
            self._explain_marks(left, y)
            y += 26
        # Where nothing is marked, the one sentence says so, and no number leads to it.
        indent = 28 if plan.kinds else 0
        for number, reason in enumerate(plan.reasons, start=1):
            if plan.kinds:
                self.add_lines(Label(left + 20, y, _SMALL, "end", bold=True), str(number))
            lines = fill_lines(reason, room - indent, size=_SMALL)
            self.add_lines(Label(left + indent, y, _SMALL), *lines)
            y += len(lines) * _LEADING + 4
        self.height = y - 10

    def _explain_marks(self, x: float, y: float) -> None:
        """Put each kind of mark on the picture on one line, with its meaning beside it."""
        for mark in map(Mark, self.plan.kinds):
            left = x + measure(_name_mark(mark), size=_BADGE) + 20
            self._add_badge((left - 8, y - 4), mark)
            meaning = label("drawing.meaning", mark.kind)
            self.add_lines(Label(left, y, _SMALL, room=self.width - self.left - left), meaning)
            x = left + measure(meaning, size=_SMALL) + 26

    def _name_part(self, part: Part, name: Label, *, size: float = _SMALL) -> None:
        """Write a part's name in bold, and its other lines below in another size."""
        head, *rest = part.lines
        self.add_lines(replace(name, bold=True), head)
        self.add_lines(replace(name, y=name.y + 18, size=size, colour=INK), *rest)

    def _paint_part(self, part: Part, centre: Point, size: float) -> None:
        """Put a part's icon at its place and its lines, centred, below it."""
        x, y = centre
        self.icons.append(Icon(part.icon, x, y, size))
        head, *rest = part.lines
        for number, line in enumerate((*wrap(head, _PART_ROOM, size=_TEXT), *rest)):
            below = y + size / 2 + 15 + number * 15.5
            self.add_lines(Label(x, below, _SMALL if number else _TEXT, "middle", room=146), line)

    def _paint_border(self, box: Box, part: Part, *, ghost: str = "none", first: float = 0) -> bool:
        """Draw a part's border, or else a dashed outline that names it; tell whether it is made.

        Args:
            box: The border.
            part: The part.
            ghost: The colour inside the outline.
            first: The baseline of the first line in the outline, by default around its middle.
        """
        self._add_border(box, part, ghost=ghost)
        if part.made:
            return True
        (x, y), room = box.middle, box.width - 12
        lines = [line for each in part.lines for line in wrap(each, room, size=_TEXT)]
        first = first or y + 4 - (len(lines) - 1) * 8
        gone = part.mark is not None and part.mark.kind == GONE
        self.add_lines(Label(x, first, _TEXT, "middle", GHOST, bold=gone, room=room), *lines)
        self._add_badge((box.right - 6, box.y), part.mark)
        return False

    def _add_border(self, box: Box, part: Part | Tier, *, ghost: str) -> None:
        """Draw a part's border in the colour of its mark, or an outline where it is not made."""
        if not part.made:
            box = box.styled(GHOST, ghost, dashed=True)
        elif part.mark:
            box = box.styled(COLOURS[part.mark.kind], box.fill, thickness=3.0)
        self.boxes.append(box)

    def _add_badge(self, corner: Point, mark: Mark | None) -> None:
        """Put a badge so that it ends at a corner, and sits astride the border there."""
        if mark is None:
            return
        words, size = mark.words or _name_mark(mark), _COUNT if mark.words else _BADGE
        high, wide = size + 6, measure(words, size=size) + 12
        x, y = corner[0] - wide, corner[1] - high / 2
        self.badges.append(Box(x, y, wide, high, COLOURS[mark.kind], COLOURS[mark.kind]))
        baseline = y + high / 2 + size * 0.36
        self.add_lines(Label(x + wide / 2, baseline, size, "middle", PAPER, bold=True), words)


def _name_mark(mark: Mark) -> str:
    return " ".join([label("drawing.badge", mark.kind), *map(str, mark.reasons)])
