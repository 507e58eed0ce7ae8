"""Ways to AWS: to what stands in its place, and to real AWS once the account is the named one."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handson.aws import models
from handson.aws.calls import Aws, Credentials, Patience
from handson.aws.refusals import translated
from handson.core import messages
from handson.core.errors import NotAllowed


def connect_emulator(
    endpoint: str,
    *,
    region: str,
    credentials: Credentials,
    account: str = "",
    patience: Patience | None = None,
) -> Aws:
    """Connect to the embedded AWS or another AWS-compatible endpoint.

    Nothing of the learner's own AWS configuration is read or sent.

    Args:
        endpoint: Where it answers.
        region: The one region for everything.
        credentials: Its fixed, worthless credentials.
        account: The account where it is known already; else the endpoint is asked for it.
        patience: Pauses and clock, for tests.

    Raises:
        AWSError: The endpoint does not answer.
    """
    aws = Aws(
        region=region,
        endpoint=endpoint,
        kind="emulator",
        session=_private_session(credentials),
        credentials=credentials,
        patience=patience or Patience(attempts=3, consistency=1.0),
        account=account,
    )
    if not account:
        _identify(aws)
    return aws


def connect_aws(
    *, region: str, account: str | None, session: Any = None, patience: Patience | None = None
) -> Aws:
    """Connect to real AWS with the learner's own credential chain, if the account is the named one.

    Args:
        region: The one region for everything.
        account: What `HANDSON_AWS_ACCOUNT` names; calls are allowed in no other account.
        session: A botocore session in the place of the learner's own.
        patience: Pauses and clock, for tests.

    Raises:
        NotAllowed: No account is named, or the credentials are missing, expired or of another
            account.  The only call made until then is GetCallerIdentity.
    """
    if not account:
        raise NotAllowed(*messages.advice("aws.no-account"))
    with translated("sts", "GetCallerIdentity", endpoint=None):
        aws = Aws(
            region=region,
            endpoint=None,
            kind="aws",
            session=session or _own_session(),
            patience=patience or Patience(),
        )
    confirm_account(aws, account)
    return aws


def confirm_account(aws: Aws, account: str | None) -> None:
    """Ask AWS who calls; when this returns, it is still somebody of the named account.

    Credentials can turn into another account's while a kernel runs: `credential_process` and the
    like are asked anew when they expire.

    Raises:
        NotAllowed: The caller belongs to another account, or the credentials are refused.
    """
    _identify(aws)
    if aws.account != account:
        raise NotAllowed(*messages.advice("aws.other-account", seen=aws.account, wanted=account))


def assume(aws: Aws, *, account: str, role: str, allowed: Sequence[str]) -> Aws:
    """Connect as a role of an account, with no more than the allowed actions of what it may do.

    Args:
        aws: The connection of who assumes the role.
        account: The role's account.
        role: Its name, with its path where it has one.
        allowed: IAM actions; AWS refuses all others to this connection.

    Raises:
        NotAllowed: The role may not be assumed, or is of another account.
        AWSError: AWS refused, or did not answer.
    """
    partition = aws.caller.split(":")[1] if aws.caller.startswith("arn:") else "aws"
    statement = {"Effect": "Allow", "Action": list(allowed), "Resource": "*"}
    reply = aws.call(
        "sts",
        "AssumeRole",
        RoleArn=f"arn:{partition}:iam::{account}:role/{role}",
        RoleSessionName="handson-audit",
        DurationSeconds=900,
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    lent = reply["Credentials"]
    credentials = Credentials(lent["AccessKeyId"], lent["SecretAccessKey"])
    assumed = Aws(
        region=aws.region,
        endpoint=aws.endpoint,
        kind=aws.kind,
        session=_private_session(credentials, token=lent["SessionToken"]),
        patience=aws.patience,
    )
    confirm_account(assumed, account)
    return assumed


def _identify(aws: Aws) -> None:
    reply = aws.call("sts", "GetCallerIdentity")
    with translated("sts", "GetCallerIdentity", endpoint=aws.endpoint):
        aws.account, aws.caller = str(reply["Account"]), str(reply["Arn"])


def _private_session(credentials: Credentials, *, token: str | None = None) -> Any:
    """Make a session that sees no profile, file, role or instance of the learner's own."""
    import botocore.session

    nothing = (None, None, None, None)
    no_file = (None, None, os.devnull, None)
    session = botocore.session.Session(
        {"profile": nothing, "config_file": no_file, "credentials_file": no_file}
    )
    session.register_component("data_loader", models.loader())
    session.set_credentials(credentials.access_key_id, credentials.secret_access_key, token)
    return session


def _own_session() -> Any:
    import boto3

    return _Boto3Session(boto3.Session())


@dataclass(frozen=True)
class _Boto3Session:
    """The learner's boto3 session behind botocore's method name."""

    session: Any

    def create_client(self, service: str, **arguments: Any) -> Any:
        return self.session.client(service, **arguments)
