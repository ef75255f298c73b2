"""What a client's script tells the suite: a line of JSON for each step, as soon as it is over."""

import json
import traceback


def step(name):
    """Runs the function at once. Later steps run whatever became of it."""

    def run(function):
        try:
            function()
            print(json.dumps({"step": name, "passed": True}), flush=True)
        except Exception:
            print(json.dumps({"step": name, "passed": False, "error": traceback.format_exc()}), flush=True)

    return run


def error_of(exception, function):
    """The exception of that class that the function raises."""
    try:
        function()
    except exception as error:
        return error
    raise AssertionError(f"{exception.__name__} was not raised")
