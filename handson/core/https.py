"""HTTPS beside the AWS API: the registry, the configurations of images, and public keys.

`open_session` trusts what AWS's own tools trust: the certificates of `AWS_CA_BUNDLE` or of the
profile's `ca_bundle`, else the usual ones.  It goes through `HTTPS_PROXY` but for `NO_PROXY`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handson.core.errors import NotReady
from handson.core.waiting import make_pause

if TYPE_CHECKING:
    import requests

BUSY = {429, 500, 502, 503, 504}
"""The statuses of a server that may answer a moment later."""

_LOOPBACK = ("127.", "localhost", "[::1]")
_LONGEST_PAUSE = 30.0
_BLOCK = 1 << 20
# Methods that may be repeated after a cut.  A blob's bytes (PATCH) go to an address that works only
# once, so their sender begins a new upload.
_REPEATABLE = {"HEAD", "GET", "POST", "PUT"}


def open_session(
    bundle: str | None = None,
    *,
    is_local: bool = False,
    adapter: Any = None,
    sleep: Callable[[float], None] = time.sleep,
) -> requests.Session:
    """Return a session that asks a busy server five times in 15 seconds, a local one in three.

    `Retry-After` counts up to 30 seconds.  Connections that fail are tried three times in a second.
    Closing the session ends its pauses, in other threads too.

    Args:
        bundle: The file of certificates that AWS's settings name, if any.
        is_local: The server is on this computer, so no proxy leads to it.
        adapter: An adapter in place of the network, for http addresses.
        sleep: Pauses for a number of seconds.
    """
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    closed = threading.Event()
    pause = make_pause(sleep, closed)

    class Session(requests.Session):
        def merge_environment_settings(
            self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
        ) -> Any:
            # requests would let REQUESTS_CA_BUNDLE win over the session's own `verify`.
            return super().merge_environment_settings(url, proxies, stream, bundle or verify, cert)

        def close(self) -> None:
            closed.set()
            super().close()

    class Patience(Retry):
        def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
            return status_code in BUSY

        def sleep(self, response: Any = None) -> None:
            asked = None if response is None else self.get_retry_after(response)
            first = 0.1 if is_local or response is None else 0.5
            doubled: float = first * 2 ** len(self.history)
            pause(min(doubled if asked is None else asked, _LONGEST_PAUSE))

    session = Session()
    session.trust_env = not is_local
    retries = Patience(
        None, connect=2, read=2, other=2, status=4, allowed_methods=_REPEATABLE,
        raise_on_status=False,
    )  # fmt: skip
    network = HTTPAdapter(max_retries=retries)
    network.poolmanager.connection_pool_kw["blocksize"] = _BLOCK
    session.mount("http://", adapter or network)
    session.mount("https://", network)
    return session


def is_on_loopback(address: str) -> bool:
    """Tell whether an address, or a host with its port, is on this computer."""
    return address.rpartition("//")[2].startswith(_LOOPBACK)


def find_cause(error: BaseException) -> BaseException:
    """Return the innermost cause of a failure; the outer ones quote the address, perhaps signed."""
    while True:
        named = getattr(error, "kwargs", {}).get("error")  # botocore's
        others = (named, getattr(error, "reason", None), *error.args, error.__cause__)
        inner = next((it for it in others if isinstance(it, BaseException)), None)
        if inner is None:
            return error
        error = inner


def explain_untrusted(error: BaseException, host: str) -> NotReady | None:
    """Return the error for a certificate that is not trusted here, or None for another failure."""
    cause = find_cause(error)
    # OpenSSL's FileNotFoundError is about the file of certificates, and does not name it.
    if not isinstance(cause, FileNotFoundError) and "certificate" not in str(cause).lower():
        return None
    reason = getattr(cause, "verify_message", "") or str(cause)
    return NotReady.from_key("core.https.untrusted", host=host, reason=reason)
