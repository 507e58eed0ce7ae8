"""What can go wrong with a call: boto3's errors as ours, and calls that are written wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from handson.core import messages
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

_MOST = 12
_USUAL_SERVICES = ("ec2", "ecs", "ecr")
_UNKNOWN_PARAMETER = re.compile(
    r'Unknown parameter in (?P<place>.*?): "(?P<name>.*)", must be one of: (?P<choices>.*)'
)
_MISSING_PARAMETER = re.compile(r'Missing required parameter in (?P<place>.*?): "(?P<name>.*)"')
_WRONG_TYPE = re.compile(
    r"Invalid type for parameter (?P<name>\S+), value: .*, type: <class '(?P<kind>.*)'>, valid "
    r"types: <class '(?P<wanted>str|list|dict|int|bool)'>.*"
)


@contextmanager
def translate_errors(service: str, operation: str, *, endpoint: str | None) -> Iterator[None]:
    """Turn botocore's errors into ours, chained; other errors pass through.

    The block may also look up fields of a reply: a KeyError means that AWS did not answer.
    """
    from botocore import exceptions as botocore
    from botocore.parsers import ResponseParserError

    advice = messages.advice
    where = endpoint or "AWS"
    call = f"{service}:{operation}"
    try:
        yield
    except botocore.ClientError as error:
        refused = _translate_reply(error, call=call, operation=operation, where=where)
        # AWS's message on refused credentials can quote the request, with the session token in it.
        raise refused from None if refused.code in REFUSED_CREDENTIALS else error
    except (botocore.EndpointConnectionError, botocore.ConnectTimeoutError) as error:
        sentences = advice("aws.unreachable", where=where, call=call)
        raise AWSError(*sentences, repeatable=True) from error
    except botocore.ConnectionError as error:  # TLS, or a proxy on the way
        sentences = advice("aws.unreachable", where=where, call=call)
        raise _broken_off(operation, sentences) from error
    except botocore.ReadTimeoutError as error:
        raise _broken_off(operation, advice("aws.silent", where=where, call=call)) from error
    except botocore.HTTPClientError as error:
        raise _broken_off(operation, advice("aws.broke-off", where=where, call=call)) from error
    except (ResponseParserError, KeyError) as error:
        # botocore takes any XML for a reply: a web page then lacks GetCallerIdentityResult.
        raise _broken_off(operation, advice("aws.not-of-aws", where=where, call=call)) from error
    except _credential_errors() as error:
        raise NotAllowed(*advice("aws.no-credentials", reason=type(error).__name__)) from error
    except botocore.UnknownServiceError as error:
        raise refuse_service(service) from error
    except botocore.ParamValidationError as error:
        explained = explain_parameters(call, str(error.kwargs.get("report", "")))
        sentences = advice("aws.refused", call=call, reason=_one_line(error))
        raise explained or AWSError(*sentences, code="ValidationError") from error


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
    return InvalidInput(*messages.advice("aws.unnamed", values=listed, usage=usage))


def refuse_service(service: object) -> InvalidInput:
    """Return the refusal of an unknown service; it proposes the workshop's services."""
    near = find_nearest(str(service), _USUAL_SERVICES)
    choices = ", ".join(f'"{name}"' for name in ([near] if near else _USUAL_SERVICES))
    advice = messages.advice("aws.no-service", service=quote(service), choices=choices)
    return InvalidInput(*advice)


def refuse_operation(service: str, operation: object, known: Collection[str]) -> InvalidInput:
    """Return the refusal of an operation that the service does not have."""
    values = {"service": service, "operation": quote(operation)}
    near = find_nearest(str(operation), sorted(known)) if operation else None
    if near:
        return InvalidInput(*messages.advice("aws.operation-near", near=near, **values))
    return InvalidInput(*messages.advice("aws.no-operation", **values))


