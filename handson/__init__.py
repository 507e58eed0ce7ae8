"""An AWS container workshop: from one computer to Amazon VPC, ECS and ECR.

    import handson

    workshop = handson.start()

`start` returns the `Workshop` that the notebooks work with.  Every error is a `HandsonError` with a
problem and a remedy.  Importing this package loads nothing heavy: a name loads its wing at its
first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_WINGS = {"start": "handson.notebook.workshop", "Workshop": "handson.notebook.workshop"}


def __getattr__(name: str) -> object:
    """Load a public name from its wing at its first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "widgets":
        value: object = import_module("handson.notebook.widgets")
    else:
        value = getattr(import_module(_WINGS.get(name, "handson.core.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
