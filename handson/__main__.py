"""The command `handson`, also as `python -m handson`; Ctrl-C while it loads ends it quietly."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the command and run it."""
    try:
        from handson import cli  # takes long enough for Ctrl-C
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
