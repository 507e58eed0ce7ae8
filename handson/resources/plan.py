"""Plans: the AWS calls that create something, as data.

A plan is a list of steps.  A step is one AWS call; its parameters may refer to the results of
earlier steps.  `carry_out` makes the calls, independent ones in parallel, and skips the steps whose
result is known.  `format_commands` writes the same plan as aws CLI commands to paste.
"""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from handson.aws import Aws, Patience, command_name, emulator
from handson.core import messages
from handson.core.cards import Card, CardPart, CommandBlock, Displayable, Note, warning_notes
from handson.core.errors import AWSError, AWSUnclear, NotAllowed, NotReady
from handson.core.files import read_data
from handson.core.host import Workers
from handson.core.progress import CountedSentence
from handson.core.text import map_leaves
from handson.core.waiting import make_pause, wait_until
from handson.course import syllabus
from handson.course.owners import explain_foreign, list_tags
from handson.course.state import Cluster, Repository, Resource
from handson.resources.answers import search

T = TypeVar("T")

SHOWN_SECRET = '"$(handson emulator secret)"'
"""The secret as a card shows it; bash and PowerShell both run the command within the quotes."""
_WORKERS = 8
_ATTEMPTS = 3
CODES: Mapping[str, Sequence[str]] = read_data("handson.resources", "codes.toml")
"""Error codes of AWS by what they mean, as `has_code` takes them."""
NO_DRY_RUN = {"ModifyVpcAttribute"}  # it has no parameter DryRun (EC2 API Reference)


class Ref(Struct, frozen=True):
    """A parameter value that is the result of an earlier step."""

    step: str


class Step(Struct, frozen=True):
    """One call of a plan.

    Attributes:
        name: Unique in the plan; also the shell variable that keeps the result.
        service: boto3's name of the service.
        operation: The API's name of the operation.
        parameters: As the API names them; values may be or hold `Ref`s.
        result: The path of the result in the reply, as JMESPath (`Vpc.VpcId`); empty for none.
        after: Steps that must come first although no parameter refers to them.
        unknown: Error codes of AWS while it does not know a new resource yet; see
            `Aws.call_until_known`.
    """

    name: str
    service: str
    operation: str
    parameters: Mapping[str, Any] = {}
    result: str = ""
    after: tuple[str, ...] = ()
    unknown: Collection[str] = ()

    @property
    def needs(self) -> set[str]:
        """The names of the steps that must come before this one."""
        return set(self.after) | _find_references(self.parameters)


class Listed(Struct, frozen=True):
    """A resource that clean-up found.

    Attributes:
        resource: The resource.
        delete: Deletes it; returns the reason where it was kept, or an empty string.
        unread: AWS did not let the caller look at its tags.
    """

    resource: Resource
    delete: Callable[[], str]
    unread: bool = False


class Creation(Displayable, Struct, frozen=True, kw_only=True):
    """The base of resources that were created, or existed already.

    Attributes:
        commands: The aws CLI commands that create one like it.
        notes: Warnings on its settings.
        remarks: What stands at the end of the card.
    """

    commands: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    remarks: tuple[Note, ...] = ()

    def describe(self) -> tuple[str, Sequence[CardPart]]:
        """Return the card's title, and the resource as the console shows it."""
        raise NotImplementedError

    def card(self) -> Card:
        """Return the card: warnings, the resource, the commands, and remarks."""
        title, parts = self.describe()
        block = CommandBlock(messages.text("resources.network.commands"), self.commands)
        state = "warn" if self.notes else "ok"
        return Card(title, (*self.notes, *parts, block, *self.remarks), state)


def carry_out(aws: Aws, steps: Sequence[Step], *, known: dict[str, str]) -> None:
    """Make the calls of all steps whose result is not known; independent calls run in parallel.

    Args:
        aws: The connection; it reports each call.
        steps: The plan.
        known: The results of earlier steps by name; their calls are skipped, and the results of
            the calls are added, also where another one fails; "" where a step has no result.

    Raises:
        HandsonError: A call failed.  Running calls have finished; dependent ones were not made.
        KeyError: A step needs a step that is neither in the plan nor known.
    """
    missing = {step.name: step for step in steps if step.name not in known}
    order = TopologicalSorter({it.name: it.needs - known.keys() for it in missing.values()})
    order.prepare()
    running: dict[Future[str], Step] = {}
    failure: BaseException | None = None
    with Workers(_WORKERS) as pool, _end_pauses(aws) as (patient, stop):
        while running or (order.is_active() and not failure):
            ready = () if failure else map(missing.__getitem__, order.get_ready())
            running |= {pool.submit(_call_step, patient, step, known): step for step in ready}
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                if error := future.exception():
                    failure = failure or error
                    stop.set()
                    continue
                known[step.name] = future.result()
                order.done(step.name)
                made = f"{step.operation} {known[step.name]}".strip()
                ended = len(missing.keys() & known)
                aws.say(CountedSentence(made, done=ended, whole=len(missing)))
    if failure:
        raise failure


