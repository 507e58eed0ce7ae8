"""What can go wrong with a call: botocore's errors as ours, and calls that are written wrongly."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from handson.core import https, messages
from handson.core.errors import AWSError, AWSUnclear, HandsonError, InvalidInput, NotAllowed
from handson.core.text import find_nearest, quote
from handson.course import policy

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
REFUSED_CREDENTIALS = {
    "AuthFailure", "IncompleteSignature", "IncompleteSignatureException", "InvalidAccessKeyId",
    "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip
THROTTLED = {
    "EC2ThrottledException", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling",
    "ThrottlingException", "TooManyRequestsException",
}  # fmt: skip
READS = ("Describe", "List", "Get", "BatchGet", "BatchCheck")
DELETIONS = ("Delete", "Deregister", "Detach", "Disassociate", "Stop")
"""Safe to repeat: the second one finds nothing, because AWS never reuses an id."""

_CREDENTIALS = (
    "ConfigParseError", "CredentialRetrievalError", "InfiniteLoopConfigError", "InvalidConfigError",
    "MetadataRetrievalError", "NoAuthTokenError", "NoCredentialsError", "PartialCredentialsError",
    "ProfileNotFound", "RefreshWithMFAUnsupportedError", "SSOError", "TokenRetrievalError",
)  # fmt: skip
_SENTENCES = {
    **dict.fromkeys(_CREDENTIALS, "aws.no-credentials"),
    "EndpointConnectionError": "aws.unreachable",
    "ConnectTimeoutError": "aws.unreachable",
    "ConnectionError": "aws.unreachable",  # TLS, or a proxy on the way
    "ReadTimeoutError": "aws.silent",
    "HTTPClientError": "aws.broke-off",
    "ResponseParserError": "aws.not-of-aws",
    # botocore takes any XML for a reply: a web page then lacks GetCallerIdentityResult.
    "KeyError": "aws.not-of-aws",
}
"""The sentences by the name of an error's class, or of its nearest base; by name, because botocore
takes long to import."""
_NEVER_SENT = ("EndpointConnectionError", "ConnectTimeoutError")

_MOST = 12
_USUAL_SERVICES = ("ec2", "ecs", "ecr")
# A misspelled parameter is reported as missing as well, so unknown names come first.
_PARAMETER_MISTAKES = (
    r'Unknown parameter in (?P<place>.*?): "(?P<name>.*)", must be one of: (?P<choices>.*)',
    r'Missing required parameter in (?P<place>.*?): "(?P<name>.*)"',
    r"Invalid type for parameter (?P<name>\S+), value: .*, type: <class '(?P<kind>.*)'>, valid "
    r"types: <class '(?P<wanted>str|list|dict|int|bool)'>.*",
)


@contextmanager
def translate_errors(service: str, operation: str, *, endpoint: str | None) -> Iterator[None]:
    """Turn botocore's errors into ours, chained; other errors pass through.

    The block may also look up fields of a reply: a KeyError means that AWS did not answer.
    """
    try:
        yield
    except Exception as error:
        translated = _translate(error, service, operation, where=endpoint or "AWS")
        if translated is None:
            raise
        # AWS's message on refused credentials can quote the request, with the session token in it.
        raise translated from None if translated.code in REFUSED_CREDENTIALS else error


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


def refuse_unnamed(service: str, operation: str, values: Sequence[object]) -> InvalidInput:
    """Return the refusal of parameters given without names."""
    listed = ", ".join(map(quote, values[:_MOST]))
    usage = f'workshop.aws.call("{service}", "{operation}", …=…)'
    return InvalidInput.from_key("aws.unnamed", values=listed, usage=usage)


def refuse_operation(service: str, operation: object, known: Collection[str]) -> InvalidInput:
    """Return the refusal of an operation that the service does not have."""
    near = find_nearest(str(operation), sorted(known)) if operation else None
    key = "aws.operation-near" if near else "aws.no-operation"
    return InvalidInput.from_key(key, service=service, operation=quote(operation), near=near)


def _translate(
    error: Exception, service: str, operation: str, *, where: str
) -> HandsonError | None:
    """Return an error of botocore's as ours, or None for an error that is not botocore's."""
    call = f"{service}:{operation}"
    names = [kind.__name__ for kind in type(error).__mro__]
    if "ClientError" in names:
        return _translate_reply(error, call=call, operation=operation, where=where)
    if "UnknownServiceError" in names:
        return _refuse_service(service)
    if "ParamValidationError" in names:
        return _explain_parameters(call, str(error))
    # A handshake that fails sends nothing, so even a write did not take effect.
    if "SSLError" in names:
        host = urlsplit(str(vars(error)["kwargs"]["endpoint_url"])).netloc
        if untrusted := https.explain_untrusted(error, host):
            return untrusted
    key = next((_SENTENCES[name] for name in names if name in _SENTENCES), None)
    if key is None:
        return None
    sentences = messages.advice(key, where=where, call=call, reason=names[0])
    if key == "aws.no-credentials":
        return NotAllowed(*sentences)
    if names[0] in _NEVER_SENT:
        return AWSError(*sentences, repeatable=True)
    return _broken_off(operation, sentences)


def _translate_reply(error: Any, *, call: str, operation: str, where: str) -> HandsonError:
    answer = error.response.get("Error", {})
    code = str(answer.get("Code", "Unknown"))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reason = _one_line(answer.get("Message", "")) or code
    if code in EXPIRED:
        return NotAllowed.from_key("aws.expired", aws_code=code)
    if code in REFUSED_CREDENTIALS or status == 401:
        return NotAllowed.from_key("aws.credentials-refused", aws_code=code)
    if code in DENIED or status == 403:
        # AWS's message may name another action than the call: CreateVpc with tags is refused for
        # ec2:CreateTags.  The rest of the message is not used.
        named = re.findall(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)", reason)[:1]
        return policy.explain_denial(named or [policy.name_action(*call.split(":"))], code=code)
    if code in THROTTLED or status == 429:
        return AWSError(*messages.advice("aws.throttled", call=call), code=code, repeatable=True)
    if status >= 500:
        return _broken_off(operation, messages.advice("aws.failed", call=call), code=code)
    if code in ("Unknown", str(status)) and reason in (code, "Unknown"):  # botocore's own words
        return AWSError.from_key("aws.not-of-aws", call=call, where=where)
    return AWSError(
        *messages.advice("aws.refused", call=call, reason=reason), code=code, reason=reason
    )


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
    for pattern in _PARAMETER_MISTAKES:
        if found := re.search(f"^{pattern}$", report, re.MULTILINE):
            return InvalidInput(*_explain_parameter(call, **found.groupdict()))
    return AWSError.from_key(
        "aws.refused", call=call, reason=_one_line(report), aws_code="ValidationError"
    )


def _explain_parameter(
    call: str, name: str, place: str = "input", choices: str = "", kind: str = "", wanted: str = ""
) -> tuple[str, str]:
    values = {"where": call if place == "input" else f"{call} ({place})", "name": name}
    if wanted:
        example = messages.label("aws.example", wanted)
        return messages.advice("aws.parameter-type", kind=kind, wanted=example, **values)
    if not choices:
        return messages.advice("aws.parameter-missing", **values)
    names = choices.split(", ")
    if near := find_nearest(name, names):
        return messages.advice("aws.parameter-near", near=near, **values)
    listed = ", ".join(names[:_MOST]) + (", …" if len(names) > _MOST else "")
    return messages.advice("aws.parameter-unknown", choices=listed, **values)


def _one_line(reason: object) -> str:
    """Return a message of AWS or botocore on one line."""
    return " ".join(str(reason).split())
