"""The command line as a program, which can be interrupted from its first to its last moment."""

import signal
import sys


def main() -> None:
    """Run `tfsr.cli.main`."""
    try:
        from tfsr.cli import main
        from tfsr.cli.interrupt import InterruptedExit, end_now
    except KeyboardInterrupt:
        print("tfsr: interrupted", file=sys.stderr)
        sys.exit(130)
    try:
        main()
    except InterruptedExit:
        end_now()
    finally:
        # While the interpreter ends, an exception would be a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
