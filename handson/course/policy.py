"""Least privilege: the smallest IAM policy with which the workshop passes on real AWS.

policy.toml has the statements, and `VERBS` the IAM actions of each verb.  `write_policy` writes the
policy: separate statements to check, create, and change or delete, each limited to the workshop's
tag and to kinds of resources wherever AWS supports it (Service Authorization Reference, "Actions,
resources, and condition keys" for Amazon EC2, ECS and ECR).  `explain_denial` returns the error for
refused actions: who can allow them, and the cells that need them.

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
from itertools import chain
from typing import Any

from msgspec import Struct, field

from handson.core import messages
from handson.core.errors import NotAllowed
from handson.core.files import read_data
from handson.core.text import fold_name, group_pairs, map_texts
from handson.course.exercise import OWNER_KEY, TAG_KEY, Exercise
from handson.course.owners import name_owner
from handson.course.variation import Variation

VERSION = "2012-10-17"
"""The version of the policy language (IAM User Guide, "Version")."""

LARGEST = 6144
"""Characters of a managed policy, white space left out (IAM User Guide, "IAM and AWS STS quotas").
"""

_FILE = read_data("handson.course", "policy.toml")


def _list(words: str) -> tuple[str, ...]:
    """Return the actions that a line of policy.toml stands for."""
    each = ([word] if ":" in word else _list(_FILE["groups"][word]) for word in words.split())
    return tuple(chain.from_iterable(each))


VERBS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    verb: (notebook, _list(words))
    for notebook, verbs in _FILE["verbs"].items()
    for verb, words in verbs.items()
}
"""The verbs that call AWS, each with its first notebook and the IAM actions that it needs."""

_RENAMED = {"service-quotas": "servicequotas"}
"""boto3's names of services whose prefix in IAM differs."""


class Statement(Struct, frozen=True):
    """A statement of the policy; `resources` are ARNs without "arn:aws:", with placeholders."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _read_statement(sid: str, words: Mapping[str, str]) -> Statement:
    """Return the statement that an entry of policy.toml stands for."""
    resources = tuple(_FILE["resources"][name] for name in words.get("resources", "").split())
    condition = _FILE["conditions"].get(words.get("condition"), {})
    return Statement(sid, _list(words["actions"]), resources, condition)


STATEMENTS = tuple(_read_statement(*entry) for entry in _FILE["statements"].items())
PROOF = tuple(_read_statement(*entry) for entry in _FILE["proof"].items())
"""The permissions of `handson proof`, apart from the others: together they exceed a policy."""

# IAM User Guide, "Troubleshoot access denied error messages": "because no session policy allows the
# ecs:CreateCluster action", "with an explicit deny in a service control policy: <its ARN>".
_ENDING = re.compile(
    r"(because no|explicit deny in an?) ([a-z][a-z -]*?)(?: policy)?"
    r"(?: allows|: (arn:\S*[^\s.,\"'])|[^\w -]|$)",
    re.IGNORECASE,
)


def write_policy(
    *,
    region: str | Sequence[str],
    account: str | None,
    statements: Sequence[Statement] = STATEMENTS,
    exercise: Exercise = Exercise(),
    clusters: str = "*",
    owner: str = "",
) -> dict[str, Any]:
    """Return the policy in IAM's JSON.

    Args:
        region: The only region in which the policy allows anything, or several.
        account: The account in the ARNs, or None if it is unknown; the ARNs then name any account,
            which for IAM means the account of the user with the policy.
        statements: `STATEMENTS` for the workshop, or `PROOF` for `handson proof`.
        exercise: The exercise, which names the repository.
        clusters: The names of clusters, with "*" for any letters.
        owner: The owner tag's value of all that may be created or changed; "" for any.
    """
    regions = [region] if isinstance(region, str) else [*region]
    values = {"region": regions[0] if len(regions) == 1 else "*", "account": account or "*"}
    values |= {"repository": exercise.repository, "clusters": clusters}
    written = [
        {
            "Sid": item.sid,
            "Effect": "Allow",
            "Action": sorted(item.actions),
            "Resource": [f"arn:aws:{arn}" for arn in item.resources] or "*",
            **({"Condition": _bind(item.condition, owner)} if item.condition else {}),
        }
        for item in statements
    ]

    def fill(text: str) -> Any:
        return regions if text == "{region}" and len(regions) > 1 else text.format(**values)

    return {"Version": VERSION, "Statement": map_texts(written, fill)}


def write_course_policy(
    variation: Variation,
    learner: str,
    *,
    account: str | None,
    statements: Sequence[Statement] = STATEMENTS,
) -> dict[str, Any]:
    """Return the policy for one learner of a course with individual labs, or for all of them.

    Args:
        variation: What varies.
        learner: The learner's name, who may change only what carries it; "" for all learners.
        account: As for `write_policy`.
        statements: Likewise.
    """
    everybody = variation.name_exercise("*")
    exercise = variation.derive_exercise(learner) if learner else everybody
    return write_policy(
        region=exercise.region if learner else variation.regions or exercise.region,
        account=account,
        statements=statements,
        exercise=exercise,
        clusters=f"{exercise.network.name.rstrip('*')}*" if "cluster" in variation.vary else "*",
        owner=name_owner(fold_name(learner)),
    )


def _bind(
    condition: Mapping[str, Mapping[str, Any]], owner: str
) -> Mapping[str, Mapping[str, Any]]:
    """Return a condition on the workshop's tag that asks for the owner's, too, if there is one."""
    asked = condition.get("StringEquals", {})
    tagged = [key for key in asked if key.endswith(f"Tag/{TAG_KEY}")] if owner else []
    own = {key.replace(TAG_KEY, OWNER_KEY): owner for key in tagged}
    return {**condition, "StringEquals": {**asked, **own}} if own else condition


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
    groups = group_pairs((_find_refuser(reasons.get(each, "")), each) for each in missing)
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
        is_explicit = "explicit deny" in reason.lower()  # in a policy that AWS does not name
        return ("other", "explicit deny", "") if is_explicit else ("", "", "")
    ending, name, arn = found.groups(default="")
    kind = name.lower().replace(" ", "-")
    if (ending.lower(), kind) == ("because no", "identity-based"):
        return "", "", ""
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
    if {action for item in PROOF for action in item.actions}.issuperset(actions):
        return messages.advice("course.policy.denied-proof", actions=listed)
    key = "course.policy.denied" if cells else "course.policy.denied-other"
    return messages.advice(key, actions=listed, cells=", ".join(cells))
