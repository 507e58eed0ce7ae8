"""Plans: what has to be called to make something, as data.

A plan is a list of steps; a step is one AWS call whose parameters may refer to results of earlier
steps.  The same plan is carried out (`carry_out`, independent calls at once, what is already there
left out) and shown as aws CLI commands that can be pasted (`as_commands`).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from handson.aws import Aws, Patience, command_name
from handson.core.errors import AWSError, AWSUnclear, NotAllowed
from handson.core.progress import Counted, Say, silent
from handson.course import policy
from handson.course.exercise import TAG_KEY, TAG_VALUE

_WORKERS = 8
_LOOKS = 3
_NO_DRY_RUN = {"ModifyVpcAttribute"}


@dataclass(frozen=True)
class Ref:
    """The result of an earlier step, in the place of a value."""

    step: str


@dataclass(frozen=True)
class Step:
    """One call of a plan.

    Attributes:
        name: Unique in the plan; also the shell variable that keeps the result.
        service: boto3's name of the service.
        operation: The API's name of the operation.
        parameters: As the API names them; values may be or hold `Ref`s.
        result: Where in the reply the result is, as JMESPath (`Vpc.VpcId`), or empty for none.
        after: Steps that have to be done first although no parameter refers to them.
        unknown: Codes with which AWS answers while it does not know yet what was just created;
            as `Aws.call_until_known` takes them.
    """

    name: str
    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    result: str = ""
    after: tuple[str, ...] = ()
    unknown: Collection[str] = ()

    @property
    def needs(self) -> set[str]:
        """The names of the steps that have to be done before this one."""
        return set(self.after) | _references(self.parameters)


def carry_out(
    aws: Aws, steps: Sequence[Step], *, known: Mapping[str, str], say: Say = silent
) -> dict[str, str]:
    """Make the calls of all steps that are not known yet; independent ones at once.

    Args:
        aws: The connection.
        steps: The plan, any step after those it needs.
        known: Results of steps that are done already; their calls are left out.
        say: Told of each call that was made.

    Returns:
        The results of all steps by name ("" where a step has none).

    Raises:
        HandsonError: The first call that failed; those that depend on it were not made, and those
            under way were waited for.
        ValueError: A step needs one that is neither in the plan nor known.
    """
    results = {**known}
    waiting = [step for step in steps if step.name not in known]
    whole = len(waiting)
    running: dict[Future[str], Step] = {}
    with ThreadPoolExecutor(_WORKERS) as pool:
        while waiting or running:
            ready = [step for step in waiting if step.needs <= results.keys()]
            waiting = [step for step in waiting if step not in ready]
            if not ready and not running:
                raise ValueError(f"nothing makes what these need: {[s.name for s in waiting]}")
            running.update({pool.submit(_make, aws, step, results): step for step in ready})
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                step = running.pop(future)
                results[step.name] = future.result()
                made = f"{step.operation} {results[step.name]}".strip()
                say(Counted(made, done=whole - len(waiting) - len(running), whole=whole))
    return results


def require_permissions(aws: Aws, steps: Sequence[Step], *, known: Mapping[str, str]) -> None:
    """Ask real AWS, before anything is made, whether IAM allows the EC2 calls that are to come.

    A dry run checks the permission and does nothing (EC2 API Reference, "DryRun").  Only calls
    whose parameters are all known are asked about, at once.  Calling with an id that is made up
    would prove nothing: AWS may look for it before it looks at permissions, and a policy that asks
    for the workshop's tag cannot find it there, so that what is allowed would read as denied.
    Anything but a denial is left to the call itself.

    Nothing is asked where an endpoint stands in AWS's place: emulators carry a dry run out.

    Raises:
        NotAllowed: Permissions are lacking; names all that were found, and nothing was made.
    """
    if aws.endpoint:
        return
    asked = [step for step in steps if _can_be_asked(step, known)]
    if not asked:
        return
    aws.client("ec2")
    with ThreadPoolExecutor(_WORKERS) as pool:
        answers = list(pool.map(lambda step: _lacking(aws, step, known), asked))
    missing = sorted({action for answer in answers for action in answer})
    if missing:
        raise policy.denied(missing, code="UnauthorizedOperation")


def until_clear(attempt: Callable[[], None], *, patience: Patience) -> None:
    """Run `attempt`, which looks and then makes what is missing, until no call broke off.

    After a call whose reply was lost, the next attempt sees whether it took effect and so makes
    nothing twice.  It waits a moment first: AWS may take that long to show what it has made.

    Raises:
        AWSUnclear: The third attempt broke off too.
    """
    for look in range(1, _LOOKS + 1):
        try:
            attempt()
        except AWSUnclear:
            if look == _LOOKS:
                raise
            patience.pause_to_see()
        else:
            return


def as_commands(steps: Sequence[Step]) -> list[str]:
    """Return the plan as aws CLI commands for a POSIX shell, results kept in variables."""
    return [_command(step) for step in steps]


def shell_setup(aws: Aws) -> list[str]:
    """Return the lines for a POSIX shell that point the aws CLI where `aws` points."""
    return [f"export {name}={shlex.quote(value)}" for name, value in shell_values(aws).items()]


def shell_values(aws: Aws) -> dict[str, str]:
    """Return the variables that point the aws CLI at the same region, and endpoint, as `aws`.

    On an emulator its fixed, worthless credentials are among them; on AWS the learner's own stay.
    """
    values = {"AWS_DEFAULT_REGION": aws.region}
    if aws.endpoint and aws.credentials:
        values["AWS_ENDPOINT_URL"] = aws.endpoint
        values["AWS_ACCESS_KEY_ID"] = aws.credentials.access_key_id
        values["AWS_SECRET_ACCESS_KEY"] = aws.credentials.secret_access_key
    return values


def tag_specification(resource_type: str, name: str) -> list[dict[str, Any]]:
    """Return EC2's TagSpecifications parameter: a resource's name and the workshop's tag."""
    pairs = [{"Key": "Name", "Value": name}, {"Key": TAG_KEY, "Value": TAG_VALUE}]
    return [{"ResourceType": resource_type, "Tags": pairs}]


