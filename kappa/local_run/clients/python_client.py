"""Lambda's runtime client for Python: loads the handler and runs it for each invocation.

A file by itself, run by the function's own Python, from 3.6 on: it must not import anything that
another Python lacks, use syntax that it cannot read, or load slowly.
Source: AWS Lambda guide, "Define Lambda function handler in Python", "Using the Lambda context
object to retrieve Python function information"; AWS's own client, awslambdaric, for the names of
errors and their words.

Its argument is JSON: {handler, source, compiled, debug_port, debug_path, sdk_path, sdk_names}.
"""

import _sitebuiltins
import builtins
import importlib.machinery
import json
import marshal
import os
import socket
import sys
import time
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_ROOT = "/2018-06-01/runtime"
_NAME = f"kappa-python/{sys.version_info[0]}.{sys.version_info[1]}"
# Source: AWS Lambda guide, "Lambda runtimes": from this version on, results are UTF-8.
_ASCII = sys.version_info < (3, 12)
# -O, also by PYTHONOPTIMIZE, leaves assertions out.
_TAG = f".{MAGIC_NUMBER.hex()}-{sys.flags.optimize}"


class Fault(Exception):
    """An error in how the function is made. `kind` is Lambda's name for it."""

    def __init__(self, kind: str, message: str, trace: "Iterable[str]" = ()) -> None:
        super().__init__(message)
        self.kind, self.trace = kind, list(trace)


class Api:
    """The Runtime API, over one connection."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = address
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")

    def next(self) -> "tuple[dict[str, str], bytes]":
        """Wait for an invocation; return its headers, in lower case, and its event."""
        return self._call("GET", "/invocation/next")

    def respond(self, request_id: str, body: bytes) -> None:
        """Send a result."""
        path = f"/invocation/{request_id}/response"
        self._call("POST", path, body, "Content-Type: application/json")

    def fail(self, path: str, error: "dict[str, object]") -> None:
        """Report an error."""
        header = f"Lambda-Runtime-Function-Error-Type: {error['errorType']}"
        self._call("POST", path, json.dumps(error).encode(), header)

    def _call(
        self, method: str, path: str, body: bytes = b"", *headers: str
    ) -> "tuple[dict[str, str], bytes]":
        lines = [
            f"{method} {_ROOT}{path} HTTP/1.1",
            f"Host: {self._address}",
            f"User-Agent: {_NAME}",
            f"Content-Length: {len(body)}",
        ]
        head = "\r\n".join([*lines, *headers, "\r\n"])
        self._socket.sendall(head.encode("latin-1", "replace") + body)
        if not self._stream.readline():
            os._exit(0)  # kappa has ended
        answer = {}
        for line in iter(self._stream.readline, b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            answer[name.lower()] = value.strip()
        return answer, self._stream.read(int(answer["content-length"]))


class CognitoIdentity:
    """The user of a mobile SDK, whom a local invocation does not have."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class Context:
    """The context that the handler gets beside the event."""

    def __init__(self, headers: "dict[str, str]") -> None:
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = CognitoIdentity()
        self.client_context = None
        self.tenant_id = None
        self._deadline_ms = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self) -> int:
        """How long the handler may still run."""
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message: object) -> None:
        """Write to the log."""
        sys.stdout.write(str(message))


class Sdk:
    """Finds the SDK that Lambda's runtime has, where the code brings none."""

    def __init__(self, path: str, names: "Iterable[str]") -> None:
        self._path, self._names = [path], frozenset(names)

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> "ModuleSpec | None":
        """Find a package of the SDK by its name."""
        if path is None and name in self._names:
            return importlib.machinery.PathFinder.find_spec(name, self._path)
        return None


