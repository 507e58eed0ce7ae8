"""The words in the pictures, in the language a picture is drawn in.

A picture may be drawn in another language than the one the process speaks: a PNG falls back to
English where this machine has no Japanese font.
"""

from __future__ import annotations

from dataclasses import dataclass

from handson.core import messages


@dataclass(frozen=True)
class Words:
    """Answers ``words("vpc", name=…)`` with the entry of ``drawing.toml`` in one language."""

    language: str

    def __call__(self, key: str, /, **values: object) -> str:
        return messages.catalogue("drawing")[key][self.language].format(**values)

    def join(self, parts: list[str]) -> str:
        """Return an enumeration of `parts`."""
        return self("comma").join(parts)
