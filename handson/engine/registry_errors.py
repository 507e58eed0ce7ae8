"""Explains why a registry, or an engine on its way there, refused a push.

The wording differs between ECR, docker's versions, Podman and emulators, so it is matched loosely.
"""

from __future__ import annotations

import re

from handson.core import messages
from handson.core.errors import EngineError, HandsonError, NotAllowed, NotReady
from handson.course import policy
from handson.engine.model import Destination


class Unreachable(NotReady):
    """Nothing answers at the registry's address, seen from this process or from the engine."""


# The first that fits is the answer: an immutable tag, for one, also comes with "400".
_KINDS: tuple[tuple[str, str, type[HandsonError]], ...] = (
    ("engine.token-expired", r"token has expired|expired ?token", NotAllowed),
    ("engine.tag-immutable", r"immutable|cannot be overwritten", EngineError),
    ("engine.no-repository", r"name.unknown|repository with name", NotReady),
    (
        "engine.credential-store",
        r"credentials? store|ing credentials|docker-cred",
        EngineError,
    ),
    (
        "engine.token-region",
        r"400 bad request|status(?: ?code)?:? 400|http 400 resp",
        NotAllowed,
    ),
    ("engine.no-credentials", r"no basic auth|unauthorized|denied|\b40[13]\b", NotAllowed),
    (
        "engine.unreachable",
        r"connection refused|no such host|no route to host|network is unreachable|i/o timeout"
        r"|cannot connect|handshake timeout|waiting for connection|http response to https client",
        Unreachable,
    ),
    ("engine.cut", r"connection reset|broken pipe|\beof\b|closed network connection", EngineError),
    ("engine.engine-full", r"no space left", EngineError),
)


def explain_refusal(reason: str, destination: Destination) -> HandsonError:
    """Return the error for the `reason` that a registry or an engine gives for refusing a push."""
    text = reason.lower()
    values = {
        "registry": destination.registry,
        "repository": destination.repository,
        "reason": " ".join(reason.split()),
    }
    lacking = re.findall(r"not authorized to perform: (ecr:\w+)", reason, re.IGNORECASE)
    if lacking:
        return policy.explain_denial(lacking[:1])
    for key, signs, kind in _KINDS:
        if re.search(signs, text):
            return kind(*messages.advice(key, **values))
    return EngineError(*messages.advice("engine.push-refused", **values))
