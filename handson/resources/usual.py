"""What was asked for beside what the workshop asks for: told at once, not only by the checks.

Other settings may be tried; but whoever mistyped one sees it before the next notebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handson.core import messages
from handson.core.cards import Note, warning
from handson.course import syllabus


def other_settings(
    check: str, asked: Mapping[str, Any], usual: Mapping[str, Any]
) -> tuple[Note, ...]:
    """Return a warning that names the settings which are not the workshop's, or nothing.

    What the workshop's are is not told: a learner may be asked for them.

    Args:
        check: The check that looks at them.
        asked: What was asked for, by argument.
        usual: What the workshop asks for; other arguments do not matter.
    """
    other = [f"{name}={asked[name]!r}" for name in usual if asked[name] != usual[name]]
    if not other:
        return ()
    notebook = syllabus.check(check).notebook
    return warning(
        *messages.advice("resources.usual.other", what=", ".join(other), notebook=notebook)
    )
