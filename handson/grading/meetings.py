"""Who has something in common: hashes and their owners, most of them on disk.

They lie in a file in sixty-four parts by their hash; only one part is sorted in memory at a time,
so that a class of any size needs the memory of a small one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import BinaryIO

_PARTS = 64
_IN_MEMORY = 50_000
"""So many hashes wait in memory to be written together."""


class Meetings:
    """What each of many owners has.

    Args:
        bits: The size of the hashes, 32 or 64.
        file: Where they are kept, beside whatever else it holds; whoever opened it closes it.
    """

    def __init__(self, bits: int, file: BinaryIO) -> None:
        self._kind = "I" if bits == 32 else "Q"
        self._file = file
        self._waiting = 0
        self._hashes = [array(self._kind) for _ in range(_PARTS)]
        self._owners = [array("I") for _ in range(_PARTS)]
        self._written: list[list[tuple[int, int]]] = [[] for _ in range(_PARTS)]

    def add(self, owner: int, hashes: Iterable[int]) -> None:
        """Keep what an owner has, each hash once."""
        for value in hashes:
            self._hashes[value % _PARTS].append(value)
            self._owners[value % _PARTS].append(owner)
            self._waiting += 1
        if self._waiting >= _IN_MEMORY:
            self._write()

    def shared(self) -> Iterator[tuple[int, list[int]]]:
        """Yield each hash that several owners have, with them in the order in which they came."""
        for part in range(_PARTS):
            pairs = sorted(self._pairs(part), key=itemgetter(0))
            for value, found in groupby(pairs, key=itemgetter(0)):
                together = [owner for _, owner in found]
                if len(together) > 1:
                    yield value, together

    def _pairs(self, part: int) -> Iterator[tuple[int, int]]:
        """Yield the hashes of a part with their owners, in the order in which they came."""
        for start, count in self._written[part]:
            self._file.seek(start)
            hashes, owners = array(self._kind), array("I")
            hashes.fromfile(self._file, count)
            owners.fromfile(self._file, count)
            yield from zip(hashes, owners, strict=True)
        yield from zip(self._hashes[part], self._owners[part], strict=True)

    def _write(self) -> None:
        end = self._file.seek(0, 2)
        for hashes, owners, written in zip(self._hashes, self._owners, self._written, strict=True):
            written.append((end, len(hashes)))
            end += self._file.write(hashes) + self._file.write(owners)
            del hashes[:], owners[:]
        self._waiting = 0
