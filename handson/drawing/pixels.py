"""Icons of half the weight: a PNG of any colours becomes one of at most 256.

Nothing can be seen of it at the size of an icon, and a notebook holds a dozen of them a picture.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = (8, 6, 0, 0, 0)
"""Bit depth, colour type, compression, filter and interlace of what Graphviz writes."""
_PALETTE = (8, 3, 0, 0, 0)
_STEPS = (1, 4, 8, 12, 16, 24, 32, 48, 64)
"""How much colours are rounded, until there are few enough of them."""
_MOST = 256

Colour = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Pixels:
    width: int
    height: int
    colours: list[Colour]


def with_palette(png: bytes) -> bytes:
    """Return a PNG with at most 256 colours; one of another kind than Graphviz's as it is."""
    pixels = _read(png)
    if pixels is None:
        return png
    for step in _STEPS:
        rounded = [_rounded(colour, step) for colour in pixels.colours]
        palette = {colour: number for number, colour in enumerate(dict.fromkeys(rounded))}
        if len(palette) <= _MOST:
            return _write(pixels, palette, bytes(palette[colour] for colour in rounded))
    return png


def _rounded(colour: Colour, step: int) -> Colour:
    """Return a colour as a multiple of `step`; of what is transparent, no colour is left."""
    red, green, blue, alpha = (min(255, (value + step // 2) // step * step) for value in colour)
    return (red, green, blue, alpha) if alpha else (0, 0, 0, 0)


def _read(png: bytes) -> _Pixels | None:
    held: dict[bytes, bytes] = {}
    for kind, data in chunks(png):
        held[kind] = held.get(kind, b"") + data
    width, height, *form = struct.unpack(">IIBBBBB", held[b"IHDR"])
    if tuple(form) != _RGBA:
        return None
    rows = _unfiltered(zlib.decompress(held[b"IDAT"]), width * 4)
    colours = [
        (row[at], row[at + 1], row[at + 2], row[at + 3])
        for row in rows
        for at in range(0, width * 4, 4)
    ]
    return _Pixels(width, height, colours)


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG, each with its kind."""
    place = len(_SIGNATURE)
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        yield kind, png[place + 8 : place + 8 + length]
        place += 12 + length


def _unfiltered(raw: bytes, stride: int) -> Iterator[bytearray]:
    """Yield the rows, of which each byte was written as what differs from its neighbours."""
    above = bytearray(stride)
    for start in range(0, len(raw), stride + 1):
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for at in range(stride):
            left, corner = (row[at - 4], above[at - 4]) if at >= 4 else (0, 0)
            row[at] = (row[at] + predicted(kind, left, above[at], corner)) & 255
        yield row
        above = row


def predicted(kind: int, left: int, above: int, corner: int) -> int:
    """Return what a filter of PNG expects a byte to be (PNG specification, 9.2)."""
    if kind == 4:
        guess = left + above - corner
        by_left, by_above, by_corner = (abs(guess - value) for value in (left, above, corner))
        if by_left <= by_above and by_left <= by_corner:
            return left
        return above if by_above <= by_corner else corner
    return (0, left, above, (left + above) // 2)[kind]


def _write(pixels: _Pixels, palette: dict[Colour, int], indices: bytes) -> bytes:
    wide = pixels.width
    rows = (b"\0" + indices[start : start + wide] for start in range(0, len(indices), wide))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", wide, pixels.height, *_PALETTE)),
        (b"PLTE", b"".join(bytes(colour[:3]) for colour in palette)),
        (b"tRNS", bytes(colour[3] for colour in palette)),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
