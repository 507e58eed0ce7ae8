"""The base image of the engines' tests: Ruby with Rails and puma, from Debian's packages.

    python3 -m tests.engine.base >base.tar

It takes mmdebstrap and root, and half a minute; `.ci/run` makes it while others are installed.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import IO

NAME = "handson-ruby-base:test"
SOURCES = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")


def begin_base(output: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start the program that writes the image's files, as a tar archive, to `output`."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    source = next(path for path in SOURCES if Path(path).is_file())
    # As in Debian's own images: the files of each package are not waited for, one by one.
    options = ["--variant=minbase", "--dpkgopt=force-unsafe-io", "--include=ruby-rails,puma"]
    return subprocess.Popen(["mmdebstrap", *options, suite, "-", source], stdout=output)


if __name__ == "__main__":
    sys.exit(begin_base(sys.stdout.buffer).wait())
