"""The one error that a user's mistake raises."""


class ToileError(Exception):
    """Something the user gave is wrong: the message says what, with its value, and what to do instead.

    The command line prints the message on one line and exits with a code other than zero.
    """
