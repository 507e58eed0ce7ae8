"""What a registry or an engine says when it refuses, recognised and answered.

The wording differs between ECR, docker's versions, Podman and emulators, so it is matched loosely.
"""

from __future__ import annotations

import errno
import http.client
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from handson.core import messages
from handson.core.errors import EngineError, HandsonError, InvalidInput, NotAllowed, NotReady
from handson.course import policy
from handson.engine.model import Destination


class Unreachable(NotReady):
    """Nothing answers at the registry's address, as seen from whoever tried."""


# The first that fits is the answer: an immutable tag, for one, also comes with "400".
_KINDS: tuple[tuple[str, str, type[HandsonError]], ...] = (
    ("token-expired", r"token has expired|expired ?token", NotAllowed),
    ("tag-immutable", r"immutable|cannot be overwritten", EngineError),
    ("no-repository", r"name.unknown|repository with name", NotReady),
    ("credential-store", r"credentials? store|ing credentials|docker-credential-", EngineError),
    ("token-region", r"400 bad request|status(?: ?code)?:? 400|http 400 response", NotAllowed),
    ("no-credentials", r"no basic auth|unauthorized|denied|\b40[13]\b", NotAllowed),
    (
        "unreachable",
        r"connection refused|no such host|no route to host|network is unreachable|i/o timeout"
        r"|cannot connect|handshake timeout|waiting for connection|http response to https client",
        Unreachable,
    ),
    ("cut", r"connection reset|broken pipe|\beof\b|closed network connection", EngineError),
    ("engine-full", r"no space left", EngineError),
)


def refusal(reason: str, destination: Destination) -> HandsonError:
    """Return the error that answers a registry's or an engine's `reason` for refusing a push."""
    said = reason.lower()
    values = {
        "registry": destination.registry,
        "repository": destination.repository,
        "reason": " ".join(reason.split()),
    }
    lacking = re.findall(r"not authorized to perform: (ecr:\w+)", reason, re.IGNORECASE)
    if lacking:
        return policy.denied(lacking[:1])
    for key, signs, kind in _KINDS:
        if re.search(signs, said):
            return kind(*messages.advice(f"engine.{key}", **values))
    return EngineError(*messages.advice("engine.push-refused", **values))


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what docker's library raises into ours."""
    import requests
    from docker import errors

    try:
        yield
    except HandsonError:
        raise
    except errors.DockerException as error:
        raise _failed("engine.engine-refused", error) from error
    except (
        requests.exceptions.RequestException,
        http.client.HTTPException,  # an answer that is read as it comes breaks off with this one
        json.JSONDecodeError,
    ) as error:
        raise _failed("engine.engine-broke-off", error) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            # The library gathers the build context in a temporary file on this side.
            folder = error.filename or tempfile.gettempdir()
            raise NotReady(*messages.advice("engine.disk-full", folder=folder)) from error
        raise _failed("engine.engine-broke-off", error) from error


def _failed(key: str, error: Exception) -> HandsonError:
    reason = " ".join(str(getattr(error, "explanation", None) or error).split())
    if key == "engine.engine-refused" and "no space left" in reason:
        key = "engine.engine-full"
    kind = InvalidInput if "dockerfile parse error" in reason.lower() else EngineError
    return kind(*messages.advice(key, reason=reason))
