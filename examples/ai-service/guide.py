"""What the service knows: a guidebook that it searches, and the weather that its tool looks up."""
import re
import time

GUIDE = {
    "lisbon-rain": "Lisbon in the rain: the tile museum is open until six, and tram 28 is empty.",
    "lisbon-walk": "A walk in Lisbon: from the castle down through Alfama, best before ten in the morning.",
    "oslo-winter": "Oslo in winter: the opera's roof is cleared of snow every morning.",
    "kyoto-spring": "Kyoto in spring: the philosopher's path is quiet on weekdays.",
    "packing": "Packing for a weekend: a windbreaker, shoes that take rain, and one bag that fits under a seat.",
}

WEATHER = {
    "Lisbon": {"temperature_c": 17, "wind_kmh": 24},
    "Oslo": {"temperature_c": -3, "wind_kmh": 8},
    "Kyoto": {"temperature_c": 14, "wind_kmh": 5},
}

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city right now.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def search(text: str) -> list[tuple[str, str, float]]:
    """The two pages that share the most words with the text: name, content, score from 0 to 1. The archive is slow."""
    if "archive" in text:
        time.sleep(2)
    words = set(re.findall(r"\w{4,}", text.lower()))
    scored = [(len(words & set(re.findall(r"\w{4,}", page.lower()))) / (len(words) or 1), name) for name, page in GUIDE.items()]
    return [(name, GUIDE[name], round(score, 2)) for score, name in sorted(scored, reverse=True)[:2]]


def get_weather(city: str) -> dict[str, int]:
    """Raises LookupError for a city without a weather station."""
    time.sleep(0.05)
    if city not in WEATHER:
        raise LookupError(f"there is no weather station in {city}")
    return WEATHER[city]
