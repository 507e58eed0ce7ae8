"""A learner who uses real AWS, as far as anybody can tell from here, and what the learner reads.

learner.take("network").text        what the cell shows: progress, cards, the two lines of an error
learner.take("evidence network").failed
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import botocore.session

from handson.aws import connection, settings
from handson.aws.connection import Connection
from handson.aws.settings import Settings
from handson.core.progress import TerminalProgress
from handson.notebook.workshop import Workshop
from tests.unit.fake_aws import MODELS, Clock


def push(held: Workshop, shop: Path) -> Any:
    """Push the shop under a tag of its own, and the same image under `latest`."""
    pushed = held.push_image(held.build_image(shop, tag="1.0.0"))
    held.tag_image(tag="latest", image="1.0.0")
    return pushed


STEPS: dict[str, Callable[[Workshop, Path], Any]] = {
    "doctor": lambda held, _: held.doctor(),
    "network": lambda held, _: held.ensure_network(),
    "cluster": lambda held, _: held.ensure_cluster(),
    "repository": lambda held, _: held.ensure_repository(),
    "push": push,
    "images": lambda held, _: held.images(),
    "uri": lambda held, _: held.record_image_uri(),
    "verify": lambda held, _: held.verify(),
    "list": lambda held, _: held.cleanup(),
    "clean-up": lambda held, _: held.cleanup(confirm="delete"),
}


class SharedSession(botocore.session.Session):
    """A session that makes each client once: to make one takes longer than what a step asks."""

    def __init__(self) -> None:
        super().__init__()
        self.register_component("data_loader", MODELS)
        self._made: dict[tuple[str, str | None], Any] = {}

    def create_client(
        self, service_name: str, region_name: str | None = None, **options: Any
    ) -> Any:
        """Return the one client of a service in a Region."""
        key = service_name, region_name
        if key not in self._made:
            self._made[key] = super().create_client(service_name, region_name, **options)
        return self._made[key]


def _read_way() -> frozenset[tuple[str, str]]:
    """Return the variables that decide who signs in, and by which way."""
    ends = ("_PROXY", "_BUNDLE", "_FILE")
    return frozenset(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith("AWS_") or name.endswith(ends)
    )


@cache
def _share_session(_: frozenset[tuple[str, str]]) -> SharedSession:
    return SharedSession()


@dataclass(frozen=True)
class Reading:
    """What a learner reads after a step.

    Attributes:
        step: Its name.
        text: All that is shown: progress, cards, the result or the error.
        cards: The texts of the cards in it.
        error: What was raised.
        failed: Whether it ended in an error, or a check did not pass, or clean-up left something.
    """

    step: str
    text: str
    cards: tuple[str, ...] = ()
    error: Exception | None = None
    failed: bool = False

    @property
    def is_traceback(self) -> bool:
        """Whether the learner sees a traceback instead of two lines."""
        if self.error is None:
            return False
        render = getattr(self.error, "_render_traceback_", None)
        return render is None or len("\n".join(render()).splitlines()) != 2


class Learner:
    """One learner with a home folder.

    Args:
        folder: Holds the home folder.
        shop: A folder with a Dockerfile.
        clock: Passes by the learner's waiting.
        name: The learner's name, if one is given.
        prepare: Sets the learner's variables in this process, before each step.
        shares: Whether to use the `SharedSession` of these variables, not one of the product's.
    """

    def __init__(
        self,
        folder: Path,
        shop: Path,
        clock: Clock,
        *,
        name: str,
        prepare: Callable[[], None],
        shares: bool = False,
    ) -> None:
        self.home = folder / "home"
        self._folder, self._shop, self._clock, self._name = folder, shop, clock, name
        self._prepare, self._shares = prepare, shares
        self._workshop: Workshop | None = None
        self._said: StringIO = StringIO()
        self._shown: list[Any] = []

    def take(self, step: str) -> Reading:
        """Take a step: "start", a name of `STEPS`, or "evidence network" and the like."""
        self._said, self._shown = StringIO(), []
        self._prepare()
        try:
            if self._workshop is None:
                self._workshop = self._start()
            result = self._do(step, self._workshop)
        except Exception as error:
            render = getattr(error, "_render_traceback_", None)
            shown = "\n".join(render()) if render else "".join(traceback.format_exception(error))
            return Reading(step, self._join(shown), self._list_cards(), error, failed=True)
        shown = repr(result)
        cards = (*self._list_cards(), *([shown] if hasattr(result, "card") else []))
        return Reading(step, self._join(shown), cards, failed=_has_failed(result))

    def _start(self) -> Workshop:
        chosen = settings.read_environment(home=str(self.home), learner=self._name or None)
        progress = TerminalProgress(self._said)
        return Workshop(chosen, progress=progress, show=self._shown.append, connect=self._connect)

    def _connect(self, chosen: Settings) -> Connection:
        if chosen.target != "aws":
            return connection.connect_target(chosen)
        aws = connection.connect_aws(
            region=chosen.region,
            account=chosen.aws_account,
            session=_share_session(_read_way()) if self._shares else None,
            patience=self._clock.patience(),
        )
        return Connection(aws)

    def _do(self, step: str, held: Workshop) -> Any:
        if step == "start":
            return held
        verb, _, check = step.partition(" ")
        if verb == "evidence":
            return held.evidence(check)
        return STEPS[step](held, self._shop)

    def _list_cards(self) -> tuple[str, ...]:
        return tuple(repr(card) for card in self._shown)

    def _join(self, shown: str) -> str:
        return "\n".join([self._said.getvalue(), *self._list_cards(), shown])


def _has_failed(result: Any) -> bool:
    if hasattr(result, "checks"):
        return not all(check.passed for check in result.checks)
    if hasattr(result, "result"):
        return not result.result.passed
    return bool(getattr(result, "left", ()))


def describe(readings: Iterable[Reading]) -> str:
    """Return all that a learner has read, step after step."""
    return "\n".join(f"--- {reading.step}\n{reading.text}" for reading in readings)
