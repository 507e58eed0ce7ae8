"""One connection: what is recorded, what is called again, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from handson.aws import Credentials, Patience, Request, command_name
from handson.core.errors import AWSError, AWSUnclear
from tests.unit.fake_aws import Clock, FakeAws, Refusal, closed, no_answer, silent

VPC = {"Vpc": {"VpcId": "vpc-1"}}
VPCS: dict[str, Any] = {"Vpcs": []}
THROTTLED = Refusal("RequestLimitExceeded", status=503)
BROKEN = Refusal("InternalError", status=500)
NOT_FOUND = Refusal("InvalidInternetGatewayID.NotFound")
ATTACH = {"InternetGatewayId": "igw-1", "VpcId": "vpc-1"}


@pytest.fixture
def fake() -> FakeAws:
    return FakeAws()


def attach(fake: FakeAws, **patience: Any) -> None:
    fake.connect(**patience).call_until_known(
        "ec2", "AttachInternetGateway", ATTACH, unknown=("InvalidInternetGatewayID.NotFound",)
    )


def test_a_call_returns_what_aws_replied(fake: FakeAws) -> None:
    fake.answers("CreateVpc", VPC)
    assert fake.connect().call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"] == VPC["Vpc"]


def test_a_call_passes_its_parameters_on(fake: FakeAws) -> None:
    fake.answers("CreateVpc", VPC)
    fake.connect().call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    assert fake.calls == [("CreateVpc", {"CidrBlock": "10.0.0.0/16"})]


def test_every_answered_call_is_recorded_with_its_request_id(fake: FakeAws) -> None:
    fake.answers("DescribeVpcs", VPCS)
    aws = fake.connect()
    aws.call("ec2", "DescribeVpcs")
    assert aws.requests == [
        Request(service="ec2", operation="DescribeVpcs", request_id="11111111-2222")
    ]


def test_a_recording_holds_only_the_requests_of_its_block(fake: FakeAws) -> None:
    fake.answers("DescribeVpcs", VPCS)
    fake.answers("DescribeSubnets", {"Subnets": []})
    aws = fake.connect()
    aws.call("ec2", "DescribeVpcs")
    with aws.recording() as requests:
        aws.call("ec2", "DescribeSubnets")
    assert [request.operation for request in requests] == ["DescribeSubnets"]


def test_a_request_is_evidence_without_parameters(fake: FakeAws) -> None:
    request = Request(service="ec2", operation="DescribeVpcs", request_id="11111111-2222")
    assert request.to_json() == {
        "service": "ec2",
        "operation": "DescribeVpcs",
        "request_id": "11111111-2222",
    }


def test_pages_returns_the_items_of_all_pages(fake: FakeAws) -> None:
    first = {"Vpcs": [{"VpcId": "vpc-1"}], "NextToken": "more"}
    fake.answers("DescribeVpcs", first, {"Vpcs": [{"VpcId": "vpc-2"}]})
    found = fake.connect().list_items("ec2", "DescribeVpcs", "Vpcs")
    assert [item["VpcId"] for item in found] == ["vpc-1", "vpc-2"]


def test_pages_asks_for_the_next_page_with_its_token(fake: FakeAws) -> None:
    fake.answers("ListClusters", {"clusterArns": ["a"], "nextToken": "more"}, {"clusterArns": []})
    fake.connect().list_items("ecs", "ListClusters", "clusterArns")
    assert [parameters for _, parameters in fake.calls] == [{}, {"nextToken": "more"}]


def test_a_throttled_write_is_called_again(fake: FakeAws) -> None:
    fake.answers("CreateVpc", THROTTLED, THROTTLED, VPC)
    fake.connect().call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    assert fake.operations == ["CreateVpc"] * 3


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


@pytest.mark.parametrize("failure", [BROKEN, closed(), silent(), no_answer()])
def test_a_read_that_failed_on_the_way_is_called_again(fake: FakeAws, failure: Any) -> None:
    fake.answers("DescribeVpcs", failure, VPCS)
    fake.connect().call("ec2", "DescribeVpcs")
    assert fake.operations == ["DescribeVpcs"] * 2


@pytest.mark.parametrize("failure", [BROKEN, closed(), silent()])
def test_a_write_that_broke_off_is_not_called_again(fake: FakeAws, failure: Any) -> None:
    fake.answers("CreateVpc", failure)
    with pytest.raises(AWSUnclear):
        fake.connect().call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    assert fake.operations == ["CreateVpc"]


def test_a_write_that_never_reached_aws_is_called_again(fake: FakeAws) -> None:
    fake.answers("CreateVpc", no_answer(), VPC)
    fake.connect().call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    assert fake.operations == ["CreateVpc"] * 2


def test_a_deletion_that_broke_off_is_called_again(fake: FakeAws) -> None:
    fake.answers("DeleteVpc", closed(), {})
    fake.connect().call("ec2", "DeleteVpc", VpcId="vpc-1")
    assert fake.operations == ["DeleteVpc"] * 2


def test_a_refusal_is_not_called_again(fake: FakeAws) -> None:
    fake.answers("CreateVpc", Refusal("InvalidVpc.Range"))
    with pytest.raises(AWSError):
        fake.connect().call("ec2", "CreateVpc", CidrBlock="10.0.0.0/8")
    assert fake.operations == ["CreateVpc"]


def test_what_aws_does_not_know_yet_is_asked_for_again(fake: FakeAws) -> None:
    fake.answers("AttachInternetGateway", *[NOT_FOUND] * 7, {})
    attach(fake)
    assert fake.operations == ["AttachInternetGateway"] * 8


def test_what_aws_never_knows_is_told_once_the_time_is_over(fake: FakeAws) -> None:
    fake.answers("AttachInternetGateway", NOT_FOUND)
    with pytest.raises(AWSError) as refused:
        attach(fake, consistency=30.0)
    assert (refused.value.code, 30 <= sum(fake.clock.pauses) <= 35) == (NOT_FOUND.code, True)


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


def test_a_client_is_made_once(fake: FakeAws) -> None:
    aws = fake.connect()
    assert aws.client("ec2") is aws.client("ec2")


def test_botocore_itself_makes_no_second_attempt(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    assert fake.connect().client("ec2").meta.config.retries["total_max_attempts"] == 1


def test_a_proxy_is_not_asked_for_the_way_to_this_machine(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    session = fake.connect(kind="emulator").client("ec2")._endpoint.http_session
    assert session._proxy_config.proxy_url_for("http://127.0.0.1:1/") is None


def test_the_proxy_of_the_learner_is_asked_for_the_way_to_aws(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    session = fake.connect().client("ec2")._endpoint.http_session
    url = "https://ec2.us-east-1.amazonaws.com/"
    assert session._proxy_config.proxy_url_for(url) == "http://proxy.invalid:3128"


def test_an_endpoint_in_the_learners_own_settings_is_not_used(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere.invalid")
    assert fake.connect().client("ec2").meta.endpoint_url == "https://ec2.us-east-1.amazonaws.com"


def test_the_pause_to_see_what_broke_off_is_no_longer_than_five_seconds() -> None:
    clock = Clock()
    clock.patience(consistency=30.0).pause_to_see()
    assert clock.pauses == [5.0]


def test_a_pause_is_at_least_half_its_length() -> None:
    clock = Clock()
    Patience(pause=0.2, clock=clock, sleep=clock.sleep).pause_before(2)
    assert 0.1 <= clock.pauses[0] <= 0.2


def test_credentials_do_not_show_their_secret() -> None:
    assert "a-secret" not in repr(Credentials("112233445566", "a-secret"))


def test_a_connection_does_not_show_its_secret(fake: FakeAws) -> None:
    assert "a-secret" not in repr(fake.connect())


def test_the_target_says_where_the_connection_leads(fake: FakeAws) -> None:
    assert fake.connect().target.to_json() == {
        "kind": "aws",
        "account": "112233445566",
        "region": "us-east-1",
        "endpoint": None,
    }


@pytest.mark.parametrize(
    ("name", "command"),
    [("CreateVpc", "create-vpc"), ("AssociateRouteTable", "associate-route-table")],
)
def test_a_call_is_spelled_as_the_aws_cli_does(name: str, command: str) -> None:
    assert command_name(name) == command


@pytest.mark.parametrize("first", ["own", "other"])
def test_calls_without_recording_are_in_no_record_in_another_region_either(first: str) -> None:
    fake = FakeAws()
    fake.answers("DescribeVpcs", {"Vpcs": []})
    own = fake.connect()
    other = own.without_recording()
    for aws in (own, other) if first == "own" else (other, own):
        aws.in_region("eu-west-1").call("ec2", "DescribeVpcs")
    recorded = [request.operation for request in own.requests]
    assert recorded.count("DescribeVpcs") == 1
