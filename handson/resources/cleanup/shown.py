"""What would be deleted, and what became of it, as cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handson.core import messages
from handson.core.cards import Card, Note, Part, Shown, Table
from handson.core.files import nearby
from handson.course.state import Removal, Resource
from handson.engine import format_size
from handson.resources.cleanup.costs import ECR_STORAGE
from handson.resources.cleanup.receipts import Kept, Receipt

CONFIRMATION = "delete"
"""The word that the AWS console asks for before it deletes."""

_SMALLEST_USD = 0.0001


@dataclass(frozen=True, repr=False)
class Cleanup(Shown):
    """What carries the tag and would be deleted (`found`), or what became of it (`removals`).

    Attributes:
        unseen: The regions that did not tell what is in them, each with the reason.
        beside: What has a name of the exercise's but not its tag: made by hand, left alone.
        regions: The regions that were looked at.
        unfinished: An earlier clean-up was interrupted; deleting goes on with it.
        kept: The receipt and its file, once there is one.
    """

    found: tuple[Resource, ...]
    removals: tuple[Removal, ...] = ()
    confirmed: bool = False
    unseen: tuple[Removal, ...] = ()
    beside: tuple[Resource, ...] = ()
    regions: tuple[str, ...] = ()
    unfinished: bool = False
    kept: Kept | None = None

    @property
    def left(self) -> tuple[Removal, ...]:
        """What AWS kept or did not tell, with the reason."""
        return (*(removal for removal in self.removals if removal.reason), *self.unseen)

    def card(self) -> Card:
        """Return the card: the list, or the receipt."""
        if not self.confirmed:
            how = (
                [Note(messages.text("resources.cleanup.how", word=CONFIRMATION))]
                if self.found
                else []
            )
            listing = self.listing()
            return Card(listing.title, (*listing.parts, *how), state=listing.state)
        state = "warn" if self.left else "ok"
        sentence = "resources.cleanup.some-left" if self.left else "resources.cleanup.nothing-left"
        note = Note(messages.text(sentence, count=len(self.left)))
        parts = (*self._receipt(), note, *self._by_hand(), *self._kept())
        return Card(messages.text("resources.cleanup.receipt"), parts, state=state)

    def listing(self) -> Card:
        """Return the card of what carries the tag, without how to delete it from a notebook."""
        title = messages.text("resources.cleanup.title")
        notes = [*self._by_hand(), *_reasons(self.unseen)]
        if self.unfinished:
            notes.append(Note(messages.text("resources.cleanup.unfinished"), "info"))
        if not self.found:
            nothing = Note(messages.text("resources.cleanup.nothing-found"))
            return Card(title, (nothing, *notes), state="warn" if self.unseen else "ok")
        names = ("type", "name", "id")
        rows = [(item.type, item.name or "-", _short(item)) for item in self.found]
        return Card(title, (self._table(names, rows, self.found), *notes), state="info")

    def _receipt(self) -> Sequence[Part]:
        rows = [
            ("bad" if removal.reason else "ok", removal.resource.type, _name(removal.resource))
            for removal in self.removals
        ]
        resources = [removal.resource for removal in self.removals]
        table = [self._table(("", "type", "name"), rows, resources)] if rows else []
        return (*table, *_reasons(self.left))

    def _table(
        self, names: Sequence[str], rows: Sequence[tuple[str, ...]], resources: Sequence[Resource]
    ) -> Table:
        """Return a table; in which region each is stands in it where there are several."""
        several = len(self.regions) > 1
        columns = (*names, "region") if several else names
        headers = [
            messages.text(f"resources.cleanup.column-{name}") if name else "" for name in columns
        ]
        if several:
            rows = [(*row, item.region) for row, item in zip(rows, resources, strict=True)]
        return Table(headers, rows)

    def _by_hand(self) -> Sequence[Part]:
        if not self.beside:
            return ()
        what = ", ".join(map(str, self.beside))
        return (Note(messages.text("resources.cleanup.beside", what=what), "info"),)

    def _kept(self) -> Sequence[Part]:
        if self.kept is None:
            return ()
        receipt = self.kept.receipt
        further = _further(receipt)
        where = messages.text("resources.cleanup.kept", path=nearby(self.kept.path))
        return (Note(_cost(receipt)), *further, Note(where))


def _cost(receipt: Receipt) -> str:
    """Return the sentence of what it cost, or would have cost on AWS."""
    how = "charged" if receipt.cost.charged else "free"
    if not receipt.cost.storage:
        return messages.text(f"resources.cleanup.nothing-stored-{how}")
    usd = receipt.cost.usd
    worth = "about" if usd >= _SMALLEST_USD else "less-than"
    amount = messages.text(f"resources.cleanup.{worth}", usd=f"{max(usd, _SMALLEST_USD):.4f}")
    return messages.text(
        f"resources.cleanup.cost-{how}",
        amount=amount,
        size=format_size(sum(item.size_bytes for item in receipt.cost.storage)),
        price=f"{ECR_STORAGE.usd:.2f}",
        as_of=ECR_STORAGE.as_of,
        source=ECR_STORAGE.source,
    )


def _further(receipt: Receipt) -> Sequence[Part]:
    """Say on real AWS what the workshop did not look at, and what stays."""
    if receipt.target.kind != "aws":
        return ()
    looked = ", ".join(receipt.regions)
    return (
        Note(messages.text("resources.cleanup.further", regions=looked)),
        Note(messages.text("resources.cleanup.role")),
    )


def _reasons(left: Iterable[Removal]) -> list[Note]:
    return [Note(f"{_name(removal.resource)}: {removal.reason}", "warn") for removal in left]


def _name(resource: Resource) -> str:
    return resource.name or resource.id


def _short(resource: Resource) -> str:
    return resource.id.rpartition(":")[2]
