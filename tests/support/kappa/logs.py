"""Log lines, and the requests that they belong to."""

import click

from kappa.commands import log_view
from kappa.commands.log_events import Event
from kappa.commands.log_requests import Requests, RequestTracker

A, B = "aaaaaaaa-411b-58b5-8483-a32130c0f45d", "bbbbbbbb-411b-58b5-8483-a32130c0f45d"
AT = 1_767_268_800_000


def start(request):
    return f"START RequestId: {request} Version: $LATEST"


def report(request, more=""):
    return (
        f"REPORT RequestId: {request}\tDuration: 12.30 ms\tBilled Duration: 13 ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: 45 MB\t{more}"
    )


def grouped(*lines):
    """The requests from (stream, message) pairs, logged a millisecond apart."""
    tracker, requests = RequestTracker(), Requests()
    events = [Event(AT + at, text, stream) for at, (stream, text) in enumerate(lines)]
    requests.add([tracker.entry(event) for event in events])
    return requests.take()


def looks(request):
    return click.unstyle(log_view.pretty(request)).splitlines()
