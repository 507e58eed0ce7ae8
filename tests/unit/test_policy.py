"""The IAM policy, held against AWS's own table of what a policy may say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import botocore.session
import nbformat
import pytest

from handson.core import messages
from handson.core.errors import NotAllowed
from handson.course import policy, syllabus
from handson.course.exercise import Exercise
from handson.course.owners import name_owner
from handson.course.policy import PROOF, STATEMENTS, Statement
from handson.course.variation import Variation
from handson.engine.model import Destination
from handson.engine.registry_client import explain_refusal
from handson.grading import tokens

TABLE = {
    "ec2": {
        "DescribeAvailabilityZones DescribeInternetGateways DescribeNatGateways "
        "DescribeNetworkInterfaces DescribeRouteTables DescribeSecurityGroups DescribeSubnets "
        "DescribeVpcEndpoints DescribeVpcs": "",
        "CreateVpc DeleteVpc DescribeVpcAttribute ModifyVpcAttribute": "vpc",
        "CreateInternetGateway DeleteInternetGateway": "internet-gateway",
        "AttachInternetGateway DetachInternetGateway": "internet-gateway vpc",
        "CreateRoute DeleteRoute ReplaceRoute DeleteRouteTable": "route-table",
        "CreateRouteTable": "route-table vpc",
        "AssociateRouteTable DisassociateRouteTable": "internet-gateway route-table subnet",
        "DeleteSubnet": "subnet",
        "CreateSubnet": "subnet vpc",
        "DeleteVpcEndpoints": "vpc-endpoint",
        "CreateVpcEndpoint": "route-table subnet vpc vpc-endpoint",
        "ModifyVpcEndpoint": "route-table subnet vpc-endpoint",
        "CreateTags": "internet-gateway route-table subnet vpc vpc-endpoint",
    },
    "ecr": {
        "GetAuthorizationToken": "",
        "BatchCheckLayerAvailability BatchGetImage CompleteLayerUpload CreateRepository "
        "DeleteRepository DescribeImages DescribeRepositories GetDownloadUrlForLayer "
        "InitiateLayerUpload ListTagsForResource PutImage TagResource "
        "UploadLayerPart": "repository",
    },
    "ecs": {
        "ListClusters ListServices ListTasks": "",
        "CreateCluster DeleteCluster DescribeClusters ListContainerInstances "
        "PutClusterCapacityProviders": "cluster",
        "TagResource": "cluster container-instance",
    },
    "iam": {"CreateServiceLinkedRole": "role"},
    "servicequotas": {"GetServiceQuota": "quota"},
    "sts": {"GetWebIdentityToken TagGetWebIdentityToken": ""},
}
"""The kinds of resources that actions can be bound to, of those that the workshop makes.

From the Service Authorization Reference; nothing where AWS takes only "*".  ListTasks can be bound
to container instances, of which the workshop has none.
"""
KINDS = {
    f"{service}:{action}": set(kinds.split())
    for service, rows in TABLE.items()
    for actions, kinds in rows.items()
    for action in actions.split()
}
NEEDS = {verb: actions for verb, (_, actions) in policy.VERBS.items()}
ACTIONS = sorted({action for statement in STATEMENTS for action in statement.actions})
READS = ("Describe", "List", "Get", "BatchGet")
REQUEST_TAG, RESOURCE_TAG = "aws:RequestTag/handson", "aws:ResourceTag/handson"


def written(statements: Sequence[Statement] = STATEMENTS) -> dict[str, Any]:
    return policy.write_policy(region="ap-southeast-1", account="1" * 12, statements=statements)


def kind(resource: str) -> str:
    """Return what an ARN leads to; a quota's begins with the service that it limits."""
    service, _, rest = resource.partition(":")
    return "quota" if service == "servicequotas" else rest.split(":")[-1].split("/")[0]


@pytest.mark.parametrize("statement", [*STATEMENTS, *PROOF], ids=lambda statement: statement.sid)
def test_a_statement_is_bound_to_its_resources_or_else_to_the_region(statement: Statement) -> None:
    bound = {kind(resource) for resource in statement.resources}
    possible = {action: KINDS[action] for action in statement.actions}
    assert all(not those or those & bound for those in possible.values())
    assert bound <= set().union(*possible.values())
    assert bool(statement.resources) != ("aws:RequestedRegion" in str(statement.condition))


def test_nothing_is_created_changed_or_deleted_without_the_tag() -> None:
    sids: dict[str, list[str]] = {}
    for statement in STATEMENTS:
        if any(not action.partition(":")[2].startswith(READS) for action in statement.actions):
            keys = " ".join(sorted({key for op in statement.condition.values() for key in op}))
            sids.setdefault(keys, []).append(statement.sid)
    assert sids == {
        REQUEST_TAG: ["CreateVpc", "CreateSubnets", "CreateCluster", "CreateRepository"],
        f"{REQUEST_TAG} ec2:CreateAction": ["CreateNetworkTags"],
        f"{REQUEST_TAG} ecs:CreateAction": ["CreateClusterTags"],
        "iam:AWSServiceName": ["CreateClusterRole"],
        RESOURCE_TAG: [
            *("CreateInVpc", "ChangeNetwork", "ChangeCluster", "ChangeRepository"),
        ],
    }


