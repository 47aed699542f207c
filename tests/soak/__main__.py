"""A program: what takes too long for the test suite. `make soak`."""

import sys
import time

from soak import fuzz, kills, round_trips


def main():
    """Run all of it, and print a closing summary."""
    start = time.monotonic()
    copying = round_trips.main()
    killing, damaging = len(kills.main()), fuzz.main()
    minutes = (time.monotonic() - start) / 60
    print(
        f"soak: {copying} findings of round trips, {killing} of kills, {damaging} of damaged "
        f"files, in {minutes:.0f} min"
    )
    return bool(copying or killing or damaging)


if __name__ == "__main__":
    sys.exit(main())
