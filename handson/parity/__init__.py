"""AWS's own answers, recorded once by the owner of an empty account, and compared from then on.

`handson parity record` plays a fixed list of probes on an account, and deletes whatever it made.
`handson parity compare` plays the same probes on an emulator and names each answer that differs.

    probes       the probes of `probes.toml`, and an account that is empty before and after them
    recording    the file of the answers, `handson.parity/1`: scrubbed, and searched for secrets;
                 the differences between two of them, and which are accepted

The rest of the package works without this one, but for the command that calls it.
"""
