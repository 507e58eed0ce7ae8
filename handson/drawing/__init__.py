"""Pictures of the workshop's state, and learners' own diagrams.

``draw(snapshot)`` returns a `Picture` of the architecture that the snapshot describes.  The same
snapshot gives the same bytes.  A `plan` of the parts is laid out by a `composition` as a `scene`,
which writes itself as SVG.

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

import sys
from typing import TYPE_CHECKING, Any

from handson.course.state import Drawing
from handson.drawing.picture import Picture
from handson.drawing.views import VIEWS, check_views, draw

if TYPE_CHECKING:
    from handson.drawing.diagram import Diagram as Diagram

__all__ = ["VIEWS", "Diagram", "Picture", "check_views", "describe_last_diagram", "draw"]


def describe_last_diagram() -> Drawing | None:
    """Return what the last `Diagram` of this process shows, or None where there is none."""
    module = sys.modules.get("handson.drawing.diagram")
    latest = module.Diagram.latest if module else None
    return latest.describe() if latest else None


def __getattr__(name: str) -> Any:
    """Load `Diagram` at its first use, because its base class is in `diagrams`."""
    if name == "Diagram":
        from handson.drawing.diagram import Diagram

        return Diagram
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