def require_permissions(aws: Aws, steps: Sequence[Step], *, known: Mapping[str, str]) -> None:
    """Ask real AWS whether IAM allows the EC2 calls of a plan, before any of them is made.

    A dry run checks the permission and does nothing (EC2 API Reference, "DryRun").  Only steps
    whose parameters are all known are tried.  An invented id would prove nothing: AWS may look for
    the resource before it checks permissions, and a policy with a condition on the workshop's tag
    cannot match it, so that an allowed call would read as denied.

    Emulators are never asked, because they carry a dry run out.

    Raises:
        NotAllowed: Permissions are missing; names all of them.  Nothing was created.
    """
    if aws.endpoint:
        return
    testable = [
        step
        for step in steps
        if step.name not in known
        and step.service == "ec2"
        and step.operation not in NO_DRY_RUN
        and _find_references(step.parameters) <= known.keys()
    ]
    with Workers(_WORKERS) as pool:
        answers = list(pool.map(lambda step: _find_missing_actions(aws, step, known), testable))
    reasons = {action: reason for answer in answers for action, reason in answer.items()}
    if reasons:
        from handson.course import policy  # reading it takes time

        raise policy.explain_denial(sorted(reasons), code="UnauthorizedOperation", reasons=reasons)


def retry_unclear(attempt: Callable[[], None], *, patience: Patience) -> None:
    """Run `attempt`, and run it again where a call broke off and may have taken effect.

    An attempt looks first and then creates what is missing, so nothing is created twice.  The pause
    between attempts gives AWS time to show a new resource.

    Raises:
        AWSUnclear: The third attempt broke off too.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return attempt()
        except AWSUnclear:
            patience.pause_to_see()
    return attempt()


def wait_for(
    aws: Aws, probe: Callable[[], T], *, done: Callable[[T], bool], what: str, timeout: float
) -> T:
    """Look at AWS, less and less often, until `done` accepts the answer; see `wait_until`."""
    started = aws.patience.clock()

    def pause(seconds: float) -> None:
        waited = round(aws.patience.clock() - started)
        aws.say(messages.text("resources.plan.waiting", what=what, seconds=waited))
        aws.patience.sleep(seconds)

    pace: Any = {"interval": 0.5, "factor": 1.5, "clock": aws.patience.clock, "sleep": pause}
    return wait_until(probe, done=done, what=what, timeout=timeout, **pace)


def format_commands(aws: Aws, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the plan as aws CLI commands for a POSIX shell, which point at the same AWS as `aws`.

    Shell variables keep the results of the steps.
    """
    exports = format_exports(list_cli_variables(aws, is_shown=True))
    return (*exports, *map(_format_command, steps))


def format_exports(variables: Mapping[str, str]) -> list[str]:
    """Return the lines that set environment variables in a POSIX shell."""
    return [
        f"export {name}={value if value == SHOWN_SECRET else shlex.quote(value)}"
        for name, value in variables.items()
    ]


def list_cli_variables(aws: Aws, *, is_shown: bool = False) -> dict[str, str]:
    """Return the environment variables that point the aws CLI at the region and endpoint of `aws`.

    An emulator's fixed credentials are included; on AWS the learner's own stay in use.  Where the
    variables are shown, a command stands in the place of the embedded AWS's secret.
    """
    values = {"AWS_DEFAULT_REGION": aws.region}
    if aws.endpoint and aws.credentials:
        secret = aws.credentials.secret_access_key
        is_hidden = is_shown and secret != emulator.SECRET
        values["AWS_ENDPOINT_URL"] = aws.endpoint
        values["AWS_ACCESS_KEY_ID"] = aws.credentials.access_key_id
        values["AWS_SECRET_ACCESS_KEY"] = SHOWN_SECRET if is_hidden else secret
    return values


