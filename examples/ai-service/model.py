"""Answers like OpenAI's API, without a model: the same request always gets the same answer and the same token counts."""
import asyncio
import json
import re
from typing import Any

from fastapi import FastAPI

# OpenAI does not send its own spans to your Phoenix either.
app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})


def tokens(value: object) -> int:
    """About as many as a tokenizer counts: one for four characters."""
    return len(value if isinstance(value, str) else json.dumps(value)) // 4 + 1


def reply(request: dict[str, Any]) -> dict[str, Any]:
    """The message of the assistant: a tool call for a question about a place, else a text."""
    last = request["messages"][-1]
    place = re.search(r"\bin ([A-Z]\w+)", last.get("content") or "")
    if last["role"] == "user" and place and request.get("tools"):
        call = {"name": "get_weather", "arguments": json.dumps({"city": place[1]})}
        return {"role": "assistant", "content": None, "tool_calls": [{"id": f"call_{tokens(request['messages'])}", "type": "function", "function": call}]}
    if last["role"] == "tool":
        weather = json.loads(last["content"])
        return {"role": "assistant", "content": f"It is {weather['temperature_c']} °C with wind at {weather['wind_kmh']} km/h. Take a windbreaker, and walk in the morning."}
    return {"role": "assistant", "content": "Pack one bag that fits under a seat. Name a city, and I look up its weather."}


@app.post("/v1/chat/completions")
async def complete(request: dict[str, Any]) -> dict[str, Any]:
    message = reply(request)
    prompt = sum(tokens(one) for one in request["messages"]) + tokens(request.get("tools", ""))
    completion = tokens(message.get("tool_calls") or message["content"])
    # A longer answer takes longer.
    await asyncio.sleep(0.05 + 0.002 * completion)
    return {
        "id": f"chatcmpl-{prompt}-{completion}",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if message.get("tool_calls") else "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }
