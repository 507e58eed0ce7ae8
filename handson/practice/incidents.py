"""Break it and mend it: one breakage from the moment it is made until it is mended.

On the embedded AWS one thing of a finished workshop is broken, and the learner finds out which.
The home folder keeps which breakage it is, how many hints were given and which resources existed
before, so that a restarted kernel goes on.  It is written before the first call: a kernel that is
killed in the middle leaves no unknown damage.  Whether the breakage is mended is never read from
there: the checks look again, and so does the search for what was left behind.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from handson.aws import Aws
from handson.core import files, messages
from handson.core.errors import InvalidInput, NotAllowed, NotReady
from handson.core.text import quote
from handson.course import checks, syllabus
from handson.course.checks import Diagnosis, Verification, causes, network
from handson.course.exercise import Exercise
from handson.course.state import Snapshot, State, Vpc
from handson.practice.breakages import BREAKAGES, Damage, OwnResources, choose_breakage
from handson.practice.incident_cards import STEPS, Hints, IncidentReport, Leftover, RepairReport
from handson.resources import cluster, plan
from handson.resources.push import write_image_uri
from handson.resources.snapshot import take_snapshot

_FILE = "troubleshooting.json"
_SEEDS = range(1000, 10000)
"""Seeds that are drawn have four digits, so that an instructor can call one out to a class."""


class FormerResources(State, frozen=True, kw_only=True):
    """The resources of a finished workshop that a breakage may leave behind: ids, cluster names."""

    vpc: str = ""
    tables: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()


class Incident(State, frozen=True, kw_only=True):
    """A breakage that the learner was given.

    Attributes:
        seed: The number that chose it.
        breakage: Its id.
        hints: How many steps of hints were shown.
        broken: All its calls were made, or the checks failed since.
        mended: The checks passed after that, and nothing of it was left behind.
        before: The resources before it; empty in a file of an earlier version.
    """

    seed: int
    breakage: str
    hints: int = 0
    broken: bool = False
    mended: bool = False
    before: FormerResources = FormerResources()


def refuse_real_aws(aws: Aws) -> None:
    """Refuse to break anything on real AWS.

    Raises:
        NotAllowed: The target is real AWS.
    """
    if aws.kind == "aws":
        raise NotAllowed(*messages.advice("practice.incidents.on-aws", account=aws.account))


def check_seed(seed: object) -> None:
    """Refuse an invalid seed.

    Raises:
        InvalidInput: The seed is neither None nor an integer from 0.
    """
    if seed is not None and (type(seed) is not int or seed < 0):
        raise InvalidInput(*messages.advice("practice.incidents.seed", seed=quote(seed)))


def check_step(step: object) -> None:
    """Refuse an invalid step of the hints.

    Raises:
        InvalidInput: The step is neither None nor 1, 2 or 3.
    """
    if step is not None and (type(step) is not int or step not in STEPS):
        raise InvalidInput(*messages.advice("practice.incidents.step", step=quote(step)))


@dataclass(frozen=True)
class Drill:
    """Breaking and mending in one learner's workshop.

    Args:
        aws: The connection, not to real AWS.
        home: The home folder, which keeps the incident and the image URI.
        exercise: What the learner was asked to build.
    """

    aws: Aws
    home: Path
    exercise: Exercise

    def break_workshop(self, seed: int | None) -> IncidentReport:
        """Break one thing of a finished workshop; while it is broken, break no second one.

        Args:
            seed: Chooses the breakage, always the same one; None draws one.

        Raises:
            NotReady: The workshop is not finished, or this breakage would touch a resource that
                does not carry its tag; nothing was changed.
            HandsonError: AWS refused a call or did not answer.
        """
        last = read_incident(self.home)
        snapshot, verification = self._look()
        if not verification.passed and (last is None or last.mended):
            raise _unfinished(verification)
        if last and (not verification.passed or self._find_leftovers(snapshot, last)):
            self._keep(last, broken=True)
            symptom = BREAKAGES[last.breakage].symptom
            return IncidentReport(last.seed, symptom, fresh=False, asked=seed)
        own = OwnResources(self.aws, snapshot, self.exercise)
        drawn, damage = _plan(own, seed=seed, last=last.breakage if last else "")
        breakage = choose_breakage(drawn)
        before = list_former_resources(snapshot, self.exercise)
        incident = Incident(seed=drawn, breakage=breakage.id, before=before)
        self._keep(incident)
        plan.carry_out(self.aws, damage.steps, known={})
        if damage.uri:
            write_image_uri(self.home, damage.uri)
        self._keep(incident, broken=True)
        earlier = last.seed if last and last.broken and not last.mended else None
        return IncidentReport(drawn, breakage.symptom, fresh=True, asked=seed, earlier=earlier)

    def give_hint(self, step: int | None) -> Hints:
        """Return the next hint, or that of a step, with those before it, and keep the number.

        Raises:
            NotReady: Nothing is broken, or it is mended already.
            HandsonError: AWS did not answer.
        """
        incident = read_incident(self.home)
        if incident is None or incident.mended:
            raise _nothing_broken()
        _, verification = self._look()
        if verification.passed:
            raise NotReady(*messages.advice("practice.incidents.passes"))
        given = step or min(incident.hints + 1, STEPS[-1])
        self._keep(incident, broken=True, hints=max(incident.hints, given))
        breakage = BREAKAGES[incident.breakage]
        diagnosis = _find_deepest_diagnosis(verification) if given == STEPS[-1] else None
        return Hints(incident.seed, (breakage.place, breakage.cause)[:given], diagnosis)

    def check_repair(self) -> RepairReport:
        """Return whether all checks pass again with nothing broken left behind.

        Raises:
            NotReady: Nothing was broken.
            HandsonError: AWS did not answer.
        """
        incident = read_incident(self.home)
        if incident is None:
            raise _nothing_broken()
        snapshot, verification = self._look()
        if not (incident.broken if verification.passed else not incident.mended):
            raise _nothing_broken()
        leftovers = self._find_leftovers(snapshot, incident) if verification.passed else ()
        mended = verification.passed and not leftovers
        self._keep(incident, broken=True, mended=mended)
        cause = BREAKAGES[incident.breakage].cause if mended else ""
        return RepairReport(incident.seed, incident.hints, verification, cause, leftovers)

    def _look(self) -> tuple[Snapshot, Verification]:
        snapshot = take_snapshot(
            self.aws, home=self.home, exercise=self.exercise, missing=syllabus.CHECK_IDS
        )
        return snapshot, checks.verify(snapshot, self.exercise)

    def _keep(self, incident: Incident, **changes: Any) -> None:
        files.write_state(self.home / _FILE, replace(incident, **changes))

    def _find_leftovers(self, snapshot: Snapshot, incident: Incident) -> tuple[Leftover, ...]:
        """Return what a breakage has left behind in a workshop whose checks pass.

        The checks judge one VPC and one cluster.  They pass when the learner makes new ones, and do
        not see the broken ones that still exist beside them.
        """
        if incident.mended or not incident.broken:
            return ()
        before, vpc = incident.before, network.choose_vpc(snapshot.vpcs, self.exercise).vpc
        former = next((each for each in snapshot.vpcs if each.id == before.vpc), None)
        if former and (vpc is None or vpc.id != before.vpc):
            return (_describe_former_vpc(former),)
        tables = _find_unused_tables(vpc, before) if vpc else ()
        gateways = _find_detached_gateways(self.aws, before) if before.gateways else ()
        known = {self.exercise.cluster, *before.clusters}
        return (*tables, *gateways, *_find_extra_clusters(snapshot, known))


def read_incident(home: Path) -> Incident | None:
    """Return the incident that the home folder keeps; None for an unknown breakage, too."""
    incident = files.read_state(home / _FILE, Incident)
    return incident if incident and incident.breakage in BREAKAGES else None


def forget_incident(home: Path) -> None:
    """Delete the incident that the home folder keeps."""
    files.delete_file(home / _FILE)


def list_former_resources(snapshot: Snapshot, exercise: Exercise) -> FormerResources:
    """Return the resources of a snapshot that a breakage may leave behind."""
    vpc = network.choose_vpc(snapshot.vpcs, exercise).vpc
    names = tuple(each.name for each in snapshot.clusters)
    if vpc is None:
        return FormerResources(clusters=names)
    return FormerResources(
        vpc=vpc.id,
        tables=tuple(table.id for table in vpc.route_tables if table.subnets),
        gateways=tuple(gateway.id for gateway in vpc.internet_gateways),
        clusters=names,
    )


def _nothing_broken() -> NotReady:
    return NotReady(*messages.advice("practice.incidents.nothing"))


def _unfinished(verification: Verification) -> NotReady:
    """Return the refusal: which checks have to pass first, and the notebook to begin with."""
    failing = [check for check in verification.checks if not check.passed]
    missing = messages.text("practice.incidents.and").join(check.label for check in failing)
    notebook = syllabus.check(failing[0].id).notebook
    return NotReady(
        *messages.advice("practice.incidents.unfinished", missing=missing, notebook=notebook)
    )


def _plan(own: OwnResources, *, seed: int | None, last: str) -> tuple[int, Damage]:
    """Return a seed and its damage: the given one, or one drawn whose breakage is possible.

    The breakage of a drawn seed is not the last one.

    Raises:
        NotReady: The breakage, or each of them, would touch a resource without the tag.
    """
    if seed is not None:
        return seed, choose_breakage(seed).plan(own)
    refused: NotReady | None = None
    first = random.choice(_SEEDS[: -len(BREAKAGES)])
    for drawn in random.sample(range(first, first + len(BREAKAGES)), len(BREAKAGES)):
        if choose_breakage(drawn).id == last:
            continue
        try:
            return drawn, choose_breakage(drawn).plan(own)
        except NotReady as error:
            refused = error
    assert refused is not None  # there is more than one breakage
    raise refused


def _find_deepest_diagnosis(verification: Verification) -> Diagnosis:
    """Return the first diagnosis of the first failing check; later checks build on earlier ones."""
    failing = (check for check in verification.checks if not check.passed)
    return next(diagnosis for check in failing for diagnosis in check.diagnoses)


def _describe_former_vpc(vpc: Vpc) -> Leftover:
    problem = messages.text("practice.incidents.left-vpc", id=vpc.id, name=vpc.name or "-")
    return problem, causes.advise_call_then_notebook(
        causes.CLEANUP, syllabus.check("network").notebook
    )


def _find_unused_tables(vpc: Vpc, before: FormerResources) -> Iterator[Leftover]:
    for table in vpc.route_tables:
        if table.id in before.tables and not table.subnets and not table.main:
            problem = messages.text("practice.incidents.left-table", id=table.id)
            yield problem, _advise_delete("ec2", "DeleteRouteTable", RouteTableId=table.id)


def _find_detached_gateways(aws: Aws, before: FormerResources) -> Iterator[Leftover]:
    for found in aws.list_items("ec2", "DescribeInternetGateways", "InternetGateways"):
        id = str(found["InternetGatewayId"])
        if id in before.gateways and not found.get("Attachments"):
            problem = messages.text("practice.incidents.left-gateway", id=id)
            yield problem, _advise_delete("ec2", "DeleteInternetGateway", InternetGatewayId=id)


def _find_extra_clusters(snapshot: Snapshot, known: set[str]) -> Iterator[Leftover]:
    for each in snapshot.clusters:
        if each.tagged and each.status != cluster.DELETED and each.name not in known:
            problem = messages.text("practice.incidents.left-cluster", name=each.name)
            yield problem, _advise_delete("ecs", "DeleteCluster", cluster=each.name)


def _advise_delete(service: str, operation: str, **parameters: str) -> str:
    return causes.advise_call(causes.write_call(service, operation, **parameters))
