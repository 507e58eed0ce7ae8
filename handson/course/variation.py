"""Individual labs: each learner's own exercise, derived from the course and the learner's name.

Notebooks, grading and `handson policy` derive the same values on any machine, without a roster.
Width, case and spaces of the name make no difference.  Nothing here is secret: course.toml is
handed out, so everybody can derive everybody's exercise.  The key only gives each course other
values than the last one had.

The suffix has 9 of 20 letters.  By the birthday bound, two of 10,000 learners get the same one in 1
of 10,000 courses.
"""

from __future__ import annotations

import hmac

from msgspec.structs import replace

from handson.core.text import fold_name
from handson.course.exercise import Exercise
from handson.course.state import State

PARTS = ("prefix", "cidr", "cluster", "repository")
"""What may vary beside the Region: the name with which Name tags begin, the VPC's block, names."""

LETTERS, SUFFIX_LENGTH = "bcdfghjkmnpqrstvwxyz", 9
"""Letters that ECR's names take, without vowels, which make words, and `l`, which looks like 1."""

_LARGEST, _SIZES = 16, 5
# RFC 1918, but for 172.17 (AWS Cloud9 and SageMaker use it; Amazon VPC User Guide, "VPC CIDR
# blocks") and 172.31 (the default VPC's).
_STARTS = (*(f"10.{n}" for n in range(256)), *(f"172.{n}" for n in range(18, 31)), "192.168")


class Variation(State, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What varies from learner to learner, as the table `[exercise]` of course.toml says it.

    Attributes:
        key: A text of the course's own; a file has to give one.
        vary: Some of `PARTS`; the prefix is always among them.
        regions: The Regions of which each learner gets one; without any, the exercise's.
    """

    key: str = ""
    vary: tuple[str, ...] = PARTS
    regions: tuple[str, ...] = ()

    def derive_exercise(self, learner: str) -> Exercise:
        """Return the exercise of a learner."""
        name, suffix = fold_name(learner), ""
        number = self._draw("suffix", name)
        for _ in range(SUFFIX_LENGTH):
            number, letter = divmod(number, len(LETTERS))
            suffix += LETTERS[letter]
        exercise = self.name_exercise(suffix)
        cidr = self._draw_block(name) if "cidr" in self.vary else exercise.network.cidr
        # So, a Region that is added to the list moves only the learners who get it.
        regions = sorted(self.regions, key=lambda region: self._draw(region, name))
        return replace(
            exercise,
            region=next(iter(regions), exercise.region),
            network=replace(exercise.network, cidr=cidr),
        )

    def name_exercise(self, suffix: str) -> Exercise:
        """Return the exercise whose names have a suffix where they vary; "*" stands for all."""
        usual = Exercise()
        prefix = f"{usual.network.name}-{suffix}"
        varied = {
            "cluster": usual.cluster.replace(usual.network.name, prefix),
            "repository": f"{usual.repository}-{suffix}",
        }
        own = {part: value for part, value in varied.items() if part in self.vary}
        return replace(usual, network=replace(usual.network, name=prefix), **own)

    def _draw_block(self, name: str) -> str:
        """Return a private block from /16 to /20."""
        number, size = divmod(self._draw("cidr", name), _SIZES)
        number, start = divmod(number, len(_STARTS))
        third = number % 256 >> 8 - size << 8 - size  # no host bits
        return f"{_STARTS[start]}.{third}.0/{_LARGEST + size}"

    def _draw(self, part: str, name: str) -> int:
        """Return a number of 256 bits that depends on the key, the part and the name."""
        drawn = f"{part} {name}".encode(errors="replace")  # a forged record may bear any name
        return int.from_bytes(hmac.digest(self.key.encode(), drawn, "sha256"))
