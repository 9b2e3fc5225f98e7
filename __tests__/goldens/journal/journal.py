# Stands between the gate and Phoenix. Keeps each request that Phoenix has accepted until its spans are stored, and sends
# it again where they were lost. docs/journal.md says how; written by Pulumi from templates/journal/journal.py.mustache.
import collections, hashlib, http.client, http.server, json, math, os, signal, struct, sys, tempfile, threading, time, zlib

PORT = 4318
FOLDER = "/journal"
PHOENIX = ("phoenix", 6006)
METRICS = 9090  # 0: Phoenix has none
AUTHORIZATION = "/etc/journal-secrets/phoenix.authorization"
MOST, SHARE = 1073741824, 0.2  # bytes kept at most, and of the disk that is free without them
KEEP = 120  # seconds that what is stored is kept: SQLite does not wait for the disk, a power cut takes what the kernel holds
SETTLE = 10  # seconds after an answer in which Phoenix has put the spans of a small request in its queue
LOOK = 0.5  # seconds between two looks at its metrics
BACKOFF = 5  # seconds until spans that failed are sent again, doubled each time up to a minute
BATCH = 100  # spans that Phoenix stores in a transaction: max_ops_per_transaction of its BulkInserter
SEGMENT, SEGMENT_SECONDS = 16777216, 15
CHUNK = 1 << 16
POISON_TRIES, TRIES, HOLD = 3, 30, 600
REFUSED_FOR_GOOD = (400, 413, 415, 422)
FOR_NOW = (401, 429, 502, 503, 504)  # an answer to everybody, whatever the request holds
ASIDE_TRIES, ASIDE_SECONDS = 10, 900  # a request that is refused that often and long, while others are accepted, is put aside
# Headers by which the same body means something else. Never credentials: these are on disk.
KEPT = ("content-type", "content-encoding", "x-project-name")
HOPS = ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host", "expect")
HEAD = struct.Struct(">4sIQI")  # mark, length of the headers, length of the body, checksum of both
now = time.monotonic


def say(text):
    print(text, flush=True)


class Full(Exception):
    """There is no room for what arrives."""


class Cut(Exception):
    """A request or a record ends before its end."""


class Segment:
    """A file of records, named after the number of its first one."""

    def __init__(self, first):
        self.first = self.end = first
        self.path = os.path.join(FOLDER, f"{first:020}.seg")
        self.size = self.synced = 0
        self.began = self.newest = now()
        self.file = None

    def read(self, file, check=False):
        """Headers, position and length of the body of the next record, with `file` behind it; Cut where it is not whole."""
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            raise Cut
        mark, headers_size, size, checksum = HEAD.unpack(head)
        if mark != b"JNL1" or headers_size > CHUNK:
            raise Cut
        headers, at = file.read(headers_size), file.tell()
        if check:
            found, left = zlib.crc32(headers), size
            while left and (chunk := file.read(min(CHUNK, left))):
                found, left = zlib.crc32(chunk, found), left - len(chunk)
            if left or found != checksum or len(headers) < headers_size:
                raise Cut
        file.seek(at + size)
        return json.loads(headers), at, size

    def recover(self):
        """Counts the records, and cuts off a last one that a crash has torn."""
        with open(self.path, "rb+") as file:
            try:
                while True:
                    self.read(file, check=True)
                    self.end, self.size = self.end + 1, file.tell()
            except Cut:
                torn = file.seek(0, os.SEEK_END) - self.size
                if torn:
                    file.seek(self.size)
                    rest = file.read()
                    if b"JNL1" in rest[4:]:
                        say(f"{self.path}: damaged after {self.size} bytes; the other {torn} are kept in {self.path}.bad and cannot be sent again")
                        with open(self.path + ".bad", "wb") as bad:
                            bad.write(rest)
                    else:
                        say(f"{self.path}: the last {torn} bytes are no whole record, which nobody was told is accepted; cut off")
                    file.truncate(self.size)
        self.synced = self.size


