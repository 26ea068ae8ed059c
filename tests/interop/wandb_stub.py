"""A server that takes runs as W&B's does, for `wandb sync` without an account and without a network."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stub:
    """What was uploaded: `run` (variables of the mutation that makes it), `history` (a list of
    dictionaries), `summary`, `exit_code`, and `files` by name."""

    def __init__(self):
        self.run, self.history, self.summary = {}, {}, {}
        self.exit_code, self.files = None, {}
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def body(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                is_packed = self.headers.get("Content-Encoding") == "gzip"
                return gzip.decompress(body) if is_packed else body

            def answer(self, value):
                body = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.body()
                if self.path.endswith("/graphql"):
                    self.answer(stub.graphql(**json.loads(body)))
                elif self.path.endswith("/file_stream"):
                    self.answer(stub.file_stream(json.loads(body)))
                else:
                    self.answer({})

            def do_PUT(self):
                stub.files[self.path.removeprefix("/upload/")] = self.body()
                self.answer({})

            def do_GET(self):
                self.answer({})

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def graphql(self, query, variables=None, **_):
        if "upsertBucket" in query:
            self.run |= {name: value for name, value in variables.items() if value is not None}
            project = {"name": variables["project"], "entity": {"name": "someone"}}
            bucket = {
                "id": "1", "name": variables["name"], "displayName": variables["displayName"],
                "description": None, "config": variables.get("config"), "sweepName": None,
                "project": {"id": "1", **project}, "historyLineCount": 0,
            }
            return {"data": {"upsertBucket": {"bucket": bucket, "inserted": True}}}
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.url}/upload/{name}"} for name in variables["files"]]
            made = {"runID": "1", "uploadHeaders": [], "files": files}
            return {"data": {"createRunFiles": made}}
        if "viewer" in query:
            viewer = {"id": "1", "entity": "someone", "username": "someone", "email": "", "admin": False,
                      "flags": "{}", "teams": {"edges": []}, "apiKeys": {"edges": []}}
            server = {"cliVersionInfo": {}, "latestLocalVersionInfo": None}
            return {"data": {"viewer": viewer, "serverInfo": server}}
        return {"data": {}}

    def file_stream(self, asked):
        files = asked.get("files") or {}
        history = files.get("wandb-history.jsonl", {"offset": 0, "content": []})
        for place, line in enumerate(history["content"], history["offset"]):
            self.history[place] = json.loads(line)
        for line in files.get("wandb-summary.json", {"content": []})["content"]:
            self.summary = json.loads(line)
        if asked.get("complete"):
            self.exit_code = asked.get("exitcode")
        return {"limits": {}}
