"""Be one container: import a handler, then run events that come on standard input.

Usage: run_handler.py MODULE, with {"first": event, "events": [event, ...]} on standard input.
Writes {"init_ms", "first_ms", "each_ms"}: the processor time of this process until the handler is
ready, for the first event, and for each further one.
"""

import json
import os
import sys
import time
from types import SimpleNamespace

given = json.load(sys.stdin)
answers, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115, PTH123 - the log is dropped
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
