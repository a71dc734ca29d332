"""`python -m toile` is the command `toile`."""

import sys

from toile.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