class CodeLoader(importlib.machinery.SourceFileLoader):
    """Loads a module of the unpacked code, and keeps it compiled in a place of its own.

    The module's file is the unpacked one. A traceback or a debugger names the file that was packed,
    where that is still the same.
    """

    root = source = compiled = ""

    def get_code(self, fullname: str) -> "Any":  # noqa: ANN401 - a code object
        """Load the module's code; compile it if that has not been done yet."""
        path = self.get_filename(fullname)
        name = os.path.relpath(path, self.root)
        cached = os.path.join(self.compiled, name + _TAG)  # noqa: PTH118
        try:
            with open(cached, "rb") as file:  # noqa: PTH123
                return marshal.load(file)  # nobody else writes there
        except (OSError, EOFError, ValueError, TypeError):
            pass
        content = self.get_data(path)
        code = self.source_to_code(content, self._shown(path, name, content))
        try:
            os.makedirs(os.path.dirname(cached), exist_ok=True)  # noqa: PTH103, PTH120
            temporary = f"{cached}.{os.getpid()}"
            with open(temporary, "wb") as file:  # noqa: PTH123
                marshal.dump(code, file)
            os.replace(temporary, cached)  # noqa: PTH105
        except OSError:
            pass
        return code

    def _shown(self, path: str, name: str, content: bytes) -> str:
        own = os.path.join(self.source, name)  # noqa: PTH118
        try:
            with open(own, "rb") as file:  # noqa: PTH123
                return own if file.read() == content else path
        except OSError:
            return path


def use_code_loader(root: str, source: str, compiled: str) -> None:
    """Load the modules below `root` with the loader above."""
    CodeLoader.root, CodeLoader.source, CodeLoader.compiled = root, source, compiled
    machinery = importlib.machinery
    make = machinery.FileFinder.path_hook(
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (CodeLoader, machinery.SOURCE_SUFFIXES),
        (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
    )

    def hook(path: str) -> "Any":  # noqa: ANN401 - a finder
        if path != root and not path.startswith(root + os.sep):
            raise ImportError
        return make(path)

    sys.path_hooks.insert(0, hook)


class LoggingSetUp:
    """Gives the root logger Lambda's handler once the function imports logging, and not before.

    Few trivial functions use it, and it takes longer to import than all of this file.
    """

    def __init__(self) -> None:
        self.request_id = ""

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> "ModuleSpec | None":
        """Find logging, and add to what its import does."""
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name)
        loader: Any = spec.loader if spec else None
        if loader is None:
            return None
        execute = loader.exec_module

        def exec_module(module: "ModuleType") -> None:
            execute(module)
            self._add_handler(module)

        loader.exec_module = exec_module
        return spec

    def _add_handler(self, logging: "Any") -> None:  # noqa: ANN401 - the module
        is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
        handler = logging.StreamHandler(sys.stdout)
        handler.format = self._as_json if is_json else self._as_text
        logging.root.addHandler(handler)
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
        if is_json and level:
            logging.root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))
        self._formatter = logging.Formatter()

    def _as_text(self, record: "Any") -> str:  # noqa: ANN401 - a LogRecord
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = self._formatter.format(record)  # the message, with its traceback
        return f"[{record.levelname}]\t{moment}.{record.msecs:03.0f}Z\t{self.request_id}\t{text}"

    def _as_json(self, record: "Any") -> str:  # noqa: ANN401 - a LogRecord
        line = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": self.request_id,
        }
        error = record.exc_info and record.exc_info[1]
        if error:
            line["errorType"], line["errorMessage"] = type(error).__name__, str(error)
            line["stackTrace"] = frames(error)
        return json.dumps(line, ensure_ascii=_ASCII, default=str)


def load(handler: str) -> "Callable[[object, Context], object]":
    """Import the handler.

    Raises: Fault.
    """
    module_name, dot, name = handler.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}'")
    if module_name.split(".")[0] in sys.builtin_module_names:
        text = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", text)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        text = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", text, frames(error)) from error
    except SyntaxError as error:
        text = f"Syntax error in module '{module_name}': {error}"
        line = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        # Python names no line of code with null bytes, such as UTF-16.
        lines = [line] if error.filename else []
        raise Fault("Runtime.UserCodeSyntaxError", text, lines) from error
    if not hasattr(module, name):
        text = f"Handler '{name}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", text)
    return getattr(module, name)  # type: ignore[no-any-return]


