"""An account that is empty before the probes, and empty again after them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import msgspec

from handson.aws import Aws
from handson.core.errors import NotAllowed, NotReady
from handson.core.progress import CountedSentence, Say
from handson.core.text import list_briefly
from handson.course import evidence
from handson.course.owners import Owners
from handson.parity.probes import OWNER, Player, Probe
from handson.parity.recording import SCHEMA, Exchange, Recording, Scrubber
from handson.resources.cleanup import delete_tagged
from handson.resources.cluster import find_clusters
from handson.resources.repository import list_repository_names
from handson.resources.vpc_listing import list_ec2_resources

OWNERS = Owners(OWNER, (OWNER,))
"""Nothing but what the probes made is deleted."""


def play_probes(
    aws: Aws, probes: Sequence[Probe], *, source: str, say: Say
) -> tuple[Recording, set[str], str]:
    """Ask all probes, and delete whatever they made, also when they are interrupted.

    Args:
        aws: A connection of its own: its calls are listened to.
        probes: The probes, in order.
        source: "aws" or "simulation".
        say: Reports each probe.

    Returns:
        The answers, scrubbed; strings of the account, which no file may hold; what is left.

    Raises:
        NotAllowed: The account is not empty, or the credentials are refused.
        NotReady: The probes broke off, and something could not be deleted.
        HandsonError: The clean-up was refused, or AWS did not answer.
    """
    aws.owners = OWNERS
    changes = any(probe.mode == "record" for probe in probes)
    if changes and (found := _find_all(aws)):
        raise NotAllowed.from_key("parity.not-empty", what=found)
    player, scrubber = Player(aws), Scrubber(account=aws.account, caller=aws.caller)
    try:
        for number, probe in enumerate(probes):
            say(CountedSentence(probe.name, done=number, whole=len(probes)))
            player.play(probe)
    except BaseException as error:
        if left := delete_made(aws, say) or (changes and _find_all(aws)):
            raise NotReady.from_key("parity.left", what=left) from error
        raise
    left = delete_made(aws, say) or (_find_all(aws) if changes else "")
    exchanges = msgspec.convert(
        scrubber.scrub(msgspec.to_builtins(player.exchanges)), list[Exchange]
    )
    where = (evidence.now().date().isoformat(), aws.region, version("botocore"), source)
    recording = Recording(SCHEMA, *where, player.skipped, tuple(exchanges))
    return recording, scrubber.own, left


def delete_made(aws: Aws, say: Say) -> str:
    """Delete what carries the probes' own tag; return what is left, with the reasons, as text.

    Raises:
        HandsonError: A call was not allowed or did not answer.
    """
    aws.owners = OWNERS
    left = delete_tagged(aws, say=say).left
    return "; ".join(f"{removal.resource} ({removal.reason})" for removal in left)


def _find_all(aws: Aws) -> str:
    """Return the VPCs but the default one, the clusters and the repositories, as text."""
    vpcs = [vpc["VpcId"] for vpc in list_ec2_resources(aws, "Vpc") if not vpc.get("IsDefault")]
    clusters = [cluster.name for cluster in find_clusters(aws) if not cluster.is_deleted]
    return list_briefly([*vpcs, *clusters, *list_repository_names(aws)])
