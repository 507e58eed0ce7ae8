"""Receipts: the result of each clean-up, one file in `receipts` in the home folder, and its card.

A receipt is begun before the first deletion, with the list of everything found, and finished after
the last look.  An unfinished one belongs to an interrupted clean-up: the next run completes it, and
counts resources that are gone since as deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError
from msgspec.structs import replace

from handson.core import files, messages
from handson.core.cards import Card, CardPart, Displayable, Note, Table
from handson.core.errors import NotReady
from handson.core.text import list_briefly, pick_fields
from handson.course.owners import describe_owners
from handson.course.state import Removal, Resource, State, Target
from handson.resources.plan import Listed

CONFIRMATION = "delete"
"""The word that the AWS console asks for before it deletes."""

PRICE_USD, PRICE_DATE = 0.10, "2026-03"
"""Amazon ECR's price for a GB-month of private storage in us-east-1, and when it was looked up."""
PRICE_SOURCE = "https://aws.amazon.com/ecr/pricing/"
GIGABYTE = 2**30
MONTH_HOURS = 730
"""AWS's average month, the unit of GB-months."""

_REGIONS_FILE = "regions.json"
_BEGUN, _FINISHED = "begun", "finished"
_SMALLEST_USD = 0.0001


class StorageCost(State, frozen=True, kw_only=True):
    """What the images of one repository cost; AWS charges for nothing else in the workshop."""

    region: str
    repository: str
    size_bytes: int
    usd: float


class Cost(State, frozen=True, kw_only=True):
    """The cost of a workshop; `charged` is false on an emulator, where it is the cost on AWS."""

    charged: bool
    usd: float
    storage: tuple[StorageCost, ...]


class Receipt(State, frozen=True, kw_only=True):
    """What a clean-up found, deleted and left, and what the images cost.

    Attributes:
        state: "begun", or "finished" once every region was looked at again.
        regions: The regions that were looked at to the end.
        left: The resources and regions that are left, each with the reason.
        beside: The learner's own resources with a name of the exercise but without the tag.
        foreign: Resources with another owner, or with the tag and no owner; they were kept.
        nothing_left: The clean-up is finished, and nothing with the tag is left.
        kind: The only kind of resources that was looked for; "" for all.
    """

    schema: str = "handson.receipt/1"
    state: str
    target: Target
    regions: tuple[str, ...]
    begun_at: str
    finished_at: str | None = None
    found: tuple[Resource, ...]
    deleted: tuple[Resource, ...] = ()
    left: tuple[Removal, ...] = ()
    beside: tuple[Resource, ...] = ()
    foreign: tuple[Resource, ...] = ()
    nothing_left: bool = False
    cost: Cost
    kind: str = ""


class SavedReceipt(Struct, frozen=True):
    """A receipt and its file."""

    path: Path
    receipt: Receipt


