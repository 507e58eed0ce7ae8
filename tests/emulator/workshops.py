"""Workshops and shops for tests that need no more of them than that they are there.

held = open_workshop(tmp_path / "home", endpoint=emulator.endpoint)
held.build_image(make_shop(tmp_path))
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from handson.aws import settings
from handson.core.progress import TerminalProgress
from handson.notebook.workshop import Workshop

DOCKERFILE = 'FROM scratch\nCOPY app.rb /srv/\nCMD ["ruby", "/srv/app.rb"]\n'


def open_workshop(
    home: Path,
    *,
    endpoint: str | None = None,
    show: Callable[[Any], None] = lambda _card: None,
    environ: dict[str, str] | None = None,
    **given: Any,
) -> Workshop:
    """Return the workshop of a home folder; without an endpoint, on an embedded AWS of its own."""
    variables = {"HANDSON_HOME": str(home), "HANDSON_ENGINE": "builtin", **(environ or {})}
    chosen = settings.read_settings(
        variables, cwd=home.parent, endpoint_url=endpoint, learner="Hanako"
    )
    return Workshop(chosen, progress=TerminalProgress(StringIO()), show=show, **given)


def make_shop(folder: Path) -> Path:
    """Make a folder that any engine can build."""
    shop = folder / "shop"
    shop.mkdir()
    (shop / "Dockerfile").write_text(DOCKERFILE)
    (shop / "app.rb").write_text("puts 1\n")
    return shop