def make_tag_specification(
    resource_type: str, name: str, *, owner: str = ""
) -> list[dict[str, Any]]:
    """Return EC2's TagSpecifications parameter with a Name tag and the workshop's tags."""
    tags = {"Name": name, **list_tags(owner)}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceType": resource_type, "Tags": pairs}]


def refuse_foreign(aws: Aws, found: Cluster | Repository | None) -> None:
    """Refuse a resource of another learner, whose name AWS gives only once.

    Raises:
        NotReady: It is another learner's; says whose, and how to go on.
    """
    if found and aws.owners.is_foreign(found):
        raise NotReady(*explain_foreign(found.name, found.owner, region=aws.region))


def warn_of_settings(
    check: str, chosen: Mapping[str, Any], expected: Mapping[str, Any], *, undo: str
) -> tuple[Note, ...]:
    """Return a warning that names the settings that differ from the exercise's, or nothing.

    The expected values are not shown, because a notebook may ask the learner for them.

    Args:
        check: The check that will fail.
        chosen: The learner's settings by argument.
        expected: The exercise's settings; arguments that it leaves out do not matter.
        undo: The call that deletes what was made, and nothing else.
    """
    other = [f"{name}={chosen[name]!r}" for name in expected if chosen[name] != expected[name]]
    if not other:
        return ()
    notebook = syllabus.find_check(check).notebook
    values = {"what": ", ".join(other), "call": undo, "notebook": notebook}
    return warning_notes(*messages.advice("resources.plan.other-settings", **values))


@contextmanager
def _end_pauses(aws: Aws) -> Iterator[tuple[Aws, threading.Event]]:
    """Yield the connection for threads, and an event that ends their pauses, as leaving does."""
    stop = threading.Event()
    patience = replace(aws.patience, sleep=make_pause(aws.patience.sleep, stop))
    try:
        yield replace(aws, patience=patience), stop
    finally:
        stop.set()


def _find_missing_actions(aws: Aws, step: Step, known: Mapping[str, str]) -> dict[str, str]:
    """Return the IAM actions that a dry run of a step is denied, each with AWS's message."""
    try:
        aws.call(step.service, step.operation, **fill_in(step.parameters, known), DryRun=True)
    except NotAllowed as error:
        if not error.actions:  # credentials, not permissions
            raise
        return dict.fromkeys(error.actions, error.reason)
    except AWSError:
        # DryRunOperation means allowed; other errors are left to the real call.
        return {}
    return {}


def _call_step(aws: Aws, step: Step, results: Mapping[str, str]) -> str:
    parameters = fill_in(step.parameters, results)
    reply = aws.call_until_known(step.service, step.operation, parameters, unknown=step.unknown)
    found = search(step.result, reply) if step.result else ""
    if found is None:
        values = {"where": aws.endpoint or "AWS", "call": f"{step.service}:{step.operation}"}
        raise AWSError.from_key("aws.failure.not-of-aws", **values)
    return str(found)


def fill_in(value: Any, results: Mapping[str, str]) -> Any:
    """Return parameters with the results of earlier steps in the place of their `Ref`s."""
    return map_leaves(value, lambda leaf: results[leaf.step] if isinstance(leaf, Ref) else leaf)


def _find_references(value: Any) -> set[str]:
    leaves: list[Any] = []
    map_leaves(value, leaves.append)
    return {leaf.step for leaf in leaves if isinstance(leaf, Ref)}


def _format_command(step: Step) -> str:
    words = [f"aws {step.service} {command_name(step.operation)}"]
    words += [_format_option(name, value) for name, value in step.parameters.items()]
    if not step.result:
        return " ".join(words)
    words.append(f"--query {step.result} --output text")
    return f"{_shell_variable(step.name)}=$({' '.join(words)})"


def _format_option(name: str, value: Any) -> str:
    option = f"--{command_name(name)}"
    if isinstance(value, bool):
        return option if value else f"--no-{command_name(name)}"
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, Ref)) for item in value):
        return " ".join([option, *map(_format_word, value)])
    return f"{option} {_format_word(value)}"


def _format_word(value: Any) -> str:
    if isinstance(value, Ref):
        return f'"${_shell_variable(value.step)}"'
    if isinstance(value, (dict, list, tuple)):
        return shlex.quote(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    return shlex.quote(str(value))


def _shell_variable(name: str) -> str:
    return name.upper().replace("-", "_")
