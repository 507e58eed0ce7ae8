"""The way to AWS really breaks: sockets are cut, replies lost, answers never come."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from handson.aws import Aws, Patience
from handson.aws.connection import Connection, connect_emulator
from handson.aws.emulator import Running
from handson.core.errors import HandsonError, NotAllowed
from handson.notebook.workshop import Workshop
from tests.conftest import FULL
from tests.emulator import hooks
from tests.emulator.faults import TRANSIENT, Call, Wire
from tests.emulator.proxy import Proxy, proxy_to
from tests.emulator.surviving import running_at
from tests.emulator.workshops import make_shop, open_workshop
from tests.tally import count

pytestmark = [pytest.mark.emulator, pytest.mark.process]

PASSING = ("throttled", "failed", "cut", "lost")
REFUSALS = ("denied", "expired")
CALLS = {
    "ec2": ("DescribeVpcs", {}),
    "ecs": ("CreateCluster", {"clusterName": "one"}),
    "ecr": ("CreateRepository", {"repositoryName": "one"}),
    "sts": ("GetCallerIdentity", {}),
}


@pytest.fixture(scope="module")
def proxied(running: Running) -> Iterator[Proxy]:
    with proxy_to(running.port) as proxy:
        yield proxy


@pytest.fixture
def proxy(emulator: Running, proxied: Proxy) -> Proxy:
    proxied.breaks(None)
    return proxied


def address(proxy: Proxy) -> str:
    return f"http://{proxy.address}"


def hasty(aws: Aws, service: str) -> Aws:
    """Return a connection that makes every call once, and does not wait for the answer for long."""
    once: Any = Config
    aws.patience.attempts = 1
    aws._clients[service, aws.region] = aws.session.create_client(
        service,
        region_name=aws.region,
        endpoint_url=aws.endpoint,
        config=once(retries={"total_max_attempts": 1}, read_timeout=0.3),
    )
    return aws


def told(aws: Aws, service: str) -> tuple[Any, ...]:
    operation, parameters = CALLS[service]
    with pytest.raises(HandsonError) as refused:
        aws.call(service, operation, **parameters)
    error = refused.value
    repeatable = getattr(error, "repeatable", None)
    return type(error), error.code, repeatable, str(error).replace(str(aws.endpoint), "there")


@pytest.mark.parametrize("service", CALLS)
def test_a_fault_is_told_as_the_imitation_tells_it(
    emulator: Running, proxy: Proxy, service: str
) -> None:
    wire, call = Wire(), Call(service, CALLS[service][0], 1)
    imitated = hooks.connect(emulator, wire)
    imitated.patience.attempts = 1
    real = hasty(hooks.connect(running_at(address(proxy)), wire), service)
    closed = hasty(hooks.connect(running_at(f"http://127.0.0.1:{nobody()}"), wire), service)
    for fault in [*TRANSIENT, "denied", "expired"]:
        with wire.broken((call, fault)):
            expected = told(imitated, service)
        hooks.reset(emulator)
        proxy.breaks(call, fault)
        assert (fault, told(closed if fault == "refused" else real, service)) == (fault, expected)
        hooks.reset(emulator)


def nobody() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_half_reply_is_asked_for_again_and_a_write_with_a_lost_one_has_taken_effect(
    proxy: Proxy,
) -> None:
    aws = hooks.connect(running_at(address(proxy)))
    proxy.breaks(Call("ec2", "DescribeVpcs", 1), "half")
    assert (len(aws.call("ec2", "DescribeVpcs")["Vpcs"]), len(proxy.seen)) == (1, 2)
    proxy.breaks(Call("ec2", "CreateVpc", 1), "lost")
    with pytest.raises(HandsonError):
        aws.call("ec2", "CreateVpc", CidrBlock="10.7.0.0/16")
    assert len(aws.call("ec2", "DescribeVpcs")["Vpcs"]) == 2


def test_starting_goes_on_after_a_fault_and_again_after_a_refusal(
    proxy: Proxy, tmp_path: Path
) -> None:
    first = Call("sts", "GetCallerIdentity", 1)
    for fault in PASSING:
        proxy.breaks(first, fault)
        started = start(proxy, tmp_path).aws.account
        assert (fault, started, proxy.happened) == (fault, "123456789012", True)
        count("faults survived", True)
    for fault in REFUSALS:
        proxy.breaks(first, fault)
        with pytest.raises(NotAllowed) as refused:
            start(proxy, tmp_path)
        assert (fault, len(str(refused.value).splitlines())) == (fault, 2)
        assert start(proxy, tmp_path).aws.account == "123456789012"
        count("faults survived", True)


def start(proxy: Proxy, folder: Path) -> Workshop:
    return open_workshop(folder / "home", endpoint_url=address(proxy))


def test_every_request_of_a_push_survives_faults(
    emulator: Running, proxy: Proxy, tmp_path: Path
) -> None:
    patience = Patience(attempts=3, consistency=1.0, sleep=lambda _: None)
    aws = connect_emulator(address(proxy), region="us-east-1", patience=patience)
    ways = {"connect": lambda _: Connection(aws)}
    held = open_workshop(tmp_path / "home", endpoint_url=address(proxy), ways=ways)
    local = held.build_image(make_shop(tmp_path))

    def pushed_in_spite_of(call: Call, fault: str) -> str:
        """Push with a fault at one request, then again; return what is wrong."""
        hooks.reset(emulator)
        held.ensure_repository()
        proxy.breaks(call, fault)
        try:
            held.push_image(local)
        except HandsonError as error:
            if fault in PASSING:
                return f"not healed: {error.problem}"
            if not isinstance(error, NotAllowed) or len(str(error).splitlines()) != 2:
                return f"told as {error!r}"
            held.push_image(local)
        else:
            if fault in REFUSALS:
                return "went on"
        if not proxy.happened:
            return "the request was not made"
        tags = [image.tags for image in held.images().images]
        return "" if tags == [(local.tag,)] else f"in the repository: {tags}"

    held.ensure_repository()
    proxy.breaks(None)
    held.push_image(local)
    requests = [call for call in proxy.seen if call.service == "registry"]
    faults = (*PASSING, *REFUSALS)
    pairs = product(requests, faults) if FULL else zip(requests, cycle(faults), strict=False)
    wrong = [
        f"{call} · {fault}: {found}"
        for call, fault in pairs
        for found in [pushed_in_spite_of(call, fault)]
        if not count("faults survived", not found)
    ]
    assert (len(requests) >= 9, wrong) == (True, [])
