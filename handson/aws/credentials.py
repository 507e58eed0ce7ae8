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

from handson.aws.refusals import DENIED, read_names, translate_error
from handson.core import https, messages
from handson.core.errors import NotAllowed
from handson.core.files import decode_text, shorten_path
from handson.core.text import find_nearest, list_briefly

_SETTING = r"\b(?:sso_\w+|role_arn|source_profile|credential_source|sso-session)"


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
        return _explain_file(Path(details["path"]), details["error"])
    if {"ConnectionError", "HTTPClientError"} & set(names):
        where = urlsplit(str(details.get("endpoint_url", ""))).netloc or "AWS"
        return translate_error(error, "sts", "GetCallerIdentity", where=where)
    named = session.get_config_variable("profile")
    profile = "default" if named is None else str(named)
    # botocore reads indented lines as settings in a setting, where no way to sign in has any.
    profiles: dict[str, dict[str, str]] = {
        name: {key: value for key, value in section.items() if isinstance(value, str)}
        for name, section in session.full_config["profiles"].items()
    }
    signing = profile  # at the end of the chain
    for _ in profiles:
        signing = profiles.get(signing, {}).get("source_profile", signing)
    settings: dict[str, str] = {**os.environ, **profiles.get(signing, {})}
    way = next((way for it, way in read_names("way").items() if it in settings), "other")
    raised = (name for kind in names for name in (f"{way}:{kind}", kind))
    key = next(filter(None, map(read_names("signin").get, raised)), way)
    if "ClientError" in names:
        answer, status = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        refused, code = read_names("giving").get(error.operation_name), answer.get("Code")
        # The service is busy or switched off, whoever asks.
        is_busy = read_names("answer").get(code) in ("throttled", "region-off")
        is_busy = is_busy or status.get("HTTPStatusCode", 0) in https.BUSY
        if not refused or is_busy or (refused == "role" and code not in DENIED):
            where = f"AWS ({session.get_config_variable('region')})"
            return translate_error(error, "sts", error.operation_name, where=where)
        key = "mfa-code" if "MultiFactor" in answer.get("Message", "") else refused
    if key == "setting" and "must have credentials" in str(error):
        key = "source"
    files = [
        Path(os.path.expanduser(session.get_config_variable(name)))
        for name in ("config_file", "credentials_file")
    ]
    unread = [it for it in files if it.exists() and not (it.is_file() and os.access(it, os.R_OK))]
    if unread and key in ("no-profile", "none"):  # botocore passes them over
        return NotAllowed.from_key("aws.signin.unreadable", path=shorten_path(unread[0]))
    token = settings.get("web_identity_token_file") or settings.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    role = profiles.get(profile, {}).get("role_arn") or settings.get("AWS_ROLE_ARN", "")
    near = find_nearest(profile, profiles)
    choices = sorted(profiles, key=lambda name: (name != near, name))
    # The arguments of the program may hold secrets, and so may the rest of the address.
    program = re.match(r"""\s*("[^"]*"|'[^']*'|\S*)""", settings.get("credential_process", ""))
    address = settings.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    values = {
        "profile": profile,
        "path": shorten_path(Path(token) if token and key.startswith("token") else files[0]),
        "role": role.rpartition("/")[2],
        "option": _name_option(profile),
        "source": signing,
        "signing": _name_option(signing),
        "choices": list_briefly(choices) or "-",
        "missing": details.get("cred_var", ""),
        "program": program[1].strip("\"'") if program else "",
        "host": address.partition("//")[2].partition("/")[0].rpartition("@")[2],
        "setting": ", ".join(dict.fromkeys(re.findall(_SETTING, str(error)))) or names[0],
        "reason": names[0],
    }
    return NotAllowed(*messages.advice_of("aws.signin", key, **values))


def _explain_file(path: Path, cause: Any) -> NotAllowed:
    """Return what is wrong in a configuration file, and where; its lines may hold a secret."""
    data = path.read_bytes()
    read, encoding = data.decode(errors="replace"), decode_text(data)[1]
    numbers = [getattr(cause, "lineno", None), *(line for line, _ in getattr(cause, "errors", ()))]
    line = next(filter(None, numbers), None)
    key = read_names("file").get(type(cause).__name__, "line" if line else "unreadable")
    if read.startswith("\ufeff"):
        key = "bom"
    if encoding != "UTF-8":
        key, line = "encoding", re.split("[\ufffd\0]", read, maxsplit=1)[0].count("\n") + 1
    values = {"path": shorten_path(path), "line": line, "encoding": encoding or "?"}
    values |= {it: getattr(cause, it, "") for it in ("option", "section")}
    return NotAllowed(*messages.advice_of("aws.signin", key, **values))


def _name_option(profile: str) -> str:
    return "" if profile == "default" else f" --profile {shlex.quote(profile)}"
