"""The one exception a user is meant to see: bad input, said in one line."""

from __future__ import annotations


class InputError(Exception):
    """What the user gave cannot be used.

    The message is one line: what was expected, what came, and what to do next. Commands print it on stderr and exit
    with status 2; programs may catch it. Any other exception that escapes is a defect of this package.

    Examples:
        >>> from exerlitenet import InputError, recognize
        >>> try:
        ...     recognize("not-there.mp4")
        ... except InputError as error:
        ...     print(error)
        not-there.mp4: no such file; check the path
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
