"""`python -m tfsr`: the command line, where no script is installed."""

from tfsr.cli import main

if __name__ == "__main__":
    main()
