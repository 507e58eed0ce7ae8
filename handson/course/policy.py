"""Least privilege: the smallest IAM policy with which the workshop passes on real AWS.

`VERBS` lists the IAM actions of each verb.  `write_policy` writes the policy: separate statements
to check, create, and change or delete, each limited to the workshop's tag and to kinds of resources
wherever AWS supports it (Service Authorization Reference, "Actions, resources, and condition keys"
for Amazon EC2, ECS and ECR).  `explain_denial` returns the error for refused actions: who can allow
them, and the cells that need them.

It has to be a managed policy: inline policies of a user or a group have no room for it (IAM User
Guide, "IAM and AWS STS quotas": 2,048 and 5,120 characters).  So statements with the same resources
and conditions are one.

The policy deliberately does not allow a learner to change or delete resources without the tag, such
as a VPC made by hand, nor to put the tag on an existing resource.  `ec2:CreateAction` and
`ecs:CreateAction` allow tags at creation only; ECR has no such condition key, so its statements
name the one repository of the exercise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handson.core import messages
from handson.core.errors import NotAllowed
from handson.core.text import map_texts
from handson.course.exercise import TAG_KEY, TAG_VALUE, Exercise

VERSION = "2012-10-17"
"""The version of the policy language (IAM User Guide, "Version")."""

_GATEWAYS = "ec2:{region}:{account}:internet-gateway/*"
_ROUTE_TABLES = "ec2:{region}:{account}:route-table/*"
_SUBNETS = "ec2:{region}:{account}:subnet/*"
_ENDPOINTS = "ec2:{region}:{account}:vpc-endpoint/*"
_VPCS = "ec2:{region}:{account}:vpc/*"
_NETWORK = (_ENDPOINTS, _SUBNETS, _ROUTE_TABLES, _GATEWAYS, _VPCS)
_CLUSTERS = "ecs:{region}:{account}:cluster/*"
_REPOSITORY = "ecr:{region}:{account}:repository/{repository}"
"""ARNs without "arn:aws:", with placeholders."""

LARGEST = 6144
"""Characters of a managed policy, white space left out (IAM User Guide, "IAM and AWS STS quotas").
"""

_ZONES = "ec2:DescribeAvailabilityZones"
_VPC_ATTRIBUTE = "ec2:DescribeVpcAttribute"
_FIND_NETWORK = (
    "ec2:DescribeInternetGateways",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
)
_FIND_CLUSTERS = ("ecs:DescribeClusters", "ecs:ListClusters")
_FIND_REPOSITORIES = ("ecr:DescribeRepositories", "ecr:ListTagsForResource")
_READ_MANIFESTS = ("ecr:BatchGetImage", "ecr:DescribeImages")
_READ_IMAGES = (*_READ_MANIFESTS, "ecr:GetDownloadUrlForLayer")
_FIND_IMAGES = (*_FIND_REPOSITORIES, *_READ_IMAGES)
_LOOK = (*_FIND_NETWORK, _VPC_ATTRIBUTE, *_FIND_CLUSTERS, *_FIND_IMAGES)
_CREATE_VPC = ("ec2:CreateInternetGateway", "ec2:CreateVpc")
_CREATE_IN_VPC = ("ec2:CreateRouteTable", "ec2:CreateSubnet", "ec2:CreateVpcEndpoint")
_CONNECT = (
    "ec2:AssociateRouteTable",
    "ec2:AttachInternetGateway",
    "ec2:CreateRoute",
    "ec2:ModifyVpcAttribute",
    "ec2:ModifyVpcEndpoint",
    "ec2:ReplaceRoute",
)
_CREATE_NETWORK = (*_CREATE_VPC, *_CREATE_IN_VPC, *_CONNECT, "ec2:CreateTags")
_CAPACITY = "ecs:PutClusterCapacityProviders"
_CREATE_CLUSTER = ("ecs:CreateCluster", _CAPACITY, "ecs:TagResource")
_CREATE_REPOSITORY = ("ecr:CreateRepository", "ecr:TagResource")
_ROLE = "iam:CreateServiceLinkedRole"
_QUOTA = "servicequotas:GetServiceQuota"
_LOGIN = "ecr:GetAuthorizationToken"
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
# What keeps AWS from deleting a VPC or a cluster. ListTasks can be bound to a container instance,
# which a cluster on Fargate does not have.
_FIND_USERS = (
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ecs:ListServices",
    "ecs:ListTasks",
)
_INSTANCES = "ecs:ListContainerInstances"
_FIND_ALL = (
    *_FIND_NETWORK,
    *_FIND_CLUSTERS,
    *_FIND_REPOSITORIES,
    *_READ_MANIFESTS,
    *_FIND_USERS,
    _INSTANCES,
)
_DELETE_NETWORK = (
    "ec2:DeleteInternetGateway",
    "ec2:DeleteRouteTable",
    "ec2:DeleteSubnet",
    "ec2:DeleteVpc",
    "ec2:DeleteVpcEndpoints",
    "ec2:DetachInternetGateway",
    "ec2:DisassociateRouteTable",
)
_DELETE_CLUSTER, _DELETE_REPOSITORY = "ecs:DeleteCluster", "ecr:DeleteRepository"

VERBS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ensure_network": (
        "01-network",
        (_ZONES, *_FIND_NETWORK, _VPC_ATTRIBUTE, _QUOTA, *_CREATE_NETWORK),
    ),
    "snapshot": ("01-network", _LOOK),
    "draw": ("01-network", _LOOK),
    "evidence": ("01-network", _LOOK),
    "ensure_cluster": ("02-cluster", ("ecs:DescribeClusters", *_CREATE_CLUSTER, _ROLE)),
    "ensure_repository": ("03-image", (*_FIND_REPOSITORIES, *_CREATE_REPOSITORY)),
    "push_image": ("03-image", (*_FIND_REPOSITORIES, _LOGIN, *_PUSH)),
    "images": ("03-image", _FIND_IMAGES),
    "run_image": ("03-image", (*_FIND_IMAGES, _LOGIN)),
    "record_image_uri": ("03-image", _FIND_IMAGES),
    "verify": ("04-evidence", _LOOK),
    "questions": ("05-architecture", _LOOK),
    "cleanup": ("99-cleanup", (*_FIND_ALL, *_DELETE_NETWORK, _DELETE_CLUSTER, _DELETE_REPOSITORY)),
}
"""The verbs that call AWS, each with its first notebook and the IAM actions that it needs."""

_RENAMED = {"service-quotas": "servicequotas"}
"""boto3's names of services whose prefix in IAM differs."""