def test_conditions_are_written_with_their_values() -> None:
    values = {
        (operator, key, json.dumps(value))
        for item in written()["Statement"]
        for operator, keys in item.get("Condition", {}).items()
        for key, value in keys.items()
    }
    created = ["InternetGateway", "Vpc", "RouteTable", "Subnet", "VpcEndpoint"]
    assert values == {
        ("StringEquals", REQUEST_TAG, '"ecs-handson"'),
        ("StringEquals", RESOURCE_TAG, '"ecs-handson"'),
        ("StringEquals", "aws:RequestedRegion", '"ap-southeast-1"'),
        ("StringEquals", "ec2:CreateAction", json.dumps([f"Create{kind}" for kind in created])),
        ("StringEquals", "ecs:CreateAction", '"CreateCluster"'),
        ("StringEquals", "iam:AWSServiceName", '"ecs.amazonaws.com"'),
    }


def test_a_token_is_for_grading_alone_short_lived_and_tagged_with_nothing_else() -> None:
    prove, tag = (
        {key: value for keys in item["Condition"].values() for key, value in keys.items()}
        for item in written(PROOF)["Statement"]
    )
    said = (prove["sts:IdentityTokenAudience"], prove["sts:DurationSeconds"], tag["aws:TagKeys"])
    assert said == (["handson-evidence"], "300", ["handson-chain"])
    assert said == ([tokens.AUDIENCE], str(tokens.SECONDS), [tokens.TAG])


def test_the_policy_is_a_document_that_fits_and_allows_what_the_verbs_need_alone() -> None:
    assert set(ACTIONS) == {action for needed in NEEDS.values() for action in needed}
    document = written()
    sids = [item["Sid"] for item in document["Statement"]]
    effects = {item["Effect"] for item in document["Statement"]}
    assert (document["Version"], effects) == ("2012-10-17", {"Allow"})
    assert [sid for sid in sids if not sid.isalnum() or sids.count(sid) > 1] == []


def test_a_managed_policy_has_room_for_it_in_every_region_and_for_a_long_name() -> None:
    session = botocore.session.Session()
    regions = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    ]
    longest = max(regions, key=len)
    account, exercise = "1" * 12, Exercise(repository="r" * 60)
    document = policy.write_policy(region=longest, account=account, exercise=exercise)
    assert len(json.dumps(document, separators=(",", ":"))) <= policy.LARGEST - 500


def test_the_policy_of_a_course_names_its_exercises_and_that_of_one_learner_the_owner() -> None:
    lab = Variation(key="spring", regions=("us-east-1", "ap-northeast-1"))
    all_of_them = policy.write_course_policy(lab, "", account=None)
    one = policy.write_course_policy(lab, " 山田　花子 ", account="1" * 12)
    own = lab.derive_exercise("山田花子")

    def list_arns(document: dict[str, Any], service: str) -> set[str]:
        arns = {arn for it in document["Statement"] for arn in it["Resource"]}
        return {arn.split(":", 3)[3] for arn in arns if arn.startswith(f"arn:aws:{service}:")}

    def list_values(document: dict[str, Any], key: str) -> list[Any]:
        asked = [it.get("Condition", {}).get("StringEquals", {}) for it in document["Statement"]]
        return [keys[key] for keys in asked if key in keys]

    where = f"{own.region}:{'1' * 12}"
    assert list_arns(one, "ecs") == {f"{where}:cluster/{own.network.name}*"}
    assert list_arns(one, "ecr") == {
        f"{where}:repository/{own.repository}",
        f"{where}:repository/*",
    }
    assert list_arns(all_of_them, "ecs") == {"*:*:cluster/ecs-handson-*"}
    assert list_arns(all_of_them, "ecr") == {"*:*:repository/rails-app-*", "*:*:repository/*"}
    assert list_values(all_of_them, "aws:RequestedRegion") == [[*lab.regions]]
    assert list_values(one, "aws:RequestedRegion") == [own.region]
    for key in (REQUEST_TAG, RESOURCE_TAG):
        owners = list_values(one, f"{key}-owner")
        assert owners == [name_owner("山田花子")] * len(list_values(one, key))
        assert list_values(all_of_them, f"{key}-owner") == []
    assert len(json.dumps(one, separators=(",", ":"))) <= policy.LARGEST


def test_no_image_but_the_exercises_can_be_read() -> None:
    reads = {"ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"}
    places = {arn for it in written()["Statement"] if {*it["Action"]} & reads
              for arn in it["Resource"]}  # fmt: skip
    assert places == {f"arn:aws:ecr:ap-southeast-1:{'1' * 12}:repository/rails-app"}


