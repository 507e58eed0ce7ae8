"""Several scenes in one picture: side by side, or below each other where they are wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handson.drawing.scene import Box, Scene

GAP = 20.0


def join(rows: Sequence[Sequence[Scene]]) -> Scene:
    """Return one scene with the scenes of each row beside each other, and the rows in order."""
    placed: list[tuple[Scene, float, float]] = []
    wide, high = max(map(_width, rows)), 0.0
    for row in rows:
        x = (wide - _width(row)) / 2
        for scene in row:
            placed.append((scene, x, high))
            x += scene.width + GAP
        high += max(scene.height for scene in row) + GAP
    scenes = [scene for scene, _, _ in placed]
    joined = Scene(
        wide,
        high - GAP,
        " · ".join(scene.title for scene in scenes),
        " ".join(f"{scene.title}: {scene.description}" for scene in scenes),
        scenes[0].language,
    )
    for number, (scene, x, y) in enumerate(placed):
        _add(joined, scene, number, x, y)
    return joined


def _width(row: Sequence[Scene]) -> float:
    return sum(scene.width + GAP for scene in row) - GAP


def _add(joined: Scene, scene: Scene, number: int, x: float, y: float) -> None:
    """Add what a scene holds, moved, under names that no other scene has."""

    def moved(box: Box) -> Box:
        return replace(box, x=box.x + x, y=box.y + y)

    def name(id: str) -> str:
        return f"{number}-{id}"

    joined.boxes += map(moved, scene.boxes)
    joined.badges += map(moved, scene.badges)
    joined.icons += [replace(i, id=name(i.id), x=i.x + x, y=i.y + y) for i in scene.icons]
    joined.spots += [replace(s, id=name(s.id), x=s.x + x, y=s.y + y) for s in scene.spots]
    joined.labels += [replace(label, x=label.x + x, y=label.y + y) for label in scene.labels]
    joined.arrows += [
        replace(
            arrow,
            tail=name(arrow.tail),
            head=name(arrow.head),
            points=tuple((px + x, py + y) for px, py in arrow.points),
        )
        for arrow in scene.arrows
    ]
