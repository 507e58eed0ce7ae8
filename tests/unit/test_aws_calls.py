"""One connection: what is recorded, what is called again, and what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from handson.aws import Credentials
from handson.aws.calls import Reply
from handson.core import messages
from handson.core.errors import AWSError, AWSUnclear
from tests.unit.fake_aws import ACCOUNT, FakeAws, Refusal, closed, no_answer, silent

THROTTLED = Refusal("RequestLimitExceeded", status=503)


@pytest.fixture
def fake() -> FakeAws:
    return FakeAws()


def test_answered_calls_are_recorded_as_evidence_without_parameters(fake: FakeAws) -> None:
    fake.answers("DescribeVpcs", {"Vpcs": []})
    fake.answers("DescribeSubnets", {"Subnets": []})
    aws = fake.connect()
    aws.call("ec2", "DescribeVpcs", VpcIds=["vpc-1"])
    aws.call("ec2", "DescribeSubnets")
    seen = {"service": "ec2", "request_id": "11111111-2222"}
    names = ("DescribeVpcs", "DescribeSubnets")
    assert [it.to_json() for it in aws.requests] == [seen | {"operation": name} for name in names]


def test_calls_without_recording_are_in_no_record_in_another_region_either(fake: FakeAws) -> None:
    fake.answers("DescribeVpcs", {"Vpcs": []})
    for order in (1, -1):
        own = fake.connect()
        for aws in (own, own.without_recording())[::order]:
            aws.in_region("eu-west-1").call("ec2", "DescribeVpcs")
        assert [request.operation for request in own.requests].count("DescribeVpcs") == 1


def test_a_list_holds_the_items_of_all_pages_each_asked_for_with_its_token(fake: FakeAws) -> None:
    fake.answers("DescribeVpcs", {"Vpcs": [1], "NextToken": "more"}, {"Vpcs": [2]})
    fake.answers("ListClusters", {"clusterArns": ["a"], "nextToken": "more"}, {"clusterArns": []})
    aws = fake.connect()
    assert aws.list_items("ec2", "DescribeVpcs", "Vpcs") == [1, 2]
    assert aws.list_items("ecs", "ListClusters", "clusterArns") == ["a"]
    more = [{"NextToken": "more"}, {"nextToken": "more"}]
    assert [said for _, said in fake.calls] == [{}, more[0], {}, more[1]]


ROUTE = {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0"}
NAMED = {"Resources": ["vpc-1"], "Tags": [{"Key": "Name", "Value": "shop\n"}]}


def test_a_reply_is_a_dict_that_says_in_a_notebook_what_the_call_did(fake: FakeAws) -> None:
    messages.use("en")
    headers = {"RequestId": "1", "HTTPHeaders": {"server": "x"}}
    vpcs = [{"VpcId": "vpc-1", "IsDefault": False}, {"VpcId": "vpc-2"}]
    fake.answers("DescribeVpcs", {"Vpcs": vpcs, "ResponseMetadata": headers})
    reply = fake.connect().call("ec2", "DescribeVpcs")
    assert (reply["Vpcs"], isinstance(reply, dict), repr(reply)[0]) == (vpcs, True, "{")
    said = Reply(reply, "ec2:DescribeVpcs", {}).card().text().splitlines()
    assert said == [
        "◆ AWS's answer to ec2:DescribeVpcs",
        *("  Vpcs 1.VpcId: vpc-1", "  Vpcs 1.IsDefault: False", "  Vpcs 2.VpcId: vpc-2"),
    ]
    calls: dict[str, dict[str, Any]] = {"DeleteRoute": ROUTE, "CreateTags": NAMED}
    titles = [Reply({}, f"ec2:{name}", calls[name]).card().text() for name in calls]
    assert titles == ["✔ Route 0.0.0.0/0 removed from rtb-1", "✔ Tag Name=shop� put on vpc-1"]
    messages.use("ja")
    assert "vpc-1 にタグ Name=shop� を付けました" in Reply({}, "ec2:CreateTags", NAMED).card().title


def test_a_reply_without_a_sentence_shows_no_secret_and_not_more_than_a_screen() -> None:
    secrets = {"authorizationData": [{"authorizationToken": "QVdT"}], "Password": "x1y2"}
    reply = Reply(secrets | {"n": [*range(30)]}, "ecr:GetAuthorizationToken", {})
    said = reply.card().text()
    assert [word for word in ("QVdT", "x1y2", " 19: ") if word in said] == []
    assert ("n 18: 17" in said, "12 個" in said) == (True, True)
    saved, _ = InteractiveShell().display_formatter.format(reply)
    assert saved["text/plain"] == said
    assert "ec2:DeleteSubnet" in Reply({}, "ec2:DeleteSubnet", {}).card().title


def test_each_call_of_a_remedy_has_a_sentence(root: Path) -> None:
    sources = " ".join(path.read_text("utf-8") for path in (root / "handson").rglob("*.py"))
    named = re.findall(r'write_aws_call\(\s*"\w+",\s*([^,]*),', sources)
    operations = {name for it in named for name in re.findall(r'"([A-Z]\w+)"', it)}
    assert len(operations) >= 9
    assert {f"done.{name}" for name in operations} - messages.catalogue("aws").keys() == set()


BROKEN_OFF = {"DescribeVpcs": (None, 2), "DeleteVpc": (None, 2), "CreateVpc": (AWSUnclear, 1)}
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
    raised = None
    try:
        fake.connect().call("ec2", operation, **needed.get(operation, {}))
    except AWSError as error:
        raised = type(error)
    return raised, len(fake.calls)


def test_a_call_is_repeated_where_that_does_no_harm() -> None:
    for operation, broken_off in BROKEN_OFF.items():
        found = {name: outcome(operation, failure) for name, failure in FAILURES.items()}
        assert found == dict.fromkeys(FAILURES, broken_off) | EVERY, operation


def test_throttled_calls_are_repeated_for_a_time_with_growing_pauses(fake: FakeAws) -> None:
    fake.answers("CreateVpc", THROTTLED)
    for attempts, calls in ((5, range(20, 70)), (1, range(1, 2))):
        fake.calls.clear()
        aws = fake.connect(pause=1.0, attempts=attempts)
        with pytest.raises(AWSError) as refused:
            aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
        assert (refused.value.code, len(fake.calls) in calls) == ("RequestLimitExceeded", True)
    for pause, longest in zip(fake.clock.pauses, [1.0, 2.0, 4.0, 5.0], strict=False):
        assert longest / 2 <= pause <= longest


UNKNOWN = ("InvalidInternetGatewayID.NotFound", "InvalidParameter: service linked role")
NOT_FOUND, NO_ROLE = Refusal(UNKNOWN[0]), Refusal("InvalidParameter", "Service Linked Role?")
PATIENCE: dict[str, tuple[list[Any], str | None, int]] = {
    # answers; the code that is told, after how many calls
    "known in the end": ([*[NOT_FOUND] * 7, {}], None, 8),
    "with these words": ([NO_ROLE, {}], None, 2),
    "with other words": ([Refusal("InvalidParameter", "is invalid.")], "InvalidParameter", 1),
    "another refusal": ([Refusal("Resource.AlreadyAssociated")], "Resource.AlreadyAssociated", 1),
}


def attach(fake: FakeAws) -> str | None:
    """Call until AWS knows the gateway; return the code of the refusal, if any."""
    gateway = {"InternetGatewayId": "igw-1", "VpcId": "vpc-1"}
    aws = fake.connect(consistency=30.0)
    try:
        aws.call_until_known("ec2", "AttachInternetGateway", gateway, unknown=UNKNOWN)
    except AWSError as error:
        return error.code
    return None


def test_what_aws_does_not_know_yet_alone_is_asked_for_again_for_a_time() -> None:
    for case, (answers, told, calls) in PATIENCE.items():
        fake = FakeAws()
        fake.answers("AttachInternetGateway", *answers)
        assert (case, attach(fake), len(fake.calls)) == (case, told, calls)
    fake.answers("AttachInternetGateway", NOT_FOUND)
    assert attach(fake) == NOT_FOUND.code
    assert 30 <= sum(fake.clock.pauses) <= 35


def test_a_wait_is_told_with_its_seconds_and_ends_with_awss_reason_and_not_yet() -> None:
    fake, told = FakeAws(), list[str]()
    fake.answers("DeleteVpc", Refusal("DependencyViolation", "it is in use"))
    aws = fake.connect().report_to(told.append)
    with pytest.raises(AWSError) as late:
        aws.call_until_known(
            "ec2", "DeleteVpc", {"VpcId": "vpc-1"}, unknown=(), busy={"DependencyViolation"}
        )
    assert 600 <= fake.clock.now - 1000 <= 605
    assert [words for words in ("ec2:DeleteVpc", "0") if words not in told[0]] == []
    assert (late.value.code, late.value.reason) == ("DependencyViolation", "it is in use")
    assert "it is in use" in late.value.problem


def test_a_client_is_made_once_calls_once_and_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    aws = FakeAws().connect()
    assert aws.client("ec2") is aws.client("ec2")
    assert aws.client("ec2").meta.config.retries["total_max_attempts"] == 1
    assert "a-secret" not in f"{Credentials(ACCOUNT, 'a-secret')!r}{aws!r}"


def test_the_learners_proxy_is_on_the_way_to_aws_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def proxy_for(kind: str, url: str) -> Any:
        session = FakeAws().connect(kind=kind).client("ec2")._endpoint.http_session
        return session._proxy_config.proxy_url_for(url)

    proxy = "http://proxy.invalid:3128"
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy)
    assert proxy_for("emulator", "http://127.0.0.1:1/") is None
    assert proxy_for("aws", "https://ec2.us-east-1.amazonaws.com/") == proxy
