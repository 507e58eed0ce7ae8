"""What was asked for, as one scene: a view alone, or several side by side."""

from __future__ import annotations

from dataclasses import dataclass

from handson.course.state import Snapshot
from handson.drawing import aws, beside, compare, frame, local, onprem, tall, wide
from handson.drawing.compare import Remarks
from handson.drawing.scene import Scene
from handson.drawing.words import Words


@dataclass(frozen=True)
class Asked:
    """A picture to paint: of what, in which views, and compared with what."""

    snapshot: Snapshot
    views: tuple[str, ...]
    since: Snapshot | None = None
    goal: bool = False

    def paint(self, words: Words) -> Scene:
        """Return the scene in the words of a language.

        Two views stand side by side, tall and narrow.  Of three, step 1 stands above the others, as
        wide as both: three in a row could not be read in a notebook.
        """
        if len(self.views) == 1:
            return self._scene(self.views[0], words, is_tall=False)
        above = self.views.index("local") if len(self.views) > 2 and "local" in self.views else -1
        rest = [view for number, view in enumerate(self.views) if number != above]
        rows = [[self._scene(view, words, is_tall=True) for view in rest]]
        if above >= 0:
            rows.insert(0, [self._scene("local", words, is_tall=False)])
        return beside.join(rows)

    def _scene(self, view: str, words: Words, *, is_tall: bool) -> Scene:
        if view == "local":
            return local.paint(self.snapshot, words, local.TALL if is_tall else local.WIDE)
        place = tall.place if is_tall else wide.place
        if view == "onprem":
            return frame.paint(onprem.plan(self.snapshot, words), place)
        return frame.paint(aws.plan(self.snapshot, words, self._remarks(words)), place)

    def _remarks(self, words: Words) -> Remarks | None:
        if self.since is not None:
            return compare.since(self.since, self.snapshot, words)
        return compare.against_goal(self.snapshot) if self.goal else None
