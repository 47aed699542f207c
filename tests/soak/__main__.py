"""A program: what takes too long for the test suite. `make soak`."""

import sys
import time

from soak import fuzz, kills


def main():
    """Run all of it, and print a closing summary."""
    start = time.monotonic()
    killing, damaging = len(kills.main()), fuzz.main()
    minutes = (time.monotonic() - start) / 60
    print(f"soak: {killing} findings of kills, {damaging} of damaged files, in {minutes:.0f} min")
    return bool(killing or damaging)


if __name__ == "__main__":
    sys.exit(main())