def explain_parameters(call: str, report: str) -> InvalidInput | None:
    """Explain the first mistake in botocore's report on parameters, or return None.

    An unknown name comes first: a misspelled parameter is reported as missing as well.
    """
    for pattern, explain in _EXPLANATIONS:
        for line in report.splitlines():
            if found := pattern.fullmatch(line):
                return InvalidInput(*explain(call, **found.groupdict()))
    return None


def _unknown_parameter(call: str, place: str, name: str, choices: str) -> tuple[str, str]:
    names = choices.split(", ")
    where, near = _where(call, place), find_nearest(name, names)
    if near:
        return messages.advice("aws.parameter-near", where=where, name=name, near=near)
    listed = ", ".join(names[:_MOST]) + (", …" if len(names) > _MOST else "")
    return messages.advice("aws.parameter-unknown", where=where, name=name, choices=listed)


def _missing_parameter(call: str, place: str, name: str) -> tuple[str, str]:
    return messages.advice("aws.parameter-missing", where=_where(call, place), name=name)


def _wrong_type(call: str, name: str, kind: str, wanted: str) -> tuple[str, str]:
    example = messages.label("aws.example", wanted)
    return messages.advice("aws.parameter-type", where=call, name=name, kind=kind, wanted=example)


_EXPLANATIONS: tuple[tuple[re.Pattern[str], Callable[..., tuple[str, str]]], ...] = (
    (_UNKNOWN_PARAMETER, _unknown_parameter),
    (_MISSING_PARAMETER, _missing_parameter),
    (_WRONG_TYPE, _wrong_type),
)


def _where(call: str, place: str) -> str:
    return call if place == "input" else f"{call} ({place})"


def _credential_errors() -> tuple[type[Exception], ...]:
    from botocore import exceptions as botocore

    return (
        botocore.NoCredentialsError,
        botocore.PartialCredentialsError,
        botocore.CredentialRetrievalError,
        botocore.MetadataRetrievalError,
        botocore.ProfileNotFound,
        botocore.InvalidConfigError,
        botocore.InfiniteLoopConfigError,
        botocore.ConfigParseError,
        botocore.RefreshWithMFAUnsupportedError,
        botocore.SSOError,
        botocore.TokenRetrievalError,
        botocore.NoAuthTokenError,
    )


def _translate_reply(error: Any, *, call: str, operation: str, where: str) -> HandsonError:
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reason = _one_line(error.response.get("Error", {}).get("Message", "")) or code
    if code in EXPIRED:
        return NotAllowed(*messages.advice("aws.expired"), code=code)
    if code in REFUSED_CREDENTIALS or status == 401:
        return NotAllowed(*messages.advice("aws.credentials-refused"), code=code)
    if code in DENIED or status == 403:
        actions = _find_action(reason) or [policy.name_action(*call.split(":"))]
        return policy.explain_denial(actions, code=code)
    if code in THROTTLED or status == 429:
        return AWSError(*messages.advice("aws.throttled", call=call), code=code, repeatable=True)
    if status >= 500:
        return _broken_off(operation, messages.advice("aws.failed", call=call), code=code)
    if code in ("Unknown", str(status)) and reason in (code, "Unknown"):  # botocore's own words
        return AWSError(*messages.advice("aws.not-of-aws", call=call, where=where))
    sentences = messages.advice("aws.refused", call=call, reason=reason)
    return AWSError(*sentences, code=code, reason=reason)


def _find_action(reason: str) -> list[str]:
    """Return the IAM action in AWS's message, which may differ from that of the call.

    CreateVpc with tags is refused for ec2:CreateTags.  The rest of the message is not used.
    """
    return re.findall(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)", reason)[:1]


def _broken_off(operation: str, sentences: tuple[str, str], *, code: str | None = None) -> AWSError:
    if operation.startswith((*READS, *DELETIONS)):
        return AWSError(*sentences, code=code, repeatable=True)
    return AWSUnclear(*sentences, code=code)


def _one_line(reason: object) -> str:
    """Return a message of AWS or botocore on one line."""
    return " ".join(str(reason).split())
