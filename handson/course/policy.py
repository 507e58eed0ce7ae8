"""Least privilege: the smallest IAM policy with which the workshop passes on real AWS.

`NEEDS` lists the IAM actions of each verb; `UNSEEN` gives the reason for the actions that a run on
an emulator does not show.  `document` writes the policy: separate statements to check, create, push
and clean up, each limited to the workshop's tag and to kinds of resources wherever AWS supports it
(Service Authorization Reference, "Actions, resources, and condition keys" for Amazon EC2, ECS and
ECR).  `explain_denial` returns the error for refused actions, with the cells that need them.

The policy deliberately does not allow a learner to change or delete resources without the tag, such
as a VPC made by hand, nor to put the tag on an existing resource.  `ec2:CreateAction` and
`ecs:CreateAction` allow tags at creation only; ECR has no such condition key, so its statements
name the one repository of the exercise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from handson.core import messages
from handson.core.errors import NotAllowed
from handson.course.exercise import TAG_KEY, TAG_VALUE, Exercise
from handson.course.kinds import (
    CLUSTER,
    ENDPOINT,
    GATEWAY,
    KINDS,
    NETWORK_KINDS,
    REPOSITORY,
    ROUTE_TABLE,
    SUBNET,
    VPC,
)

VERSION = "2012-10-17"
"""The version of the policy language (IAM User Guide, "Version")."""

CELLS: Mapping[str, str] = MappingProxyType(
    {
        "ensure_network": "01-network",
        "snapshot": "01-network",
        "draw": "01-network",
        "evidence": "01-network",
        "ensure_cluster": "02-cluster",
        "ensure_repository": "03-image",
        "push_image": "03-image",
        "images": "03-image",
        "run_image": "03-image",
        "record_image_uri": "03-image",
        "verify": "04-evidence",
        "questions": "05-architecture",
        "cleanup": "99-cleanup",
    }
)
"""The verbs that call AWS, each with the first notebook that uses it."""

_FIND_NETWORK = (
    "ec2:DescribeAvailabilityZones",
    *(action for kind in NETWORK_KINDS for action in kind.find),
)
_FIND_IMAGES = ("ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer")
_LOOK = (
    *_FIND_NETWORK,
    "ec2:DescribeVpcAttribute",
    *CLUSTER.find,
    *REPOSITORY.find,
    *_FIND_IMAGES,
)
_CREATE_VPC = (*GATEWAY.create, *VPC.create)
_CREATE_IN_VPC = (*ROUTE_TABLE.create, *SUBNET.create, *ENDPOINT.create)
_CONNECT = tuple(action for kind in NETWORK_KINDS for action in kind.change)
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_DELETE_NETWORK = tuple(action for kind in NETWORK_KINDS for action in kind.delete)
_ROLE = "iam:CreateServiceLinkedRole"

NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ensure_network": (
            *_FIND_NETWORK,
            "ec2:DescribeVpcAttribute",
            *_CREATE_VPC,
            *_CREATE_IN_VPC,
            *_CONNECT,
            "ec2:CreateTags",
            "servicequotas:GetServiceQuota",
        ),
        "evidence": _LOOK,
        "ensure_cluster": ("ecs:DescribeClusters", *CLUSTER.create, *CLUSTER.change, _ROLE),
        "ensure_repository": (*REPOSITORY.find, *REPOSITORY.create),
        "push_image": (*REPOSITORY.find, "ecr:GetAuthorizationToken", *_PUSH),
        "images": (*REPOSITORY.find, *_FIND_IMAGES),
        "run_image": (*REPOSITORY.find, *_FIND_IMAGES, "ecr:GetAuthorizationToken"),
        "record_image_uri": (*REPOSITORY.find, *_FIND_IMAGES),
        "verify": _LOOK,
        "snapshot": _LOOK,
        "draw": _LOOK,
        "questions": _LOOK,
        "cleanup": (
            *(action for kind in KINDS for action in (*kind.find, *kind.find_users, *kind.delete)),
            "ecr:BatchGetImage",
            "ecr:DescribeImages",
        ),
    }
)
"""The IAM actions that each verb needs; several verbs may need the same action."""

_OCCUPIED = "names what runs in a cluster that cannot be deleted yet"

UNSEEN: Mapping[str, str] = MappingProxyType(
    {
        "ec2:CreateTags": "AWS asks for it when a call creates something with tags",
        "ecr:BatchCheckLayerAvailability": "the registry asks for it: which layers are there",
        "ecr:CompleteLayerUpload": "the registry asks for it at the end of each layer",
        "ecr:GetDownloadUrlForLayer": "emulators give blobs out over the registry protocol",
        "ecr:InitiateLayerUpload": "the registry asks for it at the start of each layer",
        "ecr:PutImage": "the registry asks for it for each tag",
        "ecr:TagResource": "AWS asks for it when CreateRepository names tags",
        "ecr:UploadLayerPart": "the registry asks for it while a layer is sent",
        "ecs:ListContainerInstances": _OCCUPIED,
        "ecs:ListServices": _OCCUPIED,
        "ecs:ListTasks": _OCCUPIED,
        "ecs:TagResource": "AWS asks for it when CreateCluster names tags",
        _ROLE: "ECS makes its role, as the caller, at an account's first cluster",
        "servicequotas:GetServiceQuota": "asked on real AWS alone, of an account with five VPCs",
    }
)
"""Actions that a run on an emulator does not show, each with the reason why it is needed."""

_RENAMED = {"service-quotas": "servicequotas"}
"""boto3's names of services whose prefix in IAM differs."""


