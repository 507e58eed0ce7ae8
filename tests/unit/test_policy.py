"""The IAM policy, held against AWS's own table of what a policy may say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import nbformat
import pytest

from handson.audit import PROOF
from handson.core import messages
from handson.core.errors import NotAllowed
from handson.course import policy, syllabus
from handson.course.exercise import Exercise
from handson.course.policy import STATEMENTS, Statement
from handson.engine.model import Destination
from handson.engine.registry_client import explain_refusal

KINDS = {
    "ec2:AssociateRouteTable": "internet-gateway route-table subnet",
    "ec2:AttachInternetGateway": "internet-gateway vpc",
    "ec2:CreateInternetGateway": "internet-gateway",
    "ec2:CreateRoute": "route-table",
    "ec2:CreateRouteTable": "route-table vpc",
    "ec2:CreateSubnet": "subnet vpc",
    "ec2:CreateTags": "internet-gateway route-table subnet vpc vpc-endpoint",
    "ec2:CreateVpc": "vpc",
    "ec2:CreateVpcEndpoint": "route-table subnet vpc vpc-endpoint",
    "ec2:DeleteInternetGateway": "internet-gateway",
    "ec2:DeleteRouteTable": "route-table",
    "ec2:DeleteSubnet": "subnet",
    "ec2:DeleteVpc": "vpc",
    "ec2:DeleteVpcEndpoints": "vpc-endpoint",
    "ec2:DescribeAvailabilityZones": "",
    "ec2:DescribeInternetGateways": "",
    "ec2:DescribeNatGateways": "",
    "ec2:DescribeNetworkInterfaces": "",
    "ec2:DescribeRouteTables": "",
    "ec2:DescribeSecurityGroups": "",
    "ec2:DescribeSubnets": "",
    "ec2:DescribeVpcAttribute": "vpc",
    "ec2:DescribeVpcEndpoints": "",
    "ec2:DescribeVpcs": "",
    "ec2:DetachInternetGateway": "internet-gateway vpc",
    "ec2:DisassociateRouteTable": "internet-gateway route-table subnet",
    "ec2:ModifyVpcAttribute": "vpc",
    "ec2:ModifyVpcEndpoint": "route-table subnet vpc-endpoint",
    "ec2:ReplaceRoute": "route-table",
    "ecr:BatchCheckLayerAvailability": "repository",
    "ecr:BatchGetImage": "repository",
    "ecr:CompleteLayerUpload": "repository",
    "ecr:CreateRepository": "repository",
    "ecr:DeleteRepository": "repository",
    "ecr:DescribeImages": "repository",
    "ecr:DescribeRepositories": "repository",
    "ecr:GetAuthorizationToken": "",
    "ecr:GetDownloadUrlForLayer": "repository",
    "ecr:InitiateLayerUpload": "repository",
    "ecr:ListTagsForResource": "repository",
    "ecr:PutImage": "repository",
    "ecr:TagResource": "repository",
    "ecr:UploadLayerPart": "repository",
    "ecs:CreateCluster": "cluster",
    "ecs:DeleteCluster": "cluster",
    "ecs:PutClusterCapacityProviders": "cluster",
    "ecs:DescribeClusters": "cluster",
    "ecs:ListClusters": "",
    "ecs:ListContainerInstances": "cluster",
    "ecs:ListServices": "",
    "ecs:ListTasks": "",
    "ecs:TagResource": "cluster container-instance",
    "iam:CreateServiceLinkedRole": "role",
    "servicequotas:GetServiceQuota": "quota",
    "sts:GetWebIdentityToken": "",
    "sts:TagGetWebIdentityToken": "",
}
"""The kinds of resources that each action can be bound to, of those that the workshop makes.

