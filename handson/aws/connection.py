"""How a workshop reaches its target: the embedded AWS, another endpoint, or real AWS.

Real AWS is used only if the caller belongs to the account that the user names.
"""

from __future__ import annotations

import gzip
import json
import os
import secrets
import ssl
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from handson.aws import emulator
from handson.aws.calls import Aws, Credentials, Patience
from handson.aws.credentials import explain_sign_in
from handson.aws.emulator import in_tab
from handson.aws.emulator.in_process import attach_session
from handson.aws.settings import Settings
from handson.core import files
from handson.core.errors import NotAllowed, NotReady
from handson.core.host import IN_TAB
from handson.core.late import Late, load_to_stay
from handson.core.progress import find_ipython
from handson.core.text import fold_name, one_line
from handson.course.owners import HOME, Owners, name_owner

EMULATOR = Credentials(emulator.ACCOUNT, emulator.SECRET)
"""The credentials for another endpoint in the embedded AWS's place."""

SERVICES = ["cloudtrail", "ec2", "ecr", "ecr-public", "ecs", "service-quotas", "sts"]
"""All that the workshop calls; botocore refuses a service that is not listed."""
_Parts = dict[str, msgspec.Raw]


class Connection(Struct, frozen=True):
    """A connection to the target.

    Attributes:
        aws: The connection.
        process: The process id of the embedded AWS, or 0 if it is not the target.
        lost: Whether the embedded AWS was started again just now, because it had been killed.
    """

    aws: Aws
    process: int = 0
    lost: bool = False


def connect_target(settings: Settings) -> Connection:
    """Connect to the target of the settings; start the embedded AWS if it is not running.

    Raises:
        HandsonError: The target cannot be reached or may not be used; nothing was created.
    """
    region, account = settings.region, settings.aws_account
    if IN_TAB and (
        settings.target == "aws" or settings.endpoint_url or settings.engine == "docker"
    ):
        raise NotReady.from_key("aws.connection.in-tab")
    if settings.target == "aws":
        if account == emulator.ACCOUNT:
            raise NotAllowed.from_key("aws.connection.emulator-account", account=account)
        return Connection(connect_aws(region=region, account=account))
    if endpoint := settings.endpoint_url:
        try:
            return Connection(connect_emulator(endpoint, region=region))
        except NotAllowed as error:
            raise NotAllowed.from_key("aws.connection.guarded", endpoint=endpoint) from error
    return _connect_embedded(ensure_emulator(settings), region=region)


def renew_connection(connection: Connection, settings: Settings) -> Connection:
    """Return the connection, or a new one if its embedded AWS is no longer the same process.

    On real AWS, ask AWS again whether the caller belongs to the account of the settings if the
    credentials have changed.

    Raises:
        NotAllowed: The credentials now belong to another account, or have expired.
        HandsonError: The target cannot be reached.
    """
    if settings.target == "aws":
        connection.aws.confirm_account(settings.aws_account)
    if not connection.process:
        return connection
    running = ensure_emulator(settings)
    if running.pid == connection.process:
        return connection
    renewed = _connect_embedded(running, region=settings.region)
    renewed.aws.owners = connection.aws.owners
    return renewed


def find_owners(settings: Settings) -> Owners:
    """Return the owner of what is created, and whose resources are the learner's own.

    The id of the home folder is kept in it, so that it survives a move.  On the learner's own
    embedded AWS everything is the learner's own, also after a correction of the name.

    Raises:
        NotReady: The home folder is not writable.
    """
    # With individual labs, another spelling of the name is the same learner.
    learner = fold_name(settings.learner) if settings.variation else settings.learner
    name, path = name_owner(learner), settings.home / "owner.json"
    home = files.read_state(path, str)
    if not (name or home):
        with lock_home(settings):  # two kernels may start at once
            home = files.read_state(path, str) or f"{HOME}{secrets.token_hex(8)}"
            files.write_state(path, home)
    own = tuple(filter(None, (name, home)))
    is_shared = settings.target == "aws" or settings.endpoint_url
    return Owners(own[0], own if is_shared else ())


def _connect_embedded(running: emulator.Running, *, region: str) -> Connection:
    credentials = Credentials(running.access_key_id, running.secret_access_key)
    aws = connect_emulator(
        running.endpoint, region=region, credentials=credentials, account=running.account
    )
    return Connection(aws, process=running.pid, lost=running.state == "restarted")


def ensure_emulator(settings: Settings) -> emulator.Running:
    """Return the embedded AWS of the settings, started if it is not running.

    Raises:
        NotReady: It does not start, or could not be stopped to change its region.
    """
    home, region = settings.home, settings.region
    if IN_TAB:
        return in_tab.ensure_running(home, region=region, shell=find_ipython())
    return emulator.ensure_running(home, region=region, environ=settings.environ)


