"""What can go wrong with a call: botocore's errors as ours, and calls that are written wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from handson.core import https, messages
from handson.core.errors import AWSError, AWSUnclear, HandsonError, InvalidInput, NotAllowed
from handson.core.files import read_data
from handson.core.text import find_nearest, list_briefly, quote
from handson.course import evidence

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_CLOCK = ("expired", "credentials-refused", "key-or-region")
"""What AWS also answers to a correct signature whose time is not AWS's."""
_TOLERATED = 240.0
"""Seconds that clocks may differ: AWS tolerates 300, and an answer takes some time."""
READS = ("Describe", "List", "Get", "BatchGet", "BatchCheck")
DELETIONS = ("Delete", "Deregister", "Detach", "Disassociate", "Stop")
"""Safe to repeat: the second one finds nothing, because AWS never reuses an id."""

# A message about refused credentials can quote the request.
_REQUEST = r"(?i)(?:AKIA|ASIA)[A-Z0-9]{12}|X-Amz-|Credential=|[\w/+=%-]{100}"

_NEVER_SENT = ("EndpointConnectionError", "ConnectTimeoutError")

_USUAL_SERVICES = ("ec2", "ecs", "ecr")


@cache
def read_names(table: str) -> dict[str, str]:
    """Return the names of sentences by what AWS or botocore raises, from errors.toml.

    Classes are named there and not imported, because botocore takes long to import.
    """
    named: dict[str, str] = read_data("handson.aws", "errors.toml")[table]
    return {raised: name for name, listed in named.items() for raised in listed.split()}


@contextmanager
def translate_errors(
    service: str,
    operation: str,
    *,
    endpoint: str | None,
    now: Callable[[], datetime] = evidence.now,
) -> Iterator[None]:
    """Turn botocore's errors into ours, chained; other errors pass through.

    The block may also look up fields of a reply: a KeyError means that AWS did not answer.

    Args:
        service: boto3's name of the service.
        operation: The API's name of the operation.
        endpoint: The URL that is called, or None for AWS's own.
        now: Returns this machine's time.
    """
    try:
        yield
    except Exception as error:
        translated = translate_error(error, service, operation, where=endpoint or "AWS", now=now)
        if translated is error:
            raise
        # AWS's message on refused credentials can quote the request, with the session token in it.
        raise translated from None if isinstance(translated, NotAllowed) else error


def has_code(error: AWSError, codes: Collection[str]) -> bool:
    """Tell whether AWS refused with one of the codes.

    Args:
        error: AWS's answer.
        codes: Error codes ("InvalidVpcID.NotFound"), or "code: words" if words of AWS's message
            have to match too.  Case does not count: EC2 writes both ...ID.NotFound and
            ...Id.NotFound.
    """
    seen = (error.code or "").casefold()
    reason = error.reason.casefold()
    pairs = (entry.casefold().partition(": ") for entry in codes)
    return any(seen == code and words in reason for code, _, words in pairs)


@contextmanager
def accept_codes(*codes: str) -> Iterator[None]:
    """End the block where AWS refuses with one of the codes, which `has_code` takes."""
    try:
        yield
    except AWSError as error:
        if not has_code(error, codes):
            raise


def refuse_unnamed(service: str, operation: str, values: Sequence[object]) -> InvalidInput:
    """Return the refusal of parameters given without names."""
    listed = list_briefly([*map(quote, values)])
    usage = f'workshop.aws.call("{service}", "{operation}", …=…)'
    return InvalidInput.from_key("aws.unnamed", values=listed, usage=usage)


def refuse_operation(service: str, operation: object, known: Collection[str]) -> InvalidInput:
    """Return the refusal of an operation that the service does not have."""
    near = find_nearest(str(operation), sorted(known)) if operation else None
    key = "aws.operation-near" if near else "aws.no-operation"
    return InvalidInput.from_key(key, service=service, operation=quote(operation), near=near)


def translate_error(
    error: Exception,
    service: str,
    operation: str,
    *,
    where: str,
    now: Callable[[], datetime] = evidence.now,
) -> Exception:
    """Return an error of botocore's as ours, or the same error if it is not botocore's."""
    call = f"{service}:{operation}"
    names = [kind.__name__ for kind in type(error).__mro__]
    if "ClientError" in names:
        return _translate_reply(getattr(error, "response", {}), call=call, where=where, now=now)
    if "UnknownServiceError" in names:
        return _refuse_service(service)
    if "ParamValidationError" in names:
        return _explain_parameters(call, str(error))
    # A handshake that fails sends nothing, so even a write did not take effect.
    if "SSLError" in names:
        host = urlsplit(str(vars(error)["kwargs"]["endpoint_url"])).netloc
        if untrusted := https.explain_untrusted(error, host):
            return untrusted
    found = next(filter(None, map(read_names("failure").get, names)), None)
    if found is None:
        return error
    values = {"where": where, "call": call, "reason": names[0]}
    if found == "proxy":
        proxy = urlsplit(str(getattr(error, "kwargs", {}).get("proxy_url")))
        values["proxy"] = proxy.netloc.rpartition("@")[2]  # without its password
        found = "proxy-login" if " 407 " in str(https.find_cause(error)) else found
    sentences = messages.advice_of("aws.failure", found, **values)
    if found in ("credentials-lost", "setting"):
        return NotAllowed(*sentences)
    if names[0] in _NEVER_SENT:
        return AWSError(*sentences, repeatable=True)
    return _broken_off(operation, sentences)