@dataclass(frozen=True)
class Statement:
    """A statement of the policy; `resources` are ARNs without "arn:aws:", with placeholders."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_NEW = {f"aws:RequestTag/{TAG_KEY}": TAG_VALUE}
_IF_NEW = {"StringEquals": _NEW}
_IF_OURS = {"StringEquals": {f"aws:ResourceTag/{TAG_KEY}": TAG_VALUE}}
IN_REGION = {"StringEquals": {"aws:RequestedRegion": "{region}"}}
_TO_ECS = {"StringEquals": {"iam:AWSServiceName": "ecs.amazonaws.com"}}
_AT_CREATION = [action.partition(":")[2] for action in (*_CREATE_VPC, *_CREATE_IN_VPC)]
_IF_NEW_NETWORK = {"StringEquals": {**_NEW, "ec2:CreateAction": _AT_CREATION}}
_IF_NEW_CLUSTER = {"StringEquals": {**_NEW, "ecs:CreateAction": "CreateCluster"}}
_REPOSITORIES = ("ecr:{region}:{account}:repository/*",)
_ECS_ROLE = ("iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",)
_VPC_QUOTA = ("servicequotas:{region}:{account}:vpc/L-F678F1CE",)
_NEW_IN_VPC = (_ROUTE_TABLES, _SUBNETS, _ENDPOINTS)
_CHECK = (_ZONES, *_FIND_NETWORK, *_FIND_USERS, "ecs:ListClusters", _LOGIN)

STATEMENTS: tuple[Statement, ...] = (
    Statement("Check", _CHECK, condition=IN_REGION),
    Statement("CheckVpcs", (_VPC_ATTRIBUTE,), (_VPCS,)),
    Statement("CheckClusters", ("ecs:DescribeClusters", _INSTANCES), (_CLUSTERS,)),
    Statement("CheckRepositories", _FIND_REPOSITORIES, _REPOSITORIES),
    Statement("CheckImages", _READ_IMAGES, (_REPOSITORY,)),
    Statement("CheckQuota", (_QUOTA,), _VPC_QUOTA),
    Statement("CreateVpc", _CREATE_VPC, (_GATEWAYS, _VPCS), _IF_NEW),
    # These calls touch a new resource, which has no tag yet, and its VPC, which has one. AWS checks
    # each of the two, so each needs a statement.
    Statement("CreateSubnets", _CREATE_IN_VPC, _NEW_IN_VPC, _IF_NEW),
    Statement("CreateInVpc", _CREATE_IN_VPC, (_ROUTE_TABLES, _VPCS), _IF_OURS),
    Statement("CreateNetworkTags", ("ec2:CreateTags",), _NETWORK, _IF_NEW_NETWORK),
    Statement("CreateCluster", ("ecs:CreateCluster",), (_CLUSTERS,), _IF_NEW),
    Statement("CreateClusterTags", ("ecs:TagResource",), (_CLUSTERS,), _IF_NEW_CLUSTER),
    Statement("CreateClusterRole", (_ROLE,), _ECS_ROLE, _TO_ECS),
    Statement("CreateRepository", _CREATE_REPOSITORY, (_REPOSITORY,), _IF_NEW),
    Statement("ChangeNetwork", (*_CONNECT, *_DELETE_NETWORK), _NETWORK, _IF_OURS),
    Statement("ChangeCluster", (_CAPACITY, _DELETE_CLUSTER), (_CLUSTERS,), _IF_OURS),
    Statement("ChangeRepository", (*_PUSH, _DELETE_REPOSITORY), (_REPOSITORY,), _IF_OURS),
)

# IAM User Guide, "Troubleshoot access denied error messages": "because no session policy allows the
# ecs:CreateCluster action", "with an explicit deny in a service control policy: <its ARN>".
_ENDING = re.compile(
    r"(because no|explicit deny in an?) ([a-z][a-z -]*?)(?: policy)?"
    r"(?: allows|: (arn:\S*[^\s.,\"'])|[^\w -]|$)",
    re.IGNORECASE,
)

PROOF_ACTIONS = frozenset({"sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"})
"""The actions that only `handson proof` needs."""


def write_policy(
    *,
    region: str,
    account: str | None,
    statements: Sequence[Statement] = STATEMENTS,
    exercise: Exercise = Exercise(),
) -> dict[str, Any]:
    """Return the policy in IAM's JSON.

    Args:
        region: The only region in which the policy allows anything.
        account: The account in the ARNs, or None if it is unknown; the ARNs then name any account,
            which for IAM means the account of the user with the policy.
        statements: `STATEMENTS` for the workshop, or `handson.audit.PROOF` for `handson proof`.
        exercise: The exercise, which names the repository.
    """
    values = {"region": region, "account": account or "*", "repository": exercise.repository}
    written = [
        {
            "Sid": item.sid,
            "Effect": "Allow",
            "Action": sorted(item.actions),
            "Resource": [f"arn:aws:{arn}" for arn in item.resources] or "*",
            **({"Condition": item.condition} if item.condition else {}),
        }
        for item in statements
    ]
    filled = map_texts(written, lambda text: text.format(**values))
    return {"Version": VERSION, "Statement": filled}


def name_action(service: str, operation: str) -> str:
    """Return the IAM action of a call; `service` is boto3's name of the service."""
    return f"{_RENAMED.get(service, service)}:{operation}"


