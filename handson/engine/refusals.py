"""What a registry or an engine says when it refuses a push, recognised and answered.

The wording differs between ECR, docker's versions and emulators, so it is matched loosely.
"""

from __future__ import annotations

import re

from handson import messages
from handson.engine.model import Destination
from handson.errors import EngineError, HandsonError, NotAllowed, NotReady

_KINDS: tuple[tuple[str, str, type[HandsonError]], ...] = (
    ("token-expired", r"token has expired", NotAllowed),
    ("tag-immutable", r"immutable", EngineError),
    ("no-repository", r"name.unknown|repository with name", NotReady),
    ("no-credentials", r"no basic auth|unauthorized|denied|\b40[13]\b", NotAllowed),
    (
        "unreachable",
        r"connection refused|no such host|no route to host|i/o timeout|cannot connect",
        NotReady,
    ),
    ("cut", r"connection reset|broken pipe|\beof\b", EngineError),
)


def refusal(reason: str, destination: Destination) -> HandsonError:
    """Return the error that answers a registry's or an engine's `reason` for refusing a push."""
    said = reason.lower()
    values = {
        "registry": destination.registry,
        "repository": destination.repository,
        "reason": " ".join(reason.split()),
    }
    for key, signs, kind in _KINDS:
        if re.search(signs, said):
            return kind(*messages.advice(f"engine.{key}", **values))
    return EngineError(*messages.advice("engine.push-refused", **values))
