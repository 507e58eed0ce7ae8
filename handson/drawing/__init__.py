"""Pictures of the workshop's state, and learners' own diagrams.

``draw(snapshot)`` returns a `Picture` of the architecture that the snapshot describes.  The same
snapshot gives the same bytes.  `views` plans and paints a scene, `svg` writes it.

`Diagram` is the one of the `diagrams` package, but draws in this process and shows itself below the
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

import difflib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from handson.core import errors, messages
from handson.course.exercise import Exercise
from handson.course.state import Drawing, Snapshot
from handson.drawing.picture import Picture

if TYPE_CHECKING:
    from handson.drawing.diagram import Diagram as Diagram

__all__ = ["VIEWS", "Diagram", "Picture", "check_views", "describe_last_diagram", "draw"]

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
    from handson.drawing.views import Composition, draw_composition

    views = check_views(view)
    if since is not None and goal:
        raise errors.InvalidInput(*messages.advice("drawing.one-comparison"))
    return draw_composition(Composition(snapshot, exercise, views, since, goal))


def check_views(view: str | Sequence[str]) -> tuple[str, ...]:
    """Return the views that a caller asks for.

    Raises:
        InvalidInput: One of them is unknown, or there are none.
    """
    views = (view,) if isinstance(view, str) else tuple(view)
    for each in views or ("",):
        if each not in VIEWS:
            near = difflib.get_close_matches(str(each), VIEWS, n=1) or [VIEWS[0]]
            choices = ", ".join(VIEWS)
            advice = messages.advice("drawing.view", view=each, choices=choices, near=near[0])
            raise errors.InvalidInput(*advice)
    return views


def describe_last_diagram() -> Drawing | None:
    """Return what the last `Diagram` of this process shows, or None where there is none."""
    module = sys.modules.get("handson.drawing.diagram")
    diagram = module.last_diagram() if module else None
    return diagram.describe() if diagram else None


def __getattr__(name: str) -> Any:
    """Load `Diagram` at its first use, because its base class is in `diagrams`."""
    if name == "Diagram":
        from handson.drawing.diagram import Diagram

        return Diagram
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
