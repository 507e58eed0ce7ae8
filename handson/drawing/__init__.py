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
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handson import errors, messages
from handson.drawing.picture import Picture
from handson.state import Snapshot

if TYPE_CHECKING:
    from handson.drawing.live import Diagram as Diagram
    from handson.drawing.scene import Scene
    from handson.drawing.words import Words

__all__ = ["VIEWS", "Diagram", "Picture", "draw"]

VIEWS = ("aws", "onprem", "local")
"""The live architecture, the same job on premises, and step 1 on one computer."""


def draw(snapshot: Snapshot, *, view: str = "aws") -> Picture:
    """Draw a snapshot in the current language.

    What the snapshot lacks is drawn as a dashed outline that says so.

    Args:
        snapshot: What was seen on the target.
        view: One of `VIEWS`.

    Raises:
        InvalidInput: There is no such view.
        NotReady: Nothing on this machine can draw; the remedy says what to install.
    """
    if view not in VIEWS:
        near = difflib.get_close_matches(str(view), VIEWS, n=1) or [VIEWS[0]]
        choices = ", ".join(VIEWS)
        advice = messages.advice("drawing.view", view=view, choices=choices, near=near[0])
        raise errors.InvalidInput(*advice)
    from handson.drawing import render

    return render.picture(_painter(view, snapshot), language=messages.language())


def _painter(view: str, snapshot: Snapshot) -> Callable[[Words], Scene]:
    """Return what paints the view of `snapshot` in the words of a language."""
    from handson.drawing import aws, frame, local, onprem

    if view == "local":
        return lambda words: local.paint(snapshot, words)
    plan = aws.plan if view == "aws" else onprem.plan
    return lambda words: frame.paint(plan(snapshot, words))


def __getattr__(name: str) -> Any:
    """Load `Diagram` when it is first asked for, because its base class is in `diagrams`."""
    if name == "Diagram":
        from handson.drawing.live import Diagram

        return Diagram
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
