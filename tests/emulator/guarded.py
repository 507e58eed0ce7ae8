"""An embedded AWS that enforces IAM, for a caller who has the workshop's policy and nothing else.

    guarded = Guarded(endpoint, root)
    guarded.attach(policy.write_policy(...))
    aws = guarded.connect()

MiniStack (`AUTH=true`) checks the signature, the action, `aws:RequestedRegion`, the tags that a
call to ECR or ECS sets and, where it knows the resource of a call, its ARN.  It knows neither the
tags that a call to EC2 sets, nor those that a resource has, nor the resource of the calls in
`UNNAMED`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import botocore.session

from handson.aws import Aws, Credentials
from handson.aws.connection import connect_emulator
from handson.aws.emulator import ACCOUNT, SECRET
from handson.aws.emulator.in_process import attach_session
from tests.unit.fake_aws import MODELS, Clock

ROOT = Credentials(ACCOUNT, SECRET)
REGION = "us-east-1"
UNNAMED = {
    "ec2:CreateInternetGateway",
    "ec2:CreateVpc",
    "ec2:DisassociateRouteTable",
    "ecr:DescribeRepositories",
    "ecr:ListTagsForResource",
    "ecs:CreateCluster",
    "ecs:DescribeClusters",
}
"""Calls for which MiniStack asks about "*", although AWS names a resource."""

Document = dict[str, Any]


@dataclass
class Guarded:
    """An embedded AWS that enforces IAM, and a user in it whose policy is up to the test."""

    endpoint: str
    root: Credentials
    user: Credentials = field(init=False)
    _iam: Any = field(init=False, repr=False)
    _connections: dict[Credentials, Aws] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        session = botocore.session.Session()
        attach_session(session)
        session.set_credentials(self.root.access_key_id, self.root.secret_access_key)
        where = {"region_name": REGION, "endpoint_url": self.endpoint}
        self._iam = session.create_client("iam", **where)
        self._iam.create_user(UserName="learner")
        key = self._iam.create_access_key(UserName="learner")["AccessKey"]
        self.user = Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def attach(self, document: Document) -> None:
        """Give the user this policy and no other."""
        self._iam.put_user_policy(
            UserName="learner", PolicyName="handson", PolicyDocument=json.dumps(document)
        )

    def connect(self, credentials: Credentials | None = None) -> Aws:
        """Return the connection of the user, or of who else is named; made once: it takes long."""
        who = credentials or self.user
        if who not in self._connections:
            aws = connect_emulator(
                self.endpoint,
                region=REGION,
                credentials=who,
                account=ACCOUNT,
                patience=Clock().patience(consistency=1.0),
            )
            aws.session.register_component("data_loader", MODELS)
            self._connections[who] = aws
        return self._connections[who]


def without(document: Document, action: str) -> Document:
    """Return a policy that allows everything but one action."""
    statements = [
        {**item, "Action": [name for name in item["Action"] if name != action]}
        for item in document["Statement"]
    ]
    return {**document, "Statement": [item for item in statements if item["Action"]]}


def for_ministack(document: Document) -> Document:
    """Return a policy as MiniStack can enforce it; see above for what it does not know."""
    statements = []
    for item in document["Statement"]:
        known = {key: value for key, value in item.items() if key != "Sid"}
        known["Condition"] = _known_keys(item)
        unnamed = [action for action in item["Action"] if action in UNNAMED]
        named = [action for action in item["Action"] if action not in UNNAMED]
        statements += [{**known, "Action": named}] if named else []
        statements += [{**known, "Action": unnamed, "Resource": "*"}] if unnamed else []
    return {**document, "Statement": statements}


def _known_keys(statement: Document) -> dict[str, Any]:
    ec2 = statement["Action"][0].startswith("ec2:")
    unknown = ("aws:ResourceTag/", "aws:RequestTag/") if ec2 else ("aws:ResourceTag/",)
    kept = {
        operator: {key: value for key, value in keys.items() if not key.startswith(unknown)}
        for operator, keys in statement.get("Condition", {}).items()
    }
    return {operator: keys for operator, keys in kept.items() if keys}
