# SPDX-License-Identifier: MIT
"""Servers to push to: strict ones for profiles, which take nothing that the documentation of the
real ones does not allow, and Debian's push gateway and Prometheus.

Pyroscope: "Server HTTP API" and its validation (pkg/validation); Parca: profilestore.proto and its
validation (pkg/normalizer), over a real gRPC."""
import base64
import contextlib
import gzip
import http.server
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import harness
import pprof

PROTO = os.path.join(harness.ROOT, "record", "profile.proto")
SYSTEM_PYTHON = "/usr/bin/python3"  # the distribution's grpc belongs to it
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"


class Refused(Exception):
    """What a server says of a request that is not as it should be."""


def require(condition, why):
    if not condition:
        raise Refused(why)


def certificate(case):
    """(key, certificate) that nobody signed, for 127.0.0.1."""
    key, cert = case.path("key.pem"), case.path("certificate.pem")
    subprocess.run([case.need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True, timeout=60)
    return key, cert


def protoc_fields(raw, proto=PROTO, message="perftools.profiles.Profile"):
    """The message as protoc prints it. A field it does not know is printed by its number."""
    done = subprocess.run(["protoc", f"--proto_path={os.path.dirname(proto)}", f"--decode={message}",
                           proto], input=raw, capture_output=True, timeout=60, check=False)
    require(done.returncode == 0, done.stderr.decode())
    text = done.stdout.decode("utf-8", "surrogateescape")
    require(not re.search(r"(?m)^\s*\d+[:\s]", text), "a field that is not in the .proto")
    return text


class Pushed:
    """One profile that was taken: labels, the pprof profile, when it came."""

    def __init__(self, labels, raw):
        self.labels, self.raw, self.time = labels, raw, time.monotonic()
        require(raw[:2] == b"\x1f\x8b", "not gzip")
        with tempfile.NamedTemporaryFile(suffix=".pb.gz") as f:
            f.write(raw)
            f.flush()
            self.profile = pprof.Profile(f.name)
        self.text = protoc_fields(gzip.decompress(raw))
        types = [name for name, _ in self.profile.sample_types]
        require(types and all(re.fullmatch(r"\w+", t, re.A) for t in types),
                f"sample type contains -: {types}")
        require("period_type {" in self.text, "no period type")
        require(re.search(r"(?m)^time_nanos: [1-9]", self.text), "no time")


def check_series_labels(pairs):
    labels = dict(pairs)
    require(len(labels) == len(pairs), "duplicate label name")
    require(len(pairs) <= 30, "too many labels")
    for name, value in pairs:
        require(re.fullmatch(LABEL, name), f"invalid label name {name!r}")
        require(0 < len(value.encode()) <= 2048, f"invalid label value {value!r}")
    require(labels.get("__name__"), "missing __name__ label")
    require(labels.get("service_name"), "service name is not provided")
    return labels


def take_push(handler, body):
    """push.v1.PusherService/Push of the Connect protocol, in JSON, as the server generated from
    Pyroscope's own definitions takes it (Go module github.com/grafana/pyroscope/api v1.6.0)."""
    require(handler.headers["Content-Type"] == "application/json", "content type")
    request = json.loads(body)
    require(set(request) == {"series"} and len(request["series"]) == 1, "fields of the request")
    series = request["series"][0]
    require(set(series) == {"labels", "samples"} and len(series["samples"]) == 1, "of the series")
    sample = series["samples"][0]
    require(set(sample) == {"ID", "rawProfile"}, "of the sample")
    require(re.fullmatch(UUID, sample["ID"]), "no UUID")
    labels = check_series_labels([(label["name"], label["value"]) for label in series["labels"]])
    return Pushed(labels, base64.b64decode(sample["rawProfile"], validate=True))


def take_ingest(handler, body):
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(handler.path).query,
                                        strict_parsing=True))
    require(set(query) == {"name", "from", "until", "format", "spyName"}, f"parameters {query}")
    require(query["format"] == "pprof", "format")
    require(int(query["from"]) <= int(query["until"]) <= time.time() + 60, "times")
    name = re.fullmatch(r"([\w./-]+)\{((?:\w+=[^{}=,]*,?)*)\}", query["name"])
    require(name, f"name {query['name']!r}")
    pairs = [pair.split("=", 1) for pair in name[2].split(",") if pair]
    return Pushed(check_series_labels([("__name__", "process_cpu"), ("service_name", name[1]),
                                       *map(tuple, pairs)]), body)


