"""What is there, as a picture: drawn with `diagrams`, in this process, without the `dot` program.

``draw(snapshot)`` returns a `Picture` of the architecture that the snapshot describes.  The same
snapshot gives the same bytes.

For a diagram of one's own, `Diagram` is the one of the `diagrams` package, but draws in this
process and shows itself below the cell, instead of calling a program and leaving files behind::

    from diagrams import Cluster
    from diagrams.aws.compute import ECR, Fargate
    from diagrams.onprem.container import Docker
    from handson.drawing import Diagram

    with Diagram("ECS") as diagram:
        image = Docker("rails-app")
        with Cluster("AWS"):
            image >> ECR("rails-app") >> Fargate("ecs-handson-cluster")

Neither `diagrams` nor Graphviz is loaded before the first picture.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from handson.core import errors, messages
from handson.course.state import Drawing, Snapshot
from handson.drawing.picture import Picture

if TYPE_CHECKING:
    from handson.drawing.live import Diagram as Diagram

__all__ = ["VIEWS", "Diagram", "Picture", "draw", "known_views", "last_drawn"]

VIEWS = ("aws", "onprem", "local")
"""The live architecture, the same job on premises, and step 1 on one computer."""


def draw(
    snapshot: Snapshot,
    *,
    view: str | Sequence[str] = "aws",
    since: Snapshot | None = None,
    goal: bool = False,
) -> Picture:
    """Draw a snapshot in the current language.

    What the snapshot lacks is drawn as a dashed outline that says so.

    Args:
        snapshot: What was seen on the target.
        view: One of `VIEWS`, or several, which are drawn side by side.
        since: An earlier look: what has changed since then is marked on the view "aws".
        goal: Mark on the view "aws" what is missing or wrong, and say why, as the checks do.

    Raises:
        InvalidInput: There is no such view, or `since` and `goal` are both asked for.
        NotReady: Nothing on this machine can draw; the remedy says what to install.
    """
    views = known_views(view)
    if since is not None and goal:
        raise errors.InvalidInput(*messages.advice("drawing.one-comparison"))
    from handson.drawing import render
    from handson.drawing.views import Asked

    asked = Asked(snapshot, views, since, goal)
    return render.picture(asked.paint, language=messages.language())


def known_views(view: str | Sequence[str]) -> tuple[str, ...]:
    """Return the views that were asked for.

    Raises:
        InvalidInput: One of them is unknown, or there is none.
    """
    asked = (view,) if isinstance(view, str) else tuple(view)
    for each in asked or ("",):
        if each not in VIEWS:
            near = difflib.get_close_matches(str(each), VIEWS, n=1) or [VIEWS[0]]
            choices = ", ".join(VIEWS)
            advice = messages.advice("drawing.view", view=each, choices=choices, near=near[0])
            raise errors.InvalidInput(*advice)
    return asked


def last_drawn() -> Drawing | None:
    """Return what the `Diagram` that this process drew last shows; None where there is none."""
    live = sys.modules.get("handson.drawing.live")
    diagram = live.finished() if live else None
    return diagram.describe() if diagram else None


def __getattr__(name: str) -> Any:
    """Load `Diagram` when it is first asked for, because its base class is in `diagrams`."""
    if name == "Diagram":
        from handson.drawing.live import Diagram

        return Diagram
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
