"""What the notebooks hold: one object, one verb a lesson.

A verb reads its arguments as the console's form, answers a wrong one before any call, does its
work through the rooms below, and returns a result that shows itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import copy
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from msgspec import structs

from handson import drawing, engine
from handson.aws import Aws, connection, settings
from handson.aws.settings import Settings
from handson.core import messages, progress
from handson.core.cards import Card, Note, Rows, Shown
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.files import nearby, write_whole
from handson.core.text import find_nearest
from handson.course import checks, rules, syllabus
from handson.course.checks import Verification
from handson.course.evidence import HAND_IN, Journal, Observation, as_lines, now
from handson.course.exercise import Exercise
from handson.course.network_form import check_network_form
from handson.course.state import Drawing, Snapshot
from handson.engine import Engine, LocalImage, PushedImage
from handson.notebook import doctor, mistakes, scoring
from handson.notebook.evidence_cards import (
    Evidence,
    HandInFile,
    JournalEntries,
    RestartNotice,
    learner_label,
)
from handson.practice import incident_cards, incidents, questions
from handson.resources import (
    cleanup,
    cluster,
    image_run,
    image_uri,
    network,
    plan,
    push,
    registry,
)
from handson.resources.snapshot import take_snapshot

Show = Callable[[Shown], None]


@mistakes.check_arguments
class Workshop(Shown):
    """The workshop of one learner on one target; `start` makes it.

    Args:
        settings: Where and who.
        progress: Where progress of long verbs is shown.
        show: Shows a card beside a verb's result, such as the news of a restart.
        connect: Reaches the target.
        clock: Tells the time that evidence, records and receipts bear; it may be set back.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        progress: progress.Progress,
        show: Show,
        connect: Callable[[Settings], connection.Connection] = connection.connect,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.settings = settings
        self._progress = progress
        self._show = show
        self._clock = clock
        self._journal = Journal(settings.home, clock=clock)
        self._engine: Engine | None = None
        self._connection = connect(settings)
        self._tell_what_was_lost()

    @property
    def aws(self) -> Aws:
        """The connection, renewed when the embedded AWS was stopped or killed meanwhile."""
        self._connection = connection.renew(self._connection, self.settings)
        self._tell_what_was_lost()
        return self._connection.aws

    @property
    def engine(self) -> Engine:
        """The container engine, chosen at its first use.

        Raises:
            NotReady: The engine that was asked for does not answer.
        """
        if self._engine is None:
            self._engine = engine.choose_engine(
                self.settings.engine,
                real_aws=self.settings.target == "aws",
                docker_host=self.settings.docker_host,
            )
        return self._engine

    @property
    def _exercise(self) -> Exercise:
        """What the learner is asked to build."""
        return self.settings.exercise

    def beside(self, progress: progress.Progress, *, show: Show) -> Workshop:
        """Return this workshop for what works beside the cells, such as a form or a board.

        Its progress and news have a place of their own, and its calls stay out of the requests
        that evidence is sealed with meanwhile; all else is shared.
        """
        other = copy(self)
        other._progress, other._show = progress, show
        other._connection = replace(self._connection, aws=self._connection.aws.apart())
        return other

    def card(self) -> Card:
        """Return the card: where am I, as whom, in which region, with which engine."""
        target = self._connection.aws.target
        rows = [
            (
                messages.text("notebook.workshop.row-target"),
                messages.text(f"notebook.workshop.{target.kind}"),
            ),
            (messages.text("notebook.workshop.row-account"), target.account),
            (messages.text("notebook.workshop.row-region"), target.region),
            (messages.text("notebook.workshop.row-endpoint"), target.endpoint or "AWS"),
            (messages.text("notebook.workshop.row-learner"), learner_label(self.settings.learner)),
            (messages.text("notebook.workshop.row-home"), nearby(self.settings.home)),
        ]
        root = self._connection.aws.is_root
        advice = [Note(messages.text("notebook.workshop.root"), "advice")] if root else []
        return Card(messages.text("notebook.workshop.title"), (Rows(rows), *advice), state="info")

    def doctor(self) -> doctor.MachineReport:
        """Return whether this machine has what the workshop needs."""
        return doctor.examine(self.settings, connect=lambda: self.aws)

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
    ) -> network.Network:
        """Make the VPC as the console's "VPC and more" does; run again, change nothing.

        A setting that is left out has the exercise's value.

        Raises:
            InvalidInput: AWS would refuse a setting; nothing was created.
            HandsonError: AWS refused a call or did not answer; run again to complete.
        """
        given = {
            "name": name,
            "cidr": cidr,
            "availability_zones": availability_zones,
            "public_subnets": public_subnets,
            "private_subnets": private_subnets,
            "tenancy": tenancy,
            "s3_endpoint": s3_endpoint,
        }
        changes = {setting: value for setting, value in given.items() if value is not None}
        form = structs.replace(self._exercise.network, **changes)
        check_network_form(form, usual=self._exercise.network)
        connected = self.aws
        with self._changing(connected), self._working("network") as line:
            return network.ensure_network(connected, form, exercise=self._exercise, say=line)

    def ensure_cluster(
        self,
        name: str | None = None,
        *,
        fargate: bool = True,
        ec2_instances: bool = False,
        capacity_providers: tuple[str, ...] | None = None,
    ) -> cluster.EnsuredCluster:
        """Make the ECS cluster and wait until it is ACTIVE; run again, change nothing.

        Args:
            name: The cluster's name; left out, the exercise's.
            fargate: The console's switch "AWS Fargate (serverless)": FARGATE and FARGATE_SPOT;
                off only where `capacity_providers` names some.
            ec2_instances: The console's switch "Amazon EC2 instances"; not in this workshop.
            capacity_providers: The capacity providers by name, in the place of `fargate`.

        Raises:
            InvalidInput: ECS would refuse a setting; nothing was created.
            HandsonError: AWS refused a call or did not answer; run again to complete.
        """
        usual = rules.CAPACITY_PROVIDERS if rules.switch(fargate, parameter="fargate") else ()
        providers = (
            usual if capacity_providers is None else rules.capacity_providers(capacity_providers)
        )
        form = cluster.Form(
            name=self._exercise.cluster if name is None else name,
            capacity_providers=providers,
            ec2_instances=ec2_instances,
        )
        form.check()
        connected = self.aws
        with self._changing(connected), self._working("cluster") as line:
            return cluster.ensure_cluster(connected, form, exercise=self._exercise, say=line)

    def ensure_repository(self, name: str | None = None) -> registry.EnsuredRepository:
        """Make the private ECR repository; run again, change nothing.

        Raises:
            InvalidInput: ECR would refuse the name; nothing was created.
            HandsonError: AWS refused the call or did not answer; run again to complete.
        """
        name = self._repository(name)
        rules.repository_name(name)
        connected = self.aws
        with self._changing(connected):
            return registry.ensure_repository(connected, name, exercise=self._exercise)

    def push_commands(
        self,
        repository: str | None = None,
        *,
        context: str | Path,
        tag: str | None = None,
    ) -> push.PushCommands:
        """Return the console's push commands for this account and region, ready to be pasted.

        A repository of a name of the learner's own that is not there is remarked upon.

        Raises:
            InvalidInput: The repository's name or the tag cannot be one.
        """
        repository = self._repository(repository)
        connected = self.aws
        form = push.PushForm(
            repository=repository,
            tag=self._tag(tag),
            context=push.context_handed_out(context),
            registry=registry.address(connected),
            region=connected.region,
            base_image=self.settings.base_image or "",
        )
        setup = plan.shell_values(connected) if connected.endpoint else {}
        commands = push.push_commands(form, setup=setup)
        return replace(commands, lacking=_lacking(connected, repository, self._exercise))

    def build_image(
        self,
        context: str | Path,
        *,
        name: str | None = None,
        tag: str | None = None,
        build_args: Mapping[str, str] | None = None,
    ) -> LocalImage:
        """Build the image of a folder with a Dockerfile, under `tag` and a tag of its own.

        Raises:
            InvalidInput: The folder, its Dockerfile, the name or the tag will not do.
            HandsonError: The engine does not answer, or a step failed; says which.
        """
        given = {"BASE_IMAGE": self.settings.base_image} if self.settings.base_image else {}
        request = push.prepare(
            context,
            folder=self.settings.home / "images",
            name=self._repository(name),
            tag=self._tag(tag),
            build_args={**given, **(build_args or {})},
        )
        chosen = self.engine
        with self._working("build") as line:
            return push.build_image(chosen, request, say=line)

    def push_image(self, local: LocalImage, *, repository: str | None = None) -> PushedImage:
        """Log in to the registry, tag the image with the repository's URI, and push all its tags.

        Raises:
            NotReady: There is no such repository, or the engine does not answer.
            InvalidInput: It is no image that was built, or the repository's name cannot be one.
            HandsonError: The registry refused, or broke off; run again to continue.
        """
        push.check_built(local)
        repository = self._repository(repository)
        rules.repository_name(repository)
        connected = self.aws
        there = registry.require_repository(connected, repository, exercise=self._exercise)
        destination = registry.destination(connected, there, tags=local.tags)
        chosen = self.engine
        with self._working("push") as line:
            return push.push_image(chosen, local, destination=destination, say=line)

    def images(self, repository: str | None = None) -> registry.Images:
        """Return what is in a repository, as the ECR console lists it.

        Raises:
            NotReady: There is no such repository.
        """
        repository = self._repository(repository)
        rules.repository_name(repository)
        connected = self.aws
        there = registry.require_repository(connected, repository, exercise=self._exercise)
        return registry.Images(there.name, registry.find_images(connected, there.name))

    def run_image(
        self, repository: str | None = None, *, tag: str | None = None
    ) -> image_run.ImageRun:
        """Pull an image back from ECR, start it here for a moment, and return its first page.

        Raises:
            NotReady: There is no such repository or image.
            EngineError: The image does not start, or does not answer; says why.
        """
        order = image_run.Order(
            self._repository(repository), self._tag(tag), self.settings.home, self._exercise
        )
        connected = self.aws
        chosen = self.engine
        with connection.alone(self.settings), self._working("run") as work:
            ran = image_run.run_image(connected, chosen, order, say=work, clock=self._clock)
            if ran.page is None:
                work.ending = messages.text("notebook.workshop.not-run")
        return ran

    def record_image_uri(
        self, repository: str | None = None, *, tag: str | None = None
    ) -> image_uri.ImageUri:
        """Keep the URI of an image in ECR for step 3.

        Raises:
            NotReady: There is no such repository or image.
        """
        return image_uri.record_image_uri(
            self.aws,
            self.settings.home,
            repository=self._repository(repository),
            tag=self._tag(tag),
            exercise=self._exercise,
            clock=self._clock,
        )

    def evidence(self, check: str) -> Evidence:
        """Look at the target, and seal what one check reads as the learner's next evidence.

        Args:
            check: One of network, cluster, repository, image, image-uri; or architecture, which
                reads the diagram that was drawn last in the place of the target.

        Raises:
            InvalidInput: There is no such check.
            NotReady: No diagram has been drawn.
            HandsonError: AWS did not answer, or the journal cannot be written; nothing is kept.
        """
        _check_known(check)
        connected = self.aws
        with connected.recording() as requests:
            if check == syllabus.DRAWING.id:
                seen = Snapshot(target=connected.target, drawing=_last_drawn())
            else:
                seen = take_snapshot(
                    connected,
                    home=self.settings.home,
                    exercise=self._exercise,
                    missing=(check,),
                )
        exercise = self._exercise
        observed = checks.trim(check, seen, exercise).to_json()
        observation = Observation(
            check=check,
            target=seen.target.to_json(),
            observed=observed,
            requests=[request.to_json() for request in requests],
            exercise=exercise,
        )
        record = self._journal.add(observation, learner=self.settings.learner)
        # Judge what the record holds, as a grader does, and not what was seen.
        result = checks.derive(check, observed, exercise)
        outdone = not result.passed and self.journal().has_passed(check)
        return Evidence(record, result, outdone=outdone)

    def verify(self) -> Verification:
        """Look at the target and return all five checks; changes and keeps nothing."""
        return checks.verify(self.snapshot(missing=syllabus.CHECK_IDS), self.settings.exercise)

    def snapshot(self, *, missing: Collection[str] = ()) -> Snapshot:
        """Return one look at everything the workshop is about.

        Args:
            missing: The checks for which something that is missing is looked for in other regions.
        """
        return take_snapshot(
            self.aws, home=self.settings.home, exercise=self._exercise, missing=missing
        )

    def journal(self) -> JournalEntries:
        """Return the learner's evidence so far."""
        own = self.settings.learner
        records = (item for item in self._journal.records() if item["learner"] == own)
        return JournalEntries(tuple(records), learner=own, exercise=self.settings.exercise)

    def hand_in(self) -> HandInFile:
        """Put the journal beside the notebooks, where it is handed in with them.

        Raises:
            NotReady: There is no evidence yet, or the file cannot be written.
        """
        records = self._journal.records()
        if not records:
            raise NotReady(*messages.advice("notebook.workshop.nothing-to-hand-in"))
        path = (self.settings.hand_in or Path.cwd()) / HAND_IN
        write_whole(path, as_lines(records))
        return HandInFile(tuple(records), self.settings.learner, path, self.settings.exercise)

    def questions(self, topic: str) -> questions.Quiz:
        """Return self-check questions beside a free answer, drawn from the learner's own state.

        Answers are recorded nowhere.

        Args:
            topic: One of why-network, why-zones, why-cluster, why-registry.

        Raises:
            InvalidInput: There is no such topic.
        """
        return questions.build_quiz(topic, self.snapshot(), self._exercise)

    def draw(
        self,
        view: str | Sequence[str] = "aws",
        *,
        since: Snapshot | None = None,
        goal: bool = False,
    ) -> drawing.Picture:
        """Draw the architecture: "aws" as it is now, "onprem" its counterpart, "local" step 1.

        The picture is also saved in the home folder's `pictures`, under the names of its views.

        Args:
            view: A view, or several to draw side by side.
            since: What `snapshot` returned earlier: what has changed since then is marked.
            goal: Mark what is missing or wrong, with the reasons that the checks give.

        Raises:
            InvalidInput: There is no such view, or `since` and `goal` are both asked for.
            NotReady: Nothing on this machine can draw; says what to install.
        """
        views = drawing.known_views(view)
        missing = syllabus.CHECK_IDS if goal else ()
        seen = self.snapshot(missing=missing)
        picture = drawing.draw(seen, view=views, since=since, goal=goal)
        folder = self.settings.home / "pictures"
        folder.mkdir(exist_ok=True)
        picture.save(folder / f"{'-'.join(views)}.svg")
        return picture

    def resources(self) -> incident_cards.Console:
        """Return what there is, as the consoles list it; judges, changes and keeps nothing."""
        return incident_cards.Console(self.snapshot())

    def break_it(self, seed: int | None = None) -> incident_cards.IncidentReport:
        """Break one thing of the finished workshop on the embedded AWS, for practice.

        While something is broken, nothing more is. Only what carries the workshop's tag is touched,
        and the recorded image URI; evidence stays.

        Args:
            seed: Chooses what breaks, the same for everybody; left out, it is drawn and shown.

        Raises:
            InvalidInput: It is no seed.
            NotAllowed: The target is real AWS.
            NotReady: The workshop is not finished, or what this seed breaks is not the workshop's.
        """
        incidents.check_seed(seed)
        drill = self._drill()
        with self._changing(drill.aws):
            return drill.break_workshop(seed)

    def hint(self, step: int | None = None) -> incident_cards.Hints:
        """Give the next hint on what is broken, or that of a step, with those before it.

        Args:
            step: 1 where to look, 2 what is wrong, 3 the diagnosis and what to do about it.

        Raises:
            InvalidInput: There is no such step.
            NotAllowed: The target is real AWS.
            NotReady: Nothing is broken, or it is mended already.
        """
        incidents.check_step(step)
        drill = self._drill()
        with connection.alone(self.settings):
            return drill.give_hint(step)

    def mended(self) -> incident_cards.RepairReport:
        """Return whether what was broken is mended, and how many hints it took.

        Raises:
            NotAllowed: The target is real AWS.
            NotReady: Nothing was broken.
        """
        drill = self._drill()
        with connection.alone(self.settings):
            return drill.check_repair()

    def cleanup(self, confirm: str = "") -> cleanup.Cleanup:
        """List what carries the workshop's tag, or delete it when `confirm` is "delete".

        In every region that this home folder used; a receipt is kept in its folder `receipts`.

        Raises:
            InvalidInput: `confirm` is another word; nothing was deleted.
            HandsonError: AWS did not answer; run again to go on.
        """
        if confirm not in ("", cleanup.CONFIRMATION):
            sentences = messages.advice(
                "resources.cleanup.word", word=confirm, wanted=cleanup.CONFIRMATION
            )
            raise InvalidInput(*sentences)
        connected = self.aws
        if not confirm:
            return cleanup.look(connected, self.settings.home, exercise=self._exercise)
        with connection.alone(self.settings), self._working("cleanup") as line:
            self._remove_containers()
            done = cleanup.clean_up(
                connected,
                self.settings.home,
                exercise=self._exercise,
                say=line,
                clock=self._clock,
            )
        if not done.left:
            image_uri.forget_image_uri(self.settings.home)
            image_run.forget_image_run(self.settings.home)
            incidents.forget_incident(self.settings.home)
        return done

    def _repository(self, name: str | None) -> str:
        return self._exercise.repository if name is None else name

    def _tag(self, tag: str | None) -> str:
        return self._exercise.tag if tag is None else tag

    def _drill(self) -> incidents.Drill:
        connected = self.aws
        incidents.refuse_real_aws(connected)
        return incidents.Drill(connected, self.settings.home, self._exercise)

    @contextmanager
    def _changing(self, connected: Aws) -> Iterator[None]:
        """Keep other kernels out meanwhile, and the region in mind for clean-up."""
        with connection.alone(self.settings):
            cleanup.remember_region(self.settings.home, connected.target)
            yield

    def _working(self, verb: str) -> AbstractContextManager[progress.Work]:
        """Open a line of progress for a verb; it ends as a sentence even when the verb fails."""
        return progress.working(
            self._progress,
            messages.text(f"notebook.workshop.progress-{verb}"),
            done=messages.text("notebook.workshop.done"),
            broken_off=messages.text("notebook.workshop.broken-off"),
        )

    def _remove_containers(self) -> None:
        """Remove what a killed kernel left running here; where no engine answers there is none."""
        with suppress(HandsonError):
            containers = self.engine.containers
            if containers is not None:
                containers.sweep(str(self.settings.home))

    def _tell_what_was_lost(self) -> None:
        """Tell it once, and again only where telling itself broke off."""
        if not self._connection.lost:
            return
        seen = take_snapshot(self._connection.aws, home=self.settings.home, exercise=self._exercise)
        recorded = frozenset(str(record["check"]) for record in self._journal.records())
        self._show(RestartNotice(checks.verify(seen, self.settings.exercise), recorded))
        self._connection = replace(self._connection, lost=False)


