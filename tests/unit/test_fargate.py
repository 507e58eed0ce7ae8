"""The image as a Fargate task: what is asked of ECS, what goes wrong, and what is left: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handson.core.errors import EngineError, WaitTimeout
from handson.core.progress import silent
from handson.engine import Answer, BuiltinEngine, Site
from handson.resources import fargate
from handson.resources.image_run import Order
from tests.unit import states
from tests.unit.fake_aws import FakeAws

ARN = "arn:aws:ecs:us-east-1:112233445566:task/c/1"
DEFINITION = f"arn:aws:ecs:us-east-1:112233445566:task-definition/{fargate.FAMILY}:1"
PLACE = fargate.Place("c", ("subnet-1", "subnet-2"), "host/rails-app:v1", {"SECRET": "s3cret"})
GOOD = Answer(200, "text/html", b"<p>hello</p>")


def status(name: str) -> dict[str, Any]:
    details = [{"name": "privateIPv4Address", "value": "172.17.0.2"}]
    task = {"taskArn": ARN, "lastStatus": name, "stoppedReason": "no room"}
    return {"tasks": [{**task, "attachments": [{"details": details}]}], "failures": []}


@pytest.fixture
def fake() -> FakeAws:
    fake = FakeAws()
    fake.answers("ListTasks", {"taskArns": []}, {"taskArns": [ARN]})
    active = {"taskDefinitionArns": [DEFINITION, f"{DEFINITION[:-2]}-2:1"]}
    none: dict[str, Any] = {"taskDefinitionArns": []}
    fake.answers("ListTaskDefinitions", active, none, active, none)
    fake.answers("RegisterTaskDefinition", {"taskDefinition": {"taskDefinitionArn": DEFINITION}})
    fake.answers("RunTask", status("PROVISIONING"))
    fake.answers("DescribeTasks", status("PENDING"), status("RUNNING"))
    fake.answers("StopTask", {"task": {}})
    fake.answers("DeregisterTaskDefinition", {"taskDefinition": {}})
    fake.answers("DeleteTaskDefinitions", {"taskDefinitions": [], "failures": []})
    return fake


class Engine:
    """An engine whose containers answer with what it is given, or raise it."""

    name = "docker"

    def __init__(self, answer: Answer | BaseException = GOOD) -> None:
        self.answer = answer
        self.reached: list[Any] = []
        self.containers = self

    def reach(self, labels: list[str], address: str, **_options: Any) -> Site:
        self.reached += [*labels, address]
        if isinstance(self.answer, BaseException):
            raise self.answer
        answer = self.answer
        return Site(lambda _path: answer, 0.1)

    def remove(self, labels: list[str]) -> int:
        return 0

    @contextmanager
    def lend(self, *_arguments: Any, **_options: Any) -> Iterator[str]:
        yield "/nowhere/docker.sock"


def seen(fake: FakeAws, engine: Engine | None = None) -> fargate.TaskRun:
    aws = fake.connect(kind="emulator")
    return fargate.see(aws, engine or Engine(), PLACE, say=silent)  # type: ignore[arg-type]


def test_a_task_is_run_asked_stopped_and_its_definition_removed(fake: FakeAws) -> None:
    found = seen(fake)
    assert found.statuses == ("PROVISIONING", "PENDING", "RUNNING", "STOPPED")
    assert fake.operations[-5:] == [
        "StopTask",
        "ListTaskDefinitions",
        "ListTaskDefinitions",
        "DeregisterTaskDefinition",
        "DeleteTaskDefinitions",
    ]


def test_it_runs_on_fargate_in_both_subnets(fake: FakeAws) -> None:
    seen(fake)
    sent = dict(fake.calls)
    definition, task = sent["RegisterTaskDefinition"], sent["RunTask"]
    assert (definition["networkMode"], definition["cpu"], definition["memory"]) == (
        "awsvpc", "256", "512",
    )  # fmt: skip
    network = task["networkConfiguration"]["awsvpcConfiguration"]
    assert (task["launchType"], network["subnets"]) == ("FARGATE", ["subnet-1", "subnet-2"])


def test_the_task_is_asked_at_its_own_address(fake: FakeAws) -> None:
    engine = Engine()
    seen(fake, engine)
    assert engine.reached == [f"com.amazonaws.ecs.task-arn={ARN}", "172.17.0.2"]


def test_the_secret_is_in_no_definition_and_no_card(fake: FakeAws) -> None:
    found = seen(fake)
    assert "s3cret" not in f"{dict(fake.calls)['RegisterTaskDefinition']}{found!r}{PLACE}"


@pytest.mark.parametrize(
    ("operation", "answers", "said"),
    [
        ("DescribeTasks", [status("STOPPED")], "no room"),
        ("RunTask", [{"tasks": [], "failures": [{"reason": "RESOURCE:CPU"}]}], "RESOURCE:CPU"),
    ],
)
def test_a_task_that_does_not_run_says_why_and_leaves_nothing(
    fake: FakeAws, operation: str, answers: list[Any], said: str
) -> None:
    fake.answers(operation, *answers)
    with pytest.raises(EngineError, match=said):
        seen(fake)
    assert fake.operations[-2:] == ["DeregisterTaskDefinition", "DeleteTaskDefinitions"]


def test_a_task_that_stays_pending_is_stopped_all_the_same(fake: FakeAws) -> None:
    fake.answers("DescribeTasks", status("PENDING"))
    with pytest.raises(WaitTimeout, match=r"最後に見た状態: PENDING\)"):
        seen(fake)
    assert "StopTask" in fake.operations


def test_an_interrupt_stops_the_task(fake: FakeAws) -> None:
    with pytest.raises(KeyboardInterrupt):
        seen(fake, Engine(KeyboardInterrupt()))
    assert "StopTask" in fake.operations


def test_only_definitions_of_its_own_family_are_removed(fake: FakeAws) -> None:
    seen(fake)
    removed = [
        it["taskDefinition"] for name, it in fake.calls if name == "DeregisterTaskDefinition"
    ]
    assert set(removed) == {DEFINITION}


def test_on_real_aws_clean_up_asks_nothing_of_tasks(fake: FakeAws) -> None:
    aws = fake.connect()
    found = fargate.find_tagged(aws), fargate.delete_tasks(aws)
    assert (found, fake.operations) == (([], []), [])


@pytest.mark.parametrize(
    ("kind", "embedded", "said"),
    [
        ("aws", False, "料金がかかる"),
        ("emulator", False, "エンドポイント"),
        ("emulator", True, "builtin"),
    ],
)
def test_where_nothing_is_run_a_sentence_says_why(
    fake: FakeAws, kind: str, embedded: bool, said: str
) -> None:
    why = fargate.obstacle(
        fake.connect(kind=kind), BuiltinEngine(), states.image(), embedded=embedded
    )
    assert said in why


def test_the_containers_of_other_families_are_left_alone(fake: FakeAws) -> None:
    labels = fargate.container_labels(fake.connect(kind="emulator"))
    assert labels[1] == f"com.amazonaws.ecs.task-definition-family={fargate.FAMILY}"
    assert labels[0].startswith("ministack.instance=")


def test_an_order_names_its_image() -> None:
    assert Order("rails-app", "v1", Path()).name == "rails-app:v1"
