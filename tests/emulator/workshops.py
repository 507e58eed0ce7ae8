"""Workshops and shops for tests that need no more of them than that they are there.

held = open_workshop(tmp_path / "home", endpoint_url=emulator.endpoint)
held.build_image(make_shop(tmp_path))
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from handson.aws import settings
from handson.core.progress import TerminalProgress
from handson.course.evidence import Journal, is_intact
from handson.notebook.workshop import Workshop

DOCKERFILE = 'FROM scratch\nCOPY app.rb /srv/\nCMD ["ruby", "/srv/app.rb"]\n'


def open_workshop(
    home: Path,
    *,
    environ: dict[str, str] | None = None,
    show: Callable[[Any], None] = lambda _card: None,
    ways: dict[str, Any] | None = None,
    **given: Any,
) -> Workshop:
    """Return the workshop of a home folder; without an endpoint, on an embedded AWS of its own.

    Args:
        home: Its home folder.
        environ: Variables in addition to that and the built-in engine.
        show: Gets the cards that it shows beside its results.
        ways: Its `clock` and how it is to `connect`, where others are wanted.
        **given: Settings, as for `handson.start`.
    """
    variables = {"HANDSON_HOME": str(home), "HANDSON_ENGINE": "builtin", **(environ or {})}
    learner = {"learner": "Hanako", **given}
    chosen = settings.read_settings(variables, cwd=home.parent, **learner)
    return Workshop(chosen, progress=TerminalProgress(StringIO()), show=show, **(ways or {}))


def make_shop(folder: Path) -> Path:
    """Make a folder that any engine can build."""
    shop = folder / "shop"
    shop.mkdir()
    (shop / "Dockerfile").write_text(DOCKERFILE)
    (shop / "app.rb").write_text("puts 1\n")
    return shop


def finish(held: Workshop, shop: Path) -> None:
    """Do what the notebooks do, up to the recorded URI."""
    held.ensure_network()
    held.ensure_cluster()
    push(held, shop)
    held.record_image_uri()


def push(held: Workshop, shop: Path) -> Any:
    """Push the shop under a tag of its own and under `latest`."""
    held.ensure_repository()
    pushed = held.push_image(held.build_image(shop, tag="1.0.0"))
    held.tag_image(tag="latest", image="1.0.0")
    return pushed


def broken_chain(home: Path) -> list[Any]:
    """Return what in the journal is not intact or not chained to the record before it."""
    before, wrong = None, []
    for record in Journal(home).records():
        wrong += [] if is_intact(record) and record.get("previous") == before else [record]
        before = record["digest"]
    return wrong
