"""AWS's own answers, recorded once by the owner of an empty account, and compared from then on.

`record` plays a fixed list of probes on an account, and deletes whatever it made.  `compare` plays
the same probes on an emulator and names each answer that differs from the recorded one.

    probes       the probes, read from `probes.toml`, and the player that asks them
    recording    the file of the answers, `handson.parity/1`: scrubbed, and searched for secrets
    account      an account that is empty before, and empty again afterwards
    comparing    the differences between two recordings, and which of them are accepted

The rest of the package works without this one, but for the command that calls it.
"""

from handson.parity.account import delete_made, play_probes
from handson.parity.comparing import compare, read_accepted
from handson.parity.probes import OWNER, choose_probes
from handson.parity.recording import read_recording, write_recording

__all__ = [
    "OWNER",
    "choose_probes",
    "compare",
    "delete_made",
    "play_probes",
    "read_accepted",
    "read_recording",
    "write_recording",
]