@dataclass(frozen=True)
class Statement:
    """A statement of the policy; `resources` are ARNs without "arn:aws:", with placeholders."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_json(self, *, region: str, account: str, exercise: Exercise) -> dict[str, Any]:
        """Return the statement in IAM's JSON."""
        values = {"region": region, "account": account, "repository": exercise.repository}
        written = {
            operator: {key: _fill_in(value, values) for key, value in keys.items()}
            for operator, keys in self.condition.items()
        }
        arns = [f"arn:aws:{resource}".format(**values) for resource in self.resources]
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": sorted(self.actions),
            "Resource": arns or "*",
            **({"Condition": written} if written else {}),
        }


def _fill_in(value: Any, values: Mapping[str, str]) -> Any:
    return value.format(**values) if isinstance(value, str) else list(value)


_NEW = {f"aws:RequestTag/{TAG_KEY}": TAG_VALUE}
_OURS = {"StringEquals": {f"aws:ResourceTag/{TAG_KEY}": TAG_VALUE}}
IN_REGION = {"StringEquals": {"aws:RequestedRegion": "{region}"}}
_NETWORK = tuple(kind.arn for kind in NETWORK_KINDS)
_REPOSITORIES = ("ecr:{region}:{account}:repository/*",)
_ECS_ROLE = ("iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",)
_VPC_QUOTA = ("servicequotas:{region}:{account}:vpc/L-F678F1CE",)

