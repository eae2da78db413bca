"""Functions of Node.js: each style of handler, streams, and errors in Lambda's words."""

import contextlib
import json
import shutil

import pytest

from kappa.local_run.function import LocalFunction
from kappa.local_run.url_response import Stream
from kappa.package.pack import read_archive
from tests.unit.kappa.local_run.test_function import invoke

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
# One process for many tests: the event names the case.
CODE = """
const cases = {
  value: async (event, context) => [event.x, context.functionName, context.memoryLimitInMB],
  nothing: () => {},
  callback: (event, context, callback) => { setTimeout(() => callback(null, "later"), 5); },
  refused: (event, context, callback) => callback(new TypeError("cold")),
  throws: async () => { throw new RangeError("boiling"); },
  circular: async () => { const a = {}; a.a = a; return a; },
  left: async (event, context) => context.getRemainingTimeInMillis(),
  logs: async () => { console.log("two\\nlines", { a: 1 }); console.error("red"); },
};
export const handler = (event, ...more) => cases[event.case](event, ...more);
export const streamed = awslambda.streamifyResponse(async (event, stream) => {
  if (event.early) throw new Error("early");
  const head = { statusCode: 201, cookies: ["a=b"] };
  stream = awslambda.HttpResponseStream.from(stream, head);
  stream.write("one");
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (; event.endless; await null) stream.write("x".repeat(100));
  if (event.late) throw new Error("late");
  if (event.nobody) await new Promise(() => setTimeout(() => { throw new Error("nobody"); }));
  stream.write("two");
  if (!event.open) stream.end();
});
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory, cache):
    """Two processes of one module, for the tests that only use them."""
    from kappa.config.read import read_config
    from tests.unit.kappa.local_run.conftest import CALLER, Recorded

    folder = tmp_path_factory.mktemp("node")
    (folder / "code").mkdir()
    (folder / "code/app.mjs").write_text(CODE)
    recorded, functions = Recorded(), {}
    for name in ("handler", "streamed"):
        text = f"lambda: {{name: n, path: code, handler: app.{name}, runtime: nodejs22.x}}"
        (folder / "config.yml").write_text(text)
        config = read_config(folder / "config.yml", "")
        given = {"log": recorded.log, "warn": recorded.warnings.append}
        functions[name] = LocalFunction(config, read_archive(config), CALLER, **given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        for function in functions.values():
            function.__enter__()
    with contextlib.closing(functions["handler"]), contextlib.closing(functions["streamed"]):
        yield functions, recorded


def case(running, name, **event):
    return invoke(running[0]["handler"], {"case": name, **event})


def test_results_come_in_any_style(running):
    assert case(running, "value", x=1)[0] == [1, "n", "128"]
    assert case(running, "nothing")[0] is None
    assert case(running, "callback")[0] == "later"
    assert 2000 < case(running, "left")[0] <= 3000


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("refused", "TypeError", "cold"),
        ("throws", "RangeError", "boiling"),
        ("circular", "Runtime.JSONStringifyError", "Unable to stringify response body"),
    ],
)
def test_errors_have_a_type_and_a_trace(running, name, kind, words):
    payload, result = case(running, name)
    assert (payload["errorType"], result.error) == (kind, "Unhandled")
    assert words in payload["errorMessage"]
    assert all("app.mjs" in line for line in payload["trace"] if line.startswith("    at "))


def test_the_console_writes_as_on_lambda(running):
    _, recorded = running
    recorded.lines.clear()
    _, result = case(running, "logs")
    first, second = recorded.lines
    assert first.endswith(f"Z\t{result.report.request_id}\tINFO\ttwo\rlines {{ a: 1 }}")
    assert second.endswith("\tERROR\tred")


def test_a_stream_comes_piece_by_piece_behind_its_prelude(running):
    with running[0]["streamed"].stream(b"{}") as response:
        assert response.is_streamed
        stream = Stream(response.content_type)
        chunks = response.chunks()
        first = next(filter(None, map(stream.feed, chunks)))
        assert response.result is None
        rest = b"".join(map(stream.feed, chunks))
    assert (stream.head.status, stream.head.headers[1]) == (201, ("Set-Cookie", "a=b"))
    assert (first, rest) == (b"one", b"two")
    assert response.result.report.duration_ms >= 45


@pytest.mark.parametrize(
    ("event", "words", "chunks"),
    [
        ({"early": 1}, "early", 0),
        ({"late": 1}, "late", 2),
        ({"open": 1}, "Response stream is not finished.", 3),
    ],
)
def test_a_stream_may_fail_at_any_time(running, event, words, chunks):
    with running[0]["streamed"].stream(json.dumps(event).encode()) as response:
        assert (response.result is not None) == ("early" in event)
        assert len(list(response.chunks())) == chunks
    assert response.result.error == "Unhandled"
    assert words in json.loads(response.result.payload)["errorMessage"]
    assert running[0]["streamed"]._sandbox is not None


def test_a_stream_without_an_end_is_ended(running):
    with running[0]["streamed"].stream(b'{"endless": 1}') as response:
        for _ in response.chunks():
            pass
    assert response.result.error
    error = json.loads(response.result.payload)["errorType"]
    assert error in ("Sandbox.Timedout", "Runtime.OutOfMemory", "Function.ResponseSizeTooLarge")


def test_what_nobody_catches_ends_a_stream_too(running):
    with running[0]["streamed"].stream(b'{"nobody": 1}') as response:
        list(response.chunks())
    assert json.loads(response.result.payload)["errorMessage"] == "nobody"


@pytest.mark.parametrize(
    ("files", "kind", "words"),
    [
        ({"app.mjs": "export const a = ;"}, "Runtime.UserCodeSyntaxError", "code/app.mjs:1"),
        ({"app.cjs": "\nfoo("}, "Runtime.UserCodeSyntaxError", "code/app.cjs:2"),
        ({"app.js": "require('tea-pot')"}, "Runtime.ImportModuleError", "tea-pot"),
        ({"app.mjs": "import 'tea-pot'"}, "Runtime.ImportModuleError", "tea-pot"),
        ({"app.js": "exports.x = 1"}, "Runtime.HandlerNotFound", "app.handler is undefined"),
        (
            {"app.js": "exports.handler = async () => { Promise.reject(Error('nobody')); await new "
             "Promise(() => setTimeout(() => {}, 2000)); }"},
            "Runtime.UnhandledPromiseRejection",
            "nobody",
        ),
    ],
)  # fmt: skip
def test_a_failure_is_worded_as_lambda_words_it(function_of, config_of, files, kind, words):
    config = config_of(files, runtime="nodejs22.x")
    with function_of("", config) as function:
        payload, _ = invoke(function)
        assert payload["errorType"] == kind
        assert words in function.shown(json.dumps(payload))


@pytest.mark.parametrize(
    ("runtime", "handler", "answer"),
    [
        (
            "nodejs24.x",
            "async (event, context, callback) => 1",
            "Runtime.CallbackHandlerDeprecated",
        ),
        ("nodejs24.x", "async (event, context) => 1", 1),
        ("nodejs22.x", "async (event, context, callback) => 1", 1),
    ],
)
def test_callbacks_end_with_node_24(function_of, config_of, runtime, handler, answer):
    config = config_of({"app.js": f"exports.handler = {handler}"}, runtime=runtime)
    with function_of("", config) as function:
        payload, result = invoke(function)
    assert (payload["errorType"] if result.error else payload) == answer


@pytest.mark.parametrize(
    "files",
    [
        {"app.mjs": "import {a} from '@aws-sdk/tea'; export const handler = async () => a"},
        {"app.js": "const {a} = require('@aws-sdk/tea'); exports.handler = async () => a"},
    ],
)
def test_the_sdk_is_found_where_the_project_has_it(function_of, config_of, tmp_path, files):
    sdk = tmp_path / "node_modules/@aws-sdk/tea"
    sdk.mkdir(parents=True)
    (sdk / "index.js").write_text("exports.a = 'own'")
    with function_of("", config_of(files, runtime="nodejs22.x")) as function:
        assert invoke(function)[0] == "own"