From the Service Authorization Reference ("Actions, resources, and condition keys for" Amazon EC2,
ECS, ECR, Service Quotas, STS and IAM); nothing where AWS takes only "*".  ListTasks can be bound to
container instances, of which the workshop has none.
"""
NEEDS = {verb: actions for verb, (_, actions) in policy.VERBS.items()}
ACTIONS = sorted({action for statement in STATEMENTS for action in statement.actions})
TAGGED_AT_CREATION = {
    "ec2:CreateInternetGateway",
    "ec2:CreateRouteTable",
    "ec2:CreateSubnet",
    "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
    "ecr:CreateRepository",
    "ecs:CreateCluster",
}
TAGGING = {"ec2:CreateTags", "ecr:TagResource", "ecs:TagResource"}
READS = ("Describe", "List", "Get", "BatchGet")
LARGEST = 6144
"""Characters of a managed policy, white space left out (IAM User Guide, "IAM quotas")."""

REQUEST_TAG, RESOURCE_TAG = "aws:RequestTag/handson", "aws:ResourceTag/handson"


def written(
    region: str = "us-east-1",
    account: str | None = "112233445566",
    statements: Sequence[Statement] = STATEMENTS,
) -> dict[str, Any]:
    return policy.write_policy(region=region, account=account, statements=statements)


def kinds(statement: Statement) -> set[str]:
    return {kind(resource) for resource in statement.resources}


def kind(resource: str) -> str:
    """Return what an ARN leads to; a quota's begins with the service that it limits."""
    service, _, rest = resource.partition(":")
    return "quota" if service == "servicequotas" else rest.split(":")[-1].split("/")[0]


def changing() -> list[tuple[Statement, str]]:
    return [
        (statement, action)
        for statement in STATEMENTS
        for action in statement.actions
        if not action.partition(":")[2].startswith(READS)
    ]


def keys(statement: Statement) -> set[str]:
    return {key for operator in statement.condition.values() for key in operator}


def named(value: tuple[Statement, str]) -> str:
    return f"{value[0].sid} {value[1]}"


def test_the_policy_allows_what_the_verbs_need_and_nothing_else() -> None:
    assert set(ACTIONS) == {action for needed in NEEDS.values() for action in needed}


def test_the_table_of_aws_covers_every_action() -> None:
    assert set(ACTIONS) - KINDS.keys() == set()


@pytest.mark.parametrize("statement", [*STATEMENTS, *PROOF], ids=lambda statement: statement.sid)
def test_every_action_of_a_statement_can_be_bound_to_its_resources(statement: Statement) -> None:
    possible = {action: set(KINDS[action].split()) for action in statement.actions}
    bound = kinds(statement)
    unbound = [action for action, those in possible.items() if bool(those) != bool(those & bound)]
    assert (unbound, bound - set().union(*possible.values())) == ([], set())


@pytest.mark.parametrize("statement", [*STATEMENTS, *PROOF], ids=lambda statement: statement.sid)
def test_what_cannot_be_bound_to_a_resource_is_bound_to_the_region(statement: Statement) -> None:
    assert bool(statement.resources) != ("aws:RequestedRegion" in keys(statement))


@pytest.mark.parametrize("action", sorted(TAGGED_AT_CREATION | TAGGING))
def test_nothing_is_created_without_the_tag(action: str) -> None:
    bound = [keys(item) for item in STATEMENTS if action in item.actions]
    assert [one for one in bound if not one & {REQUEST_TAG, RESOURCE_TAG}] == []


@pytest.mark.parametrize("pair", changing(), ids=named)
def test_nothing_is_changed_or_deleted_without_the_tag(pair: tuple[Statement, str]) -> None:
    statement, action = pair
    if action == "iam:CreateServiceLinkedRole":
        assert keys(statement) == {"iam:AWSServiceName"}
    else:
        assert keys(statement) & {REQUEST_TAG, RESOURCE_TAG}


@pytest.mark.parametrize(("action", "key"), [("ec2:CreateTags", "ec2"), ("ecs:TagResource", "ecs")])
def test_the_tag_can_be_put_on_new_things_alone(action: str, key: str) -> None:
    [statement] = [item for item in STATEMENTS if action in item.actions]
    assert f"{key}:CreateAction" in keys(statement)


def test_where_aws_cannot_tell_new_from_old_the_repository_is_named() -> None:
    written = policy.write_policy(
        region="us-east-1", account=None, exercise=Exercise(repository="shop")
    )
    [statement] = [item for item in written["Statement"] if "ecr:TagResource" in item["Action"]]
    assert [resource.rpartition("/")[2] for resource in statement["Resource"]] == ["shop"]