def start(learner: str | None = None, **given: str | None) -> Workshop | scoring.ScoringWorkshop:
    """Start the workshop: read the settings, reach the target, and return what notebooks hold.

    While nbgrader executes the notebook, what is returned scores evidence and touches nothing.

    Args:
        learner: Who hands in; remembered in the home folder for the notebooks that follow.
        given: Any other setting in the place of its `HANDSON_…` variable: target, endpoint_url,
            region, home, lang, aws_account, engine, base_image, hand_in.

    Raises:
        InvalidInput: A setting is none of the possible ones.
        NotReady: The home folder is not writable, or the embedded AWS does not start.
        NotAllowed: Real AWS was asked for, and the account is not the named one.
        AWSError: The target does not answer.
    """
    mistakes.explain_errors(progress.shell())
    if settings.nbgrader_step():
        settings.speak(given.get("lang"))
        return scoring.start_scoring()
    chosen = settings.from_environment(learner=learner or None, **given)
    if learner:
        settings.remember_learner(chosen.home, chosen.learner)
    return Workshop(chosen, progress=progress.choose(), show=progress.show)


def examine_machine(chosen: Settings, *, show: Show = progress.show) -> doctor.MachineReport:
    """Return whether this machine has what the workshop needs, its target reachable or not.

    Args:
        chosen: Where and who.
        show: Shows the news that the embedded AWS had to be started again.
    """

    def connect() -> Aws:
        return Workshop(chosen, progress=progress.choose(), show=show).aws

    return doctor.examine(chosen, connect=connect)


def _check_known(check: str) -> None:
    if check not in syllabus.EVIDENCE_IDS:
        choices = ", ".join(syllabus.EVIDENCE_IDS)
        near = find_nearest(str(check), syllabus.EVIDENCE_IDS) or syllabus.EVIDENCE_IDS[0]
        raise InvalidInput(
            *messages.advice("notebook.workshop.no-check", check=check, choices=choices, near=near)
        )


def _last_drawn() -> Drawing:
    drawn = drawing.last_drawn()
    if drawn is None:
        raise NotReady(*messages.advice("notebook.workshop.no-diagram"))
    return drawn


def _lacking(connected: Aws, repository: str, exercise: Exercise) -> tuple[str, str] | None:
    """Return what to say of a repository that the learner named and that is not there."""
    if repository == exercise.repository or registry.find_repository(connected, repository):
        return None
    return registry.missing_repository(connected, repository, exercise)
