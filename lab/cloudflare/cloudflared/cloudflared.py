#!/usr/bin/python3 -IS
"""Stand-in for cloudflared, in the parts that a stack sees: commands, variables, readiness, signals and exit codes."""
import argparse
import asyncio
import base64
import json
import os
import re
import signal
import sys

# An isolated Python does not import from the folder of its script, and nothing may be written there.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
from connector import PATIENCE, Connector, log

# As many as cloudflared opens.
CONNECTIONS = 4


class Failure(Exception):
    """Ends the program with a readable message."""


async def run(token, metrics, grace):
    connector = Connector(token, address(os.environ.get("LAB_EDGE") or "region1.v2.argotunnel.com:7844"))
    signals = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    try:
        server = await asyncio.start_server(connector.tell, *address(metrics))
    except OSError as error:
        raise Failure(f"Error opening metrics server listener: {error}") from error
    for listener in server.sockets:
        log("INF", f"Starting metrics server on {':'.join(map(str, listener.getsockname()[:2]))}/metrics")

    asked = asyncio.create_task(signals.get())
    holding = [asyncio.create_task(connector.hold(number)) for number in range(CONNECTIONS)]
    done, _ = await asyncio.wait({asked, *holding}, return_when=asyncio.FIRST_COMPLETED)
    # A task that holds a connection ends only because of a bug in this program.
    log("INF", f"Initiating graceful shutdown due to signal {signal.Signals(done.pop().result()).name} ...")
    for task in holding:
        task.cancel()
    await asyncio.gather(*holding, return_exceptions=True)
    connector.standing.clear()
    if connector.under_way:
        finished = asyncio.create_task(asyncio.wait(connector.under_way))
        again = asyncio.create_task(signals.get())
        await asyncio.wait({finished, again}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
    log("INF", "Tunnel server stopped")
    # A lookup of the edge's name cannot be cancelled, and the end of the loop would wait for it.
    os._exit(0)


def ready(metrics):
    # Imported only here: this command runs every few seconds, and the import is most of the other command's startup time.
    from http.client import HTTPConnection, HTTPException

    if not metrics:
        raise Failure("--metrics has to be provided")
    url = f"http://{metrics}/ready"
    try:
        connection = HTTPConnection(*address(metrics), timeout=PATIENCE)
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        body = answer.read().decode()
    except (OSError, HTTPException) as error:
        raise Failure(f'Get "{url}": {error}') from error
    if answer.status != 200:
        raise Failure(f"{url} endpoint returned status code {answer.status}\n{body}")


def tunnel_token():
    """The token takes precedence over the file, as in cloudflared."""
    token, path = os.environ.get("TUNNEL_TOKEN"), os.environ.get("TUNNEL_TOKEN_FILE")
    if not token and path:
        try:
            with open(path, encoding="utf-8") as file:
                token = file.read().strip()
        except OSError as error:
            raise Failure(f"Failed to read token file: open {path}: {error.strerror}") from error
    if not token:
        raise Failure('"cloudflared tunnel run" requires the ID or name of the tunnel to run as the last command line argument or in the configuration file.')
    try:
        parts = json.loads(base64.b64decode(token, validate=True))
        if not all(isinstance(parts[name], str) and parts[name] for name in "ats"):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise Failure("Provided Tunnel token is not valid.") from error
    return token


def address(text):
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise Failure(f"failed to bind to address ({text}): missing port in address")
    return host.strip("[]") or None, int(port)


def seconds(duration):
    """A duration as Go writes it: 30s, 1m30s, 500ms."""
    units = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    if duration != "0" and not re.fullmatch(r"(\d+(\.\d+)?(h|ms|m|s))+", duration):
        raise Failure(f'invalid value "{duration}" for flag -grace-period: parse error')
    return sum(float(count) * units[unit] for count, unit in re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", duration))


def main():
    # Flags that the lab does not know are refused: otherwise nobody would notice that they have no effect here.
    program = argparse.ArgumentParser(prog="cloudflared", allow_abbrev=False)
    program.add_argument("--no-autoupdate", action="store_true")
    tunnel = program.add_subparsers(required=True).add_parser("tunnel", allow_abbrev=False)
    tunnel.add_argument("--no-autoupdate", action="store_true")
    tunnel.add_argument("--metrics", default=os.environ.get("TUNNEL_METRICS"))
    tunnel.add_argument("command", choices=("run", "ready"))
    arguments = program.parse_args()
    try:
        if arguments.command == "ready":
            ready(arguments.metrics)
        else:
            grace = seconds(os.environ.get("TUNNEL_GRACE_PERIOD") or "30s")
            asyncio.run(run(tunnel_token(), arguments.metrics or "127.0.0.1:20241", grace))
    except Failure as failure:
        sys.exit(str(failure))


main()
