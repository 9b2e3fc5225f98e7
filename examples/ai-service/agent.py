"""Answers one message: searches the guidebook, asks the model, calls the tool that it asks for, and asks it again."""
import json
import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from openai import OpenAI
from opentelemetry.trace import Status, StatusCode

from guide import TOOLS, get_weather, search
from telemetry import tracer

OWN_MODEL = "http://127.0.0.1:10001/v1"
BASE_URL = os.getenv("MODEL_BASE_URL", OWN_MODEL)
PLANNER = os.getenv("MODEL_NAME", "example-small")
WRITER = os.getenv("MODEL_NAME", "example-large")
KEY_FILE = os.getenv("MODEL_KEY_FILE")

client = OpenAI(base_url=BASE_URL, api_key=Path(KEY_FILE).read_text().strip() if KEY_FILE else "none", max_retries=0)


class Counted:
    """Calls and tokens by model, as the API reports them: what metrics made from spans can be compared with."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, int]] = {}
        self.lock = threading.Lock()

    def add(self, model: str, prompt_tokens: int, completion_tokens: int) -> None:
        with self.lock:
            of = self.models.setdefault(model, {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0})
            of["calls"] += 1
            of["prompt_tokens"] += prompt_tokens
            of["completion_tokens"] += completion_tokens


class Sessions:
    """The last messages of the last sessions, in memory."""

    def __init__(self) -> None:
        self.kept: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
        self.lock = threading.Lock()

    def of(self, session: str) -> list[dict[str, Any]]:
        with self.lock:
            return list(self.kept.get(session, []))

    def add(self, session: str, message: str, answer: str) -> None:
        with self.lock:
            turns = [*self.kept.pop(session, []), {"role": "user", "content": message}, {"role": "assistant", "content": answer}]
            self.kept[session] = turns[-10:]
            if len(self.kept) > 1000:
                self.kept.popitem(last=False)


counted = Counted()
sessions = Sessions()


def ask(model: str, messages: list[dict[str, Any]], own: Counted, tools: list[dict[str, Any]] | None = None) -> Any:
    """One call of the model; the instrumentation makes its span."""
    completion = client.chat.completions.create(model=model, messages=messages, **({"tools": tools} if tools else {}))
    used = completion.usage
    for count in (counted, own):
        count.add(completion.model, used.prompt_tokens if used else 0, used.completion_tokens if used else 0)
    return completion.choices[0].message


def retrieve(message: str) -> str:
    with tracer.start_as_current_span("search guidebook", openinference_span_kind="retriever") as span:
        span.set_input(message)
        pages = search(message)
        for index, (name, content, score) in enumerate(pages):
            span.set_attribute(f"retrieval.documents.{index}.document.id", name)
            span.set_attribute(f"retrieval.documents.{index}.document.content", content)
            span.set_attribute(f"retrieval.documents.{index}.document.score", score)
        span.set_status(Status(StatusCode.OK))
        return "\n".join(content for _, content, _ in pages)


def use_tool(call: Any) -> str:
    # An exception is recorded in the span, which then has the status of an error.
    with tracer.start_as_current_span(call.function.name, openinference_span_kind="tool") as span:
        span.set_attribute("tool.name", call.function.name)
        span.set_input(call.function.arguments)
        if call.function.name != "get_weather":
            raise LookupError(f"there is no tool {call.function.name}")
        result = json.dumps(get_weather(**json.loads(call.function.arguments)))
        span.set_output(result)
        span.set_status(Status(StatusCode.OK))
        return result


def answer(session: str, message: str, own: Counted) -> str:
    """`own` counts the calls of this message. Raises what a tool or the model raises."""
    system = f"You plan trips. Use tools for facts.\n\n{retrieve(message)}"
    messages = [{"role": "system", "content": system}, *sessions.of(session), {"role": "user", "content": message}]
    said = ask(PLANNER, messages, own, TOOLS)
    if said.tool_calls:
        results = [{"role": "tool", "tool_call_id": call.id, "content": use_tool(call)} for call in said.tool_calls]
        said = ask(WRITER, [*messages, said.model_dump(exclude_none=True), *results], own)
    text = said.content or ""
    sessions.add(session, message, text)
    return text
