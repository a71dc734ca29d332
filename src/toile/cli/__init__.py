"""The command line: every command calls a typed function that Python users call too."""