def _can_be_asked(step: Step, known: Mapping[str, str]) -> bool:
    return (
        step.name not in known
        and step.service == "ec2"
        and step.operation not in _NO_DRY_RUN
        and _references(step.parameters) <= known.keys()
    )


def _lacking(aws: Aws, step: Step, known: Mapping[str, str]) -> tuple[str, ...]:
    """Return the actions that a dry run finds lacking; where it was allowed, AWS refuses too."""
    try:
        aws.call(step.service, step.operation, **_filled(step.parameters, known), DryRun=True)
    except NotAllowed as error:
        if not error.actions:  # credentials, not permissions
            raise
        return error.actions
    except AWSError:  # DryRunOperation: allowed; anything else is not about permissions
        return ()
    return ()


def _make(aws: Aws, step: Step, results: Mapping[str, str]) -> str:
    parameters = _filled(step.parameters, results)
    reply = aws.call_until_known(step.service, step.operation, parameters, unknown=step.unknown)
    found: Any = reply
    for key in step.result.split(".") if step.result else ():
        found = found[key]
    return str(found) if step.result else ""


def _filled(value: Any, results: Mapping[str, str]) -> Any:
    if isinstance(value, Ref):
        return results[value.step]
    if isinstance(value, Mapping):
        return {key: _filled(item, results) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(item, results) for item in value]
    return value


def _references(value: Any) -> set[str]:
    if isinstance(value, Ref):
        return {value.step}
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return {name for item in value for name in _references(item)}
    return set()


def _command(step: Step) -> str:
    words = [f"aws {step.service} {command_name(step.operation)}"]
    words += [_option(name, value) for name, value in step.parameters.items()]
    if not step.result:
        return " ".join(words)
    words.append(f"--query {step.result} --output text")
    return f"{_variable(step.name)}=$({' '.join(words)})"


def _option(name: str, value: Any) -> str:
    option = f"--{command_name(name)}"
    if isinstance(value, bool):
        return option if value else f"--no-{command_name(name)}"
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, Ref)) for item in value):
        return " ".join([option, *map(_word, value)])
    return f"{option} {_word(value)}"


def _word(value: Any) -> str:
    if isinstance(value, Ref):
        return f'"${_variable(value.step)}"'
    if isinstance(value, (dict, list, tuple)):
        return shlex.quote(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    return shlex.quote(str(value))


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
