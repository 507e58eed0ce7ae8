"""The console's forms as data: their settings, the rules that answer, what they would make.

Nothing here knows ipywidgets: the static card and the controls show the same form.  A setting is
called by the argument of the verb that takes it; its usual value is the exercise's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from handson.core import messages
from handson.core.cards import CardPart, Displayable, Note, Rows
from handson.course import rules, syllabus
from handson.course.checks.repository import build_repository_uri
from handson.course.exercise import NetworkForm
from handson.course.network_form import check_network_form, describe_network
from handson.notebook.workshop import Workshop
from handson.resources import cluster, network, push

Values = Mapping[str, Any]
"""What a form is filled in with, by setting."""

SHOP = "../docker-rails-workshop"
"""The folder of step 1's app, as the notebooks see it."""

CHOICES: Mapping[str, tuple[Any, ...]] = {
    "availability_zones": (1, 2, 3),
    "public_subnets": (0, 1, 2, 3),
    "private_subnets": (0, 1, 2, 3, 4, 5, 6),
    "tenancy": ("default", "dedicated"),
}
"""The settings that the console offers as a list; the others are text or a switch."""


class ConsoleForm:
    """A form of the console, for one workshop.

    Attributes:
        id: Its name, which is also its `grade_id` in the syllabus.
        verb: The workshop's verb that takes the settings.
        labels: The group of sentences with the settings' names in the console.
        exercise: What the learner is asked to build.
        usual: The exercise's value of each setting.
        asked: The settings that the learner has to fill in; their usual values stay secret.

    Args:
        workshop: Names the target and the exercise.
        blank: Ask for the settings that the student version of the notebook asks for.
    """

    id: ClassVar[str]
    verb: ClassVar[str]
    labels: ClassVar[str]

    def __init__(self, workshop: Workshop, *, blank: bool = False) -> None:
        self.target = workshop.aws.target
        self.exercise = workshop.settings.exercise
        self.usual = self.list_settings()
        cells = {form.name: form.settings for form in syllabus.FORMS}
        self.asked = cells.get(self.id, ()) if blank else ()
        self._always_written = cells.get(self.id, tuple(self.usual))

    def list_settings(self) -> dict[str, Any]:
        """Return the settings with the exercise's values, in the order of the form."""
        raise NotImplementedError

    def check(self, values: Values) -> None:
        """Refuse what the verb would refuse, before any call.

        Raises:
            InvalidInput: With AWS's error code where AWS has one, why, and a remedy.
        """
        raise NotImplementedError

    def preview(self, values: Values) -> list[CardPart]:
        """Return what would be made; the values have been checked."""
        raise NotImplementedError

    def make(self, workshop: Workshop, values: Values) -> Iterator[Displayable]:
        """Make it with the workshop's verb, and yield each result as it is made."""
        yield getattr(workshop, self.verb)(**values)

    def cell(self, values: Values) -> list[str]:
        """Return the lines of a cell that does the same.

        A setting outside the notebooks' own cells is left out while it has its usual value.
        """
        given = [
            f"    {argument(name, values[name])},"
            for name in self.usual
            if name in self._always_written or values[name] != self.usual[name]
        ]
        return [f"workshop.{self.verb}(", *given, ")"]

    @property
    def beginning(self) -> dict[str, Any]:
        """The values to begin with: the usual ones, and nothing where the learner is asked."""
        return {
            name: _empty_value(name, value) if name in self.asked else value
            for name, value in self.usual.items()
        }

    def unfilled(self, values: Values) -> list[str]:
        """Return the labels of the settings that the learner has yet to fill in."""
        return [self.label(name) for name in self.asked if values[name] in (None, "")]

    def differing(self, values: Values) -> list[str]:
        """Return the settings that are not as usual; none where the usual values are secret."""
        return [name for name in self.usual if not self.asked and values[name] != self.usual[name]]

    def label(self, setting: str) -> str:
        """Return the name that the console gives to a setting."""
        return messages.label(self.labels, setting)

    def rows(self, values: Values) -> list[tuple[str, str, str]]:
        """Return a row a setting: its name in the console, its value, the cell's argument."""
        return [
            (self.label(name), show_value(values[name]), argument(name, values[name]))
            for name in self.usual
        ]