class Aside:
    """Requests that Phoenix refuses for what they hold. Kept in files of their own, so that they hold up nothing else; SIGHUP has them sent again."""
    folder = os.path.join(FOLDER, "aside")

    def __init__(self):
        self.lock = threading.Lock()
        self.refused = {}  # digest of a body: tries, when the first and the last were, what Phoenix had accepted by then
        for path in self.paths(".new"):
            os.remove(path)

    def paths(self, ending=".request"):
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        return sorted(os.path.join(self.folder, name) for name in names if name.endswith(ending))

    def size(self):
        return sum(os.path.getsize(path) for path in self.paths())

    def is_due(self, digest, accepted):
        """Counts a refusal. Only one after which Phoenix has accepted something else says that it is for what the request holds."""
        with self.lock:
            for other in [other for other, (_, _, last, _) in self.refused.items() if last < now() - 600]:
                del self.refused[other]
            tries, first, _, before = self.refused.get(digest, (0, now(), 0, -1))
            tries += accepted > before
            self.refused[digest] = tries, first, now(), accepted
            return tries >= ASIDE_TRIES and now() - first >= ASIDE_SECONDS

    def put(self, digest, headers, body, size, at=0):
        """OSError where it cannot."""
        path = os.path.join(self.folder, f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{digest[:12]}.request")
        text = json.dumps(headers).encode()
        os.makedirs(self.folder, exist_ok=True)
        with open(path + ".new", "wb") as file:
            file.write(HEAD.pack(b"JNL1", len(text), size, 0) + text)
            body.seek(at)
            while size and (chunk := body.read(min(CHUNK, size))):
                size -= file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".new", path)
        self.refused.pop(digest, None)
        return path

    def send(self):
        """Sends each to Phoenix once more. What it accepts is kept as everything that it has accepted is."""
        for path in self.paths():
            try:
                with open(path, "rb") as file:
                    headers, at, size = Segment(0).read(file)
                    status, _, text = ask([*headers.items(), *authorization()], file, size, at)
                    if status == 200:
                        journal.append(headers, Part(file, at), size)
                        os.remove(path)
            except (Cut, OSError, ValueError, http.client.HTTPException) as error:
                status, text = 0, repr(error).encode()
            say(f"{path}: sent again, {status}: {text[:200].decode(errors='replace')}")


class Part:
    """A file from a place on."""

    def __init__(self, file, start):
        self.read, self.seek = file.read, lambda at: file.seek(start + at)


