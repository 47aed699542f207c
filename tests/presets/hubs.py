"""The two hubs on loopback: real HTTP servers that speak as much of their protocols as is used."""

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
KAGGLE_PORT = 7777  # Of kagglehub's environment TEST, which cannot be given another.


class _Hub(BaseHTTPRequestHandler):
    """Files of one repository, `server.folder`; paths that were asked for go to `server.log`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def respond(self, status, content=b"", **headers):
        self.send_response(status)
        headers = {"Content_Length": str(len(content)), **headers}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def answer_json(self, value, status=200, **headers):
        content = json.dumps(value).encode()
        self.respond(status, content, Content_Type="application/json", **headers)

    def files(self):
        return sorted(path for path in Path(self.server.folder).iterdir())


class HuggingFace(_Hub):
    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.server.log.append(path)
        if not path.removeprefix("/api/models").startswith("/someone/faces"):
            return self.respond(404, X_Error_Code="RepoNotFound")
        revision = re.match(r".*/(?:revision|tree|resolve)/([^/]+)", path)
        if revision and revision[1] not in ("main", "v1", COMMIT):
            return self.respond(404, X_Error_Code="RevisionNotFound")
        if "/tree/" in path:
            sizes = {path.name: path.stat().st_size for path in self.files()} | self.server.sizes
            entries = [
                {"type": "file", "oid": "0" * 40, "path": name, "size": size}
                for name, size in sizes.items()
            ]
            return self.answer_json(entries)
        if path.startswith("/api/models/"):
            sizes = {path.name: path.stat().st_size for path in self.files()} | self.server.sizes
            files = [{"rfilename": name, "size": size} for name, size in sizes.items()]
            return self.answer_json({"id": "someone/faces", "sha": COMMIT, "siblings": files})
        file = Path(self.server.folder) / path.rsplit("/", 1)[1]
        if not file.is_file():
            return self.respond(404, X_Error_Code="EntryNotFound")
        content = file.read_bytes()
        etag = f'"{hashlib.sha1(content).hexdigest()}"'
        headers = {"ETag": etag, "X_Repo_Commit": COMMIT, "Accept_Ranges": "bytes"}
        return self.respond(200, content, **headers)


class Kaggle(_Hub):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        request = json.loads(self.rfile.read(length))
        call = self.path.rsplit("/", 1)[1]
        self.server.log.append(f"{call} {request.get('path', '')}".strip())
        if request["ownerSlug"] != "someone" or request["modelSlug"] != "faces":
            return self.answer_json({"code": 404, "message": "Not found"}, 404)
        if call == "GetModelInstance":
            return self.answer_json({"id": 1, "slug": "x2", "versionNumber": 3})
        if call == "ListModelInstanceVersionFiles":
            sizes = {path.name: path.stat().st_size for path in self.files()}
            sizes |= self.server.sizes
            return self.answer_json({"files": [{"name": k, "size": v} for k, v in sizes.items()]})
        content = (Path(self.server.folder) / request["path"]).read_bytes()
        return self.respond(200, content, Content_Type="application/octet-stream")


@contextmanager
def running(kind, folder, port=0):
    """A hub that serves a folder; it says where it is, and what it was asked for in `log`."""
    server = ThreadingHTTPServer(("127.0.0.1", port), kind)
    server.folder, server.log, server.sizes = folder, [], {}
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
