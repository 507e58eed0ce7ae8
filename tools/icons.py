"""Shrink icons of the `diagrams` package, which ships PNG of 200 to 500 pixels a side.

    uv run --with pillow,zopfli python tools/icons.py                  those that we ship, anew
    uv run --with pillow,zopfli python tools/icons.py aws/network/elb  and one more
    python tools/icons.py --within FOLDER                              all of a folder (`make site`)

A picture shows an icon at about 48 points, so each becomes a square of 96 pixels with at most 32
colours: few bytes.  Run the first line again when the pinned version of `diagrams` changes.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[1] / "handson" / "drawing" / "icon_files"
PIXELS = 96
"""As in handson/drawing/svg_document.py, which is not imported: `make site` has only Pillow."""
COLOURS = 32
"""Icons are more than half of a picture, and a notebook with pictures must stay below 200 KB."""


def shrink(source: Path) -> bytes:
    """Return the icon as a square PNG with a palette, its transparency kept."""
    from PIL import Image  # type: ignore[import-not-found]  # not among the project's libraries

    icon = Image.open(source).convert("RGBA")
    icon.thumbnail((PIXELS, PIXELS), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (PIXELS, PIXELS))
    square.paste(icon, ((PIXELS - icon.width) // 2, (PIXELS - icon.height) // 2))
    packed = io.BytesIO()
    square.quantize(COLOURS, method=Image.Quantize.FASTOCTREE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def ship(names: list[str]) -> None:
    """Shrink the shipped icons anew with those named, as in ``resources``, to the last byte."""
    import diagrams
    import zopfli.png  # type: ignore[import-not-found]

    sources = Path(str(diagrams.__file__)).parent.parent / "resources"
    shipped = [file.relative_to(SHIPPED).as_posix() for file in SHIPPED.rglob("*.png")]
    for file in [*shipped, *(f"{name}.png" for name in names)]:
        target = SHIPPED / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(zopfli.png.optimize(shrink(sources / file), lossy_transparent=True))


def main(words: list[str]) -> None:
    """Shrink all icons of a folder, or those that we ship."""
    if words[:1] != ["--within"]:
        return ship(words)
    for file in Path(words[1]).rglob("*.png"):
        file.write_bytes(shrink(file))


if __name__ == "__main__":
    main(sys.argv[1:])
