"""The front door of the library: `start` and the `Workshop` that it returns.

Each lesson calls one verb of the workshop.  A verb takes the settings of a console form as its
arguments, refuses wrong ones before any call, leaves the work to the wings below, and returns a
result that shows itself as a card.  A setting that is left out has the exercise's value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import copy
from datetime import datetime
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from handson.aws import Aws, connection, settings
from handson.aws.settings import Settings
from handson.core import messages, progress
from handson.core.cards import Card, Displayable, Note, list_fields, warning_notes
from handson.core.errors import HandsonError, InvalidInput, NotAllowed, NotReady
from handson.core.files import KeptState, shorten_path
from handson.core.folders import find_current_folder
from handson.core.host import IN_TAB
from handson.core.late import load_late
from handson.core.text import check_choice, fold_name, pick_fields, quote
from handson.course import activity, checks, rules, syllabus
from handson.course.course import Course
from handson.course.evidence import Journal, Observation, Record, now
from handson.course.exercise import Exercise
from handson.course.owners import explain_foreign, explain_neighbours, name_owner
from handson.course.state import ANYWHERE, Repository, Snapshot, State
from handson.notebook import evidence_cards, mistakes, overview, prepare_shell
from handson.practice import predictions, tasks
from handson.practice.incident_file import INCIDENT
from handson.resources import cluster, network, plan, receipts
from handson.resources import repository as ecr

if TYPE_CHECKING:
    from handson import drawing, engine, grading
    from handson.engine import Engine
    from handson.engine.model import LocalImage, PushedImage
    from handson.notebook import doctor, hand_in, nbgrader
    from handson.practice import breakages, incident_cards, incidents, questions
    from handson.resources import cleanup, image_run, images, push, snapshot
    from handson.resources.images import ImageList
else:
    globals().update(load_late("handson", "drawing engine grading"))
    globals().update(load_late("handson.notebook", "doctor hand_in nbgrader"))
    globals().update(load_late("handson.practice", "breakages incident_cards incidents questions"))
    globals().update(load_late("handson.resources", "cleanup image_run images push snapshot"))

Show = Callable[[Displayable], None]


class _Former(State, frozen=True, kw_only=True):
    """The exercise that the home folder was last used for, and its learner."""

    learner: str = ""
    exercise: Exercise = Exercise()


_FORMER = KeptState("exercise.json", _Former)
_Report = TypeVar("_Report")


@mistakes.check_arguments
class Workshop(Displayable):
    """The workshop of one learner on one target; `start` makes it.

    Args:
        settings: The target, the learner, the exercise and the home folder.
        progress: Shows the progress of long verbs.
        show: Shows a card that is not a verb's result, such as the notice of a restart.
        connect: Connects to the target.
        clock: Returns the time for evidence, records and receipts; it may be set back.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        progress: progress.Progress,
        show: Show,
        connect: Callable[[Settings], connection.Connection] = connection.connect_target,
        clock: Callable[[], datetime] = now,
    ) -> None:
        if settings.variation and not settings.learner:  # the exercise depends on the name
            raise NotReady.from_key("notebook.workshop.name-first")
        self.settings = settings
        self._exercise = settings.exercise
        self._progress = progress
        self._show = show
        self._clock = clock
        self._journal = Journal(settings.home, clock=clock)
        self._engine: Engine | None = None
        self._connection = connect(settings)
        self._connection.aws.owners = connection.find_owners(settings)
        self._report_losses()

    @property
    def aws(self) -> Aws:
        """The connection, renewed if the embedded AWS has been stopped or killed."""
        self._connection = connection.renew_connection(self._connection, self.settings)
        self._report_losses()
        return self._connection.aws

    @property
    def engine(self) -> Engine:
        """The container engine, chosen at its first use.

        Raises:
            NotReady: The engine that the settings name does not answer.
        """
        if self._engine is None:
            name, host = self.settings.engine, self.settings.docker_host
            real_aws = self.settings.target == "aws"
            self._engine = engine.choose_engine(name, real_aws=real_aws, docker_host=host)
        return self._engine

    def with_own_progress(self, progress: progress.Progress, *, show: Show) -> Workshop:
        """Return this workshop for a form or a board, which run while cells run.

        The two show progress and notices in different places, and evidence of the one does not
        record the calls of the other.  They share everything else.
        """
        other = copy(self)
        other._progress, other._show = progress, show
        other._connection = replace(self._connection, aws=self._connection.aws.without_recording())
        return other

    def card(self) -> Card:
        """Return a card with the target, the account, the region, the learner, and warnings."""
        aws, exercise = self._connection.aws, self._exercise
        target = aws.target
        learner, source = self.settings.learner, self.settings.learner_from
        values = pick_fields(target, "account region") | {
            "target": messages.label("notebook.workshop.target", target.kind),
            "endpoint": target.endpoint or "AWS",
            "learner": evidence_cards.name_learner(learner, source),
            "home": shorten_path(self.settings.home),
        }
        rows = list_fields("notebook.workshop.row", values)
        advice = [Note(messages.text("notebook.workshop.root"), "advice")] if aws.is_root else []
        others, _ = snapshot.find_neighbours(aws, home=self.settings.home, exercise=exercise)
        if others:
            advice += warning_notes(*explain_neighbours(others, region=aws.region))
        try:
            setback, only_packs = self.engine.setback, self.engine.containers is None
        except NotReady as error:
            setback, only_packs = error, False
        if setback:
            advice += warning_notes(setback.problem, setback.remedy)
        if IN_TAB:
            advice.append(Note(messages.text("notebook.doctor.tab-remedy"), "advice"))
        elif only_packs:
            advice += warning_notes(*messages.advice("notebook.workshop.only-packs"))
        return Card(messages.text("notebook.workshop.title"), (rows, *advice), state="info")

    def overview(self) -> overview.Overview:
        """Return what is done, what comes next, and what to set right before evidence is recorded.

        Raises:
            NotReady: The journal cannot be read.
        """
        home, learner = self.settings.home, self.settings.learner
        records = self._list_records(fold_name(learner), "")
        folder = find_current_folder()
        are_here = (folder / f"{syllabus.DIAGRAM.notebook}.ipynb").exists()
        return overview.Overview(
            evidence_cards.JournalEntries(tuple(records), learner, self._exercise),
            grading.read_answers(folder) if are_here else (),
            receipts.find_last_cleanup(home),
            self.settings.region,
            self.settings.learner_from,
            self.settings.activity_log == "on",
            self._find_former_work(),
        )

    def _find_former_work(self) -> Sequence[tuple[str, str]]:
        """Return a warning where what another exercise of this home folder made is still there.

        The learner's name, or the course's key or lists, have changed since.
        """
        home, learner, exercise = self.settings.home, self.settings.learner, self._exercise
        former = _FORMER.read(home) or _Former()
        if former.exercise == exercise:
            return ()
        aws, owner = self._connection.aws, name_owner(fold_name(former.learner))
        try:
            names, is_whole = snapshot.find_made(aws, home, former.exercise, owner=owner)
        except HandsonError as error:  # such as a policy that allows nothing in another Region
            names, is_whole = [], isinstance(error, NotAllowed) and not former.learner
        if not names:
            if is_whole:
                _FORMER.write(home, _Former(learner=learner, exercise=exercise))
            return ()
        values = {"names": ", ".join(names), "learner": quote(former.learner)}
        if former.learner and fold_name(former.learner) != fold_name(learner):
            return [messages.advice("notebook.overview.former-name", **values)]
        return [messages.advice("notebook.overview.former-course", **values)]

    def doctor(self) -> doctor.MachineReport:
        """Check that this machine has what the workshop needs."""
        return doctor.examine_machine(self.settings, connect=lambda: self.aws)

    def ensure_network(
        self,
        name: str | None = None,
        *,
        cidr: str | None = None,
        availability_zones: int | None = None,
        public_subnets: int | None = None,
        private_subnets: int | None = None,
        tenancy: str | None = None,
        s3_endpoint: bool | None = None,
        zones: Sequence[str] | None = None,
    ) -> network.Network:
        """Make the network as the console's form "VPC and more" does; a second run changes nothing.

        Args:
            name: How the Name tags begin.
            cidr: The IPv4 block of the VPC.
            availability_zones: The number of Availability Zones.
            public_subnets: The number of public subnets.
            private_subnets: The number of private subnets.
            tenancy: The tenancy of the VPC.
            s3_endpoint: Whether the VPC gets a gateway endpoint for S3.
            zones: The Availability Zones by name, `("us-east-1b", "us-east-1c")`; the first ones
                that take subnets and run Fargate, if left out.

        Raises:
            InvalidInput: AWS would refuse a setting; nothing was created.
            HandsonError: AWS refused a call or did not answer; run again to complete.
        """
        region = self.settings.region
        named = rules.check_zones(zones, region=region, wanted=availability_zones) if zones else ()
        given = {
            "name": name,
            "cidr": cidr,
            "availability_zones": len(named) or availability_zones,
            "public_subnets": public_subnets,
            "private_subnets": private_subnets,
            "tenancy": tenancy,
            "s3_endpoint": s3_endpoint,
        }
        changes = {setting: value for setting, value in given.items() if value is not None}
        form = replace(self._exercise.network, **changes)
        rules.check_network_form(form, usual=self._exercise.network)
        self._refuse_building("ensure_network")
        with self._locked() as aws, self._working("network") as line:
            aws, exercise = aws.report_to(line), self._exercise
            made = network.ensure_network(aws, form, zones=named, exercise=exercise)
        return replace(made, remarks=self._compare("ensure_network", vpcs=(made.vpc,)))

    def delete_default_route(self) -> tasks.TaskReport:
        """Delete the default route of the public subnets, to see what it did; for a task in 01.

        `ensure_network` brings it back.

        Raises:
            NotReady: The network is missing, or does not carry the workshop's tag.
            AWSError: AWS refused the call.
        """
        with self._locked() as aws:
            own = breakages.OwnResources(aws, self._look(aws), self._exercise)
            if any(route.destination == ANYWHERE for route in own.table.routes):
                plan.carry_out(aws, breakages.remove_route(own), known={})
        tasks.begin_task(self.settings.home, "broken-route")
        return self.check_task("broken-route")

    def ensure_cluster(
        self,
        name: str | None = None,
        *,
        fargate: bool = True,
        ec2_instances: bool = False,
        capacity_providers: tuple[str, ...] | None = None,
    ) -> cluster.EnsuredCluster:
        """Make the ECS cluster and wait until it is ACTIVE; a second run changes nothing.

        Args:
            name: The cluster's name.
            fargate: The cluster gets FARGATE and FARGATE_SPOT, as with every choice of the
                console's "Infrastructure"; off only where `capacity_providers` names some.
            ec2_instances: The choice there is another than "Fargate only"; not in this workshop.
            capacity_providers: The names of the capacity providers, instead of `fargate`; an
                existing cluster of the workshop loses others.

        Raises:
            InvalidInput: ECS would refuse a setting; nothing was created.
            HandsonError: AWS refused a call or did not answer; run again to complete.
        """
        serverless = rules.check_switch(fargate, parameter="fargate")
        exact = capacity_providers is not None
        if capacity_providers is None:
            capacity_providers = rules.CAPACITY_PROVIDERS if serverless else ()
        form = cluster.ClusterForm(
            name=self._exercise.cluster if name is None else name,
            capacity_providers=rules.check_capacity_providers(capacity_providers),
            ec2_instances=ec2_instances,
            exact=exact,
        )
        form.check(self._exercise)
        self._refuse_building("ensure_cluster")
        with self._locked() as aws, self._working("cluster") as line:
            made = cluster.ensure_cluster(aws.report_to(line), form, exercise=self._exercise)
        if made.cluster.capacity_providers == (rules.FARGATE_SPOT,):
            tasks.begin_task(self.settings.home, "spot-only")
        return replace(made, remarks=self._compare("ensure_cluster", clusters=(made.cluster,)))

    def ensure_repository(self, name: str | None = None) -> ecr.EnsuredRepository:
        """Make the private ECR repository; a second run changes nothing.

        Raises:
            InvalidInput: ECR would refuse the name; nothing was created.
            HandsonError: AWS refused the call or did not answer; run again to complete.
        """
        name = self._repository(name)
        self._refuse_building("ensure_repository")
        with self._locked() as aws:
            return ecr.ensure_repository(aws, name, exercise=self._exercise)

    def push_commands(
        self, repository: str | None = None, *, context: str | Path, tag: str | None = None
    ) -> push.PushCommands:
        """Return the console's push commands for this account and region, ready to paste.

        The card warns if the repository is missing and its name is not the exercise's.

        Raises:
            InvalidInput: AWS would refuse the repository's name or the tag.
        """
        repository, tag = self._repository(repository), self._tag(tag)
        connected = self.aws
        return push.PushCommands(
            repository=repository,
            context=push.locate_context(context),
            registry=ecr.build_registry_address(connected),
            region=connected.region,
            tag=tag,
            base_image=self.settings.base_image or "",
            setup=plan.list_cli_variables(connected, is_shown=True) if connected.endpoint else {},
            program=push.find_program(),
            notes=(
                *_explain_repository(connected, repository, self._exercise),
                *self._explain_docker(),
            ),
        )

    def _explain_docker(self) -> tuple[Note, ...]:
        try:
            usable = self.engine.containers is not None and which("docker")
        except NotReady as error:  # on real AWS the cells take an engine, too
            return warning_notes(error.problem, error.remedy)
        return () if usable else (Note(messages.text("resources.image.no-docker"), "advice"),)

    def build_image(
        self,
        context: str | Path,
        *,
        name: str | None = None,
        tag: str | None = None,
        build_args: Mapping[str, str] | None = None,
    ) -> LocalImage:
        """Build the image of a folder with a Dockerfile, under `tag`.

        Raises:
            InvalidInput: The folder, its Dockerfile, the name or the tag is not usable.
            HandsonError: The engine does not answer, or a step of the Dockerfile failed.
        """
        given = {"BASE_IMAGE": self.settings.base_image} if self.settings.base_image else {}
        request = push.prepare_build(
            context,
            folder=self.settings.home / "images",
            name=self._repository(name),
            tag=self._tag(tag),
            build_args={**given, **(build_args or {})},
        )
        self._refuse_building("build_image")
        chosen = self.engine
        with self._working("build") as line:
            return chosen.build(request, say=line)

    def push_image(self, local: LocalImage, *, repository: str | None = None) -> PushedImage:
        """Log in to the registry, tag the image with the repository's URI, and push it.

        Raises:
            NotReady: The repository is missing, or the engine does not answer.
            InvalidInput: `local` is not a built image, or ECR would refuse the repository's name.
            HandsonError: The registry refused or broke off; run again to continue.
        """
        push.check_local_image(local)
        self._refuse_building("push_image")
        aws, found = self._require_repository(repository)
        destination = ecr.make_destination(aws, found, tag=local.tag)
        chosen = self.engine
        with self._working("push") as line:
            return push.push_image(chosen, local, destination=destination, say=line)

    def images(self, repository: str | None = None) -> ImageList:
        """Return the images of a repository, as the ECR console lists them.

        Raises:
            NotReady: The repository is missing.
        """
        aws, found = self._require_repository(repository)
        return self._list_images(aws, found.name, verb="images")

    def tag_image(self, repository: str | None = None, *, tag: str, image: str) -> ImageList:
        """Put a tag on an image in ECR without a push; another image that has the tag loses it.

        Args:
            repository: The repository's name.
            tag: The tag to put or move.
            image: A tag of the image that gets it, or its digest.

        Raises:
            InvalidInput: AWS would refuse the repository's name or a tag.
            NotReady: The repository or the image is missing.
            AWSError: ECR refused, for one because tags of this repository never move.
        """
        name = self._repository(repository)
        with self._locked() as aws:
            images.tag_image(aws, name, tag=tag, image=image, exercise=self._exercise)
            return self._list_images(aws, name, verb="tag_image")

    def run_image(
        self, repository: str | None = None, *, tag: str | None = None
    ) -> image_run.ImageRun:
        """Pull an image from ECR, run it here for a moment, and return its first page.

        Raises:
            NotReady: The repository or the image is missing.
            EngineError: The image does not start or does not answer.
        """
        order = image_run.Order(
            self._repository(repository), self._tag(tag), self.settings.home, self._exercise
        )
        aws, chosen = self.aws, self.engine
        with self._locked(aws), self._working("run") as work:
            ran = image_run.run_image(aws, chosen, order, say=work, clock=self._clock)
            if ran.page is None:
                work.ending = messages.text("notebook.workshop.not-run")
        return ran

    def record_image_uri(
        self, repository: str | None = None, *, tag: str | None = None
    ) -> push.ImageUri:
        """Record the URI of an image in ECR for step 3.

        Raises:
            NotReady: The repository or the image is missing.
        """
        self._refuse_building("record_image_uri")
        return push.record_image_uri(
            self.aws,
            self.settings.home,
            repository=self._repository(repository),
            tag=self._tag(tag),
            exercise=self._exercise,
            clock=self._clock,
        )

    def evidence(self, check: str) -> evidence_cards.Evidence:
        """Look at what one check reads, and seal it as the learner's next evidence.

        Args:
            check: One of network, cluster, repository, image, image-uri; or architecture, which
                reads the last drawn diagram and not the target.

        Raises:
            InvalidInput: There is no such check.
            NotReady: No diagram has been drawn.
            HandsonError: AWS did not answer, or the journal cannot be written; nothing is kept.
        """
        checks.require_check(check)
        exercise, connected = self._exercise, self.aws
        before = len(connected.requests)
        if check == syllabus.DRAWING.id:
            drawn = drawing.describe_last_diagram()
            snapshot = Snapshot(target=connected.target, drawing=drawn)
        else:
            snapshot = self._look(connected, checks=(check,), missing=(check,))
        observed = checks.trim(check, snapshot, exercise).to_json()
        observation = Observation(
            check=check,
            target=snapshot.target.to_json(),
            observed=observed,
            requests=[request.to_json() for request in connected.requests[before:]],
            exercise=exercise,
        )
        record = self._journal.add(observation, learner=self.settings.learner)
        # Judge the record, as a grader does, and not the snapshot.
        result = checks.derive(check, observed, exercise)
        outdone = not result.passed and self.journal().has_passed(check)
        return evidence_cards.Evidence(record, result, outdone=outdone)

    def verify(self) -> checks.Verification:
        """Look at the target and return the results of all five checks; nothing is recorded.

        Where a service fails, only the checks that read it stay open.
        """
        ids = syllabus.CHECK_IDS
        snapshot = self._look(self.aws, checks=ids, missing=ids, partial=True)
        return checks.run_checks(snapshot, self._exercise)

    def snapshot(self, *, missing: Collection[str] = (), partial: bool = False) -> Snapshot:
        """Look at everything that the workshop builds, and return its state.

        Args:
            missing: The checks whose missing resources are also searched for in other regions.
            partial: Where a service fails, say so in the snapshot instead of raising its error.
        """
        return self._look(self.aws, missing=missing, partial=partial)

    def journal(self) -> evidence_cards.JournalEntries:
        """Return the learner's evidence so far."""
        learner = self.settings.learner
        records = self._list_records(fold_name(learner))
        return evidence_cards.JournalEntries(tuple(records), learner, self._exercise)

    def _list_records(self, *names: str) -> list[Record]:
        """Return the evidence that bears one of these folded names."""
        return [each for each in self._journal.records() if fold_name(each["learner"]) in names]

    def hand_in(self) -> hand_in.HandInFile:
        """Write the zip to hand in beside the notebooks, and return what it still lacks.

        It holds the notebooks as they are saved, and the journal.

        Raises:
            NotReady: There is no evidence yet, or the file cannot be written.
        """
        records = self._journal.records()
        if not records:
            raise NotReady.from_key("notebook.workshop.nothing-to-hand-in")
        beside = find_current_folder()
        folder = self.settings.hand_in or beside
        return hand_in.write_hand_in(
            folder,
            records,
            learner=self.settings.learner,
            home=self.settings.home,
            beside=beside,
            course=Course(exercise=self.settings.variation),
        )

    def questions(self, *topics: str) -> questions.Quiz:
        """Return self-check questions, made from the learner's resources.

        Answers are not recorded.

        Args:
            topics: Some of why-network, why-zones, why-cluster, why-registry, or ids of single
                questions, such as "public".

        Raises:
            InvalidInput: There is no such topic or question.
        """
        return questions.build_quiz(topics, self.snapshot(), self._exercise)

    def predict(self, prediction: str, answer: object = None) -> predictions.Prediction:
        """Ask what the next cell will show, or keep the learner's answer; it is never graded.

        The result that shows it is compared with the last answer before it.

        Args:
            prediction: The id of the question.
            answer: The name of a choice; nothing to read the question, and what was answered.

        Raises:
            InvalidInput: There is no such question, or it does not take this answer.
            HandsonError: AWS did not answer.
        """
        made, home = predictions.find_prediction(prediction, answer), self.settings.home
        if not made.answer:
            return predictions.recall_answer(home, made)
        seen, at = self.snapshot(), self._clock()
        return predictions.keep_answer(home, made, seen, self._exercise, at=at)

    def check_task(self, task: str, answer: object = None) -> tasks.TaskReport:
        """Judge a task without code by what there is now, and say what is wrong; never graded.

        Args:
            task: The id of the task.
            answer: What the task asks to find out.

        Raises:
            InvalidInput: There is no such task.
            HandsonError: AWS did not answer.
        """
        task, home = check_choice("practice.tasks.unknown", task, tasks.TASKS), self.settings.home
        case = tasks.Case(self.snapshot(), self._exercise, tasks.KEPT.read(home) or {}, answer)
        return tasks.judge_task(task, case, home, clock=self._clock)

    def draw(
        self,
        view: str | Sequence[str] = "aws",
        *,
        since: Snapshot | None = None,
        goal: bool = False,
    ) -> drawing.Picture:
        """Draw the architecture, and save the picture in the home folder's `pictures`.

        Args:
            view: "aws" for the resources as they are now, "onprem" for their counterpart in a
                data centre, "local" for step 1; or several views to draw side by side.
            since: An earlier `snapshot`: the picture marks what has changed since then.
            goal: Mark what is missing or wrong, with the reasons that the checks give.

        Raises:
            InvalidInput: There is no such view, or both `since` and `goal` are given.
        """
        views = drawing.check_views(view)
        missing = syllabus.CHECK_IDS if goal else ()
        snapshot = self.snapshot(missing=missing, partial=True)
        picture = drawing.draw(
            snapshot, view=views, since=since, goal=goal, exercise=self._exercise
        )
        folder = self.settings.home / "pictures"
        folder.mkdir(exist_ok=True)
        picture.save(folder / f"{'-'.join(views)}.svg")
        return picture

    def resources(self) -> incident_cards.Console:
        """Return the existing resources as the consoles list them, without any judgement."""
        return incident_cards.Console(self.snapshot())

    def break_it(
        self, seed: int | None = None
    ) -> incident_cards.IncidentReport | incident_cards.NothingBroken:
        """Break one thing of the finished workshop on the embedded AWS, for practice.

        A second call breaks nothing while the first thing is still broken.  For most breakages
        the verbs that build are refused until a single call has mended it.  Only resources with
        the workshop's tag and the recorded image URI are changed; evidence stays.  On real AWS
        nothing is broken, and the card says so.

        Args:
            seed: Chooses what breaks, the same for everybody; drawn at random if left out.

        Raises:
            InvalidInput: The seed is not a number in its range.
            NotReady: The workshop is not finished, or this seed breaks a resource without its tag.
        """
        incidents.check_seed(seed)
        return self._practise(lambda drill: drill.break_workshop(seed))

    def hint(self, step: int | None = None) -> incident_cards.Hints | incident_cards.NothingBroken:
        """Return the next hint on what is broken, or the hints up to a step; none on real AWS.

        Args:
            step: 1 where to look, 2 what is wrong, 3 the diagnosis and its remedy.

        Raises:
            InvalidInput: There is no such step.
            NotReady: Nothing is broken, or it has been mended.
        """
        incidents.check_step(step)
        return self._practise(lambda drill: drill.give_hint(step))

    def mended(self, cause: str = "") -> incident_cards.RepairReport | incident_cards.NothingBroken:
        """Check that what was broken is mended, and count the hints; nothing is on real AWS.

        Args:
            cause: What was wrong, in one sentence; the home folder keeps it, and nobody grades it.

        Raises:
            InvalidInput: The cause is not a text.
            NotReady: Nothing was broken.
        """
        rules.check_text(cause, parameter="cause")
        return self._practise(lambda drill: drill.check_repair(cause))

    def cleanup(self, kind: str = "", *, confirm: str = "") -> receipts.Cleanup:
        """List the resources with the workshop's tag, or delete them if `confirm` is "delete".

        Every region that this home folder has used is included.  A deletion leaves a receipt in
        the home folder's `receipts`.

        Args:
            kind: One of network, cluster, repository (with its images): only this one.
            confirm: "delete" to delete.

        Raises:
            InvalidInput: `confirm` is another word, or there is no such kind; nothing was deleted.
            HandsonError: AWS did not answer; run again to continue.
        """
        word = receipts.CONFIRMATION
        if confirm not in ("", word):
            raise InvalidInput.from_key("resources.cleanup.word", word=confirm, wanted=word)
        home, exercise = self.settings.home, self._exercise
        if not confirm:
            return cleanup.list_cleanup(self.aws, home, kind=kind, exercise=exercise)
        with self._locked() as aws, self._working("cleanup") as line:
            self._remove_containers()
            aws, clock = aws.report_to(line), self._clock
            result = cleanup.clean_up(aws, home, kind=kind, exercise=exercise, clock=clock)
        if not result.left:
            if kind in ("", "repository"):
                push.IMAGE_URI.forget(home)
                image_run.IMAGE_RUN.forget(home)
            incidents.forget_incident(home, kind=kind)
            if not kind:
                predictions.ANSWERS.forget(home)
                tasks.KEPT.forget(home)
        return result

    def take_over(self) -> receipts.Cleanup:
        """Take over resources that carry the workshop's tag and no owner, as of older versions.

        Return what a clean-up would delete now, these included; nothing is changed on AWS.

        Raises:
            HandsonError: AWS did not answer, or the home folder cannot be written.
        """
        with self._locked() as aws:
            return cleanup.take_over(aws, self.settings.home, exercise=self._exercise)

    def _repository(self, name: str | None) -> str:
        """Return the name of a repository, the exercise's by default; refuse an invalid one."""
        return rules.check_repository_name(
            self._exercise.repository if name is None else name, exercise=self._exercise
        )

    def _tag(self, tag: str | None) -> str:
        return rules.check_image_tag(self._exercise.tag if tag is None else tag)

    def _require_repository(self, name: str | None) -> tuple[Aws, Repository]:
        name, aws = self._repository(name), self.aws
        return aws, ecr.require_repository(aws, name, exercise=self._exercise)

    def _list_images(self, aws: Aws, name: str, *, verb: str) -> ImageList:
        found = images.find_images(aws, name)
        return images.ImageList(name, found, self._compare(verb, images=found))

    def _compare(self, verb: str, **seen: Any) -> tuple[Note, ...]:
        """Return what the learner predicted of a result; `seen` are fields of a snapshot."""
        snapshot = Snapshot(target=self._connection.aws.target, **seen)
        return predictions.compare_answers(self.settings.home, verb, snapshot, self._exercise)

    @contextmanager
    def _locked(self, aws: Aws | None = None) -> Iterator[Aws]:
        """Keep other kernels out for the block, and remember the region for clean-up.

        A caller that has connected already passes `aws`: each look at `self.aws` asks who calls.
        """
        aws = aws or self.aws
        with connection.lock_home(self.settings):
            receipts.remember_region(self.settings.home, aws.target)
            yield aws

    def _practise(
        self, act: Callable[[incidents.Drill], _Report]
    ) -> _Report | incident_cards.NothingBroken:
        """Break or mend on the embedded AWS; on real AWS do nothing, and say so."""
        aws = self.aws
        if aws.kind == "aws":
            return incident_cards.NothingBroken(aws.account)
        with self._locked(aws):
            return act(incidents.Drill(aws, self.settings.home, self._exercise))

    def _refuse_building(self, verb: str) -> None:
        """Refuse to build again what has to be mended, while something is broken for practice."""
        kept = INCIDENT.read(self.settings.home)
        if kept and not kept.mended:
            self._practise(lambda drill: drill.refuse_building(verb))

    def _working(self, verb: str) -> AbstractContextManager[progress.Work]:
        """Open a line of progress for a verb; it ends as a sentence even when the verb fails."""
        label = messages.label("notebook.workshop.progress", verb)
        return progress.show_work(self._progress, label)

    def _remove_containers(self) -> None:
        """Remove containers that a killed kernel has left running on this computer."""
        with suppress(HandsonError):  # without an engine there are no containers
            containers = self.engine.containers
            if containers is not None:
                containers.sweep(str(self.settings.home))

    def _look(self, aws: Aws, **more: Any) -> Snapshot:
        """Take a snapshot; `more` are other arguments of `take_snapshot`."""
        return snapshot.take_snapshot(aws, home=self.settings.home, exercise=self._exercise, **more)

    def _report_losses(self) -> None:
        """Show what a killed embedded AWS has lost, once."""
        if not self._connection.lost:
            return
        verification = checks.run_checks(self._look(self._connection.aws), self._exercise)
        recorded = frozenset(str(record["check"]) for record in self._journal.records())
        self._show(evidence_cards.RestartNotice(verification, recorded))
        # Only now: if the report breaks off, the next verb shows it again.
        self._connection = replace(self._connection, lost=False)


