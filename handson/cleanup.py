"""Clean-up: everything that carries the workshop's tag, listed first, then deleted in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handson import cluster, fargate, messages, network, registry
from handson.aws import Aws
from handson.cards import Card, Note, Part, Shown, Table
from handson.progress import Say, silent
from handson.state import Removal, Resource

CONFIRMATION = "delete"
"""The word that the AWS console asks for before it deletes."""


@dataclass(frozen=True, repr=False)
class Cleanup(Shown):
    """What carries the tag and would be deleted (`found`), or what became of it (`removals`)."""

    found: tuple[Resource, ...]
    removals: tuple[Removal, ...] = ()
    confirmed: bool = False

    @property
    def left(self) -> tuple[Removal, ...]:
        """What AWS kept, with the reason."""
        return tuple(removal for removal in self.removals if removal.reason)

    def card(self) -> Card:
        """Return the card: the list, or the receipt."""
        if not self.confirmed:
            how = [Note(messages.text("cleanup.how", word=CONFIRMATION))] if self.found else []
            listing = self.listing()
            return Card(listing.title, (*listing.parts, *how), state=listing.state)
        state = "warn" if self.left else "ok"
        sentence = "cleanup.some-left" if self.left else "cleanup.nothing-left"
        note = Note(messages.text(sentence, count=len(self.left)))
        return Card(messages.text("cleanup.receipt"), (*self._receipt(), note), state=state)

    def listing(self) -> Card:
        """Return the card of what carries the tag, without how to delete it from a notebook."""
        title = messages.text("cleanup.title")
        if not self.found:
            return Card(title, (Note(messages.text("cleanup.nothing-found")),), state="ok")
        headers = [messages.text(f"cleanup.column-{name}") for name in ("type", "name", "id")]
        rows = [(item.type, item.name or "-", _short(item)) for item in self.found]
        return Card(title, (Table(headers, rows),), state="info")

    def _receipt(self) -> Sequence[Part]:
        if not self.removals:
            return ()
        headers = ("", *(messages.text(f"cleanup.column-{name}") for name in ("type", "name")))
        marks = ["bad" if removal.reason else "ok" for removal in self.removals]
        rows = [
            (mark, removal.resource.type, removal.resource.name or removal.resource.id)
            for mark, removal in zip(marks, self.removals, strict=True)
        ]
        reasons = [
            Note(f"{removal.resource.name or removal.resource.id}: {removal.reason}", "warn")
            for removal in self.left
        ]
        return (Table(headers, rows), *reasons)


def find_tagged(aws: Aws) -> tuple[Resource, ...]:
    """Return everything in the region that carries the workshop's tag, in the order of deletion."""
    return (
        *fargate.find_tagged(aws),
        *cluster.find_tagged(aws),
        *registry.find_tagged(aws),
        *network.find_tagged(aws),
    )


def delete_tagged(aws: Aws, *, say: Say = silent) -> Cleanup:
    """Delete everything that carries the workshop's tag, and nothing else.

    Safe to run again: what is gone is left out, what is left is tried again.

    Raises:
        HandsonError: A call was not allowed or did not answer; run again to go on.
    """
    found = find_tagged(aws)
    removals = (
        *fargate.delete_tasks(aws, say=say),
        *cluster.delete_cluster(aws, say=say),
        *registry.delete_repository(aws, say=say),
        *network.delete_network(aws, say=say),
    )
    return Cleanup(found, removals, confirmed=True)


def _short(resource: Resource) -> str:
    return resource.id.rpartition(":")[2]
