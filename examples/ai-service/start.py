"""Starts the service on Phoenix's image, which has the server of Phoenix beside `phoenix.otel`.

`import phoenix.otel` would load that server first: 400 MB, and ten seconds. With its package known as an empty one, it is not.
"""
import importlib.util
import runpy
import sys
import types
from pathlib import Path

found = importlib.util.find_spec("phoenix")
if found and found.submodule_search_locations:
    package = types.ModuleType("phoenix")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["phoenix"] = package

runpy.run_path(str(Path(__file__).with_name("service.py")), run_name="__main__")
