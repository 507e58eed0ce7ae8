"""What there is, as the consoles list it: for whoever looks for what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handson.core import messages
from handson.core.cards import Card, Note, Part, Rows, Shown
from handson.course.state import Snapshot
from handson.resources import cluster, network
from handson.resources.image_uri import ImageUri
from handson.resources.registry import Images


@dataclass(frozen=True, repr=False)
class Console(Shown):
    """One look at the VPCs, clusters, repositories and the image URI; nothing is judged."""

    snapshot: Snapshot

    def card(self) -> Card:
        """Return the card: one part below the other, each as its console shows it."""
        title = messages.text(
            "practice.troubleshooting.console", region=self.snapshot.target.region
        )
        return Card(title, (*_network(self.snapshot), *_containers(self.snapshot)), state="info")


def _network(seen: Snapshot) -> Iterator[Part]:
    own = [vpc for vpc in seen.vpcs if not vpc.is_default]
    for vpc in own:
        yield _heading(messages.text("resources.network.title", name=vpc.name or vpc.id))
        yield from network.described(vpc)
    if not own:
        yield _heading(messages.text("practice.troubleshooting.no-vpc"))


def _containers(seen: Snapshot) -> Iterator[Part]:
    living = [each for each in seen.clusters if each.status != cluster.ABSENT]
    for found in living:
        yield _heading(messages.text("resources.cluster.title", name=found.name))
        yield cluster.described(found)
    if not living:
        yield _heading(messages.text("practice.troubleshooting.no-cluster"))
    for repository in seen.repositories:
        images = tuple(each for each in seen.images if each.repository == repository.name)
        yield _heading(messages.text("resources.registry.images-title", name=repository.name))
        yield Rows([(messages.text("resources.registry.row-uri"), repository.uri)])
        yield Images(repository.name, images).table()
    if not seen.repositories:
        yield _heading(messages.text("practice.troubleshooting.no-repository"))
    if seen.recorded_uri:
        yield _heading(messages.text("resources.image_uri.title"))
        yield ImageUri(seen.recorded_uri).rows()
    else:
        yield _heading(messages.text("practice.troubleshooting.no-uri"))


def _heading(sentence: str) -> Note:
    return Note(sentence, "info")
