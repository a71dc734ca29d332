"""The doctor: examines a dataset on disk, names what is wrong, file by file, and says what to do.

It reads folders and files by itself and trusts nothing, since it is meant for data that no reader can open.
"""
