"""An AWS container workshop: from one computer to Amazon VPC, ECS and ECR.

    import handson

    workshop = handson.start()

`start` returns the `Workshop` that the notebooks work with.  Every error is a `HandsonError` with a
problem and a remedy.  Importing this package loads nothing heavy: a name loads its wing at its
first use.
"""

from __future__ import annotations

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

_WINGS = {"start": "notebook.workshop", "Workshop": "notebook.workshop", "widgets": "notebook"}


def __getattr__(name: str) -> object:
    """Load a public name from its wing at its first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from handson.core.late import load_to_stay

    with load_to_stay():
        # As `from wing import name` does, which may be a module.
        wing = __import__(f"handson.{_WINGS.get(name, 'core.errors')}", fromlist=[name])
    globals()[name] = getattr(wing, name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
