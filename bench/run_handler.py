"""Act as one Lambda container: import a handler, then run the events from standard input.

Usage: run_handler.py MODULE, with {"first": event, "events": [event, ...]} on standard input.
Prints {"init_ms", "first_ms", "each_ms"}: this process's processor time to import the handler, for
the first event, and for each later event.
"""

import json
import os
import sys
import time
from types import SimpleNamespace

given = json.load(sys.stdin)
answers, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115, PTH123 - discards the log
context = SimpleNamespace(aws_request_id="0")
start_s = time.process_time()
handler = __import__(sys.argv[1]).handler
ready_s = time.process_time()
handler(given["first"], context)
warm_s = time.process_time()
for event in given["events"]:
    handler(event, context)
end_s = time.process_time()
times = {
    "init_ms": 1000 * (ready_s - start_s),
    "first_ms": 1000 * (warm_s - ready_s),
    "each_ms": 1000 * (end_s - warm_s) / max(1, len(given["events"])),
}
json.dump(times, answers)
