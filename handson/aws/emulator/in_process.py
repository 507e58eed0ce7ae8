"""An embedded AWS inside this Python: no second process, no port, no thread.

Its endpoint is only a name, at which nothing listens; the two clients of this library find what
answers behind it:

    botocore    `attach_session`, an answer to its event ``before-send``
    requests    `find_adapter`, an adapter to mount

It is for tests (`tests/emulator/in_process.py`), which copy and restore its state.  Elsewhere the
process of `emulator.ensure_running` is used, which outlives its kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import requests
    import urllib3


class Door(Protocol):
    """What answers in the place of a server at an endpoint."""

    endpoint: str

    def answer(
        self, method: str, url: str, headers: Mapping[str, Any], body: Any
    ) -> urllib3.HTTPResponse:
        """Answer one request; the body is bytes, text or a file."""


doors: list[Door] = []
"""Those that are open in this Python."""


def find_door(url: str) -> Door | None:
    """Return the door that a URL leads to, or None."""
    return next((it for it in doors if f"{url}/".startswith(f"{it.endpoint}/")), None)


def attach_session(session: Any) -> None:
    """Let an open door answer what a botocore session sends to it."""

    def answer(request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        found = find_door(request.url)
        if found is None:
            return None
        said = found.answer(request.method, request.url, request.headers, request.body)
        return AWSResponse(request.url, said.status, said.headers, said)

    # The last to be asked: what else listens may lead a request here, or elsewhere.
    session.get_component("event_emitter").register_last("before-send", answer)


def find_adapter(url: str) -> Any:
    """Return an adapter of requests to the open door that the URL leads to, if any."""
    found = find_door(url)
    if found is None:
        return None
    from requests.adapters import HTTPAdapter

    answer_request = found.answer

    class DoorAdapter(HTTPAdapter):
        def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
            said = answer_request(request.method, request.url, request.headers, request.body)
            return self.build_response(request, said)

    return DoorAdapter()