STATEMENTS: tuple[Statement, ...] = (
    Statement("Check", (*_FIND_NETWORK, "ecs:ListClusters"), condition=IN_REGION),
    Statement("CheckVpcs", ("ec2:DescribeVpcAttribute",), (VPC.arn,)),
    Statement("CheckClusters", ("ecs:DescribeClusters",), (CLUSTER.arn,)),
    Statement("CheckImages", (*REPOSITORY.find, *_FIND_IMAGES), _REPOSITORIES),
    Statement("CheckQuota", ("servicequotas:GetServiceQuota",), _VPC_QUOTA),
    Statement("CreateVpc", _CREATE_VPC, (GATEWAY.arn, VPC.arn), {"StringEquals": _NEW}),
    # These calls touch a new resource, which has no tag yet, and its VPC, which has one. AWS checks
    # each of the two, so each needs a statement.
    Statement(
        "CreateSubnets",
        _CREATE_IN_VPC,
        (ROUTE_TABLE.arn, SUBNET.arn, ENDPOINT.arn),
        {"StringEquals": _NEW},
    ),
    Statement("CreateInVpc", _CREATE_IN_VPC, (ROUTE_TABLE.arn, VPC.arn), _OURS),
    Statement("CreateConnections", _CONNECT, _NETWORK, _OURS),
    Statement(
        "CreateNetworkTags",
        ("ec2:CreateTags",),
        _NETWORK,
        {
            "StringEquals": {
                **_NEW,
                "ec2:CreateAction": [
                    action.partition(":")[2] for action in (*_CREATE_VPC, *_CREATE_IN_VPC)
                ],
            }
        },
    ),
    Statement("CreateCluster", ("ecs:CreateCluster",), (CLUSTER.arn,), {"StringEquals": _NEW}),
    Statement("CreateCapacity", CLUSTER.change, (CLUSTER.arn,), _OURS),
    Statement(
        "CreateClusterTags",
        ("ecs:TagResource",),
        (CLUSTER.arn,),
        {"StringEquals": {**_NEW, "ecs:CreateAction": "CreateCluster"}},
    ),
    Statement(
        "CreateClusterRole",
        (_ROLE,),
        _ECS_ROLE,
        {"StringEquals": {"iam:AWSServiceName": "ecs.amazonaws.com"}},
    ),
    Statement(
        "CreateRepository",
        REPOSITORY.create,
        (REPOSITORY.arn,),
        {"StringEquals": _NEW},
    ),
    Statement("PushLogin", ("ecr:GetAuthorizationToken",), condition=IN_REGION),
    Statement("Push", _PUSH, (REPOSITORY.arn,), _OURS),
    # ListTasks can be bound to a container instance, which a cluster on Fargate does not have.
    Statement(
        "CleanUpCheck",
        (*VPC.find_users, "ecs:ListServices", "ecs:ListTasks"),
        condition=IN_REGION,
    ),
    Statement("CleanUpCheckCluster", ("ecs:ListContainerInstances",), (CLUSTER.arn,)),
    Statement("CleanUpNetwork", _DELETE_NETWORK, _NETWORK, _OURS),
    Statement("CleanUpCluster", CLUSTER.delete, (CLUSTER.arn,), _OURS),
    Statement("CleanUpRepository", REPOSITORY.delete, (REPOSITORY.arn,), _OURS),
)

PROOF_ACTIONS = frozenset({"sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"})
"""The actions that only `handson proof` needs."""


def actions() -> tuple[str, ...]:
    """Return all actions of the policy, sorted."""
    return tuple(sorted({action for statement in STATEMENTS for action in statement.actions}))


def document(
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
    written = [
        item.to_json(region=region, account=account or "*", exercise=exercise)
        for item in statements
    ]
    return {"Version": VERSION, "Statement": written}


def name_action(service: str, operation: str) -> str:
    """Return the IAM action of a call; `service` is boto3's name of the service."""
    return f"{_RENAMED.get(service, service)}:{operation}"


def find_cells(action: str) -> tuple[str, ...]:
    """Return the cells that need an action, as "workshop.verb (notebook)", in notebook order."""
    verbs = [verb for verb in CELLS if action in NEEDS[verb]]
    return tuple(f"workshop.{verb} ({CELLS[verb]})" for verb in verbs)


def explain_denial(missing: Sequence[str], *, code: str | None = None) -> NotAllowed:
    """Return the error for actions that IAM denies; it names them and the cells that need them."""
    named = ", ".join(missing)
    if PROOF_ACTIONS.issuperset(missing):
        sentences = messages.advice("course.policy.denied-proof", actions=named)
        return NotAllowed(*sentences, code=code, actions=missing)
    cells = ", ".join(dict.fromkeys(cell for action in missing for cell in find_cells(action)))
    if not cells:
        return NotAllowed(
            *messages.advice("course.policy.denied-other", actions=named),
            code=code,
            actions=missing,
        )
    sentences = messages.advice("course.policy.denied", actions=named, cells=cells)
    return NotAllowed(*sentences, code=code, actions=missing)
