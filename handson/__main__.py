"""`python -m handson` is the command `handson`."""

from __future__ import annotations

import sys

from handson.cli import main

if __name__ == "__main__":
    sys.exit(main())