def test_a_token_is_for_grading_alone_short_lived_and_tagged_with_nothing_else() -> None:
    prove, tag = (
        {key: value for keys in item["Condition"].values() for key, value in keys.items()}
        for item in written(statements=PROOF)["Statement"]
    )
    assert (prove["sts:IdentityTokenAudience"], tag["aws:TagKeys"]) == (
        ["handson-evidence"],
        ["handson-chain"],
    )
    assert prove["sts:DurationSeconds"] == "300"


def test_the_policy_fits_into_a_managed_one() -> None:
    assert (
        len(json.dumps(written(account="1" * 12, region="ap-southeast-1"), separators=(",", ":")))
        <= LARGEST
    )


def test_every_sid_is_named_once_and_as_iam_takes_it() -> None:
    sids = [statement.sid for statement in STATEMENTS]
    assert (len(set(sids)), [sid for sid in sids if not sid.isalnum()]) == (len(sids), [])


def test_create_check_push_and_clean_up_are_statements_of_their_own() -> None:
    purposes = ("Check", "Create", "Push", "CleanUp")
    assert [item.sid for item in STATEMENTS if not item.sid.startswith(purposes)] == []


@pytest.mark.parametrize("place", ["us-east-1", "ap-northeast-1"])
def test_region_and_account_stand_in_every_arn(place: str) -> None:
    arns = [arn for item in written(place)["Statement"] for arn in item["Resource"] if arn != "*"]
    wrong = [
        arn
        for arn in arns
        if arn.split(":")[4] != "112233445566" or arn.split(":")[3] not in (place, "")
    ]
    assert wrong == []


def test_an_account_that_is_not_known_is_any() -> None:
    text = json.dumps(written(account=None))
    assert ("arn:aws:ec2:us-east-1:*:vpc/*" in text, "None" in text) == (True, False)


# The cells


def test_the_cells_are_those_of_the_notebooks(root: Any) -> None:
    first: dict[str, str] = {}
    for notebook in syllabus.NOTEBOOKS:
        book = nbformat.read(root / "notebooks" / "ja" / f"{notebook}.ipynb", as_version=4)
        code = "\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
        for verb in NEEDS:
            if f"workshop.{verb}(" in code or f"widgets.{verb}(workshop" in code:
                first.setdefault(verb, notebook)
    assert first == {verb: notebook for verb, (notebook, _) in policy.VERBS.items()}


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_denied_action_is_told_in_two_lines_with_its_cells(action: str, language: str) -> None:
    messages.use(language)
    denied = policy.explain_denial([action])
    cells = [verb for verb, needed in NEEDS.items() if action in needed]
    assert len(str(denied).split("\n")) == 2
    assert [cell for cell in cells if f"workshop.{cell} (" not in denied.problem] == []
    assert (action in denied.problem, action in denied.remedy) == (True, True)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("action", [one for item in PROOF for one in item.actions])
def test_an_action_of_a_proof_is_told_with_its_command(action: str, language: str) -> None:
    messages.use(language)
    denied = policy.explain_denial([action])
    assert (action in denied.problem, "handson proof" in denied.problem) == (True, True)
    assert "handson policy --proof" in denied.remedy


def test_an_action_that_no_cell_takes_is_told_without_one() -> None:
    denied = policy.explain_denial(["s3:ListBuckets"])
    assert ("s3:ListBuckets" in denied.problem, "workshop." in denied.problem) == (True, False)


@pytest.mark.parametrize("action", NEEDS["push_image"])
def test_what_a_registry_denies_is_told_by_its_action(action: str) -> None:
    arn = "arn:aws:iam::112233445566:user/learner"
    said = f"denied: User: {arn} is not authorized to perform: {action} on resource: x because y"
    where = Destination("r.example", "https", "rails-app", "AWS", "not-a-secret")
    denied = explain_refusal(said, where)
    assert isinstance(denied, NotAllowed)
    assert (denied.actions, "workshop.push_image" in str(denied), arn in str(denied)) == (
        (action,),
        True,
        False,
    )
