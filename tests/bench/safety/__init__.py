"""What must not happen on other people's clusters, in verdicts and with secrets, shown on real engines.

Every scenario is seen from outside, through the command line alone, so that an older version can be put through it too.
"""
