"""How a workshop reaches its target: the embedded AWS, another endpoint, or real AWS."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from handson.aws import emulator
from handson.aws.calls import Aws, Credentials
from handson.aws.sessions import confirm_account, connect_aws, connect_emulator
from handson.aws.settings import Settings
from handson.core import messages
from handson.core.errors import NotAllowed
from handson.core.files import hold_lock

EMULATOR = Credentials(emulator.ACCOUNT, emulator.SECRET)


@dataclass(frozen=True)
class Connection:
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
    if settings.target == "aws":
        if settings.account == emulator.ACCOUNT:
            sentences = messages.advice("aws.connection.emulator-account", account=settings.account)
            raise NotAllowed(*sentences)
        return Connection(connect_aws(region=settings.region, account=settings.account))
    if settings.endpoint_url:
        aws = connect_emulator(settings.endpoint_url, region=settings.region, credentials=EMULATOR)
        return Connection(aws)
    running = ensure_emulator(settings)
    aws = connect_emulator(
        running.endpoint,
        region=settings.region,
        credentials=Credentials(running.access_key_id, running.secret_access_key),
        account=running.account,
    )
    return Connection(aws, process=running.pid, lost=running.state == "restarted")


def renew_connection(connection: Connection, settings: Settings) -> Connection:
    """Return the connection, or a new one if its embedded AWS is no longer the same process.

    On real AWS, ask AWS again whether the caller belongs to the account of the settings.

    Raises:
        NotAllowed: The credentials now belong to another account, or have expired.
        HandsonError: The target cannot be reached.
    """
    if settings.target == "aws":
        confirm_account(connection.aws, settings.account)
    if not connection.process:
        return connection
    running = ensure_emulator(settings)
    if running.pid == connection.process:
        return connection
    renewed = connect_target(settings)
    return replace(renewed, lost=renewed.lost or running.state == "restarted")


def ensure_emulator(settings: Settings) -> emulator.Running:
    """Return the embedded AWS of the settings, started if it is not running.

    Raises:
        NotReady: It does not start, or could not be stopped to change its region.
    """
    return emulator.ensure_running(settings.home, region=settings.region, environ=settings.environ)


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
    busy = messages.advice("aws.connection.busy", seconds=f"{timeout:g}")
    return hold_lock(settings.home / "changes.lock", timeout=timeout, busy=busy)
