"""HTTPS beside the AWS API: whom it trusts, which way it goes, how long it waits."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import botocore.exceptions as botocore
import pytest
import requests

from handson.core import https, messages
from tests.servers import Answering, listening

ANSWERS: list[tuple[int, str]] = []
"""The status and Retry-After of the next answers; then 200."""


class Handler(Answering):
    def do_PATCH(self) -> None:
        status, after = ANSWERS.pop(0) if ANSWERS else (200, "")
        self.answer(status, headers={"Retry-After": after} if after else {})


@pytest.fixture
def address() -> Iterator[str]:
    with listening(Handler) as host:
        yield f"http://{host}/"


def ask(address: str, *answers: tuple[int, str], is_local: bool = False) -> tuple[int, float]:
    """Return the status of a request that gets these answers, and the seconds it pauses for."""
    ANSWERS[:] = answers
    parts: list[float] = []
    with https.open_session(is_local=is_local, sleep=parts.append) as session:
        return session.patch(address, timeout=5).status_code, sum(parts)


def test_a_busy_server_is_asked_five_times_in_fifteen_seconds_or_as_it_wishes(address: str) -> None:
    for status in https.BUSY:
        assert ask(address, (status, "")) == (200, 1)
        assert ask(address, *[(status, "")] * 4) == (200, 1 + 2 + 4 + 8)
        assert ask(address, *[(status, "")] * 5) == (status, 15)
    assert ask(address, (429, "0"), (503, "7"), (429, "3600")) == (200, 7 + 30)
    assert ask(address, (403, "1")) == (403, 0)
    assert ask(address, *[(503, "")] * 4, is_local=True) == (200, pytest.approx(3))


def test_a_session_that_is_closed_pauses_no_longer(address: str) -> None:
    ANSWERS[:] = [(503, "30")]
    session = https.open_session(is_local=True)
    session.close()
    with pytest.raises(requests.ConnectionError):
        session.patch(address, timeout=5)


def test_it_trusts_the_bundle_of_aws_first_and_takes_the_proxy_but_where_it_must_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/requests.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", "near.example")

    def way(url: str, bundle: str | None = None, **options: Any) -> tuple[Any, Any]:
        session = https.open_session(bundle, **options)
        found = session.merge_environment_settings(url, {}, None, None, None)
        return found["verify"], found["proxies"].get("https")

    assert way("https://far.example", "/aws.pem") == ("/aws.pem", "http://proxy:1")
    assert way("https://far.example") == ("/requests.pem", "http://proxy:1")
    assert way("https://near.example", "/aws.pem") == ("/aws.pem", None)
    assert way("https://127.0.0.1:1", is_local=True) == (True, None)


def test_a_certificate_that_is_not_trusted_is_told_with_its_host_and_what_to_set() -> None:
    messages.use("en")
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_message = "unable to get local issuer certificate"
    signed = "Max retries exceeded with url: /x?X-Amz-Signature=secret"
    untrusted = [
        requests.exceptions.SSLError(Exception(signed, refused)),
        botocore.SSLError(endpoint_url="https://s3.example/?secret", error=refused),
        OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /x.pem"),
        botocore.SSLError(endpoint_url="https://s3.example", error=FileNotFoundError(2, "none")),
    ]
    for error in untrusted:
        told = https.explain_untrusted(error, "s3.example")
        assert told
        assert told.problem.startswith("The certificate of s3.example cannot be verified: ")
        assert ("AWS_CA_BUNDLE" in told.remedy, "secret" in str(told)) == (True, False)
    assert https.explain_untrusted(ssl.SSLEOFError("cut"), "s3.example") is None