def test_the_arns_name_region_account_and_repository() -> None:
    shop = policy.write_policy(region="eu-west-1", account=None, exercise=Exercise(repository="s"))
    kinds = ("internet-gateway", "route-table", "subnet", "vpc", "vpc-endpoint")
    lists = [
        {arn for it in document["Statement"] for arn in it["Resource"]} - {"*"}
        for document in (shop, written())
    ]
    assert lists[0] == {
        *(f"arn:aws:ec2:eu-west-1:*:{kind}/*" for kind in kinds),
        "arn:aws:ecs:eu-west-1:*:cluster/*",
        "arn:aws:ecr:eu-west-1:*:repository/s",
        "arn:aws:ecr:eu-west-1:*:repository/*",
        "arn:aws:servicequotas:eu-west-1:*:vpc/L-F678F1CE",
        "arn:aws:iam::*:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    }
    assert {arn.split(":")[4] for arn in lists[1]} == {"1" * 12}
    # ECR cannot tell new from old, so only the exercise's repository can be tagged.
    [tagging] = [item for item in shop["Statement"] if "ecr:TagResource" in item["Action"]]
    assert tagging["Resource"] == ["arn:aws:ecr:eu-west-1:*:repository/s"]


def test_the_cells_are_those_of_the_notebooks(root: Path) -> None:
    first: dict[str, str] = {}
    names = syllabus.NOTEBOOKS
    books = {it: nbformat.read(root / f"notebooks/ja/{it}.ipynb", as_version=4) for it in names}
    for kind, notebook in product(("code", "markdown"), names):
        text = "\n".join(it.source for it in books[notebook].cells if it.cell_type == kind)
        for verb in NEEDS:
            if f"workshop.{verb}(" in text or f"widgets.{verb}(workshop" in text:
                first.setdefault(verb, notebook)
    optional = {"images": "03-image"}  # no notebook asks for it
    assert first | optional == {verb: notebook for verb, (notebook, _) in policy.VERBS.items()}


def test_explain_denial_names_the_actions_and_their_cells_or_command() -> None:
    messages.use("en")
    denied = policy.explain_denial(["ecr:PutImage", "ecs:CreateCluster"], code="AccessDenied")
    assert (denied.actions, denied.code) == (("ecr:PutImage", "ecs:CreateCluster"), "AccessDenied")
    cells = "workshop.push_image (03-image), workshop.tag_image (03-image), "
    cells += "workshop.ensure_cluster (02-cluster)"
    assert f"perform ecr:PutImage, ecs:CreateCluster. It is needed by {cells}." in denied.problem
    proof = policy.explain_denial(["sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"])
    assert "needed by `handson proof`." in proof.problem
    assert "`handson policy --proof`" in proof.remedy
    both = policy.explain_denial(["sts:GetWebIdentityToken", "ecr:PutImage"])
    assert (
        "needed by workshop.push_image (03-image), workshop.tag_image (03-image)." in both.problem
    )
    other = policy.explain_denial([policy.name_action("service-quotas", "X")])
    assert other.problem == "You are not allowed to perform servicequotas:X."


def test_every_denied_action_is_told_in_two_lines_with_all_its_cells() -> None:
    for action in ACTIONS:
        denied = policy.explain_denial([action])
        cells = [f"workshop.{verb} (" for verb, needed in NEEDS.items() if action in needed]
        said = [part for part in (action, *cells) if part in denied.problem]
        assert (said, str(denied).count("\n")) == ([action, *cells], 1)
        assert action in denied.remedy


def test_what_a_registry_denies_is_told_by_its_action() -> None:
    arn = "arn:aws:iam::112233445566:user/learner"
    where = Destination("r.example", "https", "rails-app", "AWS", "not-a-secret", "latest")
    for action in NEEDS["push_image"]:
        said = f"denied: User: {arn} is not authorized to perform: {action} on resource: x because"
        denied = explain_refusal(said, where)
        assert isinstance(denied, NotAllowed)
        assert denied.actions == (action,)
        assert ("workshop.push_image" in str(denied), arn in str(denied)) == (True, False)
    owner = explain_refusal(f"{said[:-8]} with an explicit deny in a resource-based policy", where)
    assert ("リソースの所有者" in owner.remedy, "handson policy" in str(owner)) == (True, False)


def test_actions_that_several_kinds_of_policies_refuse_are_told_kind_by_kind() -> None:
    messages.use("en")
    said = {
        "ec2:CreateVpc": "with an explicit deny in a service control policy",
        "ec2:CreateTags": "",
    }
    denied = policy.explain_denial([*said, "ec2:CreateSubnet"], reasons=said)
    scp, own = "forbids ec2:CreateVpc.", "perform ec2:CreateTags, ec2:CreateSubnet."
    assert (scp in denied.problem, own in denied.problem) == (True, True)
    assert ("Organizations" in denied.remedy, "`handson policy`" in denied.remedy) == (True, True)
    assert denied.actions == (*said, "ec2:CreateSubnet")
