"""A service to try the stack with: it answers questions about trips, and sends traces, metrics and logs.

It runs on Phoenix's image, which has everything that it imports, and needs no API key: it brings its own model.
"""
import threading
import time
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from openinference.instrumentation import using_session
from opentelemetry.trace import Status, StatusCode, format_trace_id
from pydantic import BaseModel, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

import agent
import model
import telemetry


@asynccontextmanager
async def running(_: FastAPI) -> AsyncIterator[None]:
    if agent.BASE_URL == agent.OWN_MODEL:
        server = uvicorn.Server(uvicorn.Config(model.app, host="127.0.0.1", port=10001, log_level="warning"))
        threading.Thread(target=server.run, daemon=True).start()
    yield
    telemetry.shutdown()


# Newer versions of FastAPI make spans of each request by themselves: here that would be mostly health checks.
app = FastAPI(lifespan=running, telemetry={"tracing": False, "metrics": False, "logs": False})
# A website whose name leads here is not answered.
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"])


class Message(BaseModel):
    session: str = Field(min_length=1, max_length=100)
    message: str = Field(min_length=1, max_length=4000)


@app.post("/chat")
def chat(asked: Message) -> JSONResponse:
    """200 with the answer, or 502 with the error; both with the trace ID, and calls and tokens by model."""
    own = agent.Counted()
    started = time.monotonic()
    body: dict[str, Any] = {"session": asked.session}
    try:
        # An exception is recorded in the span, too, and ends it with the status of an error.
        with using_session(asked.session), telemetry.tracer.start_as_current_span("plan a trip", openinference_span_kind="chain") as span:
            body["trace"] = format_trace_id(span.get_span_context().trace_id)
            span.set_input(asked.message)
            try:
                body["answer"] = agent.answer(asked.session, asked.message, own)
            except Exception as error:
                telemetry.log.error("session %s: %s, trace %s", asked.session, error, body["trace"])
                raise
            span.set_output(body["answer"])
            span.set_status(Status(StatusCode.OK))
            telemetry.log.info("session %s: answered, trace %s", asked.session, body["trace"])
    except Exception as error:
        body["error"] = str(error)
    outcome = {"outcome": "failed" if "error" in body else "answered"}
    telemetry.requests.add(1, outcome)
    telemetry.duration.record(time.monotonic() - started, outcome)
    return JSONResponse({**body, "models": own.models}, 502 if "error" in body else 200)


@app.get("/counted")
def counted() -> dict[str, Any]:
    """Calls and tokens by model since the start."""
    return {"models": agent.counted.models}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=10000, access_log=False, log_level="warning")
