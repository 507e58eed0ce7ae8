"""Break it and mend it: one breakage from the moment it is made until it is mended.

On the embedded AWS one thing of a finished workshop is broken, and the learner finds out which.
The home folder keeps which breakage it is, how many hints were given and which resources existed
before, so that a restarted kernel goes on.  It is written before the first call: a kernel that is
killed in the middle leaves no unknown damage.  Whether the breakage is mended is never read from
there: the checks look again, and so does the search for what was left behind.

Until then the verbs that build are refused where one call mends the deepest cause, unless to build
again is the repair.  Clean-up ends the exercise: it deletes what is broken, and the notebooks make
it again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from handson.aws import Aws
from handson.core import files, messages
from handson.core.errors import InvalidInput, NotReady
from handson.core.text import quote
from handson.course import checks, syllabus
from handson.course.checks import Diagnosis, Verification, network_facts, results
from handson.course.exercise import Exercise
from handson.course.state import Snapshot, Vpc
from handson.practice import breakages
from handson.practice.breakages import BREAKAGES, BUILT_AGAIN, OwnResources, choose_breakage
from handson.practice.incident_cards import STEPS, Hints, IncidentReport, Leftover, RepairReport
from handson.practice.incident_file import INCIDENT, Incident
from handson.resources import plan
from handson.resources.push import IMAGE_URI
from handson.resources.snapshot import take_snapshot

_CAUSES = files.KeptState("causes.json", dict[str, str])
_SEEDS = range(1000, 10000)
"""Seeds that are drawn have four digits, so that an instructor can call one out to a class."""


def check_seed(seed: object) -> None:
    """Refuse an invalid seed.

    Raises:
        InvalidInput: The seed is neither None nor an integer from 0.
    """
    if seed is not None and (type(seed) is not int or seed < 0):
        raise InvalidInput.from_key("practice.incidents.seed", seed=quote(seed))


def check_step(step: object) -> None:
    """Refuse an invalid step of the hints.

    Raises:
        InvalidInput: The step is neither None nor 1, 2 or 3.
    """
    if step is not None and (type(step) is not int or step not in STEPS):
        raise InvalidInput.from_key("practice.incidents.step", step=quote(step))


class Drill(Struct, frozen=True):
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
        if last and (not verification.passed or any(self._find_leftovers(snapshot, last))):
            self._keep(last, broken=True)
            return IncidentReport(last.seed, self._describe(last)[0], fresh=False)
        own = OwnResources(self.aws, snapshot, self.exercise)
        drawn, damage = _plan(own, seed=seed, last=last.breakage if last else "")
        former = self._list_former_resources(snapshot)
        incident = Incident(seed=drawn, breakage=choose_breakage(drawn), former=former)
        self._keep(incident)
        # One step at a time: a gateway, for example, is deleted after it is detached, though no
        # parameter says so.
        made: dict[str, str] = {}
        for step in damage:
            if isinstance(step, plan.Step):
                plan.carry_out(self.aws, [step], known=made)
            else:
                IMAGE_URI.write(self.home, step)
        self._keep(incident, broken=True)
        return IncidentReport(drawn, self._describe(incident)[0], fresh=True)

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
            raise NotReady.from_key("practice.incidents.passes")
        given = step or min(incident.hints + 1, STEPS[-1])
        self._keep(incident, broken=True, hints=max(incident.hints, given))
        _, place, cause = self._describe(incident)
        last = self._find_diagnosis(verification, incident) if given == STEPS[-1] else None
        return Hints(incident.seed, (place, cause)[:given], last)

    def check_repair(self, cause: str) -> RepairReport:
        """Return whether all checks pass again with nothing broken left behind.

        Args:
            cause: The cause in the learner's words, to keep in the home folder.

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
        leftovers = tuple(self._find_leftovers(snapshot, incident)) if verification.passed else ()
        mended = verification.passed and not leftovers
        self._keep(incident, broken=True, mended=mended)
        number, kept = str(incident.seed), _CAUSES.read(self.home) or {}
        if words := " ".join(cause.split()):
            kept[number] = words
            _CAUSES.write(self.home, kept)
        said, shown = kept.get(number, ""), self._describe(incident)[2] if mended else ""
        return RepairReport(incident.seed, incident.hints, verification, shown, leftovers, said)

    def refuse_building(self, verb: str) -> None:
        """Refuse a verb that builds while a single other call mends the incident.

        Raises:
            NotReady: A running system is to be mended, not built again.
            HandsonError: AWS did not answer.
        """
        incident = read_incident(self.home)
        if incident is None:
            return
        snapshot, verification = self._look()
        if verification.passed:
            left = any(self._find_leftovers(snapshot, incident))
            self._keep(incident, mended=incident.broken and not left)
            return
        # An embedded AWS that was killed or reset has nothing to mend.
        if not any(vpc.id in incident.former for vpc in snapshot.vpcs):
            return
        self._keep(incident, broken=True)
        call = self._find_diagnosis(verification, incident).call
        if call and f".{verb}(" not in call:
            kind, seed = breakages.find_kind(incident.breakage), str(incident.seed)
            raise NotReady.from_key("practice.incidents.running", seed=seed, kind=kind)

    def _find_diagnosis(self, verification: Verification, incident: Incident) -> Diagnosis:
        """Return the deepest cause; with a call, which is its remedy, where building is refused."""
        # Later checks build on earlier ones, so the first diagnosis is the deepest.
        found = next(each for check in verification.failing for each in check.diagnoses)
        call = "" if incident.breakage in BUILT_AGAIN else found.call
        if found.code == "gateway-absent":
            for id in {*self._find_detached_gateways()} & {*incident.former}:
                ids = {"InternetGatewayId": id, "VpcId": found.resource}
                call = results.write_aws_call("ec2", "AttachInternetGateway", **ids)
        remedy = found.remedy if call in found.remedy else results.advise_call(call)
        return replace(found, call=call, remedy=remedy)

    def _look(self) -> tuple[Snapshot, Verification]:
        ids = syllabus.CHECK_IDS
        snapshot = take_snapshot(self.aws, home=self.home, exercise=self.exercise, missing=ids)
        return snapshot, checks.run_checks(snapshot, self.exercise)

    def _keep(self, incident: Incident, **changes: Any) -> None:
        INCIDENT.write(self.home, replace(incident, **changes))

    def _describe(self, incident: Incident) -> tuple[str, str, str]:
        return breakages.describe_breakage(incident.breakage, self.exercise)

    def _list_former_resources(self, snapshot: Snapshot) -> tuple[str, ...]:
        vpc = self._choose_vpc(snapshot)
        tables = (table.id for table in vpc.route_tables if table.subnets)
        gateways = (gateway.id for gateway in vpc.internet_gateways)
        return (vpc.id, *tables, *gateways, *(each.name for each in snapshot.clusters))

    def _choose_vpc(self, snapshot: Snapshot) -> Vpc:
        vpc = network_facts.find_goal_vpc(snapshot, self.exercise)
        assert vpc is not None  # the checks pass
        return vpc

    def _find_leftovers(self, snapshot: Snapshot, incident: Incident) -> Iterator[Leftover]:
        """Yield what a breakage has left behind in a workshop whose checks pass.

        The checks judge one VPC and one cluster.  They pass when the learner makes new ones, and do
        not see the broken ones that still exist beside them.
        """
        if incident.mended or not incident.broken:
            return
        vpc, former = self._choose_vpc(snapshot), incident.former
        for each in snapshot.vpcs:
            if each.id in former and each.id != vpc.id:
                names = {"id": each.id, "name": each.name or "-"}
                notebook = syllabus.find_check("network").notebook
                remedy = results.advise_call(results.NETWORK_CLEANUP, then=notebook)
                yield messages.text("practice.incidents.left-vpc", **names), remedy
                return
        for table in vpc.route_tables:
            if table.id in former and not table.subnets and not table.main:
                call = results.write_aws_call("ec2", "DeleteRouteTable", RouteTableId=table.id)
                yield _describe_leftover("practice.incidents.left-table", table.id, call)
        for id in self._find_detached_gateways():
            if id in former:
                call = results.write_aws_call("ec2", "DeleteInternetGateway", InternetGatewayId=id)
                yield _describe_leftover("practice.incidents.left-gateway", id, call)
        known = {self.exercise.cluster, *former}
        for found in snapshot.clusters:
            if found.tagged and not found.is_deleted and found.name not in known:
                call = results.write_aws_call("ecs", "DeleteCluster", cluster=found.name)
                yield _describe_leftover("practice.incidents.left-cluster", found.name, call)

    def _find_detached_gateways(self) -> list[str]:
        found = self.aws.list_items("ec2", "DescribeInternetGateways", "InternetGateways")
        return [str(each["InternetGatewayId"]) for each in found if not each.get("Attachments")]


