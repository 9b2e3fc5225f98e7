"""The connector's side of the protocol to the edge, which is the lab's own (connectors.ts): a connection sends the token
and then waits; for each request the edge takes one, names the service, and has a pipe to it.
"""
import asyncio
import json
import socket
import sys
import time
import uuid

# Seconds within which a peer that is alive answers.
PATIENCE = 5
# The same for a service: less than the edge allows a connector.
ORIGIN_PATIENCE = 3
CHUNK = 65536
# Seconds: a connection whose other end has disappeared silently is given up after 8.
KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}


def log(level, text):
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {level} {text}", file=sys.stderr, flush=True)


class Connector:
    def __init__(self, token, edge):
        self.token = token
        self.edge = edge
        self.id = str(uuid.uuid4())
        # Numbers of the open connections. One that was taken for a request counts as open until its successor fails.
        self.standing = set()
        self.under_way = set()
        self.requests = 0
        self.errors = 0

    async def hold(self, number):
        """Keeps one connection open forever."""
        pause, said = 0.1, None
        while True:
            try:
                reader, writer = await self.register(number)
            except (OSError, asyncio.TimeoutError) as error:
                self.standing.discard(number)
                reason = str(error) or "no answer in time"
                if reason != said:
                    log("ERR", f'Unable to establish connection with the edge, trying again error="{reason}" connIndex={number}')
                said = reason
                await asyncio.sleep(pause)
                pause = min(1, pause * 2)
                continue
            if number not in self.standing:
                log("INF", f"Registered tunnel connection connIndex={number} connection={uuid.uuid4()}")
            self.standing.add(number)
            pause, said = 0.1, None
            try:
                service = (await reader.readline()).decode().strip()
            except OSError:
                service = ""
            except asyncio.CancelledError:
                writer.close()
                raise
            if service:
                task = asyncio.create_task(self.serve(service, reader, writer))
                self.under_way.add(task)
                task.add_done_callback(self.under_way.discard)
            else:
                writer.close()
                self.standing.discard(number)
                log("ERR", f'Connection terminated error="connection with the edge lost" connIndex={number}')
                await asyncio.sleep(pause)

    async def register(self, number):
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*self.edge), PATIENCE)
        try:
            keep_alive(writer)
            greeting = {"token": self.token, "connector": self.id, "number": number}
            writer.write(json.dumps(greeting).encode() + b"\n")
            answer = await asyncio.wait_for(reader.readline(), PATIENCE)
            if answer == b"refused\n":
                raise ConnectionRefusedError("Unauthorized: Invalid tunnel secret")
            if answer != b"ok\n":
                raise ConnectionError("the edge has not answered")
            return reader, writer
        except BaseException:
            writer.close()
            raise

    async def serve(self, service, from_edge, to_edge):
        """One request: reports whether the service can be reached, and is then a pipe to it."""
        self.requests += 1
        to_origin = None
        try:
            host, _, port = service.rpartition(":")
            try:
                opening = asyncio.open_connection(host.strip("[]"), int(port))
                from_origin, to_origin = await asyncio.wait_for(opening, ORIGIN_PATIENCE)
            except (OSError, asyncio.TimeoutError) as error:
                self.errors += 1
                log("ERR", f'Unable to reach the origin service error="{error}" originService=http://{service}')
                to_edge.write(b"down\n")
                return
            to_edge.write(b"up\n")
            await pipe(from_edge, to_edge, from_origin, to_origin)
        finally:
            for writer in filter(None, (to_edge, to_origin)):
                writer.close()

    async def tell(self, reader, writer):
        """Answers one request to the metrics address."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            path = head.decode("latin-1").split(" ")[1]
            count = len(self.standing)
            if path == "/ready":
                status = 200 if count else 503
                kind, body = "application/json", json.dumps({"status": status, "readyConnections": count, "connectorId": self.id})
            elif path == "/metrics":
                status, kind, body = 200, "text/plain; version=0.0.4; charset=utf-8", self.metrics()
            else:
                status, kind, body = 404, "text/plain", "404 page not found\n"
            payload = body.encode()
            writer.write(f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(payload)}\r\nConnection: close\r\n\r\n".encode() + payload)
            await writer.drain()
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError):
            # A client that requests nothing gets no answer.
            pass
        finally:
            writer.close()

    def metrics(self):
        values = (
            ("ha_connections", "gauge", "Number of active ha connections", len(self.standing)),
            ("total_requests", "counter", "Amount of requests proxied through all the tunnels", self.requests),
            ("request_errors", "counter", "Count of error proxying to origin", self.errors),
            ("concurrent_requests_per_tunnel", "gauge", "Concurrent requests proxied through each tunnel", len(self.under_way)),
        )
        return "".join(f"# HELP cloudflared_tunnel_{name} {text}\n# TYPE cloudflared_tunnel_{name} {kind}\ncloudflared_tunnel_{name} {value}\n" for name, kind, text, value in values)


def keep_alive(writer):
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def pipe(from_edge, to_edge, from_origin, to_origin):
    """Ends when either side is done. The edge learns whether the service ended normally or broke off."""
    request = asyncio.create_task(feed(from_edge, to_origin))
    response = asyncio.create_task(copy(from_origin, to_edge))
    try:
        await asyncio.wait({request, response}, return_when=asyncio.FIRST_COMPLETED)
        if response.done() and not response.exception():
            # Everything is sent, and the edge closes. Until then, read: unread data would reset the connection.
            to_edge.write_eof()
            await asyncio.wait({request}, timeout=PATIENCE)
        else:
            to_edge.transport.abort()
    finally:
        request.cancel()
        response.cancel()
        await asyncio.gather(request, response, return_exceptions=True)


async def copy(reader, writer):
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()


async def feed(reader, writer):
    """As `copy`; what the service no longer accepts is discarded, because its response may be on the way."""
    taken = True
    while data := await reader.read(CHUNK):
        try:
            if taken:
                writer.write(data)
                await writer.drain()
        except OSError:
            taken = False
