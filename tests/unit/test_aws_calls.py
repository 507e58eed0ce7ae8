"""One connection: what is recorded, what is called again, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from handson.aws import Credentials, command_name
from handson.core.errors import AWSError, AWSUnclear
from tests.unit.fake_aws import Clock, FakeAws, Refusal, closed, no_answer, silent

VPC = {"Vpc": {"VpcId": "vpc-1"}}
VPCS: dict[str, Any] = {"Vpcs": []}
THROTTLED = Refusal("RequestLimitExceeded", status=503)
NOT_FOUND = Refusal("InvalidInternetGatewayID.NotFound")
ATTACH = {"InternetGatewayId": "igw-1", "VpcId": "vpc-1"}


@pytest.fixture
def fake() -> FakeAws:
    return FakeAws()


def attach(fake: FakeAws, **patience: Any) -> None:
    fake.connect(**patience).call_until_known(
        "ec2", "AttachInternetGateway", ATTACH, unknown=("InvalidInternetGatewayID.NotFound",)
    )


# Aws.call, Aws.requests, Aws.recording, Aws.list_items


def test_a_call_passes_its_parameters_on_and_returns_what_aws_replied(fake: FakeAws) -> None:
    fake.answers("CreateVpc", VPC)
    assert fake.connect().call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"] == VPC["Vpc"]
    assert fake.calls == [("CreateVpc", {"CidrBlock": "10.0.0.0/16"})]


def test_answered_calls_are_recorded_as_evidence_without_parameters(fake: FakeAws) -> None:
    fake.answers("DescribeVpcs", VPCS)
    fake.answers("DescribeSubnets", {"Subnets": []})
    aws = fake.connect()
    aws.call("ec2", "DescribeVpcs", VpcIds=["vpc-1"])
    with aws.recording() as requests:
        aws.call("ec2", "DescribeSubnets")
    seen = {"service": "ec2", "request_id": "11111111-2222"}
    assert [it.to_json() for it in requests] == [seen | {"operation": "DescribeSubnets"}]
    assert [it.operation for it in aws.requests] == ["DescribeVpcs", "DescribeSubnets"]


@pytest.mark.parametrize("first", ["own", "other"])
def test_calls_without_recording_are_in_no_record_in_another_region_either(
    fake: FakeAws, first: str
) -> None:
    fake.answers("DescribeVpcs", VPCS)
    own = fake.connect()
    other = own.without_recording()
    for aws in (own, other) if first == "own" else (other, own):
        aws.in_region("eu-west-1").call("ec2", "DescribeVpcs")
    assert [request.operation for request in own.requests].count("DescribeVpcs") == 1


def test_a_list_holds_the_items_of_all_pages_each_asked_for_with_its_token(fake: FakeAws) -> None:
    fake.answers("DescribeVpcs", {"Vpcs": [1], "NextToken": "more"}, {"Vpcs": [2]})
    fake.answers("ListClusters", {"clusterArns": ["a"], "nextToken": "more"}, {"clusterArns": []})
    aws = fake.connect()
    assert aws.list_items("ec2", "DescribeVpcs", "Vpcs") == [1, 2]
    assert aws.list_items("ecs", "ListClusters", "clusterArns") == ["a"]
    assert [said for _, said in fake.calls] == [
        {},
        {"NextToken": "more"},
        {},
        {"nextToken": "more"},
    ]


# Aws.call, again or not

AGAIN = {
    "DescribeVpcs": {"broken": (None, 2), "closed": (None, 2), "silent": (None, 2)},
    "DeleteVpc": {"broken": (None, 2), "closed": (None, 2), "silent": (None, 2)},
    "CreateVpc": {
        "broken": (AWSUnclear, 1), "closed": (AWSUnclear, 1), "silent": (AWSUnclear, 1),
    },
}  # fmt: skip
EVERY = {"no answer": (None, 2), "throttled": (None, 2), "refused": (AWSError, 1)}
FAILURES: dict[str, Any] = {
    "broken": Refusal("InternalError", status=500),
    "closed": closed(),
    "silent": silent(),
    "no answer": no_answer(),
    "throttled": THROTTLED,
    "refused": Refusal("InvalidVpc.Range"),
}


def outcome(operation: str, failure: Any) -> tuple[type | None, int]:
    """Return what is raised, and how often is called, where the first answer is a failure."""
    fake = FakeAws()
    fake.answers(operation, failure, {})
    needed = {"CreateVpc": {"CidrBlock": "10.0.0.0/16"}, "DeleteVpc": {"VpcId": "vpc-1"}}
    try:
        fake.connect().call("ec2", operation, **needed.get(operation, {}))
    except AWSError as error:
        return type(error), len(fake.calls)
    return None, len(fake.calls)


@pytest.mark.parametrize("operation", AGAIN)
def test_a_call_is_repeated_where_that_does_no_harm(operation: str) -> None:
    found = {name: outcome(operation, failure) for name, failure in FAILURES.items()}
    assert found == AGAIN[operation] | EVERY


def test_pauses_between_throttled_calls_grow(fake: FakeAws) -> None:
    fake.answers("CreateVpc", *[THROTTLED] * 4, VPC)
    fake.connect(pause=1.0).call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    longest = [1.0, 2.0, 4.0, 5.0]
    pairs = list(zip(fake.clock.pauses, longest, strict=True))
    assert [(p, most) for p, most in pairs if not most / 2 <= p <= most] == []


def test_throttling_is_told_after_the_last_attempt(fake: FakeAws) -> None:
    fake.answers("CreateVpc", THROTTLED)
    with pytest.raises(AWSError) as refused:
        fake.connect(attempts=3).call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    assert (refused.value.code, len(fake.calls)) == ("RequestLimitExceeded", 3)


# Aws.call_until_known


def test_what_aws_does_not_know_yet_is_asked_for_again(fake: FakeAws) -> None:
    fake.answers("AttachInternetGateway", *[NOT_FOUND] * 7, {})
    attach(fake)
    assert fake.operations == ["AttachInternetGateway"] * 8


def test_what_aws_never_knows_is_told_once_the_time_is_over(fake: FakeAws) -> None:
    fake.answers("AttachInternetGateway", NOT_FOUND)
    with pytest.raises(AWSError) as refused:
        attach(fake, consistency=30.0)
    assert refused.value.code == NOT_FOUND.code
    assert 30 <= sum(fake.clock.pauses) <= 35


def test_another_refusal_is_told_at_once_while_waiting_for_aws_to_know(fake: FakeAws) -> None:
    fake.answers("AttachInternetGateway", Refusal("Resource.AlreadyAssociated"))
    with pytest.raises(AWSError):
        attach(fake)
    assert len(fake.calls) == 1


def test_a_code_with_words_asks_for_these_words_in_the_message(fake: FakeAws) -> None:
    other = Refusal("InvalidParameterException", "Cluster name is invalid.")
    fake.answers("CreateCluster", other)
    with pytest.raises(AWSError):
        fake.connect().call_until_known(
            "ecs",
            "CreateCluster",
            {"clusterName": "x"},
            unknown=("InvalidParameterException: service linked role",),
        )
    assert len(fake.calls) == 1


# Aws.client


def test_a_client_is_made_once(fake: FakeAws) -> None:
    aws = fake.connect()
    assert aws.client("ec2") is aws.client("ec2")


def test_neither_attempts_nor_an_endpoint_are_those_of_the_learners_own_settings(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere.invalid")
    meta = fake.connect().client("ec2").meta
    assert meta.config.retries["total_max_attempts"] == 1
    assert meta.endpoint_url == "https://ec2.us-east-1.amazonaws.com"


def test_the_learners_proxy_is_on_the_way_to_aws_and_not_to_this_machine(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def proxy_for(kind: str, url: str) -> Any:
        session = fake.connect(kind=kind).client("ec2")._endpoint.http_session
        return session._proxy_config.proxy_url_for(url)

    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    assert proxy_for("emulator", "http://127.0.0.1:1/") is None
    proxy = proxy_for("aws", "https://ec2.us-east-1.amazonaws.com/")
    assert proxy == "http://proxy.invalid:3128"


# Patience, Credentials, Aws.target, command_name


def test_a_pause_is_at_least_half_its_length_and_to_see_at_most_five_seconds() -> None:
    clock = Clock()
    clock.patience(consistency=30.0).pause_to_see()
    clock.patience(pause=0.2).pause_before(2)
    assert clock.pauses[0] == 5.0
    assert 0.1 <= clock.pauses[1] <= 0.2


def test_neither_credentials_nor_a_connection_show_their_secret(fake: FakeAws) -> None:
    shown = f"{Credentials('112233445566', 'a-secret')!r}{fake.connect()!r}"
    assert "a-secret" not in shown


def test_the_target_says_where_the_connection_leads(fake: FakeAws) -> None:
    assert fake.connect().target.to_json() == {
        "kind": "aws",
        "account": "112233445566",
        "region": "us-east-1",
        "endpoint": None,
    }


def test_a_call_is_spelled_as_the_aws_cli_does() -> None:
    commands = {"CreateVpc": "create-vpc", "AssociateRouteTable": "associate-route-table"}
    assert {name: command_name(name) for name in commands} == commands
