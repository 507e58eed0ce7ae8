"""What a kernel in a browser's tab needs besides: no completion by jedi, and notes for the page.

The page that lists the notebooks cannot run Python, so each notebook notes what is done.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from handson.core.errors import HandsonError
from handson.core.files import write_whole

NOTES = "overview.json"
"""The file in the home folder: the notebooks, each with what is done of it and what there is."""


def prepare_tab(shell: Any) -> None:
    """Set what JupyterLite's kernel sets otherwise, and note after each cell what is done."""
    shell.Completer.use_jedi = False  # it is not shipped, for its size
    shell.events.register("post_run_cell", lambda _: note_progress(shell.user_ns.get("workshop")))


def note_progress(workshop: Any) -> None:
    """Note what is done, once `workshop` has started; a full storage is told elsewhere."""
    with suppress(HandsonError, AttributeError):
        path = workshop.settings.home / NOTES
        write_whole(path, msgspec.json.encode(workshop.overview().count_done()))
