"""The console's forms as data: their settings, the rules that answer, what they would make.

Nothing here knows of widgets: the static card and the controls are made from the same form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from handson.core import messages
from handson.core.cards import Note, Part, Rows, Shown
from handson.course import rules, syllabus
from handson.course.checks import registries
from handson.course.exercise import NetworkForm
from handson.course.network_form import check_network_form, describe_network
from handson.notebook.workshop import Workshop
from handson.resources import cluster, network, push

Values = Mapping[str, Any]
"""What a form is filled in with, by the name of the verb's argument."""

SHOP = "../docker-rails-workshop"
"""Where step 1's app stands, seen from the notebooks."""


@dataclass(frozen=True)
class Field:
    """One setting: the verb's argument, the workshop's value, and what there is to choose from.

    Without choices it is text, or a switch where the value is one.  What is `quiet` stands in a
    cell only where it differs from the workshop's value.
    """

    name: str
    usual: Any
    choices: tuple[Any, ...] = ()
    quiet: bool = False

    @property
    def empty(self) -> Any:
        """What stands for nothing: no choice, no text, or a switch that is off."""
        if self.choices:
            return None
        return False if isinstance(self.usual, bool) else ""


class Form:
    """A form of the console, for one workshop; `id` is its name, `fields` its settings.

    Args:
        workshop: For which target it is.
        blank: Whether the learner is asked for the settings, so that none of them may be told.
    """

    id: ClassVar[str]
    verb: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]

    def __init__(self, workshop: Workshop, *, blank: bool = False) -> None:
        self.target = workshop.aws.target
        self._asked = _asked(self.id) if blank else ()

    @property
    def blank(self) -> bool:
        """Whether there are settings that the learner is asked for."""
        return bool(self._asked)

    @property
    def beginning(self) -> dict[str, Any]:
        """The values to begin with: the workshop's, and nothing where the learner is asked."""
        return {
            field.name: field.empty if field.name in self._asked else field.usual
            for field in self.fields
        }

    def unfilled(self, values: Values) -> list[Field]:
        """Return the settings that the learner is asked for and has not filled in."""
        return [
            field
            for field in self.fields
            if field.name in self._asked and values[field.name] in (None, "")
        ]

    def label(self, field: Field) -> str:
        """Return what the console calls a setting."""
        return messages.text(f"notebook.widgets.field.{self.id}.{field.name}")

    def differing(self, values: Values) -> list[Field]:
        """Return the settings that are not the workshop's; none where those may not be told."""
        return [
            field for field in self.fields if not self.blank and values[field.name] != field.usual
        ]

    def check(self, values: Values) -> None:
        """Refuse what the verb would refuse, before any call.

        Raises:
            InvalidInput: With AWS's error code where AWS has one, why, and a remedy.
        """
        raise NotImplementedError

    def preview(self, values: Values) -> list[Part]:
        """Return what would be made; the values have been checked."""
        raise NotImplementedError

    def make(self, workshop: Workshop, values: Values) -> Iterator[Shown]:
        """Make it with the workshop's verb, and give each result as it is there."""
        yield getattr(workshop, self.verb)(**values)

    def cell(self, values: Values) -> list[str]:
        """Return the lines of a cell that does the same."""
        said = [
            f"    {argument(field, values[field.name])},"
            for field in self.fields
            if not field.quiet or values[field.name] != field.usual
        ]
        return [f"workshop.{self.verb}(", *said, ")"]


class NetworkFields(Form):
    """The form "VPC and more", with the zones that the region has now."""

    id = "network"
    verb = "ensure_network"
    fields = (
        Field("name", syllabus.NETWORK.name),
        Field("cidr", syllabus.NETWORK.cidr),
        Field("availability_zones", syllabus.NETWORK.availability_zones, (1, 2, 3)),
        Field("public_subnets", syllabus.NETWORK.public_subnets, (0, 1, 2, 3)),
        Field("private_subnets", syllabus.NETWORK.private_subnets, (0, 1, 2, 3, 4, 5, 6)),
        Field("tenancy", syllabus.NETWORK.tenancy, ("default", "dedicated"), quiet=True),
        Field("s3_endpoint", True, quiet=True),
    )

    def __init__(self, workshop: Workshop, *, blank: bool = False) -> None:
        super().__init__(workshop, blank=blank)
        self._zones = network.find_zones(workshop.aws)

    def check(self, values: Values) -> None:
        check_network_form(NetworkForm(**values))
        rules.zones(values["availability_zones"], self._zones, region=self.target.region)

    def preview(self, values: Values) -> list[Part]:
        form, region = NetworkForm(**values), self.target.region
        zones = self._zones[: form.availability_zones]
        calls = len(network.make_plan(form, zones=zones, region=region))
        planned = describe_network(form, zones=zones, region=region)
        return [
            network.resource_map(planned),
            Note(messages.text("notebook.widgets.calls", count=calls)),
        ]


