"""An AWS container workshop: from one computer to Amazon VPC, ECS and ECR.

    import handson

    workshop = handson.start()

`start` returns the `Workshop` that the notebooks work with.  Every error is a `HandsonError` with a
problem and a remedy.  Importing this package loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from handson.core.errors import (
    AWSError,
    AWSUnclear,
    EngineError,
    HandsonError,
    InvalidInput,
    NotAllowed,
    NotReady,
    WaitTimeout,
)

if TYPE_CHECKING:
    from handson.notebook import widgets
    from handson.notebook.workshop import Workshop, start

__version__ = "0.1.0"

__all__ = [
    "AWSError",
    "AWSUnclear",
    "EngineError",
    "HandsonError",
    "InvalidInput",
    "NotAllowed",
    "NotReady",
    "WaitTimeout",
    "Workshop",
    "__version__",
    "start",
    "widgets",
]


def __getattr__(name: str) -> object:
    """Load a name that needs heavy libraries at its first use (PEP 562)."""
    if name == "widgets":
        return import_module("handson.notebook.widgets")
    if name in ("Workshop", "start"):
        return getattr(import_module("handson.notebook.workshop"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
