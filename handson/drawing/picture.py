"""A finished picture: it shows itself in a notebook and saves itself as SVG or PNG."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from handson.core import errors, messages

SUFFIXES = (".svg", ".png")


@dataclass(frozen=True, repr=False)
class Picture:
    """A picture as an SVG document that stands alone.

    Args:
        svg: The whole document, icons inside.
        title: Its name, for people and screen readers.
        description: What can be seen on it, in sentences: the picture's alternative text.
        rasterize: Draws the same as PNG when it is asked for.
    """

    svg: str
    title: str
    description: str
    rasterize: Callable[[], bytes] = field(compare=False)

    def png(self) -> bytes:
        """Return the picture as PNG, at two pixels a point.

        PNG needs this machine's fonts.  Where it has none for Japanese, the picture is drawn in
        English instead and says so at its lower edge; the SVG is Japanese everywhere.
        """
        return self.rasterize()

    def save(self, path: str | Path) -> Path:
        """Write the picture, as SVG or PNG by the suffix of `path`, whole or not at all.

        Raises:
            InvalidInput: The suffix is neither, or the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise errors.InvalidInput(*messages.advice("drawing.suffix", path=path))
        data = self.svg.encode() if suffix == ".svg" else self.png()
        try:
            _write(path, data)
        except OSError as reason:
            why = reason.strerror or str(reason)
            advice = messages.advice("drawing.not-written", path=path, reason=why)
            raise errors.InvalidInput(*advice) from reason
        return path

    def __repr__(self) -> str:
        return f"{self.title}\n{self.description}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def _ipython_display_(self) -> None:
        """Show the picture, and below it, folded, the same in words.

        JupyterLab and nbconvert make an image of an SVG output and give it no alternative text.
        """
        from IPython.display import display

        summary = messages.text("drawing.in-words")
        folded = (
            '<details style="margin:2px 0 6px;text-align:left"><summary style="cursor:pointer">'
            f"{escape(summary)}</summary>"
            f'<p style="margin:4px 0">{escape(self.description)}</p></details>'
        )
        in_words = {"text/html": folded, "text/plain": summary}
        for bundle in (self._repr_mimebundle_(), in_words):
            display(bundle, raw=True)  # type: ignore[no-untyped-call]


def _write(path: Path, data: bytes) -> None:
    """Write `data` beside `path` and put it in its place when it is complete."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