def connect_emulator(
    endpoint: str,
    *,
    region: str,
    credentials: Credentials = EMULATOR,
    account: str = "",
    patience: Patience | None = None,
) -> Aws:
    """Connect to the embedded AWS or another AWS-compatible endpoint.

    The learner's own AWS configuration is neither read nor sent, but for `AWS_CA_BUNDLE`, which may
    hold the certificate of an https endpoint.

    Args:
        endpoint: Its URL.
        region: The one region for everything.
        credentials: Its credentials; by default fixed and worthless ones.
        account: The account if it is known; otherwise the endpoint is asked.
        patience: Pauses and clock, for tests.

    Raises:
        AWSError: The endpoint does not answer.
    """
    bundle = os.environ.get("AWS_CA_BUNDLE") if endpoint.startswith("https:") else None
    session = make_private_session(credentials, bundle=bundle)
    patience = patience or Patience(attempts=3, consistency=1.0, busy=1.0)
    aws = Aws(region, endpoint, "emulator", session, patience, credentials, account)
    if not account:
        aws.account, aws.caller = aws.identify_caller()
    return aws


def connect_aws(
    *, region: str, account: str | None, session: Any = None, patience: Patience | None = None
) -> Aws:
    """Connect to real AWS with the learner's own credentials, if they belong to the account.

    Args:
        region: The one region for everything.
        account: The value of `HANDSON_AWS_ACCOUNT`; calls are allowed in no other account.
        session: A botocore session in place of the learner's own.
        patience: Pauses and clock, for tests.

    Raises:
        NotAllowed: No account is named, or the credentials are missing, expired or of another
            account.  GetCallerIdentity is the only call made until then.
    """
    if not account:
        raise NotAllowed.from_key("aws.no-account")
    session = session or _make_own_session(region)
    aws = Aws(region, None, "aws", session, patience or Patience())
    aws.confirm_account(account)
    return aws