class CreateVpcForm(ConsoleForm):
    """The form "VPC and more", with the zones that the region has now."""

    id = "network"
    verb = "ensure_network"
    labels = "notebook.widgets.setting.network"

    def __init__(self, workshop: Workshop, *, blank: bool = False) -> None:
        super().__init__(workshop, blank=blank)
        self._zones = network.find_zones(workshop.aws)

    def list_settings(self) -> dict[str, Any]:
        return self.exercise.network.to_json()

    def check(self, values: Values) -> None:
        check_network_form(NetworkForm(**values), usual=self.exercise.network)
        rules.choose_zones(values["availability_zones"], self._zones, region=self.target.region)

    def preview(self, values: Values) -> list[CardPart]:
        form, region = NetworkForm(**values), self.target.region
        zones = self._zones[: form.availability_zones]
        calls = len(network.plan_network(form, zones=zones, region=region))
        return [
            network.draw_resource_map(describe_network(form, zones=zones, region=region)),
            Note(messages.text("notebook.widgets.calls", count=calls)),
        ]


class CreateClusterForm(ConsoleForm):
    """The form "Create cluster"."""

    id = "cluster"
    verb = "ensure_cluster"
    labels = "notebook.widgets.setting.cluster"

    def list_settings(self) -> dict[str, Any]:
        return {"name": self.exercise.cluster, "fargate": True, "ec2_instances": False}

    def check(self, values: Values) -> None:
        _cluster_form(values).check()

    def preview(self, values: Values) -> list[CardPart]:
        form = _cluster_form(values)
        rows = [
            (self.label("name"), form.name),
            (messages.text("resources.cluster.row-providers"), ", ".join(form.capacity_providers)),
            (messages.text("resources.cluster.row-instances"), "0"),
        ]
        return [Rows(rows), Note(messages.text("resources.cluster.no-instances"))]


class CreateRepositoryForm(ConsoleForm):
    """The form "Create private repository"."""

    id = "repository"
    verb = "ensure_repository"
    labels = "notebook.widgets.setting.repository"

    def list_settings(self) -> dict[str, Any]:
        return {"name": self.exercise.repository}

    def check(self, values: Values) -> None:
        rules.check_repository_name(values["name"])

    def preview(self, values: Values) -> list[CardPart]:
        uri = build_repository_uri(self.target, values["name"])
        visibility = messages.text("resources.registry.row-visibility")
        rows = [
            (messages.text("resources.registry.row-uri"), uri),
            (visibility, messages.text("resources.registry.private")),
        ]
        return [Rows(rows)]


class PushImageForm(ConsoleForm):
    """What the console's push commands ask for: build, tag, push."""

    id = "image"
    verb = "build_image"
    labels = "notebook.widgets.setting.image"

    def list_settings(self) -> dict[str, Any]:
        name, tag = self.exercise.repository, self.exercise.tag
        return {"context": SHOP, "repository": name, "tag": tag}

    def check(self, values: Values) -> None:
        push.find_context(values["context"])
        rules.check_repository_name(values["repository"])
        rules.check_image_tag(values["tag"])

    def preview(self, values: Values) -> list[CardPart]:
        uri = build_repository_uri(self.target, values["repository"])
        tags = push.list_tags(push.find_context(values["context"]), values["tag"])
        label = messages.text("notebook.widgets.row-image-uri")
        return [Rows([(label, ", ".join(f"{uri}:{tag}" for tag in tags))])]

    def make(self, workshop: Workshop, values: Values) -> Iterator[Displayable]:
        name = values["repository"]
        built = workshop.build_image(values["context"], name=name, tag=values["tag"])
        yield built
        yield workshop.push_image(built, repository=name)

    def cell(self, values: Values) -> list[str]:
        name = literal(values["repository"])
        return [
            "image = workshop.build_image(",
            f"    {literal(values['context'])},",
            f"    name={name},",
            f"    tag={literal(values['tag'])},",
            ")",
            "workshop.push_image(",
            "    image,",
            f"    repository={name},",
            ")",
        ]


FORMS: Mapping[str, type[ConsoleForm]] = {
    form.id: form
    for form in (CreateVpcForm, CreateClusterForm, CreateRepositoryForm, PushImageForm)
}


def argument(setting: str, value: Any) -> str:
    """Return a setting as a cell's argument."""
    return f"{setting}={literal(value)}"


def literal(value: Any) -> str:
    """Return a value as a cell has it, text in the quotes that the notebooks use."""
    if value is None:
        return "…"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def show_value(value: Any) -> str:
    """Return a setting's value as the console shows it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return messages.text("notebook.widgets.on" if value else "notebook.widgets.off")
    return str(value)


def _empty_value(setting: str, usual: Any) -> Any:
    """Return the value for nothing: no choice, no text, or a switch that is off."""
    return None if setting in CHOICES else type(usual)()


def _cluster_form(values: Values) -> cluster.ClusterForm:
    providers = rules.CAPACITY_PROVIDERS if values["fargate"] else ()
    return cluster.ClusterForm(
        name=values["name"],
        capacity_providers=providers,
        ec2_instances=values["ec2_instances"],
    )