class Server(http.server.ThreadingHTTPServer):
    """Takes profiles into .pushed. `behave(handler, n)` may answer the n-th request otherwise and
    return True. .requests: (method, path, headers) of all."""
    daemon_threads = True
    paths = {"/push.v1.PusherService/Push": take_push, "/ingest": take_ingest}

    def __init__(self, port=0, behave=None, tls=None):
        super().__init__(("127.0.0.1", port), Handler)
        self.pushed, self.refused, self.requests, self.behave = [], [], [], behave
        self.scheme = "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the tests

    def stop(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, text="", headers=()):
        data = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    def take(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.requests.append((self.command, self.path, dict(self.headers)))
        if server.behave and server.behave(self, len(server.requests)):
            return
        take = server.paths.get(urllib.parse.urlsplit(self.path).path)
        try:
            require(take and self.command == "POST", f"no {self.command} {self.path}")
            server.pushed.append(take(self, body))
        except (Refused, ValueError, KeyError, TypeError) as e:
            server.refused.append(repr(e))
            self.answer(400, json.dumps({"code": "invalid_argument", "message": str(e)}))
            return
        self.answer(200, "{}", [("Content-Type", "application/json")])

    do_POST = do_PUT = take


# The numbers are those of Parca's own client (npm: @parca/client 0.17.24).
PARCA = """syntax = "proto3";
package parca.profilestore.v1alpha1;
message WriteRawRequest {
  string tenant = 1; repeated RawProfileSeries series = 2; bool normalized = 3; }
message RawProfileSeries { LabelSet labels = 1; repeated RawSample samples = 2; }
message Label { string name = 1; string value = 2; }
message LabelSet { repeated Label labels = 1; }
message RawSample { bytes raw_profile = 1; }
"""


def message_fields(data):
    parts = {}
    for number, value in pprof.fields(data):
        parts.setdefault(number, []).append(value)
    return parts


def take_write_raw(data, folder):
    proto = os.path.join(folder, "profilestore.proto")
    with open(proto, "w", encoding="ascii") as f:
        f.write(PARCA)
    text = protoc_fields(data, proto, "parca.profilestore.v1alpha1.WriteRawRequest")
    require(re.search(r"(?m)^normalized: true$", text), "addresses are not said to be normalized")
    series, = message_fields(data)[2]
    series = message_fields(series)
    label_set, = series[1]
    pairs = [tuple(m[i][0].decode() for i in (1, 2))
             for m in map(message_fields, message_fields(label_set)[1])]
    sample, = series[2]
    return Pushed(check_series_labels(pairs), message_fields(sample)[1][0])


class Parca:
    """parca_server.py until the end of the test."""
    method = "/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw"

    def __init__(self, case, status="OK", tls=()):
        probe = subprocess.run([SYSTEM_PYTHON, "-c", "import grpc"], capture_output=True, timeout=60,
                               check=False)
        if probe.returncode != 0:
            case.missing("no python3-grpcio")
        self.folder = tempfile.mkdtemp(dir=case.dir)
        script = os.path.join(harness.HERE, "parca_server.py")
        process = subprocess.Popen([SYSTEM_PYTHON, "-B", script, self.folder, status, *tls],
                                   stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
        case.addCleanup(process.stdout.close)
        case.addCleanup(harness.end_group, process)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{int(process.stdout.readline())}"

    @property
    def requests(self):
        return [harness.read_bytes(os.path.join(self.folder, name))
                for name in sorted(os.listdir(self.folder), key=int)]

    def pushed(self, folder):
        return [take_write_raw(data, folder) for data in self.requests]


# -- Debian's --------------------------------------------------------------------------------------
def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def start_program(case, health, *argv):
    """A server of its own until the end of the test, once `health` answers."""
    log = case.path(os.path.basename(argv[0]) + ".log")
    with open(log, "wb") as out:
        process = subprocess.Popen(argv, cwd=case.dir, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=out, start_new_session=True)
    case.addCleanup(harness.end_group, process)

    def ready():
        if process.poll() is not None:
            raise AssertionError(harness.read_bytes(log).decode())
        with contextlib.suppress(OSError):
            return get(health)
        return None
    harness.wait_until(ready, 30, argv[0])


def push_gateway(case):
    program = case.need("prometheus-pushgateway")
    url = f"http://127.0.0.1:{free_port()}"
    start_program(case, url + "/-/ready", program, f"--web.listen-address={url[7:]}")
    return url


def prometheus(case, gateway):
    program = case.need("prometheus")
    url = f"http://127.0.0.1:{free_port()}"
    config = case.path("prometheus.yml")
    with open(config, "w", encoding="ascii") as f:
        json.dump({"scrape_configs": [
            {"job_name": "gateway", "honor_labels": True, "scrape_interval": "1s",
             "scrape_timeout": "1s", "static_configs": [{"targets": [gateway[7:]]}]}]}, f)
    start_program(case, url + "/-/ready", program, f"--config.file={config}",
                  f"--storage.tsdb.path={case.path('tsdb')}", f"--web.listen-address={url[7:]}")
    return url


def query(url, expression):
    answer = json.loads(get(f"{url}/api/v1/query?query={urllib.parse.quote(expression)}"))
    return answer["data"]["result"]
