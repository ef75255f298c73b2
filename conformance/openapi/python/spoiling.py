"""One thing of a request that would be answered as asked becomes another."""

import copy

VALUES = [None, [], {}, "", " ", 0, -1.5, 1e300, True, "\ud800", [[]], [None], "x" * 5000]
NAMES = [
    *["_id", "_lastUpdated", "_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude", "_has"],
    *["_cursor", "_type", "_list", "_since", "_at", "identifier", "name", "name:contains", "birthdate", "subject"],
    *["subject:Patient.name", "code", "code:in", "code:not", "date", "value-quantity", "patient", "code-value-quantity"],
    *["url", "filter", "system", "count", "offset", "max", "mode", "profile", "start", "end", "_text", "_content"],
    *["actor", "purpose", "at", "action"],
]
TEXTS = ["Patient/known", "known", "ge2020-01-01", "5.4|http://unitsofmeasure.org|mg", "http://loinc.org|718-7", "2", "-name", "*"]
TEXTS += ["Observation:subject", "Observation:subject:status", "accurate", "count", "", "eq", "|", ",", "%", "\\", "true", "\0", "9" * 30]
TEXTS += ["9999", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e999"]
PATHS = ["/active", "/name/0/family", "/name/-", "/id", "/meta", "", "/name/9", "/~2", "/resourceType", "/name/0/given/0"]
OPERATIONS = ["add", "replace", "remove", "test", "move", "copy", "x"]
TAGS = ['W/"1"', 'W/"99"', "1", '"1"', "*", "W/", "", 'W/"1", W/"2"']
HEADERS = {
    "If-Match": TAGS,
    "If-None-Match": TAGS,
    "If-Modified-Since": ["Wed, 21 Oct 2015 07:28:00 GMT", "2024-01-01", "Mon, 99 Xyz 0000 00:00:00 GMT"],
    "If-None-Exist": ["identifier=known", "", "_id=known", "x", "name=%", "?", "_has:x=y"],
    "Prefer": ["handling=strict", "return=x", "return=minimal,return=representation", ";;="],
    "Idempotency-Key": ["k", "x" * 300, "\xff"],
    "Accept": ["application/fhir+xml", "text/html", "*/*;q=0", "application/json;fhirVersion=3.0", "x"],
    "Content-Type": ["application/json", "text/plain", "application/fhir+xml", "application/fhir+json;charset=utf-16", ""],
    "Content-Encoding": ["gzip", "x"],
}


def spoil(request, generated, choice, deletes):
    """Changes one place of the path, the query, the headers or the body; what the others are led to is not deleted."""
    places = [name for name in ("path", "query", "body", "body", "body") if getattr(request, name)] + ["query", "headers"]
    place = choice.of(places)
    texts = [str(value) for value in generated] + TEXTS
    texts = [text for text in texts if not (deletes and "known" in text)]
    if place == "path":
        request.path[choice.of(sorted(request.path))] = choice.of(texts)
    elif place == "query":
        request.query[choice.of(NAMES + sorted(request.query) * 5)] = choice.of(texts)
    elif place == "headers":
        name = choice.of(sorted(HEADERS))
        request.headers[name] = choice.of(HEADERS[name])
    elif request.form:
        request.body[choice.of(NAMES + sorted(request.body) * 5)] = choice.of(texts)
    elif isinstance(request.body, list) and choice.below(2) == 0:
        request.body.append(patched(choice))
    else:
        request.body = spoilt(request.body, generated, choice)


def spoilt(document, generated, choice):
    """A copy of which one element, at some depth, has a generated value, or one of a wrong type, or a name of another."""
    made = copy.deepcopy(document)
    place = made
    while True:
        key = choice.of(sorted(place)) if isinstance(place, dict) else choice.below(len(place))
        inner = place[key]
        if not (isinstance(inner, (dict, list)) and inner) or choice.below(3) == 0:
            break
        place = inner
    if isinstance(place, dict) and choice.below(6) == 0:
        place[str(choice.of([*generated, "x", "_" + key, "valueString", "extension", "__proto__"]))] = place.pop(key)
    else:
        place[key] = choice.of([*generated, *VALUES])
    return made


def patched(choice):
    value = choice.of([True, "x", None, 1.0, {}, [], {"family": "Li"}])
    return {"op": choice.of(OPERATIONS), "path": choice.of(PATHS), "from": choice.of(PATHS), "value": value}
