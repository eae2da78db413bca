"""The command serve: the function's URL on this machine, with code and config as they are now.

Owns which code answers a request. the command's file prints what the callbacks get.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from functools import partial
from itertools import count

import msgspec

from kappa.commands.local_caller import read_caller
from kappa.commands.log_events import Event
from kappa.commands.reloader import Reloader
from kappa.commands.served_process import ServedProcess
from kappa.commands.session import Session
from kappa.commands.workers import Retired, Workers
from kappa.config.model import Function
from kappa.errors import KappaError
from kappa.local_run.function import Caller
from kappa.local_run.gate import refusal_reason
from kappa.local_run.server import HOST, Exchange, Server, TooLarge
from kappa.local_run.url_answer import Call, Sink, Site, answer, turned_away
from kappa.local_run.url_event import Request, Url
from kappa.local_run.url_response import MAX_REQUEST_BYTES, too_large
from kappa.plan.step import Clock

# How long a connection may do nothing.
_IDLE_S = 75


class Access(msgspec.Struct, frozen=True):
    """A request that was answered."""

    at_ms: int
    method: str
    target: str
    status: int
    size_bytes: int
    duration_ms: float

    def as_object(self) -> dict[str, object]:
        """Its facts for a script."""
        time = Event(self.at_ms, "").time
        return {
            "time": time,
            "method": self.method,
            "target": self.target,
            "status": self.status,
            "size_bytes": self.size_bytes,
            "duration_ms": round(self.duration_ms, 1),
        }


class Callbacks(msgspec.Struct, frozen=True):
    """What is called when something happens, from any thread.

    log: a line of the function's log, as CloudWatch would have it. access: a request has ended.
    loaded: a version was made; the text names whose credentials the first one has. note: AWS would
    not answer as the function intends. warn: something else differs from AWS. failed: the files
    cannot be served as they are. crashed: a bug of kappa.
    """

    log: Callable[[Event], None]
    access: Callable[[Access], None]
    loaded: Callable[[Session, str], None]
    note: Callable[[str], None]
    warn: Callable[[str], None]
    failed: Callable[[KappaError], None]
    crashed: Callable[[BaseException], None]


class Version(msgspec.Struct, frozen=True):
    """The function as its files were at one time."""

    session: Session
    site: Site
    workers: Workers[ServedProcess]


class Service:
    """The server, and the version of the function behind it."""

    def __init__(
        self,
        open_session: Callable[[], Session],
        port: int,
        concurrency: int,
        callbacks: Callbacks,
    ) -> None:
        self._open, self._concurrency = open_session, concurrency
        self._callbacks = callbacks
        self._numbers = count(1)
        self._warning, self._warned = threading.Lock(), set[str]()
        self._server = Server(
            self._respond,
            port=port,
            answered=self._report,
            crashed=callbacks.crashed,
            idle_s=_IDLE_S,
        )
        self._reloader: Reloader[Version] = Reloader(self._load, callbacks.failed, Clock())

    @property
    def url(self) -> str:
        """Where the function answers."""
        return f"http://{HOST}:{self._server.port}/"

    def load(self) -> Function:
        """Read config and code; return the function that they describe.

        Raises: KappaError, if they cannot be served.
        """
        return self._reloader.start().session.config.function

    def start(self) -> None:
        """Answer requests from now on, in threads, until close()."""
        self._server.start()

    def close(self) -> None:
        """End the server, the requests that run and every process."""
        self._server.close()
        if version := self._reloader.last():
            version.workers.close()

    def _load(self, before: Version | None) -> Version:
        session = self._open()
        if before and _is_same(before.session, session):
            return before
        caller = read_caller(session)
        make = partial(self._make, session, caller.caller)
        site = _site(session.config.function, self._server.port)
        version = Version(session, site, Workers(make, self._concurrency))
        self._callbacks.loaded(session, caller.notice if before is None else "")
        if before:
            before.workers.retire()
        return version

    def _make(self, session: Session, caller: Caller) -> ServedProcess:
        stream = f"process-{next(self._numbers)}"

        def log(at_ms: int, text: str) -> None:
            self._callbacks.log(Event(at_ms, text, stream))

        return ServedProcess(session, caller, log, self._warn_once)

    def _warn_once(self, text: str) -> None:
        with self._warning:
            is_new = text not in self._warned
            self._warned.add(text)
        if is_new:
            self._callbacks.warn(text)

    def _report(self, exchange: Exchange) -> None:
        self._callbacks.access(
            Access(
                exchange.at_ms,
                exchange.method,
                exchange.target,
                exchange.status,
                exchange.size_bytes,
                exchange.duration_ms,
            )
        )

    def _respond(self, exchange: Exchange) -> None:
        try:
            body = exchange.read(MAX_REQUEST_BYTES)
        except TooLarge:
            exchange.send(too_large())
            return
        request = Request(
            exchange.method, exchange.target, exchange.headers, body, exchange.protocol
        )
        version, last = self._reloader.current(), self._reloader.last()
        assert last is not None  # load() made one
        if refused := turned_away(last.site, request):
            if reason := refusal_reason(refused):
                self._callbacks.note(reason)
            exchange.send(refused)
            return
        call_id = (str(uuid.uuid4()), exchange.at_ms)
        invoke = partial(self._invoke, version)
        if note := answer(last.site, request, exchange, call_id, invoke):
            self._callbacks.note(note)

    def _invoke(self, version: Version | KappaError, call: Call, sink: Sink) -> str | None:
        """Have a version answer, or a newer one; return the text of a 502 if it failed."""
        while isinstance(version, Version):
            try:
                with version.workers.worker() as process:
                    return process.run(call, sink)
            except Retired:
                before, version = version, self._reloader.current()
                if version is before:
                    return "kappa serve has ended.\n"
            except KappaError as error:
                self._callbacks.failed(error)
                return f"{error}\n"
        return f"{version}\n"


def _is_same(before: Session, now: Session) -> bool:
    """Whether nothing changed that the function or its caller could see."""
    return _seen(before) == _seen(now)


def _seen(session: Session) -> tuple[object, ...]:
    config, archive = session.config, session.checked_zip
    return config.function, config.region, config.profile, archive and archive.sha256


def differences(function: Function) -> list[str]:
    """List what differs from the URL on AWS and a developer may not expect."""
    url = function.url
    if url is None:
        return [
            "The config has no lambda.url, so deploy creates no URL. This one acts as with "
            "`auth: NONE`."
        ]
    texts = []
    if url.auth == "AWS_IAM":
        texts.append("lambda.url.auth is AWS_IAM: signatures are not checked here.")
    if url.cors and "*" in url.cors.allow_origins:
        texts.append("lambda.url.cors lets every web page in your browser call this URL.")
    return texts


def _site(function: Function, port: int) -> Site:
    url = function.url
    return Site(
        Url(function.name, port, checks_callers=bool(url and url.auth == "AWS_IAM")),
        url.cors if url else None,
        streams=bool(url and url.invoke_mode == "RESPONSE_STREAM"),
    )
