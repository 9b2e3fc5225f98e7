"""An agent that answers one question: a plan, a tool call, a search and an answer, as spans.

No model is called; the spans carry what real ones would (OpenInference attributes), so that the
page has something to show. The README's picture was taken of this.

    pip install arize-phoenix-otel
    python examples/travel_agent.py
"""
import json
import os
import time

from phoenix.otel import register

QUESTION = "What should I pack for Lisbon this weekend?"
ANSWER = (
    "It is 17 °C with wind at 24 km/h in Lisbon: take a windbreaker, walk the old town in the morning, "
    "and keep the museum for the afternoon showers."
)
WEATHER = json.dumps({"temp_c": 17, "wind_kmh": 24})

tracer_provider = register(
    project_name="travel-assistant",
    endpoint=os.getenv("PHOENIX_COLLECTOR_ENDPOINT", "http://localhost:4318/v1/traces"),
)
tracer = tracer_provider.get_tracer(__name__)


def model_call(span, prompt: int, completion: int, messages, answer: str) -> None:
    span.set_attribute("llm.model_name", "claude-sonnet-4-5")
    span.set_attribute("llm.provider", "anthropic")
    for index, (role, content) in enumerate(messages):
        span.set_attribute(f"llm.input_messages.{index}.message.role", role)
        span.set_attribute(f"llm.input_messages.{index}.message.content", content)
    span.set_attribute("llm.output_messages.0.message.role", "assistant")
    span.set_attribute("llm.output_messages.0.message.content", answer)
    span.set_attribute("llm.token_count.prompt", prompt)
    span.set_attribute("llm.token_count.completion", completion)
    span.set_attribute("llm.token_count.total", prompt + completion)
    span.set_input(messages[1][1])
    span.set_output(answer)


start = [("system", "You plan trips. Use tools for facts."), ("user", QUESTION)]
with tracer.start_as_current_span("TravelAgent", openinference_span_kind="agent") as agent:
    agent.set_input(QUESTION)
    with tracer.start_as_current_span("plan", openinference_span_kind="llm") as span:
        model_call(span, 412, 38, start, "get_weather(city='Lisbon')")
        time.sleep(0.42)
    with tracer.start_as_current_span("get_weather", openinference_span_kind="tool") as span:
        span.set_attribute("tool.name", "get_weather")
        span.set_input(json.dumps({"city": "Lisbon"}))
        time.sleep(0.31)
        span.set_output(WEATHER)
    with tracer.start_as_current_span("guidebook search", openinference_span_kind="retriever") as span:
        span.set_input("Lisbon in spring")
        span.set_attribute("retrieval.documents.0.document.content", "Lisbon: where locals go when it rains")
        span.set_attribute("retrieval.documents.0.document.score", 0.83)
        time.sleep(0.12)
    with tracer.start_as_current_span("answer", openinference_span_kind="llm") as span:
        model_call(span, 1288, 61, [*start, ("tool", WEATHER)], ANSWER)
        time.sleep(0.83)
    agent.set_output(ANSWER)

tracer_provider.shutdown()
