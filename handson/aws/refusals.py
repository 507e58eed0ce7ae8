"""What can go wrong with a call, turned from boto3's errors into ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from handson.aws import slips
from handson.core import messages
from handson.core.errors import AWSError, AWSUnclear, HandsonError, NotAllowed
from handson.course import policy

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
REFUSED_CREDENTIALS = {
    "AuthFailure",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
THROTTLED = {
    "EC2ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
READS = ("Describe", "List", "Get", "BatchGet", "BatchCheck")
DELETIONS = ("Delete", "Deregister", "Detach", "Disassociate", "Stop")
"""Made twice, they find nothing the second time; ids are never given again."""


@contextmanager
def translated(service: str, operation: str, *, endpoint: str | None) -> Iterator[None]:
    """Turn botocore's errors into ours, chained; let the unknown through.

    What a reply lacks may be looked up in here, too: a KeyError says that it is not AWS's.

    What AWS says of refused credentials is left out, and botocore's error is no cause of ours:
    such messages can quote the request, with the session token in it.
    """
    from botocore import exceptions as botocore
    from botocore.parsers import ResponseParserError

    advice = messages.advice
    where = endpoint or "AWS"
    call = f"{service}:{operation}"
    try:
        yield
    except botocore.ClientError as error:
        refused = _refusal(error, call=call, operation=operation, where=where)
        raise refused from None if refused.code in REFUSED_CREDENTIALS else error
    except (botocore.EndpointConnectionError, botocore.ConnectTimeoutError) as error:
        sentences = advice("aws.unreachable", where=where, call=call)
        raise AWSError(*sentences, repeatable=True) from error
    except botocore.ConnectionError as error:  # TLS, or a proxy on the way
        sentences = advice("aws.unreachable", where=where, call=call)
        raise _perhaps_done(operation, sentences) from error
    except botocore.HTTPClientError as error:
        key = "silent" if isinstance(error, botocore.ReadTimeoutError) else "broke-off"
        sentences = advice(f"aws.{key}", where=where, call=call)
        raise _perhaps_done(operation, sentences) from error
    except (ResponseParserError, KeyError) as error:
        # botocore looks up what it expects in any XML: a web page lacks GetCallerIdentityResult.
        sentences = advice("aws.not-of-aws", where=where, call=call)
        raise _perhaps_done(operation, sentences) from error
    except _no_credentials() as error:
        reason = type(error).__name__
        raise NotAllowed(*advice("aws.no-credentials", reason=reason)) from error
    except botocore.UnknownServiceError as error:
        raise slips.unknown_service(service) from error
    except botocore.ParamValidationError as error:
        slip = slips.wrong_parameters(call, str(error.kwargs.get("report", "")))
        sentences = advice("aws.refused", call=call, reason=_one_line(error))
        raise slip or AWSError(*sentences, code="ValidationError") from error


def is_one_of(error: AWSError, codes: Collection[str]) -> bool:
    """Tell whether AWS refused with one of the codes.

    Args:
        error: What AWS answered.
        codes: Each an error code ("InvalidVpcID.NotFound"), with ": " and words of AWS's message
            behind it where the code alone says too little.  Capitals do not count: EC2 itself
            writes both ...ID.NotFound and ...Id.NotFound.
    """
    seen = (error.code or "").casefold()
    reason = error.reason.casefold()
    pairs = (entry.casefold().partition(": ") for entry in codes)
    return any(seen == code and words in reason for code, _, words in pairs)


def _no_credentials() -> tuple[type[Exception], ...]:
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


def _refusal(error: Any, *, call: str, operation: str, where: str) -> HandsonError:
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    reason = _one_line(error.response.get("Error", {}).get("Message", "")) or code
    if code in EXPIRED:
        return NotAllowed(*messages.advice("aws.expired"), code=code)
    if code in REFUSED_CREDENTIALS or status == 401:
        return NotAllowed(*messages.advice("aws.credentials-refused"), code=code)
    if code in DENIED or status == 403:
        return policy.denied(_lacking(reason) or [policy.action_of(*call.split(":"))], code=code)
    if code in THROTTLED or status == 429:
        return AWSError(*messages.advice("aws.throttled", call=call), code=code, repeatable=True)
    if status >= 500:
        return _perhaps_done(operation, messages.advice("aws.failed", call=call), code=code)
    if code in ("Unknown", str(status)) and reason in (code, "Unknown"):  # botocore's own words
        return AWSError(*messages.advice("aws.not-of-aws", call=call, where=where))
    sentences = messages.advice("aws.refused", call=call, reason=reason)
    return AWSError(*sentences, code=code, reason=reason)


def _lacking(reason: str) -> list[str]:
    """Return the action that AWS's words name; it may be another than that of the call.

    CreateVpc with tags is refused for ec2:CreateTags.  Nothing else of the words is taken.
    """
    return re.findall(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)", reason)[:1]


def _perhaps_done(
    operation: str, sentences: tuple[str, str], *, code: str | None = None
) -> AWSError:
    if operation.startswith((*READS, *DELETIONS)):
        return AWSError(*sentences, code=code, repeatable=True)
    return AWSUnclear(*sentences, code=code)


def _one_line(reason: object) -> str:
    """Return AWS's words on one line; botocore's own lists of mistakes have several."""
    return " ".join(str(reason).split())
