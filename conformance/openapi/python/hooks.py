"""What schemathesis is told about FHIR, so that its cases get past the door.

The document's paths take any text. Half of the generated cases become requests that are answered as asked (aims.py), a
third the same with one thing spoilt (spoiling.py), and the rest goes out as it was generated, mostly at a base that exists.
What each was answered is written down, by operationId, a line of JSON each.
"""

import json
import os

import schemathesis
from aims import CONDITIONS, INSTITUTION, MADE, aim
from choice import Choice
from spoiling import spoil

AIMED, SPOILT, WILD = "aimed", "spoilt", "wild"
KINDS = [*[AIMED] * 5, *[SPOILT] * 3, *[WILD] * 2]


def tokens():
    """The suite writes new ones while this runs: they last five minutes."""
    with open(os.environ["MEDSEAL_TOKENS"], encoding="utf-8") as file:
        return json.load(file)


def operation_id(case):
    return case.operation.definition.raw["operationId"]


def is_documented(case):
    """Not a method that the path does not have, nor a content type that the operation does not take."""
    return case.method.upper() == case.operation.method.upper() and "Content-Type" not in case.headers


def kind_of(case, choice):
    if not is_documented(case):
        return WILD
    raw = case.operation.definition.raw
    # Where nothing varies there are three cases in all.
    return choice.of(KINDS) if raw.get("parameters") or raw.get("requestBody") else AIMED


@schemathesis.hook
def before_call(context, case, kwargs):
    choice = Choice(case)
    role = "operator" if case.path.startswith("/admin") else "institution"
    kind = kind_of(case, choice)
    request = aim(operation_id(case), choice) if kind != WILD else None
    if request is None:
        if "institution" in (case.path_parameters or {}) and choice.below(10) > 2:
            case.path_parameters["institution"] = INSTITUTION
    else:
        role = request.role or role
        request.path = {name: value for name, value in request.path.items() if name in (case.path_parameters or {})}
        if kind == SPOILT:
            spoil(request, generated_by(case), choice, deletes=case.method.upper() == "DELETE")
        put(request, case)
    if kind == AIMED or choice.below(10) > 0:
        case.headers["Authorization"] = f"Bearer {tokens()[role]}"


def generated_by(case):
    body = case.body if isinstance(case.body, (dict, list, str, int, float)) else None
    parts = [*(case.path_parameters or {}).values(), *(case.query or {}).values(), body]
    return [*parts, *(body.values() if isinstance(body, dict) else [])]


def put(request, case):
    for name, value in request.path.items():
        case.path_parameters[name] = value
    for name in CONDITIONS:
        case.headers.pop(name, None)
    case.headers.update(request.headers)
    case.query = request.query
    if request.body is not None:
        case.body = request.body
        case.media_type = next(iter(case.operation.definition.raw["requestBody"]["content"]))


def write_down(case, status, milliseconds):
    operation = operation_id(case) if case.method.upper() == case.operation.method.upper() else "another method"
    line = {"operation": operation, "status": status, "milliseconds": milliseconds}
    with open(os.environ["MEDSEAL_ANSWERS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@schemathesis.hook
def after_call(context, case, response):
    write_down(case, response.status_code, round(response.elapsed * 1000))
    told = operation_id(case) if is_documented(case) and response.status_code in (200, 201) else None
    if told == "addClient":
        MADE[told].append(response.json()["id"])
    if told == "listEmergencies":
        MADE[told] = [one["id"] for one in response.json()["emergencies"] if "review" not in one]


@schemathesis.hook
def after_network_error(context, case, request):
    write_down(case, 0, 0)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Who prefers `return=minimal` gets no body, and so no content type: OpenAPI cannot say that of a status."""
    return bool(response.content) or response.status_code not in (200, 201)
