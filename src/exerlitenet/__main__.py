"""`python -m exerlitenet` is the command `exerlitenet`."""

from exerlitenet.cli import main

if __name__ == "__main__":
    main()
