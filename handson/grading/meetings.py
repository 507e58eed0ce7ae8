"""Who has something in common: flat arrays of hashes, a sixty-fourth of them sorted at a time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

_BUCKETS = 64


class Meetings:
    """What each of many owners has, kept small enough for ten thousand of them.

    Args:
        bits: The size of the hashes, 32 or 64.
    """

    def __init__(self, bits: int) -> None:
        self._hashes = [array("I" if bits == 32 else "Q") for _ in range(_BUCKETS)]
        self._owners = [array("I") for _ in range(_BUCKETS)]

    def add(self, owner: int, hashes: Iterable[int]) -> None:
        """Keep what an owner has, each hash once."""
        for value in hashes:
            self._hashes[value % _BUCKETS].append(value)
            self._owners[value % _BUCKETS].append(owner)

    def shared(self) -> Iterator[tuple[int, list[int]]]:
        """Yield each hash that several owners have, with them in the order in which they came."""
        for hashes, owners in zip(self._hashes, self._owners, strict=True):
            pairs = sorted(zip(hashes, owners, strict=True), key=itemgetter(0))
            for value, found in groupby(pairs, key=itemgetter(0)):
                together = [owner for _, owner in found]
                if len(together) > 1:
                    yield value, together