def explain_denial(
    missing: Sequence[str], *, code: str | None = None, reasons: Mapping[str, str] = {}
) -> NotAllowed:
    """Return the error for refused actions, by the kinds of policies that refused them.

    Args:
        missing: The IAM actions.
        code: AWS's error code.
        reasons: AWS's sentence for each action, if AWS gave one.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for action in missing:
        groups.setdefault(_find_refuser(reasons.get(action, "")), []).append(action)
    advised = [_advise(actions, *refuser) for refuser, actions in groups.items()]
    problem, remedy = (" ".join(sentences) for sentences in zip(*advised, strict=True))
    reason = " ".join(dict.fromkeys(reasons.values()))
    return NotAllowed(problem, remedy, code=code, actions=tuple(missing), reason=reason)


def _find_refuser(reason: str) -> tuple[str, str, str]:
    """Return the kind of the policy that refused, AWS's name of that kind, and the policy's ARN.

    All are empty if no identity-based policy allows the action, or if AWS does not say.
    """
    found = _ENDING.search(reason)
    if not found:
        return "", "", ""
    ending, name, arn = found.groups(default="")
    if (ending.lower(), name.lower()) == ("because no", "identity-based"):
        return "", "", ""
    kind = name.lower().replace(" ", "-")
    known = f"policy.denied-by.{kind}.problem" in messages.catalogue("course")
    return kind if known else "other", name, arn


def _advise(actions: Sequence[str], kind: str, name: str, arn: str) -> tuple[str, str]:
    """Return the problem and the remedy for actions that one policy refused."""
    listed = ", ".join(actions)
    if kind:
        values = {"actions": listed, "name": name, "arn": f" ({arn})" if arn else ""}
        return messages.advice_of("course.policy.denied-by", kind, **values)
    cells = dict.fromkeys(
        f"workshop.{verb} ({notebook})"
        for action in actions
        for verb, (notebook, needed) in VERBS.items()
        if action in needed
    )
    if PROOF_ACTIONS.issuperset(actions):
        return messages.advice("course.policy.denied-proof", actions=listed)
    key = "course.policy.denied" if cells else "course.policy.denied-other"
    return messages.advice(key, actions=listed, cells=", ".join(cells))
