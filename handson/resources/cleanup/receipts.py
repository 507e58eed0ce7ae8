"""Receipts: what became of everything, one file a clean-up in `receipts` in the home folder.

A receipt is begun before the first deletion, with all that was found, and finished after the last
look.  One that is only begun belongs to a clean-up that was interrupted: the next one goes on with
it, and counts what has gone since as deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from handson.core import messages
from handson.core.errors import NotReady
from handson.core.files import write_whole
from handson.course.state import Removal, Resource, State, Target
from handson.resources.cleanup.costs import Cost, Stored, cost

SCHEMA = "handson.receipt/1"
BEGUN, FINISHED = "begun", "finished"


class Receipt(State, frozen=True, kw_only=True):
    """What a clean-up found, deleted and left, where, when, and what it had cost.

    Attributes:
        state: "begun", or "finished" once every region was looked at again.
        regions: The regions that were looked at.
        left: What is still there, each with the reason.
        beside: What has a name of the exercise's but not its tag, and was left alone.
        nothing_left: It is finished, and nothing that carries the tag is left.
    """

    schema: str = SCHEMA
    state: str
    target: Target
    regions: tuple[str, ...]
    begun_at: str
    finished_at: str | None = None
    found: tuple[Resource, ...]
    deleted: tuple[Resource, ...] = ()
    left: tuple[Removal, ...] = ()
    beside: tuple[Resource, ...] = ()
    nothing_left: bool = False
    cost: Cost


@dataclass(frozen=True)
class Kept:
    """A receipt and the file that holds it."""

    path: Path
    receipt: Receipt


def unfinished(home: Path, target: Target) -> Kept | None:
    """Return the receipt of an interrupted clean-up of this account, or None."""
    for path in sorted((home / "receipts").glob("*.json"), reverse=True):
        receipt = _read(path)
        if receipt and receipt.state == BEGUN and _same(receipt.target, target):
            return Kept(path, receipt)
    return None


def begin(
    home: Path,
    target: Target,
    *,
    found: Sequence[Resource],
    storage: Sequence[Stored],
    now: datetime,
) -> Kept:
    """Keep what is about to be deleted; an interrupted clean-up is gone on with.

    Raises:
        NotReady: The home folder cannot be written; nothing was deleted.
    """
    before = unfinished(home, target)
    earlier = before.receipt if before else None
    receipt = Receipt(
        state=BEGUN,
        target=target,
        regions=(),
        begun_at=earlier.begun_at if earlier else _written(now),
        found=_merged(earlier.found if earlier else (), found),
        cost=cost(
            _latest(earlier.cost.storage if earlier else (), storage),
            charged=target.kind == "aws",
        ),
    )
    kept = Kept(before.path if before else _new_path(home, now), receipt)
    _write(kept)
    return kept


def finish(
    begun: Kept,
    *,
    regions: Sequence[str],
    removals: Sequence[Removal],
    beside: Sequence[Resource],
    now: datetime,
) -> Kept:
    """Keep what became of everything, and return it.

    Args:
        begun: What `begin` kept.
        regions: The regions that were looked at to the end.
        removals: What became of each resource, and each region that could not be looked at.
        beside: What was made by hand and left alone.
        now: The time.

    Raises:
        NotReady: The home folder cannot be written; the receipt stays begun.
    """
    left = tuple(removal for removal in removals if removal.reason)
    receipt = msgspec.structs.replace(
        begun.receipt,
        state=FINISHED,
        regions=tuple(regions),
        finished_at=_written(now),
        deleted=tuple(removal.resource for removal in removals if not removal.reason),
        left=left,
        beside=tuple(beside),
        nothing_left=not left,
    )
    kept = Kept(begun.path, receipt)
    _write(kept)
    return kept


def _same(one: Target, other: Target) -> bool:
    """Tell whether two targets are one; an embedded AWS may come back on another port."""
    return (one.kind, one.account) == (other.kind, other.account)


def _merged(earlier: Iterable[Resource], found: Iterable[Resource]) -> tuple[Resource, ...]:
    return tuple({item.id: item for item in (*earlier, *found)}.values())


def _latest(earlier: Iterable[Stored], storage: Iterable[Stored]) -> tuple[Stored, ...]:
    """Return what is stored now, and what an interrupted clean-up has deleted meanwhile."""
    every = {(item.region, item.repository): item for item in (*earlier, *storage)}
    return tuple(every.values())


def _new_path(home: Path, now: datetime) -> Path:
    folder = home / "receipts"
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    taken = len(list(folder.glob(f"{stamp}*.json")))
    return folder / (f"{stamp}-{taken + 1}.json" if taken else f"{stamp}.json")


def _read(path: Path) -> Receipt | None:
    try:
        return Receipt.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None


def _write(kept: Kept) -> None:
    try:
        kept.path.parent.mkdir(exist_ok=True)
    except OSError as error:
        folder, reason = kept.path.parent, error.strerror
        sentences = messages.advice("aws.settings.home", folder=folder, reason=reason)
        raise NotReady(*sentences) from error
    text = json.dumps(kept.receipt.to_json(), ensure_ascii=False, indent=2) + "\n"
    write_whole(kept.path, text)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