def read_incident(home: Path) -> Incident | None:
    """Return the incident that the home folder keeps; None for an unknown breakage, too."""
    incident = INCIDENT.read(home)
    return incident if incident and incident.breakage in BREAKAGES else None


def forget_incident(home: Path, *, kind: str = "") -> None:
    """Delete the incident that the home folder keeps; with a kind, only one of its resources."""
    incident = read_incident(home)
    if not kind or (incident and breakages.find_kind(incident.breakage) == kind):
        INCIDENT.forget(home)


def _nothing_broken() -> NotReady:
    return NotReady.from_key("practice.incidents.nothing")


def _unfinished(verification: Verification) -> NotReady:
    """Return the refusal: which checks have to pass first, and the notebook to begin with."""
    failing = verification.failing
    missing = messages.text("practice.incidents.and").join(check.label for check in failing)
    notebook = failing[0].notebook
    return NotReady.from_key("practice.incidents.unfinished", missing=missing, notebook=notebook)


def _plan(own: OwnResources, *, seed: int | None, last: str) -> tuple[int, breakages.Damage]:
    """Return a seed and its damage: the given one, or one drawn whose breakage is possible.

    The breakage of a drawn seed is not the last one.

    Raises:
        NotReady: The breakage, or each of them, would touch a resource without the tag.
    """
    first = random.choice(_SEEDS[: -len(BREAKAGES)])
    seeds = range(first, first + len(BREAKAGES))
    others = [each for each in seeds if choose_breakage(each) != last]
    for drawn in random.sample(others, len(others)) if seed is None else [seed]:
        try:
            return drawn, BREAKAGES[choose_breakage(drawn)](own)
        except NotReady as error:
            refused = error
    raise refused


def _describe_leftover(key: str, id: str, call: str) -> Leftover:
    return messages.text(key, id=id), results.advise_call(call)
