"""How a comparison shows on a picture: a border in its colour, and a badge that says what it is.

Colour never stands alone: each badge has a word or the numbers of its reasons.
"""

from __future__ import annotations

from handson.drawing import text
from handson.drawing.plan import CHANGED, GONE, MISSING, NEW, WRONG, Mark, Part, Plan
from handson.drawing.scene import GHOST, INK, PAPER, Box, Label, Point, Scene
from handson.drawing.words import Words

COLOURS = {NEW: "#2e7d32", CHANGED: "#1565c0", GONE: GHOST, MISSING: GHOST, WRONG: "#c62828"}
_SIZE = 11.0
_HIGH = 17.0


def framed(box: Box, mark: Mark | None) -> Box:
    """Return the box with the border of its mark."""
    if mark is None:
        return box
    if mark.kind in (GONE, MISSING):
        return box
    return Box(box.x, box.y, box.width, box.height, COLOURS[mark.kind], box.fill, thickness=3.0)


def badge(scene: Scene, corner: Point, mark: Mark | None) -> None:
    """Put a badge so that it ends at a corner, and sits astride the border there."""
    if mark is None:
        return
    said = _said(mark, scene.language)
    wide = text.width(said, size=_SIZE) + 12
    x, y = corner[0] - wide, corner[1] - _HIGH / 2
    colour = COLOURS[mark.kind]
    scene.badges.append(Box(x, y, wide, _HIGH, colour, colour))
    scene.say(Label(x + wide / 2, y + 12.5, said, _SIZE, "middle", PAPER, bold=True))


def around_icon(scene: Scene, part: Part, centre: Point, size: float) -> None:
    """Mark an icon that stands without a box of its own."""
    if part.mark is None:
        return
    (x, y), half = centre, size / 2 + 5
    box = Box(x - half, y - half, 2 * half, 2 * half, fill=PAPER)
    ghost = part.mark.kind in (GONE, MISSING)
    scene.boxes.append(box.styled(GHOST, PAPER, dashed=True) if ghost else framed(box, part.mark))
    badge(scene, (x - half + 10, y - half), part.mark)


def explain(scene: Scene, plan: Plan, corner: Point, *, room: float) -> float:
    """Say below the picture what the marks mean and why they are there; return where it ends."""
    x, y = corner
    for kind, meaning in plan.signs:
        said = _said(Mark(kind), scene.language)
        badge(scene, (x + text.width(said, size=_SIZE) + 12, y - 4), Mark(kind))
        beside = x + text.width(said, size=_SIZE) + 20
        scene.say(Label(beside, y, meaning, size=12), room=room - beside)
        x = beside + text.width(meaning, size=12) + 26
    y += 26 if plan.signs else 0
    # Where nothing is marked, the one sentence says so, and no number leads to it.
    indent = 28 if plan.signs else 0
    for number, reason in enumerate(plan.reasons, start=1):
        if plan.signs:
            scene.say(Label(corner[0] + 20, y, str(number), 12, "end", INK, bold=True))
        lines = text.fill(reason, room - indent, size=12)
        scene.say_lines(Label(corner[0] + indent, y, "", size=12), lines, room=room - indent)
        y += len(lines) * 16 + 4
    return y


def _said(mark: Mark, language: str) -> str:
    numbers = " ".join(map(str, mark.reasons))
    return f"{Words(language)(f'mark-{mark.kind}')} {numbers}".rstrip()