def _translate_reply(
    response: Mapping[str, Any], *, call: str, where: str, now: Callable[[], datetime]
) -> HandsonError:
    service, operation = call.split(":")
    answer, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code = str(answer.get("Code", "Unknown"))
    status = int(metadata.get("HTTPStatusCode", 0))
    reason = _one_line(answer.get("Message", "")) or code
    values = {"call": call, "where": where, "reason": _quote(reason) or code}
    found = "throttled" if status == 429 else read_names("answer").get(code)
    if found in _CLOCK and (drift := _measure_drift(metadata, reason, now())):
        return _explain_clock(drift, code=code)
    if found:
        sentences = messages.advice_of("aws.answer", found, **values)
        if found == "throttled":
            return AWSError(*sentences, code=code, repeatable=True)
        return NotAllowed(*sentences, code=code)
    if status < 500 and code in ("Unknown", str(status)):  # botocore's own words, for a web page
        return AWSError.from_key("aws.failure.not-of-aws", **values)
    # AWS's message may name another action than the call: CreateVpc with tags is refused for
    # ec2:CreateTags.
    named = re.findall(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)", reason)[:1]
    if code in DENIED or named:
        from handson.course import policy  # reading it takes time

        actions = named or [policy.name_action(service, operation)]
        return policy.explain_denial(actions, code=code, reasons=dict.fromkeys(actions, reason))
    if status >= 500:
        return _broken_off(operation, messages.advice("aws.failed", **values), code=code)
    if status in (401, 403):
        return NotAllowed.from_key("aws.refused", aws_code=code, **values)
    if re.search("LimitExceeded|QuotaExceeded", code):
        known = f"quota-of.{operation}" in messages.catalogue("aws")
        quota = messages.label("aws.quota-of", operation) if known else code
        sentences = messages.advice("aws.quota", quota=quota, **values)
    else:
        sentences = messages.advice("aws.refused", **values)
    return AWSError(*sentences, code=code, reason=reason)


def _measure_drift(metadata: Mapping[str, Any], reason: str, now: datetime) -> float:
    """Return the seconds by which AWS's clock is ahead; 0 if they are few or unknown.

    Where there is no date, the message may have the time of the signature, and at its end AWS's.
    """
    try:
        if date := metadata.get("HTTPHeaders", {}).get("date"):
            drift = (parsedate_to_datetime(date) - now).total_seconds()
        else:
            times = map(datetime.fromisoformat, re.findall(r"[0-9]{8}T[0-9]{6}Z", reason))
            signed, *_, answered = times
            drift = (answered - signed).total_seconds()
    except (TypeError, ValueError):
        return 0.0
    return drift if abs(drift) > _TOLERATED else 0.0


def _explain_clock(drift: float, *, code: str) -> NotAllowed:
    minutes = round(abs(drift) / 60)
    unit, count = ("hours", minutes // 60) if minutes >= 120 else ("minutes", minutes)
    size = messages.label("aws.clock", unit, count=count)
    key = "aws.clock-behind" if drift > 0 else "aws.clock-ahead"
    return NotAllowed.from_key(key, aws_code=code, size=size)


def _broken_off(operation: str, sentences: tuple[str, str], *, code: str | None = None) -> AWSError:
    if operation.startswith((*READS, *DELETIONS)):
        return AWSError(*sentences, code=code, repeatable=True)
    return AWSUnclear(*sentences, code=code)


def _refuse_service(service: str) -> InvalidInput:
    near = find_nearest(service, _USUAL_SERVICES)
    choices = ", ".join(f'"{name}"' for name in ([near] if near else _USUAL_SERVICES))
    return InvalidInput.from_key("aws.no-service", service=quote(service), choices=choices)


def _explain_parameters(call: str, report: str) -> HandsonError:
    """Return the first mistake in botocore's report on parameters."""
    for mistake, pattern in read_data("handson.aws", "errors.toml")["parameter"].items():
        if found := re.search(f"^{pattern}$", report, re.MULTILINE):
            values = {"place": "input", "choices": "", "wanted": "", **found.groupdict()}
            place, choices = values["place"], values["choices"].split(", ")
            values |= {"where": call if place == "input" else f"{call} ({place})"}
            values |= {"near": find_nearest(values["name"], choices) or ""}
            values |= {"choices": list_briefly(choices)}
            if values["wanted"]:
                values["wanted"] = messages.label("aws.example", values["wanted"])
            key = "near" if values["near"] else mistake
            return InvalidInput(*messages.advice_of("aws.parameter", key, **values))
    reason = _one_line(report)
    return AWSError.from_key("aws.refused", call=call, reason=reason, aws_code="ValidationError")


def _quote(reason: str) -> str:
    """Return AWS's sentence to repeat, or an empty string if it quotes a signed request."""
    sentence = reason.partition("Encoded authorization failure message")[0].strip()
    return "" if re.search(_REQUEST, sentence) else sentence


def _one_line(reason: object) -> str:
    """Return a message of AWS or botocore on one line."""
    return " ".join(str(reason).split())
