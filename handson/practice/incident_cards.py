"""The cards of practice: what broke, hints, mended or not yet, and the existing resources."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from handson.core import messages
from handson.core.cards import Card, CardPart, Displayable, Note, Rows, list_fields, warning_notes
from handson.core.text import pick_fields
from handson.course.checks import Diagnosis, Verification
from handson.course.state import Snapshot
from handson.resources import cluster
from handson.resources.images import ImageList
from handson.resources.push import ImageUri
from handson.resources.vpc_listing import describe_vpc

STEPS = (1, 2, 3)
"""The steps of the hints: where to look, what is wrong, the diagnosis with its remedy."""

Leftover = tuple[str, str]
"""A broken resource that still exists, as a sentence, and what to do about it."""


class IncidentReport(Displayable, Struct, frozen=True):
    """The symptom of what is broken; not its cause.

    Attributes:
        seed: The number that chose the breakage: it breaks the same thing for everybody.
        symptom: The symptom that users of the shop would report.
        fresh: It was broken by this call, not by an earlier one.
    """

    seed: int
    symptom: str
    fresh: bool

    def card(self) -> Card:
        """Return the card: the seed, the symptom, and how to go on."""
        title, notes = "practice.incident_cards.broken", []
        if not self.fresh:
            title = "practice.incident_cards.still-broken"
            notes = [Note(messages.text("practice.incident_cards.still", seed=self.seed))]
        rows = list_fields("practice.incident_cards.row", pick_fields(self, "seed symptom"))
        go_on = Note(messages.text("practice.incident_cards.go-on"))
        return Card(messages.text(title), (*notes, rows, go_on), state="warn")


class Hints(Displayable, Struct, frozen=True):
    """The hints up to a step.

    Attributes:
        seed: The number that chose the breakage.
        sentences: Where to look, and from the second step on what is wrong.
        diagnosis: The diagnosis of the checks, from the third step on.
    """

    seed: int
    sentences: tuple[str, ...]
    diagnosis: Diagnosis | None = None

    @property
    def step(self) -> int:
        """The last step that is shown."""
        return len(self.sentences) + (self.diagnosis is not None)

    def card(self) -> Card:
        """Return the card: the hints, one below the other."""
        sentences, parts = list(self.sentences), []
        if self.diagnosis is not None:
            sentences.append(self.diagnosis.message)
            then = messages.text("practice.incident_cards.then")
            parts = [Note(f"→ {self.diagnosis.remedy}"), Note(then)]
        rows = [
            (messages.label("practice.incident_cards.hint-step", str(step)), sentence)
            for step, sentence in zip(STEPS, sentences, strict=False)
        ]
        values = {"step": self.step, "steps": len(STEPS), "seed": self.seed}
        title = messages.text("practice.incident_cards.hint", **values)
        return Card(title, (Rows(rows), *parts), state="info")


class RepairReport(Displayable, Struct, frozen=True):
    """Whether the breakage is mended, and how many hints it took.

    Attributes:
        seed: The number that chose the breakage.
        hints: How many steps of hints were shown.
        verification: The checks, as they are now; the card shows no diagnosis.
        cause: What was wrong, in general words; empty until it is mended.
        leftovers: Broken resources that still exist where the checks do not look.
        said: The cause in the learner's words, beside which the card shows the general ones.
    """

    seed: int
    hints: int
    verification: Verification
    cause: str = ""
    leftovers: tuple[Leftover, ...] = ()
    said: str = ""

    @property
    def passed(self) -> bool:
        """Whether all checks pass, and nothing broken is left behind."""
        return self.verification.passed and not self.leftovers

    def card(self) -> Card:
        """Return the card: mended or not yet, and the hints so far."""
        hints, checks = f"{self.hints}/{len(STEPS)}", self.verification.checks
        passed = sum(check.passed for check in checks)
        values = {"seed": self.seed, "hints": hints, "checks": f"{passed}/{len(checks)}"}
        if self.passed and self.said:
            values |= pick_fields(self, "said cause")
        rows = list_fields("practice.incident_cards.row", values)
        if self.passed:
            ask = "practice.incident_cards.ask-cause"
            key = "practice.incident_cards.again" if self.said else ask
            title = messages.text("practice.incident_cards.mended")
            return Card(title, (rows, Note(messages.text(key))), state="ok")
        parts = [part for leftover in self.leftovers for part in warning_notes(*leftover)]
        if not parts:
            go_on, all_seen = "practice.incident_cards.try-on", self.hints == len(STEPS)
            key = "practice.incident_cards.try-on-all" if all_seen else go_on
            parts = [Note(messages.text(key))]
        title = messages.text("practice.incident_cards.not-mended")
        return Card(title, (rows, *parts), state="bad")


class NothingBroken(Displayable, Struct, frozen=True):
    """The answer on real AWS, in the place of each report: nothing was broken, nothing is mended.

    It has the attributes of `IncidentReport`, `Hints` and `RepairReport`, without content.
    """

    account: str

    seed = step = hints = 0
    symptom = cause = said = ""
    fresh = passed = False
    sentences = leftovers = ()
    diagnosis = verification = None

    def card(self) -> Card:
        """Return the card: where to practise instead."""
        problem, remedy = messages.advice("practice.incidents.on-aws", account=self.account)
        return Card(problem, (Note(f"→ {remedy}"),), state="advice")


class Console(Displayable, Struct, frozen=True):
    """The VPCs, clusters, repositories and the image URI as the consoles list them, not judged."""

    snapshot: Snapshot

    def card(self) -> Card:
        """Return the card: one part below the other, each as its console shows it."""
        sections = (
            (self._list_networks(), "practice.incident_cards.no-vpc"),
            (self._list_clusters(), "practice.incident_cards.no-cluster"),
            (self._list_repositories(), "practice.incident_cards.no-repository"),
            (self._list_uri(), "practice.incident_cards.no-uri"),
        )
        parts: list[CardPart] = []
        for section, absent in sections:
            parts += list(section) or [Note(messages.text(absent), "info")]
        region = self.snapshot.target.region
        title = messages.text("practice.incident_cards.console", region=region)
        return Card(title, parts, state="info")

    def _list_networks(self) -> Iterator[CardPart]:
        for vpc in self.snapshot.vpcs:
            if not vpc.is_default:
                yield Note(messages.text("resources.network.title", name=vpc.title), "info")
                yield from describe_vpc(vpc)
                if vpc.subnets:  # single calls take ids, which the map does not show
                    yield Rows([(subnet.name or "-", subnet.id) for subnet in vpc.subnets])

    def _list_clusters(self) -> Iterator[CardPart]:
        for each in self.snapshot.clusters:
            if not each.is_deleted:
                yield Note(messages.text("resources.cluster.title", name=each.name), "info")
                yield cluster.describe_cluster(each)

    def _list_repositories(self) -> Iterator[CardPart]:
        for each in self.snapshot.repositories:
            images = (image for image in self.snapshot.images if image.repository == each.name)
            yield Note(messages.text("resources.registry.images-title", name=each.name), "info")
            yield Rows([(messages.text("resources.registry.row.uri"), each.uri)])
            yield ImageList(each.name, tuple(images)).table()

    def _list_uri(self) -> Iterator[CardPart]:
        if self.snapshot.recorded_uri:
            yield Note(messages.text("resources.image_uri.title"), "info")
            yield ImageUri(self.snapshot.recorded_uri).rows()
