"""Break it and mend it: one thing of a finished workshop goes wrong; the learner finds out what.

A breakage is a wrong state that learners get into, made for real on the embedded AWS by the calls
that the console would make.  It touches what carries the workshop's tag, and the image URI in the
home folder, and nothing else; on real AWS nothing is broken.  What is broken, and how many hints
were asked for, is kept in the home folder, so that a kernel that is restarted goes on.

    incidents    break, hint, see whether it is mended; what is kept of it
    catalogue    the breakages; a seed chooses one
    network      those of the VPC and what stands in it
    containers   those of the cluster, the image and its URI
    ours         what of the workshop may be touched, and how a breakage is described and made
    left         what was broken, and still stands beside what was made in its place
    shown        the cards
    console      what there is, as the consoles list it: looks, and judges nothing
"""

from handson.practice.troubleshooting.console import Console
from handson.practice.troubleshooting.incidents import (
    break_it,
    check_seed,
    check_step,
    forget,
    hint,
    mended,
    refuse_real_aws,
)
from handson.practice.troubleshooting.shown import Broken, Hints, Mended

__all__ = [
    "Broken",
    "Console",
    "Hints",
    "Mended",
    "break_it",
    "check_seed",
    "check_step",
    "forget",
    "hint",
    "mended",
    "refuse_real_aws",
]
