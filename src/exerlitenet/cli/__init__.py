"""The command line: one file per verb; each imports its room only when it runs."""


def main() -> None:
    """Entry point of the command `exerlitenet`."""
    from exerlitenet.cli.app import run

    run()
