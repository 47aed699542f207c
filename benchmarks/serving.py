"""A load test of export/serving/kserve_server.py on the loopback interface.

    python benchmarks/serving.py --requests 10000

Requests a second, p50 and p99 of 1 to 16 clients that each wait for one response at a time, and
the server's memory after each 1,000 requests. It needs `pip install kserve`. It ends by
itself, and asks no machine but this one.
"""

import argparse
import http.client
import json
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

SERVER = Path(__file__).parents[1] / "export" / "serving" / "kserve_server.py"
INFER = "/v2/models/tfsr/infer"
CLIENTS = (1, 2, 4, 8, 16)


def main():
    parser = argparse.ArgumentParser(description="Load test of the KServe server")
    parser.add_argument("--preset", default="faces-mobile")
    parser.add_argument("--requests", type=int, default=10_000, help="in all, memory included")
    parser.add_argument("--each", type=int, default=200, help="requests for each count of clients")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    with tempfile.TemporaryDirectory(prefix="tfsr-serving-") as folder:
        directory = Path(folder, "tfsr")
        export = [Path(sys.executable).with_name("tfsr"), "export", "saved-model"]
        subprocess.run([*export, "--preset", arguments.preset, "-o", directory], check=True)
        server, port = start(directory)
        try:
            body, headers = request_of(np.zeros((1, 32, 32, 3), np.uint8), (128, 128))
            run(port, body, headers, 50, 2)
            print("| clients | requests a second | p50, ms | p99, ms |\n|---|---|---|---|")
            done = 50
            for clients in CLIENTS:
                seconds, times = run(port, body, headers, arguments.each, clients)
                p50, p99 = np.percentile(times, [50, 99]) * 1000
                print(f"| {clients} | {len(times) / seconds:.1f} | {p50:.1f} | {p99:.1f} |")
                done += arguments.each
            run(port, body, headers, max(0, 1000 - done), 4)
            done = max(1000, done)
            while True:
                print(f"after {done:,} requests: {resident(server.pid):.0f} MiB")
                if done >= arguments.requests:
                    break
                run(port, body, headers, 1000, 4)
                done += 1000
        finally:
            server.terminate()
            server.wait(30)


def start(directory, *options):
    """The server's process, once it is ready, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, SERVER, directory, "--http_port", port, *options]
    # It logs each request, several times.
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([*map(str, command)], **quiet)
    end = time.monotonic() + 300
    while time.monotonic() < end and server.poll() is None:
        try:
            if get(port, "/v2/models/tfsr/ready") == 200:
                return server, port
        except OSError:
            pass
        time.sleep(0.2)
    server.kill()
    raise RuntimeError("the server did not get ready")


def get(port, path):
    """The status of a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def request_of(image, size):
    """Body and headers of a request in the protocol's binary form."""
    content = image.tobytes()
    binary = {"binary_data_size": len(content)}
    datatype = {"uint8": "UINT8", "float32": "FP32"}[image.dtype.name]
    shapes = [
        {"name": "image", "shape": image.shape, "datatype": datatype, "parameters": binary},
        {"name": "size", "shape": [2], "datatype": "INT32", "data": list(size)},
    ]
    wanted = [{"name": "output", "parameters": {"binary_data": True}}]
    head = json.dumps({"inputs": shapes, "outputs": wanted}).encode()
    return head + content, {"Inference-Header-Content-Length": str(len(head))}


def post(connection, body, headers):
    """Status, headers and content of the response."""
    headers = {"Content-Type": "application/octet-stream", **headers}
    connection.request("POST", INFER, body, headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def run(port, body, headers, count, clients):
    """Ask so many times: seconds in all, and of each request."""
    todo, times, failed = queue.SimpleQueue(), [], []
    for number in range(count):
        todo.put(number)

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not failed:
            try:
                todo.get_nowait()
            except queue.Empty:
                break
            begin = time.perf_counter()
            status, _, content = post(connection, body, headers)
            times.append(time.perf_counter() - begin)
            if status != 200:
                failed.append(f"status {status}: {content[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed or len(times) != count:
        raise RuntimeError(failed[0] if failed else f"{len(times)} of {count} responses")
    return time.perf_counter() - begin, times


def resident(pid):
    """MiB of memory that a process holds."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