def frames(error: BaseException) -> "list[str]":
    """The lines of a traceback, without the frames of this file and of the import system."""
    import traceback

    own = (__file__, importlib.__file__)
    entries = [
        entry
        for entry in traceback.extract_tb(error.__traceback__)
        if entry.filename not in own and not entry.filename.startswith("<frozen importlib")
    ]
    return traceback.format_list(entries)


def describe(error: Exception, request_id: str = "") -> "dict[str, object]":
    """Describe an exception as Lambda does."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - Python's own words for it
        message = "<exception str() failed>"
    return {
        "errorMessage": message,
        "errorType": error.kind if isinstance(error, Fault) else type(error).__name__,
        "requestId": request_id,
        "stackTrace": error.trace if isinstance(error, Fault) else frames(error),
    }


def to_json(value: object) -> bytes:
    """Write JSON as Lambda does, where a Decimal is a number.

    Raises: TypeError, ValueError, RecursionError.
    """
    return json.dumps(value, default=_number, ensure_ascii=_ASCII).encode()


def _number(value: object) -> "int | float":
    from decimal import Decimal

    if not isinstance(value, Decimal):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    is_whole = value.is_finite() and value == value.to_integral_value()
    return int(value) if is_whole else float(value)


def invoke(
    handle: "Callable[[object, Context], object]", payload: bytes, context: Context
) -> bytes:
    """Run the handler for one event; return its result as JSON.

    Raises: Fault, and whatever the handler raises.
    """
    try:
        event = json.loads(payload.decode())
    except ValueError as error:
        text = f"Unable to unmarshal input: {error}"
        raise Fault("Runtime.UnmarshalError", text) from error
    result = handle(event, context)
    try:
        return to_json(result)
    except (TypeError, ValueError, RecursionError) as error:
        text = f"Unable to marshal response: {error}"
        raise Fault("Runtime.MarshalError", text) from error


def run(api: Api, handle: "Callable[[object, Context], object]", log: LoggingSetUp) -> None:
    """Answer invocations until kappa ends."""
    while True:
        headers, payload = api.next()
        log.request_id = headers["lambda-runtime-aws-request-id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        try:
            body = invoke(handle, payload, Context(headers))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its answer
            error_path = f"/invocation/{log.request_id}/error"
            api.fail(error_path, describe(error, log.request_id))
        else:
            api.respond(log.request_id, body)


def await_debugger(port: int, path: str) -> None:
    """Wait until a debugger has attached. Its package stays importable: it imports late."""
    sys.path.append(path)
    import debugpy  # type: ignore[import-not-found]

    debugpy.listen(("127.0.0.1", port))
    debugpy.wait_for_client()


def main() -> None:
    """Load the handler and run it."""
    given = json.loads(sys.argv[1])
    own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib loads slowly
    root = os.environ["LAMBDA_TASK_ROOT"]
    sys.argv = ["bootstrap.py", given["handler"]]
    sys.path = [root, *(path for path in sys.path if path != own)]
    use_code_loader(root, given["source"], given["compiled"])
    for name in ("exit", "quit"):  # which -S leaves out
        setattr(builtins, name, _sitebuiltins.Quitter(name, ""))
    log = LoggingSetUp()
    sys.meta_path.insert(0, log)
    sys.meta_path.append(Sdk(given["sdk_path"], given["sdk_names"]))
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    if given["debug_port"]:
        await_debugger(given["debug_port"], given["debug_path"])
    try:
        handle = load(given["handler"])
    except Exception as error:  # noqa: BLE001 - whatever a module raises is its answer
        api.fail("/init/error", describe(error))
        sys.exit(1)
    run(api, handle, log)


if __name__ == "__main__":
    main()
