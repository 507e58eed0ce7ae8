"""Shrink the icons of our own pictures and put them into handson/drawing/icon_files/.

    uv run --with pillow,zopfli python tools/icons.py                  shrink all of them anew
    uv run --with pillow,zopfli python tools/icons.py aws/network/elb  and add this one

The `diagrams` package ships PNG of 200 to 400 pixels a side.  A picture shows them at about 48
points, so each becomes a square of 96 pixels with at most 32 colours: few bytes.  Run
this again when the pinned version of `diagrams` changes.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import diagrams  # noqa: E402 (the checkout has to be found first)

from handson.drawing.svg_document import FOLDER, PIXELS  # noqa: E402

COLOURS = 32
"""Icons are more than half of a picture, and a notebook with pictures must stay below 200 KB."""
SOURCES = Path(str(diagrams.__file__)).parent.parent / "resources"


def shrink(source: Path, target: Path) -> None:
    """Write the icon as a square PNG with a palette, its transparency kept."""
    # Neither is among the project's libraries.
    import zopfli.png  # type: ignore[import-not-found]
    from PIL import Image  # type: ignore[import-not-found]

    icon = Image.open(source).convert("RGBA")
    icon.thumbnail((PIXELS, PIXELS), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (PIXELS, PIXELS))
    square.paste(icon, ((PIXELS - icon.width) // 2, (PIXELS - icon.height) // 2))
    target.parent.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    square.quantize(COLOURS, method=Image.Quantize.FASTOCTREE).save(packed, "PNG", optimize=True)
    target.write_bytes(zopfli.png.optimize(packed.getvalue(), lossy_transparent=True))


def main(added: list[str]) -> None:
    """Write every shipped icon anew, and the added ones, named as in ``resources``."""
    shipped = [file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.png")]
    for file in [*shipped, *(f"{name}.png" for name in added)]:
        shrink(SOURCES / file, FOLDER / file)


if __name__ == "__main__":
    main(sys.argv[1:])
