"""The icons of the `diagrams` package, small enough to travel inside a picture.

They come as PNG of 200 to 400 pixels a side.  A picture shows them at about 48 points, so each is
redrawn once a process at 80 pixels by Graphviz itself, with few colours, which saves nine tenths.
"""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from handson.drawing.pixels import with_palette
from handson.drawing.renderer import renderer

PIXELS = 80


@dataclass(frozen=True)
class Symbol:
    """An icon for SVG: an id that two pictures on one page may share, and the image as a URI."""

    id: str
    uri: str

    def define(self) -> str:
        """Return the definition that ``<use>`` refers to."""
        return (
            f'<symbol id="{self.id}" viewBox="0 0 {PIXELS} {PIXELS}">'
            f'<image width="{PIXELS}" height="{PIXELS}" xlink:href="{self.uri}"/></symbol>'
        )


@cache
def symbol(path: str) -> Symbol:
    """Return the icon in the file at `path`."""
    file = Path(path)
    name = re.sub(r"[^a-z0-9]+", "-", f"{file.parent.name}-{file.stem}".lower())
    uri = f"data:image/png;base64,{base64.b64encode(with_palette(shrink(file))).decode()}"
    # The sum is that of the file: shrunk pixels may differ between kinds of processors.
    return Symbol(f"{name}-{zlib.crc32(file.read_bytes()):08x}", uri)


def shrink(path: Path) -> bytes:
    """Return the PNG at `path` as a square of `PIXELS` with its transparency kept."""
    side = PIXELS / 72
    quoted = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return renderer()(
        "digraph{graph[pad=0 margin=0 dpi=72 bgcolor=transparent]"
        f'node[shape=none margin=0 label="" fixedsize=true width={side:.6f} height={side:.6f} '
        f'imagescale=true image="{quoted}"] icon}}',
        layout="dot",
        form="png",
    )