def digest_of(body, size, at=0):
    body.seek(at)
    digest = hashlib.sha256()
    while size and (chunk := body.read(min(CHUNK, size))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()


class Journal:
    """What Phoenix has accepted. Records are numbered; those before `state.mark` are stored."""

    def __init__(self):
        self.lock, self.syncing = threading.Lock(), threading.Lock()
        self.reserved = 0  # bytes of requests under way
        self.underway = 0  # requests
        self.epoch = 0  # processes of Phoenix seen
        self.late = False
        self.settling = collections.deque()  # (when Phoenix has queued it, number after it) of the newest records
        self.settled_from = 0.0  # what was sent again is queued
        self.count = collections.Counter()  # since the start
        boot = open("/proc/sys/kernel/random/boot_id").read().strip()
        # served: the process of Phoenix that was given everything from the mark on; lost, bad: its failed spans that were seen to.
        self.state = {"mark": 0, "served": None, "lost": 0, "bad": 0, "boot": boot, "sentAgain": 0, "dropped": 0, "gaveUp": 0}
        try:
            with open(os.path.join(FOLDER, "state.json")) as file:
                self.state.update(json.load(file))
        except (OSError, ValueError):
            pass  # Everything kept is sent again: too much, never too little.
        self.aside = Aside()
        self.segments = []
        for first in sorted(int(name[:-4]) for name in os.listdir(FOLDER) if name.endswith(".seg")):
            segment = Segment(first)
            segment.recover()
            if segment.size:
                self.segments.append(segment)
            else:
                os.remove(segment.path)
        self.next = max([self.state["mark"], *(segment.end for segment in self.segments)])
        if self.state["boot"] != boot:
            say("the host was started again: everything kept is sent again")
            self.state.update(mark=self.segments[0].first if self.segments else self.next, served=None, boot=boot)
        self.settling.append((self.settled_at({}, 0), self.next))
        self.save()

    def save(self):
        path = os.path.join(FOLDER, "state.json")
        try:
            with open(path + ".new", "w") as file:
                json.dump(self.state, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(path + ".new", path)
        except OSError as error:
            say(f"state.json: {error}")  # The older one sends too much again.

    @staticmethod
    def settled_at(headers, size):
        """When Phoenix has put all spans of a request in its queue, which it begins after its answer: at 0.5 ms a span."""
        return now() + SETTLE + min(300, size / (1 << 15 if "content-encoding" in headers else 1 << 18))

    def kept(self):
        return self.aside.size() + sum(segment.size for segment in self.segments)

    def limit(self):
        disk = os.statvfs(FOLDER)
        return min(MOST, SHARE * (disk.f_bavail * disk.f_frsize + self.kept()))

    def reserve(self, size):
        """Full where the volume has no room for so many bytes more. What is stored makes room before its time."""
        with self.lock:
            limit = self.limit()
            self.tidy(max(0, limit - self.reserved - size))
            if self.kept() + self.reserved + size > limit:
                raise Full
            self.reserved += size

    def change(self, underway=0, reserved=0, **counts):
        with self.lock:
            self.underway += underway
            self.reserved += reserved
            self.count.update(counts)

    def tidy(self, room=math.inf):
        """Deletes segments that are stored: those of their age, and older ones first as many as make `room`. Called with the lock."""
        while self.segments and self.segments[0].end <= self.state["mark"]:
            oldest = self.segments[0]
            if now() - oldest.newest < KEEP and self.kept() <= room:
                break
            self.segments.pop(0)
            try:
                self.close(oldest)
                os.remove(oldest.path)
            except OSError as error:
                say(f"{oldest.path}: {error}")  # Somebody else has removed it; it was stored.

    def close(self, segment):
        with self.syncing:
            if segment.file:
                os.fsync(segment.file.fileno())
                segment.synced = segment.size
                segment.file.close()
                segment.file = None

    def append(self, headers, body, size):
        """Puts a record on disk and comes back when it is there; OSError where it cannot."""
        text = json.dumps(headers).encode()
        checksum = zlib.crc32(text)
        body.seek(0)
        while chunk := body.read(CHUNK):
            checksum = zlib.crc32(chunk, checksum)
        with self.lock:
            segment = self.segments[-1] if self.segments else None
            if not segment or not segment.file or segment.size >= SEGMENT or now() - segment.began >= SEGMENT_SECONDS:
                if segment:
                    self.close(segment)
                    if segment.end == segment.first:
                        self.segments.pop()
                segment = Segment(self.next)
                segment.file = open(segment.path, "wb", buffering=0)
                self.segments.append(segment)
                folder = os.open(FOLDER, os.O_RDONLY)
                os.fsync(folder)
                os.close(folder)
            try:
                written = write(segment.file, HEAD.pack(b"JNL1", len(text), size, checksum) + text)
                body.seek(0)
                while chunk := body.read(CHUNK):
                    written += write(segment.file, chunk)
            except OSError:
                file, segment.file = segment.file, None  # The next record begins another file, whatever becomes of this one.
                with file:
                    file.truncate(segment.size)
                    os.fsync(file.fileno())
                    segment.synced = segment.size
                raise
            segment.size += written
            segment.newest = now()
            segment.end = self.next = self.next + 1
            self.settling.append((self.settled_at(headers, size), self.next))
            end = segment.size
        # One fsync is for all that wait for one.
        with self.syncing:
            if segment.synced < end:
                reached = segment.size
                os.fsync(segment.file.fileno())
                segment.synced = reached

    def settled(self):
        """Number before which Phoenix has put every record in its queue."""
        with self.lock:
            number = self.state["mark"]
            while self.settling and max(self.settling[0][0], self.settled_from) <= now():
                number = max(number, self.settling.popleft()[1])
            if number > self.state["mark"]:
                self.settling.appendleft((0, number))
            return number

    def records(self, first, end):
        """Number, headers, file at the body and its length, of the records from `first` on."""
        with self.lock:
            segments = [segment for segment in self.segments if segment.end > first and segment.first < end]
        for segment in segments:
            try:
                file = open(segment.path, "rb")
            except OSError as error:
                say(f"{segment.path}: {error}; {segment.end - segment.first} requests in it cannot be sent again")
                continue
            with file:
                for number in range(segment.first, min(segment.end, end)):
                    try:
                        headers, at, size = segment.read(file)
                    except (Cut, ValueError):
                        say(f"{segment.path}: damaged at request {number}; {min(segment.end, end) - number} requests in it cannot be sent again")
                        break
                    if number >= first:
                        yield number, headers, file, at, size
                        file.seek(at + size)


def write(file, data):
    view = memoryview(data)
    while view:
        view = view[file.write(view):]
    return len(data)


def ask(headers, body, size, at=0):
    """Status, headers and body of Phoenix's answer; OSError or HTTPException where there is none."""
    connection = http.client.HTTPConnection(*PHOENIX, timeout=60)
    try:
        connection.putrequest("POST", "/v1/traces", skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("content-length", str(size))
        connection.endheaders()
        body.seek(at)
        try:
            while size and (chunk := body.read(min(CHUNK, size))):
                connection.send(chunk)
                size -= len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It may have answered before the end.
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read(CHUNK)
    finally:
        connection.close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    slots = threading.BoundedSemaphore(32)

    def log_message(self, *_):
        pass

    def do_GET(self):
        found = {"/healthz": lambda: {}, "/status": watch.status}.get(self.path)
        # One request that is sent again may take a minute.
        stuck = self.path == "/healthz" and now() - watch.turned > 90
        self.reply(503 if stuck else 200 if found else 404, [("content-type", "application/json")], json.dumps(found() if found else {}).encode())

    def do_POST(self):
        if self.path.partition("?")[0] != "/v1/traces":
            return self.reply(404, [], b"")
        with self.slots, tempfile.SpooledTemporaryFile(1 << 18, dir=FOLDER) as body:
            self.taken = 0
            journal.change(underway=1)
            try:
                self.reply(*self.pass_on(body))
            finally:
                journal.change(underway=-1, reserved=-self.taken)

    def pass_on(self, body):
        try:
            size = self.receive(body)
        except (Full, OSError) as error:
            if isinstance(error, (TimeoutError, ConnectionError)):
                raise Cut from error
            return self.later(503, f"The journal has no room: {str(error) or 'it keeps as much as it may'}.")
        epoch = journal.epoch
        try:
            status, headers, text = ask([(name, value) for name, value in self.headers.items() if name.lower() not in HOPS], body, size)
        except TimeoutError:
            return self.later(504, "Phoenix does not answer.")
        except (OSError, http.client.HTTPException) as error:
            return self.later(502, f"Phoenix cannot be reached: {error}.")
        kept = {name.lower(): value for name, value in self.headers.items() if name.lower() in KEPT}
        if status == 200:
            try:
                journal.append(kept, body, size)
            except OSError as error:
                return self.later(503, f"The journal cannot write: {error}.")
            journal.late |= epoch != journal.epoch
            journal.change(accepted=1)
        elif status not in (*REFUSED_FOR_GOOD, *FOR_NOW):
            try:
                if put_aside(status, text, kept, body, size):
                    return 200, [("content-type", self.headers.get("content-type", "application/x-protobuf"))], b"{}" if "json" in self.headers.get("content-type", "") else b""
            except OSError as error:
                return self.later(503, f"The journal cannot write: {error}.")
        return status, [(name, value) for name, value in headers if name.lower() not in (*HOPS, "date", "server")], text

    def receive(self, body):
        """Bytes of the request, all read in any case: an answer before the end of a request is lost on its way."""
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        left = self.chunk() if chunked else int(self.headers.get("content-length") or 0)
        size, trouble = 0, None
        while left:
            try:
                journal.reserve(left)
                self.taken += left
            except Full as full:
                trouble = trouble or full
            while left:
                data = self.rfile.read(min(CHUNK, left))
                if not data:
                    raise Cut
                left, size = left - len(data), size + len(data)
                try:
                    if not trouble:
                        body.write(data)
                except OSError as error:
                    trouble = error
            left = self.chunk() if chunked else 0
        try:
            body.flush()
        except OSError as error:
            trouble = error
        if trouble:
            raise Full(str(trouble))
        return size

    def chunk(self):
        """Length of the next chunk; 0 after the last."""
        line = self.rfile.readline(1024)
        if line in (b"\r\n", b"\n"):  # the end of the one before
            line = self.rfile.readline(1024)
        if not line:
            raise Cut
        size = int(line.split(b";")[0], 16)
        while not size and self.rfile.readline(1024) not in (b"\r\n", b"\n", b""):
            pass
        return size

    def later(self, status, why):
        journal.change(refused=1)
        say(f"{status}: {why}")
        return status, [("content-type", "text/plain"), ("retry-after", "5")], why.encode()

    def reply(self, status, headers, text):
        self.close_connection = True
        self.send_response_only(status)
        for name, value in [*headers, ("content-length", str(len(text))), ("connection", "close")]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def handle_error(self, *_):
        if not isinstance(sys.exc_info()[1], (Cut, OSError)):
            super().handle_error(*_)


Look = collections.namedtuple("Look", "start size count lost bad beat")


def look_at_metrics():
    """What Phoenix says of itself; OSError or HTTPException where it does not answer."""
    connection = http.client.HTTPConnection(PHOENIX[0], METRICS, timeout=10)
    try:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    finally:
        connection.close()
    values = {}
    for line in lines:
        if line.startswith(("phoenix_", "process_start_time_seconds ")):
            name, _, value = line.rpartition(" ")
            values[name] = float(value)
    failed = {name: value for name, value in values.items() if name.startswith("phoenix_span_ingestion_failed_spans_total")}
    bad = sum(value for name, value in failed.items() if '"span_error"' in name)
    return Look(
        values["process_start_time_seconds"], values["phoenix_span_queue_size"], values["phoenix_bulk_loader_span_insertion_time_seconds_count"],
        sum(failed.values()) - bad + values.get("phoenix_span_ingestion_unresolved_spans_total", 0), bad,
        values["phoenix_bulk_loader_last_activity_timestamp_seconds"],
    )


class Doors:
    """In place of metrics: a Phoenix that could not be reached is another one, and everything is stored after SETTLE."""
    start = 0

    def __call__(self):
        try:
            connection = http.client.HTTPConnection(*PHOENIX, timeout=10)
            connection.connect()
            connection.close()
        except OSError:
            self.start = 0
            raise
        self.start = self.start or time.time()
        return Look(self.start, 0, 0, 0, 0, now())


def stored(first):
    """
    Ends when all is stored that stood in Phoenix's queue at the look `first`; is given each later one. Phoenix stores
    first what came first, up to BATCH spans at a time, and counts each time.
    """
    look = yield
    while look.beat == first.beat:
        look = yield  # until its loop has begun another turn, in which it sets the size
    look = yield
    if look.size:
        size = look.size
        look = yield  # counted after that size was set
        goal = look.count + math.ceil(size / BATCH) + 1
        while look.size and look.count < goal:
            look = yield
    yield  # what has failed meanwhile is counted by now


class Again:
    """Records that are being sent to a process of Phoenix again."""

    def __init__(self, start):
        self.start = start
        self.records = self.record = None


class Watch:
    """Moves the mark, and sends again what comes after it."""

    def __init__(self):
        self.look_at = look_at_metrics if METRICS else Doors()
        self.look = None
        self.looked = now()
        self.proof = self.number = None
        self.quiet, self.quiet_number = 0, -1
        self.again = None
        self.wait = 0.0
        self.tries, self.base, self.hold = 0, 0, 0.0
        self.restarts = 0
        self.turned = now()  # the loop was at work

    def status(self):
        state = journal.state
        kept, limit = journal.kept(), int(journal.limit())
        needed = journal.aside.size() + sum(segment.size for segment in journal.segments if segment.end > state["mark"])
        return {
            "kept": kept, "limit": limit, "full": needed >= 0.95 * limit, "waiting": journal.next - state["mark"], "sending": self.again is not None,
            "lookedSecondsAgo": round(now() - self.looked), "accepted": journal.count["accepted"], "refused": journal.count["refused"],
            "aside": len(journal.aside.paths()), "sentAgain": state["sentAgain"], "dropped": state["dropped"], "gaveUp": state["gaveUp"],
        }

    def run(self):
        due = now()
        while True:
            try:
                if now() >= due:
                    due = now() + LOOK
                    self.see(self.look_at())
            except (OSError, http.client.HTTPException):
                self.forget()  # Not there; it shows when it is back whether it is the same.
            except (KeyError, ValueError) as error:
                say(f"Phoenix's metrics lack {error}: nothing is known to be stored")
            try:
                with journal.lock:
                    journal.tidy()
                sent = self.send_next()
            except Exception as error:
                # What is left of it is sent with the next look: none of it is known to be stored.
                say(f"sending again has stopped: {error!r}")
                self.again, journal.state["served"], self.wait, sent = None, None, now() + 60, False
            self.turned = now()
            if not sent:
                time.sleep(max(0.01, min(due - now(), LOOK)))

    def forget(self):
        self.proof, self.quiet = None, 0

    def see(self, look):
        state = journal.state
        if self.look and look.start != self.look.start or not self.look and state["served"] not in (None, look.start):
            journal.epoch += 1
        if journal.late:
            journal.late, state["served"] = False, None
        before, self.look, self.looked = self.look, look, now()
        if look.start != state["served"]:
            if self.again is None or self.again.start != look.start:
                self.restarts += journal.next > state["mark"]
                delay = 0 if self.restarts < 3 else min(BACKOFF * 2 ** self.restarts, 600)  # What is sent may be what ends it.
                self.send_again(look, delay, "Phoenix was started anew")
            return
        if self.again is None and (look.lost > state["lost"] or look.bad > state["bad"]):
            self.failed(look)
        elif self.again is None:
            self.prove(before, look)

    def failed(self, look):
        """Spans that Phoenix had accepted and given up: one at a time (bad), which may fail for ever, or in whole transactions (lost)."""
        state = journal.state
        lost, bad = look.lost - state["lost"], look.bad - state["bad"]
        others = lost <= 0 or look.count > self.base  # While Phoenix stores nothing at all, it is not for what the spans are.
        if others and (self.tries >= (TRIES if lost > 0 else POISON_TRIES) or lost <= 0 and now() < self.hold):
            say(f"{lost + bad:g} spans fail in Phoenix each time and are not sent again; its log says why")
            state.update(lost=look.lost, bad=look.bad, gaveUp=state["gaveUp"] + int(lost + bad))
            self.tries, self.hold = 0, max(self.hold, now() + HOLD)
            journal.save()
        else:
            self.tries += 1
            self.send_again(look, min(BACKOFF * 2 ** (self.tries - 1), 60), f"{lost + bad:g} spans have failed in Phoenix, try {self.tries}")

    def send_again(self, look, delay, why):
        self.forget()
        waiting = journal.next - journal.state["mark"]
        if waiting:
            say(f"{why}: sending {waiting} requests again" + (f" in {delay:g} s" if delay else ""))
        self.wait = now() + delay
        self.again = Again(look.start)

    def send_next(self):
        """Sends one record again. Whether there was one."""
        if self.again is None or now() < self.wait:
            return False
        again = self.again
        if again.records is None:
            # Only now, so that what was accepted during the delay is among them.
            again.records = journal.records(journal.state["mark"], journal.next)
            again.record = next(again.records, None)
            again.lost, again.bad, self.base = self.look.lost, self.look.bad, self.look.count
        if again.record is None:
            journal.state.update(served=again.start, lost=again.lost, bad=again.bad)
            self.again = None
            journal.save()
            return False
        number, headers, file, at, size = again.record
        try:
            status, _, text = ask([*headers.items(), *authorization()], file, size, at)
        except (OSError, http.client.HTTPException) as error:
            status, text = 0, str(error).encode()
        if status == 200:
            journal.state["sentAgain"] += 1
            journal.settled_from = max(journal.settled_from, journal.settled_at(headers, size))
        elif status in REFUSED_FOR_GOOD:
            say(f"record {number} is refused for good, {status}, and dropped: {text[:200].decode(errors='replace')}")
            journal.state["dropped"] += 1
        elif status in (0, *FOR_NOW) or not put_aside(status, text, headers, file, size, at):
            self.wait = now() + 1
            return False
        again.record = next(again.records, None)
        # What is new comes first: with more than a batch waiting, ten a second.
        self.wait = now() + (0.1 if self.look.size >= BATCH else 0)
        return True

    def prove(self, before, look):
        state = journal.state
        # Nothing comes, nothing waits, and Phoenix's loop turns: what it has answered and not queued would show.
        if before and look.size == 0 and before.beat != look.beat and journal.underway == 0 and journal.next == self.quiet_number and METRICS:
            self.quiet += 1
        else:
            self.quiet, self.quiet_number = 0, journal.next
        if self.quiet >= 4 and state["mark"] < self.quiet_number <= journal.settled():
            return self.proved(self.quiet_number)
        if self.proof is None:
            self.number = journal.settled()
            if self.number > state["mark"]:
                self.proof = stored(look)
                next(self.proof)
            return
        try:
            self.proof.send(look)
        except StopIteration:
            self.proved(self.number)

    def proved(self, number):
        journal.state["mark"] = number
        self.tries = self.restarts = 0
        self.proof = None
        journal.save()


def put_aside(status, text, headers, body, size, at=0):
    """Puts a request aside that Phoenix has refused too often. Whether it did; OSError where it cannot."""
    digest = digest_of(body, size, at)
    if not journal.aside.is_due(digest, journal.count["accepted"]):
        return False
    path = journal.aside.put(digest, headers, body, size, at)
    say(f"{path}: put aside, because Phoenix refuses it while it accepts others, {status}: {text[:200].decode(errors='replace')}")
    return True


def authorization():
    """The header with which Phoenix takes spans now; read each time, because a key changes."""
    try:
        with open(AUTHORIZATION) as file:
            text = file.read().strip()
        return [("authorization", text)] if text.startswith("Bearer ") else []
    except OSError:
        return []


if not os.access(FOLDER, os.R_OK | os.W_OK | os.X_OK):
    sys.exit(f"{FOLDER} cannot be written to by user {os.getuid()}")
journal = Journal()
watch = Watch()
server = Server(("", PORT), Handler)
# As the first process of a container it is ended by no signal that it does not take.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=journal.aside.send).start())
try:
    watch.see(watch.look_at())  # so that what comes now is known to be this process's
    watch.send_next()
except (OSError, http.client.HTTPException, KeyError, ValueError):
    pass
threading.Thread(target=watch.run, daemon=True).start()
server.serve_forever(0.1)
server.server_close()