class ClusterForm(Form):
    """The form "Create cluster"."""

    id = "cluster"
    verb = "ensure_cluster"
    fields = (
        Field("name", syllabus.CLUSTER.name),
        Field("fargate", True),
        Field("ec2_instances", False),
    )

    def check(self, values: Values) -> None:
        _cluster(values).check()

    def preview(self, values: Values) -> list[Part]:
        form = _cluster(values)
        rows = [
            (self.label(self.fields[0]), form.name),
            (messages.text("resources.cluster.row-providers"), ", ".join(form.capacity_providers)),
            (messages.text("resources.cluster.row-instances"), "0"),
        ]
        return [Rows(rows), Note(messages.text("resources.cluster.no-instances"))]


class RepositoryForm(Form):
    """The form "Create private repository"."""

    id = "repository"
    verb = "ensure_repository"
    fields = (Field("name", syllabus.REPOSITORY.name),)

    def check(self, values: Values) -> None:
        rules.repository_name(values["name"])

    def preview(self, values: Values) -> list[Part]:
        uri = registries.repository_uri(self.target, values["name"])
        rows = [
            (messages.text("resources.registry.row-uri"), uri),
            (
                messages.text("resources.registry.row-visibility"),
                messages.text("resources.registry.private"),
            ),
        ]
        return [Rows(rows)]


class ImageForm(Form):
    """What the push commands are filled in with: build, tag, push."""

    id = "image"
    verb = "build_image"
    fields = (
        Field("context", SHOP),
        Field("repository", syllabus.REPOSITORY.name),
        Field("tag", syllabus.REPOSITORY.tag),
    )

    def check(self, values: Values) -> None:
        push.find_context(values["context"])
        rules.repository_name(values["repository"])
        rules.image_tag(values["tag"])

    def preview(self, values: Values) -> list[Part]:
        place = registries.repository_uri(self.target, values["repository"])
        tags = push.tags_of(push.find_context(values["context"]), values["tag"])
        label = messages.text("notebook.widgets.row-image-uri")
        return [Rows([(label, ", ".join(f"{place}:{tag}" for tag in tags))])]

    def make(self, workshop: Workshop, values: Values) -> Iterator[Shown]:
        name = values["repository"]
        built = workshop.build_image(values["context"], name=name, tag=values["tag"])
        yield built
        yield workshop.push_image(built, repository=name)

    def cell(self, values: Values) -> list[str]:
        folder, name, tag = (python(values[field.name]) for field in self.fields)
        return [
            "image = workshop.build_image(",
            f"    {folder},",
            f"    name={name},",
            f"    tag={tag},",
            ")",
            "workshop.push_image(",
            "    image,",
            f"    repository={name},",
            ")",
        ]


FORMS: Mapping[str, type[Form]] = {
    form.id: form for form in (NetworkFields, ClusterForm, RepositoryForm, ImageForm)
}


def _asked(id: str) -> tuple[str, ...]:
    """Return the settings that the student version of a notebook asks for."""
    return next((form.settings for form in syllabus.FORMS if form.name == id), ())


def _cluster(values: Values) -> cluster.Form:
    providers = rules.CAPACITY_PROVIDERS if values["fargate"] else ()
    return cluster.Form(
        name=values["name"],
        capacity_providers=providers,
        ec2_instances=values["ec2_instances"],
    )


def argument(field: Field, value: Any) -> str:
    """Return a setting as a cell's argument."""
    return f"{field.name}={python(value)}"


def python(value: Any) -> str:
    """Return a value as a cell has it, text in the quotes that the notebooks use."""
    if value is None:
        return "…"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def words(value: Any) -> str:
    """Return a setting's value as the console shows it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return messages.text("notebook.widgets.on" if value else "notebook.widgets.off")
    return str(value)


def shown(form: Form, values: Values) -> Sequence[tuple[str, str, str]]:
    """Return the settings as rows: what the console calls it, the value, the argument."""
    return [
        (form.label(field), words(values[field.name]), argument(field, values[field.name]))
        for field in form.fields
    ]
