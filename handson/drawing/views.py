"""Composes a picture: one view alone, or several side by side."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from handson.core import messages
from handson.core.messages import text
from handson.course.exercise import Exercise
from handson.course.state import Snapshot
from handson.drawing.aws import plan_aws
from handson.drawing.compare import Comparison, Subject, compare_snapshots, compare_with_goal
from handson.drawing.frame import paint_plan
from handson.drawing.geometry import place_tall, place_wide
from handson.drawing.local import TALL, WIDE, paint_local
from handson.drawing.onprem import plan_onprem
from handson.drawing.picture import Picture
from handson.drawing.scene import QUIET, Label, Scene
from handson.drawing.svg import write_scene

GAP = 20.0


class Composition(Struct, frozen=True):
    """A picture to paint: a snapshot in some views, compared with the goal or an earlier look."""

    snapshot: Snapshot
    exercise: Exercise
    views: tuple[str, ...]
    since: Snapshot | None = None
    goal: bool = False

    def paint(self) -> Scene:
        """Return the scene in the language of this process.

        Two views stand side by side, tall and narrow.  Of three, step 1 stands above the others, as
        wide as both: three in a row could not be read in a notebook.
        """
        if len(self.views) == 1:
            return self._paint_view(self.views[0], tall=False)
        above = self.views.index("local") if len(self.views) > 2 and "local" in self.views else -1
        rest = [view for number, view in enumerate(self.views) if number != above]
        rows = [[self._paint_view(view, tall=True) for view in rest]]
        if above >= 0:
            rows.insert(0, [self._paint_view("local", tall=False)])
        return join_scenes(rows)

    def _paint_view(self, view: str, *, tall: bool) -> Scene:
        if view == "local":
            image = Subject(self.snapshot, self.exercise).short_name
            return paint_local(image, TALL if tall else WIDE)
        if view == "onprem":
            plan = plan_onprem(self.snapshot, self.exercise)
        else:
            plan = plan_aws(self.snapshot, self.exercise, self._compare())
        return paint_plan(plan, place_tall if tall else place_wide)

    def _compare(self) -> Comparison:
        if self.since is not None:
            return compare_snapshots(self.since, self.snapshot, self.exercise)
        return compare_with_goal(self.snapshot, self.exercise) if self.goal else Comparison()


def draw_composition(composition: Composition) -> Picture:
    """Return the picture of a composition."""
    scene = composition.paint()
    japanese = messages.language() == "ja"
    return Picture(
        write_scene(scene),
        scene.title,
        scene.description,
        write_in_english=(lambda: write_in_english(composition)) if japanese else None,
    )


def write_in_english(composition: Composition) -> str:
    """Return the document in English, with a line at its lower edge that says why."""
    language = messages.language()
    messages.use("en")
    try:
        scene = composition.paint()
        scene.add_label(Label(16, scene.height + 4, text("drawing.no-font"), 11, colour=QUIET))
        scene.height += 16
        return write_scene(scene)
    finally:
        messages.use(language)


def join_scenes(rows: Sequence[Sequence[Scene]]) -> Scene:
    """Return one scene with the scenes of each row side by side, and the rows in order."""
    inner: list[tuple[Scene, float, float]] = []
    widths = [sum(scene.width + GAP for scene in row) - GAP for row in rows]
    y = 0.0
    for row, width in zip(rows, widths, strict=True):
        x = (max(widths) - width) / 2
        for scene in row:
            inner.append((scene, x, y))
            x += scene.width + GAP
        y += max(scene.height for scene in row) + GAP
    scenes = [scene for scene, _, _ in inner]
    return Scene(
        width=max(widths),
        height=y - GAP,
        title=" · ".join(scene.title for scene in scenes),
        description=" ".join(f"{scene.title}: {scene.description}" for scene in scenes),
        inner=inner,
    )
