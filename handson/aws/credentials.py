"""Sign in to real AWS with the learner's own profile, keys, role or token.

`explain_sign_in` turns whatever is raised while botocore looks for credentials into an error of
ours.  Not all of it is botocore's: a missing program raises FileNotFoundError, and a prompt for an
MFA code EOFError where nobody can type.  The words of these errors are never shown, because they
may quote what a program printed.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from handson.aws.refusals import DENIED, translate_error
from handson.core import messages
from handson.core.errors import NotAllowed
from handson.core.files import shorten_path
from handson.core.text import find_nearest

_WAYS = {
    "aws.signin.token": "web_identity_token_file AWS_WEB_IDENTITY_TOKEN_FILE",
    "aws.signin.sso": "sso_session sso_start_url",
    "aws.signin.login": "login_session",
    "aws.signin.process": "credential_process",
    "aws.signin.metadata": (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI"
    ),
}
"""The sentences on a failed sign-in by the settings that choose the way, in botocore's order."""
# StdinNotImplementedError is ipykernel's, where a program runs the notebook.  botocore raises
# RuntimeError where new credentials have expired already.
_ERRORS = {
    "aws.expired": "RuntimeError",
    "aws.signin.crt": "MissingDependencyException",
    "aws.signin.half": "PartialCredentialsError",
    "aws.signin.login-denied": "LoginInsufficientPermissions",
    "aws.signin.metadata": "MetadataRetrievalError",
    "aws.signin.mfa": "EOFError StdinNotImplementedError",
    "aws.signin.mfa-over": "RefreshWithMFAUnsupportedError",
    "aws.signin.no-profile": "ProfileNotFound",
    "aws.signin.none": "NoCredentialsError",
    "aws.signin.setting": "InvalidConfigError",
}
"""The sentences by the names of classes; an error takes those of its nearest base."""
_REFUSALS = {
    "AssumeRole": "aws.signin.role",
    "AssumeRoleWithWebIdentity": "aws.signin.token-refused",
    "GetRoleCredentials": "aws.signin.sso-role",
}
"""The sentences where AWS does not give credentials out, by the call."""
_SETTING = re.compile(r"\b(?:sso_\w+|role_arn|source_profile|credential_source|sso-session)\b")
_MOST = 12


def resolve_credentials(session: Any) -> str:
    """Return the ID of the session's access key; get new credentials where they soon expire.

    Raises:
        NotAllowed: There are no credentials, or signing in failed; names the profile.
        HandsonError: AWS could not be asked for credentials.
    """
    from botocore.exceptions import NoCredentialsError

    with explain_sign_in(session):
        found = session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return str(found.get_frozen_credentials().access_key)


@contextmanager
def explain_sign_in(session: Any) -> Iterator[None]:
    """Turn whatever is raised while a botocore session looks for credentials into our errors."""
    try:
        yield
    except Exception as error:
        raise _explain(session, error) from None


def _explain(session: Any, error: Any) -> Exception:
    names = [kind.__name__ for kind in type(error).__mro__]
    details: Mapping[str, Any] = getattr(error, "kwargs", {})  # botocore's
    if "ConfigParseError" in names:
        return NotAllowed.from_key("aws.signin.config", place=_find_place(details))
    if {"ConnectionError", "HTTPClientError"} & set(names):
        where = urlsplit(str(details.get("endpoint_url", ""))).netloc or "AWS"
        return translate_error(error, "sts", "GetCallerIdentity", where=where)
    named = session.get_config_variable("profile")
    profile = "default" if named is None else str(named)
    profiles: Mapping[str, Any] = session.full_config["profiles"]
    signing = _find_signing_profile(profile, profiles)
    settings: dict[str, str] = {**os.environ, **profiles.get(signing, {})}
    way = next((key for key, them in _WAYS.items() if settings.keys() & set(them.split())), None)
    kinds = {name: key for key, them in _ERRORS.items() for name in them.split()}
    key = next((kinds[name] for name in names if name in kinds), way or "aws.signin.other")
    if "ClientError" in names:
        answer = error.response.get("Error", {})
        refused = _REFUSALS.get(error.operation_name)
        if not refused or (refused == "aws.signin.role" and answer.get("Code") not in DENIED):
            where = f"AWS ({session.get_config_variable('region')})"
            return translate_error(error, "sts", error.operation_name, where=where)
        key = "aws.signin.mfa-code" if "MultiFactor" in answer.get("Message", "") else refused
    if key == "aws.signin.process" and isinstance(error, OSError):
        key = "aws.signin.process-missing"
    files = [
        Path(os.path.expanduser(session.get_config_variable(name)))
        for name in ("config_file", "credentials_file")
    ]
    unread = [it for it in files if it.exists() and not (it.is_file() and os.access(it, os.R_OK))]
    if unread and key in ("aws.signin.no-profile", "aws.signin.none"):  # botocore passes them over
        return NotAllowed.from_key("aws.signin.config", place=shorten_path(unread[0]))
    token = settings.get("web_identity_token_file") or settings.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    path = shorten_path(Path(token) if token else files[0])
    role = profiles.get(profile, {}).get("role_arn") or settings.get("AWS_ROLE_ARN", "")
    near = find_nearest(profile, profiles)
    choices = sorted(profiles, key=lambda name: (name != near, name))
    values = {"profile": profile, "path": path, "role": role.rpartition("/")[2]}
    values |= {"option": _name_option(profile), "signing": _name_option(signing)}
    values |= {"choices": ", ".join(choices[:_MOST]) or "-", "missing": details.get("cred_var", "")}
    # The arguments of the program may hold secrets.
    program = re.match(r"""\s*("[^"]*"|'[^']*'|\S*)""", settings.get("credential_process", ""))
    values["program"] = program[1].strip("\"'") if program else ""
    values["setting"] = ", ".join(dict.fromkeys(_SETTING.findall(str(error)))) or names[0]
    return NotAllowed.from_key(key, **values, reason=names[0])


def _find_signing_profile(profile: str, profiles: Mapping[str, Any]) -> str:
    """Return the profile at the end of the chain of `source_profile`: the one that signs in."""
    for _ in profiles:
        profile = profiles.get(profile, {}).get("source_profile", profile)
    return profile


def _find_place(details: Mapping[str, Any]) -> str:
    """Return the path of a configuration file that is broken, with the line if it is known."""
    path, cause = shorten_path(Path(details["path"])), details["error"]
    numbers = [getattr(cause, "lineno", None), *(line for line, _ in getattr(cause, "errors", ()))]
    line = next(filter(None, numbers), None)
    return messages.text("aws.signin.line", path=path, line=line) if line else path


def _name_option(profile: str) -> str:
    return "" if profile == "default" else f" --profile {shlex.quote(profile)}"
