"""Make this checkout ready to run: `python3 tools/setup.py`, or `make` does it.

This file finds a Python that is new enough and starts `preparing` with it.  Any Python has to
understand this file, so it uses nothing newer than Python 3.0.
"""

from __future__ import print_function

import os
import sys
from shutil import which

OLDEST = (3, 11)
NEWER = ("python3.13", "python3.12", "python3.11", "python3.14")
SENTENCES = {
    "en": (
        "✗ This is Python {0}.{1}; the workshop needs Python {2}.{3} or later.",
        "→ Install it and type: make {4} PYTHON=python{2}.{3}",
    ),
    "ja": (
        "✗ この Python は {0}.{1} です。ワークショップには Python {2}.{3} 以降が必要です。",
        "→ インストールしてから、次を入力してください: make {4} PYTHON=python{2}.{3}",
    ),
}


def newer_python():
    """Return the path of the first newer Python that exists and starts, or None."""
    import subprocess

    for name in NEWER:
        path = which(name)
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return path
    return None


def main():
    """Prepare the checkout with this Python or a newer one, or print what is missing."""
    if sys.version_info >= OLDEST:
        import preparing

        return preparing.main(sys.argv[1:], os.environ)
    path = newer_python()
    if path:
        os.execv(path, [path] + sys.argv)  # noqa: RUF005 (an old Python cannot read the new form)
    language = "en" if os.environ.get("HANDSON_LANG") == "en" else "ja"
    goal = os.environ.get("HANDSON_GOAL", "workshop")
    numbers = [sys.version_info[0], sys.version_info[1], OLDEST[0], OLDEST[1], goal]
    for sentence in SENTENCES[language]:
        line = sentence.format(*numbers)
        os.write(2, (line + "\n").encode("utf-8"))
    return 2


if __name__ == "__main__":
    sys.exit(main())
