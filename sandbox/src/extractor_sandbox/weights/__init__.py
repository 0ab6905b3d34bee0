"""Model files, judged by what they hold: each reader raises Unfit where a file is not plain numbers.

Nothing is loaded. Headers are read, and the numbers themselves only where a checksum covers them.
"""
