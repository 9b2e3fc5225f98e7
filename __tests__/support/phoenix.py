"""
Phoenix's intake of spans after its source (server/api/routers/v1/traces.py, db/bulk_inserter.py, server/prometheus.py, 20.26.1):
answers before it queues, stores up to 100 spans a transaction in the order in which they came, counts what it stores and what
it gives up, and forgets its queue when it is killed. A body is text with a span on each line, its ID first; an ID that begins
with "bad" cannot be stored. A body that begins with "poison" is answered with 500.

usage: phoenix.py PORT METRICS_PORT FOLDER; FOLDER/stored has what is stored, FOLDER/moods.json says how it behaves.
"""
import collections, gzip, http.server, json, os, sys, threading, time

port, metrics_port, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
usual = {"answer": 200, "token": "", "commit": True, "transaction": 0.002, "queueing": 0.0, "limit": 500, "poison": 500}
database = os.path.join(folder, "stored")
stored = set(open(database).read().split()) if os.path.exists(database) else set()
spans, batch, requests = collections.deque(), [], []
values = {"count": 0, "size": 0, "failed": 0, "unresolved": 0, "beat": 0.0}
started = time.time()


def moods():
    try:
        return {**usual, **json.load(open(os.path.join(folder, "moods.json")))}
    except (OSError, ValueError):
        return usual


def bulk_insert():
    while True:
        values["beat"] = time.time()
        values["size"] = len(spans)
        if not spans:
            time.sleep(0.1)
            continue
        taken = [spans.popleft() for _ in range(min(100, len(spans)))]
        mood = moods()
        time.sleep(mood["transaction"])
        if not mood["commit"]:
            values["unresolved"] += len(taken)
            continue
        good = [span for span in taken if not span.startswith("bad")]
        with open(database, "a") as file:
            file.writelines(f"{span}\n" for span in dict.fromkeys(good) if span not in stored)
        stored.update(good)
        values["count"] += 1
        values["failed"] += len(taken) - len(good)


def add_spans(body, delay):
    for line in body.decode().splitlines():
        time.sleep(delay)
        spans.append(line.split()[0])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        mood = moods()
        status = mood["answer"]
        if mood["token"] and self.headers.get("authorization") != mood["token"]:
            status = 401
        elif self.headers.get("content-type") != "application/x-protobuf":
            status = 415
        elif mood["limit"] <= len(spans):
            status = 503
        body = self.rfile.read(int(self.headers["content-length"]))
        if status == 200 and body.startswith(b"poison"):
            status = mood["poison"]
        if status == 200 and self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        with open(os.path.join(folder, "requests"), "a") as file:
            file.write(json.dumps([status, len(body), {name.lower(): value for name, value in self.headers.items()}]) + "\n")
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf" if status == 200 else "text/plain")
        text = b"" if status == 200 else f"answer {status}".encode()
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()
        if status == 200:
            add_spans(body, mood["queueing"])


class Metrics(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        lines = [
            f"process_start_time_seconds {started}",
            'phoenix_bulk_loader_span_insertion_time_seconds_bucket{le="0.5"} ' + str(float(values["count"])),
            f"phoenix_bulk_loader_span_insertion_time_seconds_count {float(values['count'])}",
            f"phoenix_span_queue_size {float(values['size'])}",
            *([f'phoenix_span_ingestion_failed_spans_total{{reason="span_error"}} {float(values["failed"])}'] if values["failed"] else []),
            f"phoenix_span_ingestion_unresolved_spans_total {float(values['unresolved'])}",
            f"phoenix_bulk_loader_last_activity_timestamp_seconds {values['beat']}",
        ]
        text = "".join(f"# HELP {line.split('{')[0].split()[0]} \n{line}\n" for line in lines).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


threading.Thread(target=bulk_insert, daemon=True).start()
threading.Thread(target=http.server.ThreadingHTTPServer(("127.0.0.1", metrics_port), Metrics).serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
