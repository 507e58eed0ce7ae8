"""One breakage from the moment it is made to the moment it is mended, as the home folder keeps it.

What is kept says which breakage it is, how many hints were given and what stood there before;
whether it is mended is never read from there, but seen anew, by the checks and by what is `left`.
It is kept before the first call: a kernel that is killed in the middle leaves nothing broken that
nobody knows of.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from handson.aws import Aws
from handson.core import files, messages
from handson.core.errors import InvalidInput, NotAllowed, NotReady
from handson.core.text import quote
from handson.course import checks, syllabus
from handson.course.checks import Diagnosis, Verification
from handson.course.state import Snapshot, State
from handson.practice.troubleshooting import left
from handson.practice.troubleshooting.catalogue import BREAKAGES, Breakage, chosen_by, named
from handson.practice.troubleshooting.ours import Change, Ours
from handson.practice.troubleshooting.shown import STEPS, Broken, Hints, Mended
from handson.resources import image_uri, plan
from handson.resources.snapshot import take_snapshot

_FILE = "troubleshooting.json"
_SEEDS = range(1000, 10000)
"""What a seed is drawn from: four digits, so that one can call it out to a class."""


class Incident(State, frozen=True, kw_only=True):
    """A breakage that the learner was given.

    Attributes:
        seed: What chose it.
        breakage: Its name in the catalogue.
        hints: How many steps of hints were shown.
        broken: It was made to its end, or the checks were seen failing since.
        mended: The checks were seen passing after that, and nothing of it left behind.
        before: What stood there before; empty where an earlier version has kept it.
    """

    seed: int
    breakage: str
    hints: int = 0
    broken: bool = False
    mended: bool = False
    before: left.Before = left.Before()


def refuse_real_aws(aws: Aws) -> None:
    """Refuse to break anything on real AWS.

    Raises:
        NotAllowed: The target is real AWS.
    """
    if aws.kind == "aws":
        raise NotAllowed(*messages.advice("practice.troubleshooting.on-aws", account=aws.account))


def check_seed(seed: object) -> None:
    """Refuse what is no seed.

    Raises:
        InvalidInput: It is neither None nor an integer from 0.
    """
    if seed is not None and (type(seed) is not int or seed < 0):
        raise InvalidInput(*messages.advice("practice.troubleshooting.seed", seed=quote(seed)))


def check_step(step: object) -> None:
    """Refuse what is no step of the hints.

    Raises:
        InvalidInput: It is neither None nor 1, 2 or 3.
    """
    if step is not None and (type(step) is not int or step not in STEPS):
        raise InvalidInput(*messages.advice("practice.troubleshooting.step", step=quote(step)))


def break_it(aws: Aws, home: Path, *, seed: int | None) -> Broken:
    """Break one thing of a finished workshop; while one is broken, break no second one.

    Args:
        aws: The connection, not to real AWS.
        home: Where it is kept what is broken, and where the image URI is.
        seed: Chooses the breakage, always the same one; None draws one.

    Raises:
        NotReady: The workshop is not finished, or this breakage would touch what does not carry
            its tag; nothing was changed.
        HandsonError: AWS refused a call or did not answer.
    """
    before, seen = read(home), _look(aws, home)
    verification = checks.verify(seen)
    if not verification.passed and (before is None or before.mended):
        raise _unfinished(verification)
    if before and (not verification.passed or _left(aws, seen, before)):
        _keep(home, before, broken=True)
        return Broken(before.seed, _known(before).symptom, fresh=False, asked=seed)
    last = before.breakage if before else ""
    drawn, change = _planned(Ours(aws, seen), seed=seed, last=last)
    name = chosen_by(drawn).name
    incident = Incident(seed=drawn, breakage=name, before=left.remember(seen))
    _keep(home, incident)
    plan.carry_out(aws, change.steps, known={})
    if change.uri:
        image_uri.keep_image_uri(home, change.uri)
    _keep(home, incident, broken=True)
    earlier = before if before and before.broken and not before.mended else None
    return Broken(
        drawn,
        chosen_by(drawn).symptom,
        fresh=True,
        asked=seed,
        earlier=earlier.seed if earlier else None,
    )


def hint(aws: Aws, home: Path, *, step: int | None) -> Hints:
    """Give the next hint, or that of a step, with those before it; the number is kept.

    Raises:
        NotReady: Nothing is broken, or it is mended already.
        HandsonError: AWS did not answer.
    """
    incident = _open(home)
    verification = checks.verify(_look(aws, home))
    if verification.passed:
        raise NotReady(*messages.advice("practice.troubleshooting.passes"))
    given = step or min(incident.hints + 1, STEPS[-1])
    _keep(home, incident, broken=True, hints=max(incident.hints, given))
    breakage = _known(incident)
    diagnosis = _first_diagnosis(verification) if given == STEPS[-1] else None
    return Hints(incident.seed, (breakage.where, breakage.what)[:given], diagnosis)


def mended(aws: Aws, home: Path) -> Mended:
    """Return whether all checks pass again and nothing broken is left, and how many hints it took.

    Raises:
        NotReady: Nothing was broken.
        HandsonError: AWS did not answer.
    """
    incident = read(home)
    if incident is None:
        raise _nothing()
    seen = _look(aws, home)
    verification = checks.verify(seen)
    if not (incident.broken if verification.passed else not incident.mended):
        raise _nothing()
    remains = _left(aws, seen, incident) if verification.passed else ()
    done = verification.passed and not remains
    _keep(home, incident, broken=True, mended=done)
    what = _known(incident).what if done else ""
    return Mended(incident.seed, incident.hints, verification, what, remains)


def read(home: Path) -> Incident | None:
    """Return what is kept, or None when there is nothing, or nothing that is known."""
    incident = files.read(home / _FILE, Incident)
    return incident if incident and named(incident.breakage) else None


def forget(home: Path) -> None:
    """Forget what was broken: it is gone."""
    files.forget(home / _FILE)


def _keep(home: Path, incident: Incident, **news: Any) -> None:
    files.write(home / _FILE, replace(incident, **news))


def _left(aws: Aws, seen: Snapshot, incident: Incident) -> tuple[left.Left, ...]:
    """Return what is left of what was broken; once it was seen mended, nothing is."""
    if incident.mended or not incident.broken:
        return ()
    return left.find_left(aws, seen, incident.before)


def _look(aws: Aws, home: Path) -> Snapshot:
    return take_snapshot(aws, home=home, missing=syllabus.CHECK_IDS)


def _known(incident: Incident) -> Breakage:
    breakage = named(incident.breakage)
    assert breakage is not None  # `read` gives back no other
    return breakage


def _open(home: Path) -> Incident:
    incident = read(home)
    if incident is None or incident.mended:
        raise _nothing()
    return incident


def _nothing() -> NotReady:
    return NotReady(*messages.advice("practice.troubleshooting.nothing"))


def _unfinished(verification: Verification) -> NotReady:
    """Say which checks have to pass first, and which notebook begins with them."""
    failing = [check for check in verification.checks if not check.passed]
    missing = messages.text("notebook.workshop.and").join(check.label for check in failing)
    notebook = syllabus.check(failing[0].id).notebook
    return NotReady(
        *messages.advice("practice.troubleshooting.unfinished", missing=missing, notebook=notebook)
    )


def _planned(ours: Ours, *, seed: int | None, last: str) -> tuple[int, Change]:
    """Return a seed and what it does: the given one, or one drawn whose breakage is possible.

    Drawn is another breakage than the last one.

    Raises:
        NotReady: The breakage, or all of them, would touch what is not the workshop's.
    """
    if seed is not None:
        return seed, chosen_by(seed).plan(ours)
    refused: NotReady | None = None
    first = random.choice(_SEEDS[: -len(BREAKAGES)])
    for drawn in random.sample(range(first, first + len(BREAKAGES)), len(BREAKAGES)):
        if chosen_by(drawn).name == last:
            continue
        try:
            return drawn, chosen_by(drawn).plan(ours)
        except NotReady as error:
            refused = error
    assert refused is not None  # there is more than one breakage
    raise refused


def _first_diagnosis(verification: Verification) -> Diagnosis:
    """Return the diagnosis that lies deepest: every check that fails has one."""
    failing = (check for check in verification.checks if not check.passed)
    return next(diagnosis for check in failing for diagnosis in check.diagnoses)