def assume_role(aws: Aws, *, account: str, role: str, allowed: Sequence[str]) -> Aws:
    """Connect with a role of an account, limited to the allowed actions.

    Args:
        aws: The connection of the caller who assumes the role.
        account: The role's account.
        role: Its name, with its path if it has one.
        allowed: IAM actions; AWS refuses all others on this connection.

    Raises:
        NotAllowed: The role may not be assumed, or belongs to another account.
        AWSError: AWS refused, or did not answer.
    """
    statement = {"Effect": "Allow", "Action": list(allowed), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    wanted = {"RoleArn": f"arn:aws:iam::{account}:role/{role}", "RoleSessionName": "handson-audit"}
    reply = aws.call("sts", "AssumeRole", **wanted, DurationSeconds=900, Policy=policy)
    temporary = reply["Credentials"]
    credentials = Credentials(temporary["AccessKeyId"], temporary["SecretAccessKey"])
    token = temporary["SessionToken"]
    session = make_private_session(credentials, token=token, bundle=aws.ca_bundle)
    assumed = Aws(aws.region, aws.endpoint, aws.kind, session, aws.patience)
    assumed.confirm_account(account)
    return assumed


def lock_home(settings: Settings, *, timeout: float = 300.0) -> AbstractContextManager[None]:
    """Hold the home folder's lock, so that no other kernel creates or deletes resources meanwhile.

    CreateVpc takes no token: two kernels that look at the same moment and find no VPC would create
    one each (Amazon EC2 API Reference, "Ensuring idempotency").

    Args:
        settings: Name the home folder.
        timeout: Seconds to wait for the kernel that holds the lock.

    Raises:
        NotReady: The other kernel still held it after that time, or the folder is not writable.
    """
    path = settings.home / "changes.lock"
    return files.hold_lock(path, timeout=timeout, busy="aws.connection.busy")


def make_private_session(
    credentials: Credentials, *, token: str | None = None, bundle: str | None = None
) -> Any:
    """Make a session that reads no variable, file, role or instance metadata of the learner's.

    Raises:
        NotReady: The file `bundle` has no certificates to trust.
    """
    sessions = load_botocore()
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as SETTINGS

    # The name of a setting in the configuration, its variable, its default, its conversion: without
    # the first two, botocore reads it nowhere.
    private = {name: (None, None, *rest) for name, (_, _, *rest) in SETTINGS.items()}
    no_file = (None, None, os.devnull, None)
    session = sessions.Session(private | {"config_file": no_file, "credentials_file": no_file})
    session.set_config_variable("ca_bundle", _check_bundle(bundle))
    session.register_component("data_loader", share_loader())
    session.set_credentials(credentials.access_key_id, credentials.secret_access_key, token)
    attach_session(session)
    return session


@cache
@load_to_stay()
def load_botocore() -> Any:
    """Return botocore.session, imported without awscrt, which would take it half as long again.

    botocore imports awscrt where it is installed; of what it takes from there, only the keys of
    `aws login` have no substitute.
    """
    if not {"botocore.compat", "awscrt"} & sys.modules.keys() and find_spec("awscrt"):
        sys.modules["awscrt"] = None  # type: ignore[assignment]  # Python's way to hide a module
        try:
            import botocore.credentials
        finally:
            del sys.modules["awscrt"]
        botocore.credentials.EC = Late("awscrt.crypto:EC")
    import botocore.session

    return botocore.session


@cache
def share_loader() -> Any:
    """Return the botocore loader of all connections, which reads `SERVICES` once and quickly.

    botocore searches the folders of all services, and then decodes the whole description of one.
    EC2's has thousands of shapes, of which the workshop uses a few dozen.  That takes longer than
    all calls of a notebook, so this loader decodes a shape on its first use.
    """
    from botocore.loaders import JSONFileLoader, Loader

    class QuickFileLoader(JSONFileLoader):  # type: ignore[misc]
        def _load_file(self, full_path: str, open_method: Any) -> Any:
            if not os.path.isfile(full_path):
                return None
            data = Path(full_path).read_bytes()
            if full_path.endswith(".gz"):  # by parts, as `open_method` reads it, takes longer
                data = gzip.decompress(data)
            name = Path(full_path).name.removesuffix(".gz").removesuffix(".json")
            return _decode_description(name, data)

    class QuickLoader(Loader):  # type: ignore[misc]
        def list_available_services(self, type_name: str) -> list[str]:
            return SERVICES

        def load_data_with_path(self, name: str) -> Any:
            if name != "endpoints":
                return super().load_data_with_path(name)
            # botocore's EndpointResolver writes into this one, so each session reads its own.
            path = os.path.join(self.BUILTIN_DATA_PATH, name)
            return self.file_loader.load_file(path), path

    return QuickLoader(file_loader=QuickFileLoader())


class LazyParts(dict[str, Any]):
    """The operations and shapes of a service, or the services of a partition, decoded when used."""

    def __getitem__(self, name: str) -> Any:
        shape = super().__getitem__(name)
        if isinstance(shape, msgspec.Raw):
            shape = self[name] = msgspec.json.decode(shape)
        return shape

    def get(self, name: str, default: Any = None) -> Any:
        with suppress(KeyError):
            return self[name]
        return default


def _decode_description(name: str, data: bytes) -> Any:
    if name not in ("service-2", "endpoints"):
        return msgspec.json.decode(data)
    parts: Any = msgspec.json.decode(data, type=dict[str, _Parts | list[_Parts] | str | int])
    for partition in parts.get("partitions", ()):
        services = msgspec.json.decode(partition.pop("services"), type=_Parts)
        partition.update((name, msgspec.json.decode(part)) for name, part in partition.items())
        partition["services"] = LazyParts(services)
    for name, part in parts.items():
        if name in ("operations", "shapes"):
            parts[name] = LazyParts(part)
        elif isinstance(part, dict):
            parts[name] = {inner: msgspec.json.decode(raw) for inner, raw in part.items()}
    return parts


def find_ca_bundle() -> str | None:
    """Return the file of certificates that the learner's own AWS settings name, if any.

    Raises:
        NotAllowed: The settings cannot be read.
        NotReady: The file has no certificates.
    """
    bundle: str | None = _make_own_session().get_config_variable("ca_bundle")
    return bundle


def _make_own_session(region: str = "") -> Any:
    """Return the learner's own session; its calls to sign in take the region if no other is set."""
    session = load_botocore().Session()
    import boto3

    with explain_sign_in(session):
        boto3.Session(botocore_session=session)  # gives it boto3's defaults and user agent
        if not session.get_config_variable("region"):
            session.set_config_variable("region", region)
        bundle = session.get_config_variable("ca_bundle")
    _check_bundle(bundle)
    return session


def _check_bundle(path: str | None) -> str | None:
    """Return a path if certificates can be read from it; OpenSSL's errors do not name the file."""
    shown = one_line(str(path))  # botocore joins indented lines to it
    with NotReady.replace_os_errors("aws.connection.bundle", path=shown):
        if path:  # reading the system's certificates would cost each start their time
            ssl.create_default_context(cafile=path)
    return path
