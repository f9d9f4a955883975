"""A small server of MLflow's interface on the loopback that keeps what it is told, and can be made to fail."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

Mode = Literal["good", "500", "hangs"]


class Tracking:
    """What the server knows. `after` such many batches of metrics it goes over to `then`; `mode` is how it is now."""

    def __init__(self, mode: Mode = "good", after: int | None = None, then: Mode = "good") -> None:
        self.mode, self.after, self.then = mode, after, then
        self.experiments: list[str] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.metrics: list[dict[str, Any]] = []
        self.params: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.batches, self.url = 0, ""
        self.hung, self.released = threading.Event(), threading.Event()

    def losses(self, name: str = "loss") -> dict[int, float]:
        """Values by step; MLflow keeps equal points once, and so does this."""
        found = {(m["step"], m["timestamp"], m["value"]) for m in self.metrics if m["key"] == name}
        assert len({step for step, _, _ in found}) == len(found), "two values at one step"
        return {step: value for step, _, value in sorted(found)}

    def answer(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """None: there is no such thing."""
        name = path.rpartition("mlflow/")[2]
        if name == "experiments/get-by-name":
            known = body["experiment_name"] in self.experiments
            return {"experiment": self._experiment(body["experiment_name"])} if known else None
        if name == "experiments/create":
            self.experiments.append(body["name"])
            return {"experiment_id": self.experiments.index(body["name"])}
        if name == "experiments/get":
            return {"experiment": self._experiment(self.experiments[int(body["experiment_id"])])}
        if name == "runs/create":
            self.runs["r1"] = {"status": "RUNNING", "name": body.get("run_name", ""), "tags": body.get("tags", [])}
            return {"run": self._run("r1")}
        if name == "runs/search":
            return {"runs": [self._run(number) for number in self.runs]}
        if name == "runs/get":
            return {"run": self._run(body["run_id"])} if body["run_id"] in self.runs else None
        if name == "runs/update":
            self.runs[body["run_id"]]["status"] = body["status"]
            return {"run_info": self._run(body["run_id"])["info"]}
        if name == "runs/set-tag":
            self.runs[body["run_id"]]["tags"].append({"key": body["key"], "value": body["value"]})
            return {}
        if name == "runs/log-batch":
            self.metrics += body.get("metrics", [])
            self.params |= {p["key"]: p["value"] for p in body.get("params", [])}
            self.batches += bool(body.get("metrics"))
            if self.batches == self.after:
                self.mode = self.then
            return {}
        return None

    def _experiment(self, name: str) -> dict[str, Any]:
        number = str(self.experiments.index(name))
        return {
            "experiment_id": number,
            "name": name,
            "artifact_location": f"mlflow-artifacts:/{number}",
            "lifecycle_stage": "active",
        }

    def _run(self, number: str) -> dict[str, Any]:
        run = self.runs[number]
        info = {
            **{
                "run_id": number,
                "run_uuid": number,
                "experiment_id": "0",
                "status": run["status"],
                "run_name": run["name"],
            },
            **{"artifact_uri": f"mlflow-artifacts:/0/{number}/artifacts", "lifecycle_stage": "active"},
        }
        params = [{"key": key, "value": value} for key, value in self.params.items()]
        return {"info": info, "data": {"params": params, "tags": run["tags"]}}


@contextmanager
def serve(state: Tracking) -> Iterator[Tracking]:
    """The server, while the context is open; what hangs is let go at its end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.reply("GET", parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}, b"")

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.reply("POST", urlsplit(self.path).path, json.loads(raw or b"{}"), raw)

        def do_PUT(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if state.mode == "good":
                state.files[urlsplit(self.path).path.partition("/artifacts/")[2].partition("/artifacts/")[2]] = raw
            self.reply("PUT", "", {}, raw)

        do_PATCH = do_POST

        def reply(self, method: str, path: str, body: dict[str, Any], raw: bytes) -> None:
            if state.mode == "hangs":
                state.hung.set()
                state.released.wait(600)
                return
            found = (
                {}
                if state.mode == "500" or method == "PUT" or path.endswith("/health")
                else state.answer(method, path, body)
            )
            code = 500 if state.mode == "500" else 404 if found is None else 200
            text = json.dumps(
                found if found is not None else {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": path}
            ).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()
