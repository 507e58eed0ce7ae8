"""Icons of a third of the weight: a PNG of any colours becomes one of at most 64.

Nothing can be seen of it at the size of an icon, and a notebook holds a dozen of them a picture.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = (8, 6, 0, 0, 0)
"""Bit depth, colour type, compression, filter and interlace of what Graphviz writes."""
_PALETTE = (8, 3, 0, 0, 0)
_MOST = 64

Colour = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Pixels:
    width: int
    height: int
    colours: list[Colour]


def with_palette(png: bytes) -> bytes:
    """Return a PNG with at most 64 colours; one of another kind than Graphviz's as it is."""
    pixels = _read(png)
    if pixels is None:
        return png
    chosen = _chosen(Counter(pixels.colours))
    palette = {colour: number for number, colour in enumerate(dict.fromkeys(chosen.values()))}
    return _write(pixels, palette, bytes(palette[chosen[colour]] for colour in pixels.colours))


def _chosen(counts: Counter[Colour]) -> dict[Colour, Colour]:
    """Return for each colour the one that stands for it and those like it (median cut).

    Args:
        counts: How many pixels have each colour.
    """
    groups = [list(counts)]
    while len(groups) < _MOST:
        group = max(groups, key=lambda each: _variety(each, counts))
        if len(group) == 1:
            break
        groups.remove(group)
        groups += _halves(group, counts)
    return {colour: _mean(group, counts) for group in groups for colour in group}


def _variety(group: list[Colour], counts: Counter[Colour]) -> float:
    """Return how much is lost when one colour stands for the group; 0 for a single colour."""
    return _widest(group)[0] * sqrt(sum(counts[colour] for colour in group))


def _widest(group: list[Colour]) -> tuple[int, int]:
    """Return the channel in which colours differ most, behind how much they do."""
    channels = enumerate(zip(*group, strict=True))
    return max((max(values) - min(values), channel) for channel, values in channels)


def _halves(group: list[Colour], counts: Counter[Colour]) -> tuple[list[Colour], list[Colour]]:
    """Return the group in two, each with about half of the pixels and at least one colour."""
    _, channel = _widest(group)
    ordered = sorted(group, key=lambda colour: (colour[channel], colour))
    seen = list(accumulate(counts[colour] for colour in ordered))
    cut = next(at for at, number in enumerate(seen, start=1) if number * 2 >= seen[-1])
    cut = min(cut, len(ordered) - 1)
    return ordered[:cut], ordered[cut:]


def _mean(group: list[Colour], counts: Counter[Colour]) -> Colour:
    pixels = sum(counts[colour] for colour in group)
    red, green, blue, alpha = (
        round(sum(colour[channel] * counts[colour] for colour in group) / pixels)
        for channel in range(4)
    )
    return red, green, blue, alpha


def _read(png: bytes) -> _Pixels | None:
    held: dict[bytes, bytes] = {}
    for kind, data in chunks(png):
        held[kind] = held.get(kind, b"") + data
    width, height, *form = struct.unpack(">IIBBBBB", held[b"IHDR"])
    if tuple(form) != _RGBA:
        return None
    rows = _unfiltered(zlib.decompress(held[b"IDAT"]), width * 4)
    # Where nothing can be seen, any colour is the same.
    colours = [
        (row[at], row[at + 1], row[at + 2], row[at + 3]) if row[at + 3] else (0, 0, 0, 0)
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
