"""The breakage that a learner was given, as the home folder keeps it.

It stands by itself: the verbs that build ask for it each time, and load nothing of the breakages.
"""

from __future__ import annotations

from handson.core import files
from handson.course.state import State


class Incident(State, frozen=True, kw_only=True):
    """A breakage that the learner was given.

    Attributes:
        seed: The number that chose it.
        breakage: Its id.
        hints: How many steps of hints were shown.
        broken: All its calls were made, or the checks failed since.
        mended: The checks passed after that, and nothing of it was left behind.
        former: The resources before it that it may leave behind: the ids of the VPC, its route
            tables and its internet gateways, and the names of the clusters.
    """

    seed: int
    breakage: str
    hints: int = 0
    broken: bool = False
    mended: bool = False
    former: tuple[str, ...] = ()


INCIDENT = files.KeptState("troubleshooting.json", Incident)
