"""Plans: what may run at once does, what is known is left out, and the commands say the same."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from handson.aws import Credentials
from handson.core import messages
from handson.core.errors import AWSError, AWSUnclear, NotAllowed
from handson.resources import plan
from handson.resources.plan import Ref, Step
from tests.unit.fake_aws import Clock, FakeAws, Refusal, unauthorized

BLOCK = {"VpcId": Ref("vpc"), "CidrBlock": "10.0.0.0/20"}
ENDS = {"RouteTableId": Ref("table"), "SubnetId": Ref("subnet")}
STEPS = [
    Step("vpc", "ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}, "Vpc.VpcId"),
    Step("subnet", "ec2", "CreateSubnet", BLOCK, "Subnet.SubnetId"),
    Step("table", "ec2", "CreateRouteTable", {"VpcId": Ref("vpc")}, "RouteTable.RouteTableId"),
    Step("association", "ec2", "AssociateRouteTable", ENDS),
]
NOTHING: dict[str, str] = {}
MADE = {"vpc": "vpc-1", "subnet": "subnet-1", "table": "rtb-1", "association": ""}


@pytest.fixture
def fake() -> FakeAws:
    fake = FakeAws()
    for kind, id in (("Vpc", "vpc-1"), ("Subnet", "subnet-1"), ("RouteTable", "rtb-1")):
        fake.answers(f"Create{kind}", {kind: {f"{kind}Id": id}})
    for operation in ("AssociateRouteTable", "CreateTags"):
        fake.answers(operation, {})
    return fake


def carried_out(fake: FakeAws, *, known: dict[str, str] = NOTHING) -> dict[str, str]:
    results = {**known}
    plan.carry_out(fake.connect(), STEPS, known=results)
    return results


def test_a_plan_calls_each_step_with_the_results_of_those_before(fake: FakeAws) -> None:
    said: list[str] = []
    results: dict[str, str] = {}
    plan.carry_out(fake.connect().report_to(said.append), STEPS, known=results)
    assert results == MADE
    parameters = fake.said("AssociateRouteTable")[0]
    assert parameters == {"RouteTableId": "rtb-1", "SubnetId": "subnet-1"}
    made = ["CreateRouteTable rtb-1", "CreateSubnet subnet-1", "CreateVpc vpc-1"]
    assert sorted(said) == ["AssociateRouteTable", *made]


def test_what_is_known_is_not_called_and_filled_in_at_any_depth(fake: FakeAws) -> None:
    carried_out(fake, known={"vpc": "vpc-1", "subnet": "subnet-9", "table": "rtb-9"})
    assert fake.operations == ["AssociateRouteTable"]
    assert carried_out(fake, known=MADE) == MADE
    tags = {"Resources": [Ref("table")], "Tags": [{"Key": "table", "Value": Ref("table")}]}
    plan.carry_out(fake.connect(), [Step("tags", "ec2", "CreateTags", tags)], known={**MADE})
    filled_in = {"Resources": ["rtb-1"], "Tags": [{"Key": "table", "Value": "rtb-1"}]}
    assert fake.calls[1:] == [("CreateTags", filled_in)]


def test_a_step_waits_for_those_it_comes_after_and_one_that_nobody_makes_is_refused(
    fake: FakeAws,
) -> None:
    late = Step("late", "ec2", "CreateRouteTable", {"VpcId": "vpc-1"}, after=("vpc",))
    plan.carry_out(fake.connect(), [late, STEPS[0]], known={})
    assert fake.operations == ["CreateVpc", "CreateRouteTable"]
    with pytest.raises(KeyError, match="subnet"):
        plan.carry_out(fake.connect(), STEPS[3:], known={"table": "rtb-1"})


def test_an_answer_without_the_result_is_refused_before_another_call_needs_it(
    fake: FakeAws,
) -> None:
    fake.answers("CreateVpc", {"Vpc": {}})
    with pytest.raises(AWSError, match="ec2:CreateVpc"):
        carried_out(fake)
    assert fake.operations == ["CreateVpc"]


def test_a_failure_and_an_interrupt_end_the_waiting_of_other_calls(fake: FakeAws) -> None:
    asked, unknown = threading.Event(), "InvalidVpcID.NotFound"
    late = Step("late", "ec2", "CreateRouteTable", {"VpcId": "vpc-1"}, unknown=(unknown,))
    subnet = Step("subnet", "ec2", "CreateSubnet", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/20"})

    def answer(refusal: Refusal, _: Any) -> Refusal:
        asked.wait(20) if refusal.code != unknown else asked.set()
        return refusal

    def interrupt(_: str) -> None:
        asked.wait(20)
        raise KeyboardInterrupt

    fake.answers("CreateRouteTable", partial(answer, Refusal(unknown)))
    fake.answers("CreateSubnet", partial(answer, Refusal("SubnetLimitExceeded")))
    aws = fake.connect(consistency=1e6)
    with pytest.raises(AWSError) as refused:
        plan.carry_out(aws, [late, subnet], known={})
    with pytest.raises(KeyboardInterrupt):
        plan.carry_out(aws.report_to(interrupt), [late, STEPS[0]], known={})
    assert (refused.value.code, fake.clock.now < 1e6) == ("SubnetLimitExceeded", True)


def test_results_are_kept_where_another_call_fails(fake: FakeAws) -> None:
    fake.answers("CreateSubnet", Refusal("SubnetLimitExceeded"))
    known: dict[str, str] = {}
    with pytest.raises(AWSError):
        plan.carry_out(fake.connect(), STEPS, known=known)
    assert known == {"vpc": "vpc-1", "table": "rtb-1"}


def test_waiting_is_reported_with_its_seconds() -> None:
    fake, said, looks = FakeAws(), list[str](), iter([1, 2, 3])
    plan.wait_for(
        fake.connect().report_to(said.append),
        lambda: next(looks),
        done=lambda look: look == 3,
        what="x",
        timeout=9,
    )
    assert said == [messages.text("resources.plan.waiting", what="x", seconds=n) for n in (0, 0)]


def test_independent_steps_are_under_way_at_the_same_time(fake: FakeAws) -> None:
    both = threading.Barrier(2, timeout=20)

    def meet(reply: dict[str, Any], _: Any) -> dict[str, Any]:
        both.wait()
        return reply

    for operation in ("CreateSubnet", "CreateRouteTable"):
        fake.answers(operation, partial(meet, fake.planned[operation][0]))
    assert carried_out(fake) == MADE


def test_a_failure_ends_a_plan_once_what_is_under_way_has_ended(fake: FakeAws) -> None:
    refused, ended = threading.Event(), threading.Event()

    def refuse(_: dict[str, Any]) -> Refusal:
        refused.set()
        return Refusal("RouteTableLimitExceeded")

    def end(_: dict[str, Any]) -> dict[str, Any]:
        refused.wait(20)
        ended.set()
        return {"Subnet": {"SubnetId": "subnet-1"}}

    fake.answers("CreateRouteTable", refuse)
    fake.answers("CreateSubnet", end)
    with pytest.raises(AWSError):
        carried_out(fake)
    assert (ended.is_set(), "AssociateRouteTable" in fake.operations) == (True, False)


UNCLEAR, REFUSED = AWSUnclear("broke off", "again"), AWSError("refused", "mend")
ATTEMPTS: list[tuple[list[Exception | None], tuple[str, int, list[float]]]] = [
    # how attempts would end; what is raised, after how many, with which pauses
    ([None, None], ("", 1, [])),
    ([UNCLEAR, UNCLEAR, None], ("", 3, [5.0, 5.0])),
    ([UNCLEAR, UNCLEAR, UNCLEAR, None], ("AWSUnclear", 3, [5.0, 5.0])),
    ([REFUSED, None], ("AWSError", 1, [])),
]


def retried(outcomes: list[Exception | None]) -> tuple[str, int, list[float]]:
    clock, left, raised = Clock(), iter(outcomes), ""

    def attempt() -> None:
        if outcome := next(left):
            raise outcome

    try:
        plan.retry_unclear(attempt, patience=clock.patience())
    except AWSError as error:
        raised = type(error).__name__
    return raised, len(outcomes) - len(list(left)), clock.pauses


def test_an_unclear_attempt_is_repeated_twice_after_a_pause_and_a_refusal_told_at_once() -> None:
    assert [retried(outcomes) for outcomes, _ in ATTEMPTS] == [wanted for _, wanted in ATTEMPTS]


def commands(steps: Sequence[Step]) -> list[str]:
    """Return the commands of a plan without the lines that point the shell at AWS."""
    return list(plan.format_commands(FakeAws().connect(), steps))[1:]


def test_commands_keep_their_results_in_variables() -> None:
    assert commands(STEPS) == [
        "VPC=$(aws ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)",
        'SUBNET=$(aws ec2 create-subnet --vpc-id "$VPC" --cidr-block 10.0.0.0/20'
        " --query Subnet.SubnetId --output text)",
        'TABLE=$(aws ec2 create-route-table --vpc-id "$VPC"'
        " --query RouteTable.RouteTableId --output text)",
        'aws ec2 associate-route-table --route-table-id "$TABLE" --subnet-id "$SUBNET"',
    ]


OPTIONS: list[tuple[Any, str]] = [
    (True, "--option"),
    (False, "--no-option"),
    (["a", "b"], "--option a b"),
    ([Ref("public-table"), Ref("vpc")], '--option "$PUBLIC_TABLE" "$VPC"'),
    ({"Value": True}, "--option '{\"Value\":true}'"),
    ([{"Key": "a"}], '--option \'[{"Key":"a"}]\''),
    ("it's $HOME", "--option 'it'\"'\"'s $HOME'"),
    (5, "--option 5"),
]


def test_a_parameter_is_written_as_the_shell_needs_it() -> None:
    steps = [Step("step", "ec2", "CreateVpc", {"Option": value}) for value, _ in OPTIONS]
    assert commands(steps) == [f"aws ec2 create-vpc {words}" for _, words in OPTIONS]


def test_a_tag_specification_is_as_ec2_takes_it_and_one_word_of_the_command() -> None:
    name = "it's; rm -rf $HOME"
    pairs = [{"Key": "Name", "Value": name}, {"Key": "handson", "Value": "ecs-handson"}]
    tags = plan.make_tag_specification("vpc", name)
    assert tags == [{"ResourceType": "vpc", "Tags": pairs}]
    [command] = commands([Step("vpc", "ec2", "CreateVpc", {"TagSpecifications": tags})])
    assert len(shlex.split(command)) == 5


def test_the_shell_is_pointed_at_the_emulator_and_on_real_aws_keeps_its_credentials() -> None:
    region = "export AWS_DEFAULT_REGION=us-east-1"
    assert plan.format_commands(FakeAws().connect(), []) == (region,)
    aws = FakeAws().connect(kind="emulator")
    aws.credentials = Credentials("112233445566", "not-a-secret")
    assert plan.format_exports(plan.list_cli_variables(aws)) == [
        region,
        "export AWS_ENDPOINT_URL=http://127.0.0.1:1",
        "export AWS_ACCESS_KEY_ID=112233445566",
        "export AWS_SECRET_ACCESS_KEY=not-a-secret",
    ]


OTHERS = [
    Step("gateway", "ec2", "CreateInternetGateway", {}, "InternetGateway.InternetGatewayId"),
    Step("dns", "ec2", "ModifyVpcAttribute", {"VpcId": Ref("vpc")}),
    Step("cluster", "ecs", "CreateCluster", {"clusterName": "c"}),
]


@pytest.fixture
def asked() -> FakeAws:
    fake = FakeAws()
    for step in (*STEPS, *OTHERS):
        fake.answers(step.operation, Refusal("DryRunOperation", "would have succeeded", 412))
    return fake


def ask(fake: FakeAws, *, kind: str = "aws", known: dict[str, str] = NOTHING) -> None:
    plan.require_permissions(fake.connect(kind=kind), [*STEPS, *OTHERS], known=known)


def lacking(fake: FakeAws) -> NotAllowed:
    with pytest.raises(NotAllowed) as denied:
        ask(fake)
    return denied.value


VPC = {"vpc": "vpc-1", "gateway": "igw-1"}
ASKED: list[tuple[str, dict[str, str], list[str]]] = [
    ("aws", {}, ["CreateInternetGateway", "CreateVpc"]),
    ("aws", VPC, ["CreateRouteTable", "CreateSubnet"]),
    ("aws", MADE, ["CreateInternetGateway"]),
    ("aws", MADE | VPC, []),
    ("emulator", {}, []),  # for it would do it
]


def test_what_is_missing_and_could_be_made_now_is_asked_about_by_dry_run(asked: FakeAws) -> None:
    for kind, known, operations in ASKED:
        asked.calls.clear()
        ask(asked, kind=kind, known=known)
        assert sorted(asked.operations) == operations
        assert [it for it, said in asked.calls if said.get("DryRun") is not True] == []


def test_all_lacking_permissions_are_told_at_once_and_no_other(asked: FakeAws) -> None:
    asked.answers("CreateVpc", unauthorized("ec2:CreateTags"))
    assert lacking(asked).actions == ("ec2:CreateTags",)
    asked.answers("CreateInternetGateway", unauthorized("ec2:CreateInternetGateway"))
    denied = lacking(asked)
    assert denied.actions == ("ec2:CreateInternetGateway", "ec2:CreateTags")
    assert [action for action in denied.actions if action not in denied.problem] == []


def test_another_answer_is_left_to_the_call_but_for_refused_credentials(asked: FakeAws) -> None:
    for code in ("VpcLimitExceeded", "SomethingNew"):
        asked.answers("CreateVpc", Refusal(code))
        ask(asked)
    asked.answers("CreateVpc", Refusal("RequestExpired", status=400))
    assert (lacking(asked).code, lacking(asked).actions) == ("RequestExpired", ())


USUAL = {"name": "ecs-handson", "public_subnets": 2}


def warned(**asked: object) -> str:
    chosen = {**USUAL, "s3_endpoint": True, **asked}
    notes = plan.warn_of_settings("network", chosen, USUAL, undo="undo()")
    return "\n".join(note.sentence for note in notes)


def test_another_setting_is_told_with_its_notebook_and_without_what_it_should_be() -> None:
    assert (warned(), warned(s3_endpoint=False)) == ("", "")
    for name, value, usual in (("name", "ecs-handsom", "ecs-handson'"), ("public_subnets", 3, "2")):
        told = warned(**{name: value})
        assert [it for it in (f"{name}={value!r}", "01-network") if it not in told] == []
        assert usual not in told
