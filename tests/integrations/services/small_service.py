"""A small real web service: /health and /metrics.json, with the misbehaviours that the tests need."""

import argparse
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ARGUMENTS = argparse.ArgumentParser()
ARGUMENTS.add_argument("--port", type=int, required=True)
ARGUMENTS.add_argument("--release", default="")
ARGUMENTS.add_argument("--health", default='{"status": "healthy", "database": "connected", "latency": 15}')
ARGUMENTS.add_argument("--code", type=int, default=200)
ARGUMENTS.add_argument("--metrics", default='{"requests": 200, "failed": 3, "p95_ms": 42.5, "window_s": 60}')
ARGUMENTS.add_argument("--answers", action="append", default=[], help="PATH=CODE, for other paths than /health")
ARGUMENTS.add_argument("--trickle", action="store_true", help="answer one byte at a time")
ARGUMENTS.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
ARGUMENTS.add_argument("--child", action="store_true", help="start a child that ignores SIGTERM")
ARGUMENTS.add_argument("--end", action="store_true", help="say so and end at once")
ARGUMENTS.add_argument("--say", default="ready")
ARGUMENTS.add_argument("--starts", help="a file that gets one line for each start")
DEAF_CHILD = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(120)"


def parts(text: str) -> tuple[str, str, str]:
    return text.partition("=")


class Handler(BaseHTTPRequestHandler):
    """Answers as the arguments say."""

    def do_GET(self) -> None:
        options = ARGUMENTS.parse_args()
        text = (options.health if self.path == "/health" else options.metrics).encode()
        codes = {"/health": options.code, **{path: int(code) for path, _, code in map(parts, options.answers)}}
        self.send_response(codes.get(self.path, 200))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        for byte in text:
            self.wfile.write(bytes([byte]))
            if options.trickle:
                time.sleep(0.2)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def main() -> int:
    options = ARGUMENTS.parse_args()
    if options.starts:
        with Path(options.starts).open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
    if options.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.child:
        subprocess.Popen([sys.executable, "-S", "-c", DEAF_CHILD])
    print(options.say, flush=True)
    if not options.end:
        ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()
    return 1


sys.exit(main())