class Cleanup(Displayable, Struct, frozen=True):
    """The resources to delete (`own`), or the result of deleting them (`removals`).

    Attributes:
        own: The learner's own resources with the workshop's tag.
        removals: The result for each resource.
        failed: The kinds in a region that could not be looked at, each with the reason.
        beside: The learner's own resources with a name of the exercise but without the tag.
        foreign: Resources with another owner, or with the tag and no owner; they are kept.
        unread: Resources whose own policy forbids a look at their tags.
        unpriced: What could not be asked for the cost of the images, with the reason.
        regions: The regions that were looked at.
        unfinished: An earlier clean-up was interrupted; deleting goes on with it.
        saved: The receipt, if the resources were deleted and not only listed.
        kind: The only kind of resources that was looked for; "" for all.
    """

    own: tuple[Listed, ...]
    removals: tuple[Removal, ...] = ()
    failed: tuple[Removal, ...] = ()
    beside: tuple[Resource, ...] = ()
    foreign: tuple[Resource, ...] = ()
    unread: tuple[Resource, ...] = ()
    unpriced: tuple[Removal, ...] = ()
    regions: tuple[str, ...] = ()
    unfinished: bool = False
    saved: SavedReceipt | None = None
    kind: str = ""

    @property
    def found(self) -> tuple[Resource, ...]:
        """The learner's own resources with the workshop's tag."""
        return tuple(item.resource for item in self.own)

    @property
    def finished_regions(self) -> tuple[str, ...]:
        """The regions that were looked at to the end."""
        stopped = {removal.resource.region for removal in self.failed}
        return tuple(region for region in self.regions if region not in stopped)

    @property
    def left(self) -> tuple[Removal, ...]:
        """The resources and regions that are left, each with the reason."""
        return (*(removal for removal in self.removals if removal.reason), *self.failed)

    def card(self) -> Card:
        """Return the card: the list, or the receipt."""
        if self.saved is None:
            listing = self.listing()
            parts = (*listing.parts, self._say("how")) if self.found else listing.parts
            return Card(listing.title, parts, state=listing.state)
        if self.left:
            note = Note(messages.text("resources.cleanup.some-left", count=len(self.left)))
        else:
            note = self._say("nothing-left")
        saved = self._describe_receipt(self.saved.receipt, self.saved.path)
        parts = (*self._result(), note, *self._list_kept(), *saved)
        state = "warn" if self.left else "ok"
        return Card(messages.text("resources.cleanup.receipt"), parts, state=state)

    def listing(self) -> Card:
        """Return the card of the resources to delete, without how to delete them in a notebook."""
        title = messages.text("resources.cleanup.title")
        notes = [*self._list_kept(), *_list_reasons(self.failed)]
        if self.unfinished:
            notes.append(Note(messages.text("resources.cleanup.unfinished"), "info"))
        if not self.found:
            if self.failed:
                return Card(title, notes, state="warn")
            return Card(title, (self._say("nothing-found"), *notes), state="ok")
        rows = [
            (it.label, it.name or "-", it.id.rpartition(":")[2], it.region) for it in self.found
        ]
        table = self._table(("type", "name", "id"), rows)
        return Card(title, (table, *notes), state="info")

    def _say(self, name: str) -> Note:
        """Return a sentence on everything, or on the one kind."""
        if not self.kind:
            return Note(messages.label("resources.cleanup.all", name, word=CONFIRMATION))
        what = messages.label("resources.cleanup.kind", self.kind)
        values = {"kind": self.kind, "what": what, "word": CONFIRMATION}
        return Note(messages.label("resources.cleanup.only", name, **values))

    def _result(self) -> Sequence[CardPart]:
        rows = []
        for removal in self.removals:
            mark, resource = "bad" if removal.reason else "ok", removal.resource
            rows.append((mark, resource.label, resource.title, resource.region))
        table = [self._table(("", "type", "name"), rows)] if rows else []
        return (*table, *_list_reasons(self.left))

    def _table(self, names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
        """Return a table; the region, which ends each row, is shown where there are several."""
        shown = [*names, "region"][: len(names) + (len(self.regions) > 1)]
        cut = [row[: len(shown)] for row in rows]
        return Table.labelled("resources.cleanup.column", shown, cut)

    def _list_kept(self) -> Sequence[CardPart]:
        kept = {"beside": self.beside, "unread": self.unread}
        kept |= {"foreign": tuple(item for item in self.foreign if item.owner)}
        kept |= {"nobodys": tuple(item for item in self.foreign if not item.owner)}
        notes = []
        for name, items in kept.items():
            names = [item.title if name in ("foreign", "unread") else str(item) for item in items]
            what = list_briefly(names)
            values = {"what": what, "owners": describe_owners(*(item.owner for item in items))}
            text = messages.label("resources.cleanup.kept-out", name, **values)
            notes += [Note(text, "info")] if items else []
        return notes

    def _describe_receipt(self, receipt: Receipt, path: Path) -> Sequence[CardPart]:
        """Return the cost and the receipt's path; on real AWS also what clean-up ignores."""
        sentences = [
            messages.text("resources.cleanup.unpriced", reason=removal.reason)
            for removal in self.unpriced
        ]
        if not sentences and self.kind in ("", "repository"):  # nothing else costs anything
            sentences = [_describe_cost(receipt.cost)]
        if receipt.target.kind == "aws" and not self.kind:
            clusters = [item.name for item in receipt.found if item.type == "AWS::ECS::Cluster"]
            sentences += [
                messages.text("resources.cleanup.further", regions=", ".join(receipt.regions)),
                messages.text("resources.cleanup.role"),
                messages.text("resources.cleanup.beyond", cluster=", ".join(clusters) or "*"),
            ]
        sentences.append(messages.text("resources.cleanup.kept", path=files.shorten_path(path)))
        return [Note(sentence) for sentence in sentences]


def compute_cost(
    repository: Resource, blobs: Sequence[tuple[int, datetime]], *, until: datetime
) -> StorageCost:
    """Return what the layers in a repository cost, each from its first push on."""
    # A clock may have been set back.
    byte_seconds = sum(size * max(0.0, (until - since).total_seconds()) for size, since in blobs)
    months = byte_seconds / GIGABYTE / (MONTH_HOURS * 3600)
    return StorageCost(
        region=repository.region,
        repository=repository.name,
        size_bytes=sum(size for size, _ in blobs),
        usd=round(months * PRICE_USD, 6),
    )


def find_unfinished(home: Path, target: Target, kind: str = "") -> SavedReceipt | None:
    """Return the receipt of an interrupted clean-up in the target's account, or None.

    A clean-up of everything goes on with that of a kind, but not the other way round.
    """
    # The endpoint is not compared: the embedded AWS may come back on another port.
    wanted = (_BEGUN, target.kind, target.account)
    for path in sorted((home / "receipts").glob("*.json"), reverse=True):
        receipt = files.read_state(path, Receipt)
        seen = receipt and (receipt.state, receipt.target.kind, receipt.target.account)
        if receipt and seen == wanted and kind in ("", receipt.kind):
            return SavedReceipt(path, receipt)
    return None


def find_last_cleanup(home: Path) -> str:
    """Return the time of the last clean-up of all kinds that left nothing, or ""."""
    read = (files.read_state(path, Receipt) for path in (home / "receipts").glob("*.json"))
    whole = (each for each in read if each and each.nothing_left and not each.kind)
    return max((each.finished_at or "" for each in whole), default="")


def begin_receipt(
    home: Path,
    target: Target,
    *,
    kind: str = "",
    found: Sequence[Resource],
    storage: Sequence[StorageCost],
    now: datetime,
) -> SavedReceipt:
    """Write what is about to be deleted, and return it; add it to an unfinished receipt, if any.

    Raises:
        NotReady: The home folder cannot be written; nothing was deleted.
    """
    begun = find_unfinished(home, target, kind) or _make_receipt(home, target, now)
    earlier = begun.receipt
    resources = {item.id: item for item in (*earlier.found, *found)}
    # A repository that is listed again has its newest cost.
    costs = {(item.region, item.repository): item for item in (*earlier.cost.storage, *storage)}
    usd = round(sum(item.usd for item in costs.values()), 6)
    receipt = replace(
        earlier,
        target=target,
        kind=kind,
        found=tuple(resources.values()),
        cost=replace(earlier.cost, usd=usd, storage=tuple(costs.values())),
    )
    return _write_receipt(begun.path, receipt)


def finish_receipt(begun: SavedReceipt, result: Cleanup, *, now: datetime) -> SavedReceipt:
    """Write the result of a clean-up into the receipt that `begin_receipt` returned.

    Raises:
        NotReady: The home folder cannot be written; the receipt stays unfinished.
    """
    receipt = replace(
        begun.receipt,
        state=_FINISHED,
        regions=result.finished_regions,
        finished_at=_format_time(now),
        deleted=tuple(each.resource for each in result.removals if not each.reason),
        **pick_fields(result, "left beside foreign"),
        nothing_left=not result.left,
    )
    return _write_receipt(begun.path, receipt)


def remember_region(home: Path, target: Target) -> None:
    """Note in the home folder that the target's region is used.

    Raises:
        NotReady: The home folder cannot be written.
    """
    known = read_targets(home)
    target = Target(kind=target.kind, account=target.account, region=target.region)
    if target not in known:
        files.write_state(home / _REGIONS_FILE, (*known, target))


def read_targets(home: Path) -> list[Target]:
    """Return the targets that `remember_region` has noted."""
    return list(parse_targets(files.read_state(home / _REGIONS_FILE, list[Any]) or ()))


def parse_targets(entries: Iterable[Any]) -> Iterator[Target]:
    """Yield the targets that are well formed; a damaged entry does not cost the others."""
    for entry in entries:
        with suppress(ValidationError):
            yield Target.from_json(entry)


def _describe_cost(cost: Cost) -> str:
    from handson.engine.model import format_size  # a receipt alone needs it

    kind = "charged" if cost.charged else "free"
    if not cost.storage:
        return messages.label("resources.cleanup.nothing-stored", kind)
    key = "resources.cleanup.about" if cost.usd >= _SMALLEST_USD else "resources.cleanup.less-than"
    values = {
        "amount": messages.text(key, usd=f"{max(cost.usd, _SMALLEST_USD):.4f}"),
        "size": format_size(sum(item.size_bytes for item in cost.storage)),
        "price": f"{PRICE_USD:.2f}",
        "as_of": PRICE_DATE,
        "source": PRICE_SOURCE,
    }
    return messages.label("resources.cleanup.cost", kind, **values)


def _list_reasons(left: Iterable[Removal]) -> list[Note]:
    return [Note(f"{removal.resource.title}: {removal.reason}", "warn") for removal in left]


def _make_receipt(home: Path, target: Target, now: datetime) -> SavedReceipt:
    folder = home / "receipts"
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    taken = len(list(folder.glob(f"{stamp}*.json")))
    cost = Cost(charged=target.kind == "aws", usd=0.0, storage=())
    receipt = Receipt(
        state=_BEGUN, target=target, regions=(), begun_at=_format_time(now), found=(), cost=cost
    )
    return SavedReceipt(folder / f"{stamp}{f'-{taken + 1}' if taken else ''}.json", receipt)


def _write_receipt(path: Path, receipt: Receipt) -> SavedReceipt:
    with NotReady.replace_os_errors("core.files.not-writable", folder=path.parent):
        path.parent.mkdir(exist_ok=True)
    files.write_state(path, receipt)
    return SavedReceipt(path, receipt)


def _format_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
