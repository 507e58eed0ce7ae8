"""The console's forms: their settings, the rules that answer, what they would make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from handson.core import messages
from handson.core.cards import CardPart, Displayable, Note, Rows, list_fields
from handson.core.errors import NotReady
from handson.core.text import check_choice, write_literal
from handson.course import rules, syllabus
from handson.course.checks.repository import build_repository_uri
from handson.course.exercise import NetworkForm
from handson.course.goal import describe_network
from handson.course.rules import check_network_form
from handson.notebook.nbgrader import SkippedCall
from handson.notebook.widgets.form_card import FormCard, Values, format_cell_call
from handson.notebook.workshop import Workshop
from handson.resources import cluster, network, push, repository
from handson.resources import vpc_listing as vpcs

SHOP = "../docker-rails-workshop"
"""The folder of step 1's app, as the notebooks see it."""
_ENTRIES = {form.name: form for form in syllabus.FORMS}


class CreateVpcForm(FormCard):
    """The form "VPC and more", with the zones that the region has now."""

    entry = _ENTRIES["network"]
    look = staticmethod(vpcs.list_network)

    def __init__(self, workshop: Workshop) -> None:
        self._zones = vpcs.find_zones(workshop.aws)
        super().__init__(workshop)

    def list_settings(self) -> dict[str, Any]:
        return {**self.exercise.network.to_json(), "zones": ""}

    def preview(self, values: Values) -> list[CardPart]:
        form, work = self._plan(values)
        planned = describe_network(form, zones=work.zones, region=self.target.region)
        calls = Note(messages.text("notebook.widgets.calls", count=len(work.missing)))
        return [vpcs.draw_resource_map(planned), calls]

    def find_existing(self, values: Values) -> bool:
        form, work = self._plan(values)
        if work.vpc:
            usual = self.exercise.network.cidr
            network.check_blocks(self.aws, form, work.vpc, usual=usual)
        return work.vpc is not None

    def _plan(self, values: Values) -> tuple[NetworkForm, network.Work]:
        """Check the values, and return them with the work that they leave since the last look."""
        given, region = self.make_arguments(values), self.target.region
        named = given.pop("zones", ())
        form = NetworkForm(**given)
        check_network_form(form, usual=self.exercise.network)
        if named:
            rules.check_zones(named, region=region, wanted=form.availability_zones)
        count = form.availability_zones
        zones = rules.choose_zones(count, self._zones, region=region, named=named)
        listing = self.found or vpcs.NetworkListing((), 0, (), self._zones, {})
        return form, network.foresee_network(self.aws, form, listing, zones=zones)

    def make_arguments(self, values: Values) -> dict[str, Any]:
        given = dict(values)
        names = tuple(re.findall(r"[^\s,、]+", given.pop("zones")))
        return given | ({"zones": names} if names else {})


class CreateClusterForm(FormCard):
    """The form "Create cluster"."""

    entry = _ENTRIES["cluster"]
    look = staticmethod(lambda aws: [it for it in cluster.find_clusters(aws) if not it.is_deleted])

    def list_settings(self) -> dict[str, Any]:
        return {"name": self.exercise.cluster, "fargate": True, "ec2_instances": False}

    def preview(self, values: Values) -> list[CardPart]:
        form = cluster.ClusterForm(
            name=values["name"],
            capacity_providers=rules.CAPACITY_PROVIDERS if values["fargate"] else (),
            ec2_instances=values["ec2_instances"],
        )
        form.check(self.exercise)
        values = {"capacity_providers": form.capacity_providers, "container_instances": 0}
        described = list_fields("resources.cluster.row", values).rows
        rows = Rows([(self.label("name"), form.name), *described])
        return [rows, Note(messages.text("resources.cluster.no-instances"))]


class CreateRepositoryForm(FormCard):
    """The form "Create private repository"."""

    entry = _ENTRIES["repository"]
    look = staticmethod(repository.find_repositories)

    def list_settings(self) -> dict[str, Any]:
        return {"name": self.exercise.repository}

    def preview(self, values: Values) -> list[CardPart]:
        rules.check_repository_name(values["name"], exercise=self.exercise)
        uri = build_repository_uri(self.target, values["name"])
        private = messages.text("resources.registry.private")
        return [list_fields("resources.registry.row", {"uri": uri, "visibility": private})]


class PushImageForm(FormCard):
    """What the console's push commands ask for, and the exercise's tag besides."""

    entry = syllabus.Form("image", "03-image", "build_image", ("repository", "tag"))
    look = staticmethod(repository.list_repository_names)

    def list_settings(self) -> dict[str, Any]:
        return {"context": SHOP, "repository": self.exercise.repository, "tag": "1.0.0"}

    def preview(self, values: Values) -> list[CardPart]:
        push.find_context(values["context"])
        rules.check_repository_name(values["repository"], exercise=self.exercise)
        rules.check_image_tag(values["tag"])
        uri = build_repository_uri(self.target, values["repository"])
        images = [f"{uri}:{tag}" for tag in dict.fromkeys((values["tag"], self.exercise.tag))]
        return [Rows([(messages.text("notebook.widgets.row-image-uri"), ", ".join(images))])]

    def find_existing(self, values: Values) -> bool:
        name, usual = values["repository"], self.exercise.repository
        if name not in self.found:
            given = {"name": name, "region": self.target.region, "usual": usual}
            raise NotReady.from_key("resources.registry.no-repository", **given)
        return False  # a push adds an image

    def call_verb(self, workshop: Workshop, values: Values) -> Iterator[Displayable]:
        name = values["repository"]
        built = workshop.build_image(values["context"], name=name, tag=values["tag"])
        yield built
        yield workshop.push_image(built, repository=name)
        yield workshop.tag_image(name, tag=self.exercise.tag, image=values["tag"])

    def cell(self, values: Values) -> list[str]:
        context, name, tag = write_literal(values["context"]), values["repository"], values["tag"]
        return [
            *format_cell_call("image = workshop.build_image", context, name=name, tag=tag),
            *format_cell_call("workshop.push_image", "image", repository=name),
            *format_cell_call(
                "workshop.tag_image", write_literal(name), tag=self.exercise.tag, image=tag
            ),
        ]


FORMS: Mapping[str, type[FormCard]] = {
    form.entry.name: form
    for form in (CreateVpcForm, CreateClusterForm, CreateRepositoryForm, PushImageForm)
}


def form(workshop: Workshop | SkippedCall, name: str) -> FormCard | SkippedCall:
    """Return a form of the console: controls in JupyterLab, a static card elsewhere.

    The settings that the learner decides are empty, and nothing is made before the button is
    pressed.  While nbgrader executes, there is no form.

    Args:
        workshop: What `handson.start()` returned.
        name: One of network, cluster, repository, image.

    Raises:
        InvalidInput: There is no such form.
        HandsonError: AWS did not answer when it was asked for its zones.
    """
    if isinstance(workshop, SkippedCall):
        return SkippedCall()
    return FORMS[check_choice("notebook.widgets.no-form", name, FORMS)](workshop)
