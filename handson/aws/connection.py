"""How a workshop reaches its target: the embedded AWS, another endpoint, or real AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from handson import aws
from handson.aws import Aws, Credentials, emulator
from handson.aws.settings import Settings
from handson.core import messages
from handson.core.errors import NotAllowed, NotReady
from handson.core.files import unwritable

EMULATOR = Credentials(emulator.ACCOUNT, emulator.SECRET)


@dataclass(frozen=True)
class Connection:
    """A connection, and whether the embedded AWS behind it has just come back from being killed.

    `process` is the embedded AWS's process id, or 0 where it is not the target.
    """

    aws: Aws
    process: int = 0
    lost: bool = False


def connect(settings: Settings) -> Connection:
    """Reach the target of the settings; the embedded AWS is started when it is not running.

    Raises:
        HandsonError: The target cannot be reached or may not be used; nothing was created.
    """
    if settings.target == "aws":
        if settings.account == emulator.ACCOUNT:
            sentences = messages.advice("aws.connection.emulator-account", account=settings.account)
            raise NotAllowed(*sentences)
        return Connection(aws.connect_aws(region=settings.region, account=settings.account))
    if settings.endpoint_url:
        connected = aws.connect_emulator(
            settings.endpoint_url, region=settings.region, credentials=EMULATOR
        )
        return Connection(connected)
    running = embedded(settings)
    connected = aws.connect_emulator(
        running.endpoint,
        region=settings.region,
        credentials=Credentials(running.access_key_id, running.secret_access_key),
        account=running.account,
    )
    return Connection(connected, process=running.pid, lost=running.state == "restarted")


def renew(connection: Connection, settings: Settings) -> Connection:
    """Return the same connection while its embedded AWS is alive, and a new one when it is not.

    On real AWS it is the same one, once AWS has said again that the caller is of the named account.

    Raises:
        NotAllowed: The credentials have become those of another account, or have expired.
        HandsonError: The target cannot be reached.
    """
    if settings.target == "aws":
        aws.confirm_account(connection.aws, settings.account)
    if not connection.process:
        return connection
    running = embedded(settings)
    if running.pid == connection.process:
        return connection
    return connect_again(settings, lost=running.state == "restarted")


def connect_again(settings: Settings, *, lost: bool) -> Connection:
    """Connect anew to an embedded AWS that was restarted just now."""
    fresh = connect(settings)
    return Connection(fresh.aws, process=fresh.process, lost=lost or fresh.lost)


@contextmanager
def alone(settings: Settings, *, timeout: float = 300.0) -> Iterator[None]:
    """Hold the home folder's lock, so that no other kernel makes or deletes things meanwhile.

    CreateVpc takes no token: two kernels that look at the same moment and see no VPC would make
    one each (Amazon EC2 API Reference, "Ensuring idempotency").

    Args:
        settings: Whose home folder.
        timeout: Seconds to wait for the kernel that holds it.

    Raises:
        NotReady: The other kernel was not done in time, or the home folder is not writable.
    """
    from filelock import FileLock, Timeout

    path = settings.home / "changes.lock"
    lock = FileLock(path, timeout=timeout, mode=0o600)
    try:
        lock.acquire(poll_interval=0.02)
    except Timeout:
        raise NotReady(*messages.advice("aws.connection.busy", seconds=f"{timeout:g}")) from None
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def embedded(settings: Settings) -> emulator.Running:
    """Return the embedded AWS, started when it is not running, in the region of the settings.

    An emulator's registry has one region, the one it was started for; its state is kept when it
    is started again for another.

    Raises:
        NotReady: It does not start, or could not be stopped for the other region.
    """
    running = emulator.ensure_running(
        settings.home, region=settings.region, environ=settings.environ
    )
    before = emulator.status(settings.home)
    if before is None or before.region == settings.region:
        return running
    emulator.stop(settings.home)
    return emulator.ensure_running(settings.home, region=settings.region, environ=settings.environ)
