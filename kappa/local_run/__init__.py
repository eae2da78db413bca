"""Run a function on this machine: its zip, unpacked, under a Runtime API of our own.

Here the packed code does run. `function` is what the commands use.
"""
