"""Pictures of the workshop's state, and learners' own diagrams.

``draw(snapshot)`` returns a `Picture` of the architecture that the snapshot describes.  The same
snapshot gives the same bytes.  A `plan` of the parts is laid out and painted by a `frame`: it is a
`scene`, which writes itself as SVG.

`Diagram` is a subclass of `diagrams.Diagram` that draws in this process and shows itself below the
cell, instead of calling a program and leaving files behind::

    from diagrams import Cluster
    from diagrams.aws.compute import ECR, Fargate
    from diagrams.onprem.container import Docker
    from handson.drawing import Diagram

    with Diagram("ECS") as diagram:
        image = Docker("rails-app")
        with Cluster("AWS"):
            image >> ECR("rails-app") >> Fargate("ecs-handson-cluster")

Only a `Diagram` loads `diagrams` and Graphviz.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from handson.core import errors, messages
from handson.core.text import check_choice
from handson.course.exercise import Exercise
from handson.course.goal import describe_goal
from handson.course.state import Drawing, Snapshot
from handson.drawing.aws_picture import plan_aws
from handson.drawing.compare import Comparison, Selection, compare_snapshots, compare_with_goal
from handson.drawing.frame import compose
from handson.drawing.local_picture import paint_local
from handson.drawing.onprem_picture import plan_onprem
from handson.drawing.plan import COUNT, Mark
from handson.drawing.scene import QUIET, Label, Scene, join_scenes
from handson.drawing.svg_document import Picture as Picture

if TYPE_CHECKING:
    from handson.drawing.diagram import Diagram as Diagram

VIEWS = ("aws", "onprem", "local")
"""The live architecture, the same job on premises, and step 1 on one computer."""


def draw(
    snapshot: Snapshot,
    *,
    view: str | Sequence[str] = "aws",
    since: Snapshot | None = None,
    goal: bool = False,
    exercise: Exercise = Exercise(),
) -> Picture:
    """Draw a snapshot in the current language.

    A part that the snapshot lacks is drawn as a dashed outline that says so.

    Args:
        snapshot: The state of the target.
        view: One of `VIEWS`, or several, which are drawn side by side.
        since: An earlier look: changes since then are marked on the view "aws".
        goal: Mark on the view "aws" what is missing or wrong, and say why, as the checks do.
        exercise: The goal, whose VPC, cluster, repository and image are shown before others.

    Raises:
        InvalidInput: A view is unknown, or `since` and `goal` are both given.
    """
    views = check_views(view)
    if since is not None and goal:
        raise errors.InvalidInput.from_key("drawing.one-comparison")
    paint = partial(paint_views, snapshot, exercise, views, since=since, goal=goal)
    scene = paint()
    in_english = partial(_write_in_english, paint) if messages.language() == "ja" else None
    parts = tuple(Picture(it.write(), it.title, it.description) for it, _, _ in scene.inner)
    return Picture(scene.write(), scene.title, scene.description, in_english, parts)


def draw_counts(words: Mapping[str, str], exercise: Exercise = Exercise()) -> Picture:
    """Draw the finished exercise with words at its parts: how many of a class have them.

    Args:
        words: By part ("network", "gateway", "cluster", "repository", "image"), a few letters;
            other names are passed over.
        exercise: What is to be built.
    """
    marks = {part: Mark(COUNT, words=each) for part, each in words.items()}
    scene = compose(plan_aws(describe_goal(exercise), exercise, Comparison(COUNT, marks)))
    return Picture(scene.write(), scene.title, scene.description)


def check_views(view: str | Sequence[str]) -> tuple[str, ...]:
    """Return the views that a caller asks for.

    Raises:
        InvalidInput: One of them is unknown, or there are none.
    """
    views = (view,) if isinstance(view, str) else tuple(view)
    for each in views or ("",):
        check_choice("drawing.view", each, VIEWS)
    return views


def paint_views(
    snapshot: Snapshot,
    exercise: Exercise,
    views: Sequence[str],
    *,
    since: Snapshot | None = None,
    goal: bool = False,
) -> Scene:
    """Return the scene of some views in the language of this process.

    Each view is tall and narrow, so that it can be read in a narrow window.  Two stand side by
    side.  Of three, step 1 stands above the others: three in a row could not be read.
    """

    def paint(view: str) -> Scene:
        if view == "local":
            return paint_local(Selection(snapshot, exercise).short_name)
        if view == "onprem":
            return compose(plan_onprem(snapshot, exercise))
        comparison = Comparison()
        if since is not None:
            comparison = compare_snapshots(since, snapshot, exercise)
        elif goal:
            comparison = compare_with_goal(snapshot, exercise)
        return compose(plan_aws(snapshot, exercise, comparison))

    if len(views) == 1:
        return paint(views[0])
    rows = [list(views)]
    if len(views) > 2 and "local" in views:
        rows[0].remove("local")
        rows.insert(0, ["local"])
    return join_scenes([[paint(view) for view in row] for row in rows])


def _write_in_english(paint: partial[Scene]) -> str:
    """Return the document in English, with a line at its lower edge that says why."""
    language = messages.language()
    messages.use("en")
    try:
        scene = paint()
        why = Label(16, scene.height + 4, 11, colour=QUIET)
        scene.add_lines(why, messages.text("drawing.no-font"))
        scene.height += 16
        return scene.write()
    finally:
        messages.use(language)


def translate(words: str) -> str:
    """Return English words of the workshop's pictures in the current language, others as they are.

    The code of both editions is the same; with this, a diagram in it is in the edition's language.
    """
    entries = messages.catalogue("drawing").values()
    known = {each["en"].casefold(): each[messages.language()] for each in entries}
    return known.get(words.casefold(), words)


def describe_last_diagram() -> Drawing:
    """Return what the last `Diagram` of this process shows.

    Raises:
        NotReady: None has been drawn, or the last one broke off.
    """
    module = sys.modules.get("handson.drawing.diagram")
    if not module or not module.Diagram.latest:
        raise errors.NotReady.from_key("drawing.no-diagram")
    drawn: Drawing = module.Diagram.latest.describe()
    return drawn


def __getattr__(name: str) -> Any:
    """Load `Diagram` at its first use, because its base class is in `diagrams`."""
    if name == "Diagram":
        from handson.drawing.diagram import Diagram

        return Diagram
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
