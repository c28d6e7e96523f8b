"""A business server that a test tells what to answer. It speaks TLS, because messages are told to nothing else."""

import hashlib
import json
import queue
import ssl
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from chat import PATIENCE

OK = {"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""}


class BusinessServer:
    def __init__(self, authority, token):
        self.token, self.count = token, 0
        self._answers, self._calls = {}, defaultdict(queue.Queue)
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"https://localhost:{self.http.server_port}/im"

    def call(self, command, **members):
        """The body of the next call of a command that has these members. Those that came before it are forgotten, and so is what
        was signed by nobody who knows the token."""
        end = time.monotonic() + PATIENCE
        while True:
            body = self._calls[command].get(timeout=max(0.0, end - time.monotonic()))
            if all(body.get(name) == value for name, value in members.items()):
                return body

    @contextmanager
    def answering(self, command, answer):
        """For a while, a command is answered with the status and the object that this makes of its body."""
        self._answers[command] = answer
        try:
            yield
        finally:
            del self._answers[command]

    def stop(self):
        self.http.shutdown()

    def _handler(server):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                query = {name: value for name, [value] in parse_qs(urlsplit(self.path).query).items()}
                signed = hashlib.sha256(f"{server.token}{query.get('RequestTime')}".encode()).hexdigest()
                command = query["CallbackCommand"]
                is_good = query.get("Sign") == signed and body["CallbackCommand"] == command
                status, answer = server._answers.get(command, lambda _: (200, OK))(body) if is_good else (403, {})
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                server.count += 1
                if is_good:
                    server._calls[command].put(body)

            def log_message(self, *_):
                pass

        return Handler
