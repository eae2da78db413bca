"""Act as one Lambda container: import a handler, then run the events from standard input.

Usage: run_handler.py MODULE, with a JSON list of events on standard input.
Prints the milliseconds of this process's processor time to import the handler, for the first
event, and for each later event.
"""

import json
import os
import sys
import time
from types import SimpleNamespace

first, *others = json.load(sys.stdin)
answers, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115, PTH123 - discards the log
context = SimpleNamespace(aws_request_id="0")
start_s = time.process_time()
handler = __import__(sys.argv[1]).handler
ready_s = time.process_time()
handler(first, context)
warm_s = time.process_time()
for event in others:
    handler(event, context)
each_s = (time.process_time() - warm_s) / max(1, len(others))
json.dump([1000 * part_s for part_s in (ready_s - start_s, warm_s - ready_s, each_s)], answers)