def start(learner: str | None = None, **given: str | None) -> Workshop | nbgrader.ScoringWorkshop:
    """Read the settings, connect to the target, show the overview, and return the workshop.

    While nbgrader executes the notebook, return a stand-in that scores evidence and calls nothing.

    Args:
        learner: The name of the learner; the home folder keeps it for later notebooks.
        given: Other settings, instead of their `HANDSON_…` variables: target, endpoint_url, region,
            home, lang, aws_account, engine, base_image, hand_in, activity_log, course.

    Raises:
        InvalidInput: There is no such setting, or it does not take this value.
        NotReady: The home folder is not writable, or the embedded AWS does not start.
        NotAllowed: The target is real AWS, and the account is not `aws_account`.
        AWSError: The target does not answer.
    """
    shell = progress.find_ipython()
    prepare_shell(shell)
    settings.choose_language(given.get("lang"))
    if settings.nbgrader_step():
        return nbgrader.start_scoring()
    mistakes.refuse_blanks("start", {"learner": learner, **given})
    chosen = settings.read_environment(learner=learner or None, **given)
    activity.begin_log(shell, chosen.home if chosen.activity_log == "on" else None)
    if learner:
        settings.remember_learner(chosen.home, chosen.learner)
    workshop = Workshop(chosen, progress=progress.choose_progress(), show=progress.show_card)
    with suppress(NotReady):  # of the journal; an evidence cell will say so
        progress.show_card(workshop.overview())
    return workshop


def _explain_repository(connected: Aws, name: str, exercise: Exercise) -> tuple[Note, ...]:
    """Warn of another's repository, or a missing one of a chosen name."""
    if name == exercise.repository and not connected.owners.own:
        return ()
    found = ecr.find_repository(connected, name)
    if found and connected.owners.is_foreign(found):
        return warning_notes(*explain_foreign(name, found.owner, region=connected.region))
    if found or name == exercise.repository:
        return ()
    return warning_notes(*ecr.explain_missing_repository(connected, name, exercise))
