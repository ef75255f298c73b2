"""What schemathesis is told about FHIR, so that its cases get past the door.

The document's paths take any text. Of the generated cases most are led, by a digest of themselves (so that a seed decides
everything), to an institution, types, ids and parameters that exist, and to bodies that are resources with one of
schemathesis' own values in them. The rest goes out as it was generated.
"""

import copy
import hashlib
import itertools
import json
import os

import schemathesis

INSTITUTION = "hospital-a"
TYPES = ["Patient", "Observation", "Encounter", "Bundle", "Consent", "AuditEvent", "Provenance", "ValueSet"]
TYPES_OF = {"$everything": ["Patient"], "$lastn": ["Observation"], "$expand": ["ValueSet"], "$validate-code": ["ValueSet"]}
NAMES = [
    *["_id", "_lastUpdated", "_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude", "_has"],
    *["_cursor", "_type", "_list", "_since", "_at", "identifier", "name", "name:contains", "birthdate", "subject"],
    *["subject:Patient.name", "code", "code:in", "code:not", "date", "value-quantity", "patient", "code-value-quantity"],
    *["url", "filter", "system", "count", "offset", "max", "mode", "profile", "start", "end", "_text", "_content"],
]
VALUES = ["Patient/known", "known", "ge2020-01-01", "5.4|http://unitsofmeasure.org|mg", "http://loinc.org|718-7", "2", "-name", "*"]
VALUES += ["Observation:subject", "Observation:subject:status", "accurate", "count", "", "eq", "|", ",", "%", "\\", "true"]

PATIENT = {"resourceType": "Patient", "name": [{"family": "Wang", "given": ["Li"]}], "birthDate": "1970-03-04"}
OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
    "subject": {"reference": "Patient/known"},
    "effectiveDateTime": "2024-02-03T10:11:12Z",
    "valueQuantity": {"value": 5.4, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
}
CONSENT = {
    "resourceType": "Consent",
    "status": "active",
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "patient": {"reference": "Patient/known"},
    "dateTime": "2024-02-03",
    "provision": {"type": "permit", "actor": [{"reference": {"reference": "Organization/x"}}]},
}
PARAMETERS = {"resourceType": "Parameters", "parameter": [{"name": "url", "valueUri": "http://hl7.org/fhir/ValueSet/x"}]}
RESOURCES = [PATIENT, OBSERVATION, CONSENT, PARAMETERS]


CASES = itertools.count()


class Choice:
    """A row of choices, all decided by one case, and by how many there were before: there is one worker."""

    def __init__(self, case):
        case_text = [case.method, case.path, case.path_parameters, case.query, repr(case.body)]
        seed = json.dumps([next(CASES), *case_text], default=repr)
        self.digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
        self.used = 0

    def below(self, limit):
        self.used += 1
        return int.from_bytes(hashlib.sha256(self.digest + bytes([self.used])).digest()[:6], "big") % limit

    def of(self, values):
        return values[self.below(len(values))]


def tokens():
    """The suite writes new ones while this runs: they last five minutes."""
    with open(os.environ["MEDSEAL_TOKENS"], encoding="utf-8") as file:
        return json.load(file)


@schemathesis.hook
def before_call(context, case, kwargs):
    choice = Choice(case)
    role = "operator" if case.path.startswith("/admin") else "institution"
    if choice.below(20) > 0:
        case.headers["Authorization"] = f"Bearer {tokens()[role]}"
    lead_path(case, choice)
    if "/fhir" not in case.path:
        return
    if case.path.endswith("_search"):
        if isinstance(case.body, dict):
            case.body = led(case.body, choice)
    elif isinstance(case.body, dict):
        lead_body(case, choice)
    else:
        case.query = led(case.query, choice)
    if isinstance(case.body, list) and case.method == "PATCH" and choice.below(3) > 0:
        case.body = [patched(choice)]


def lead_path(case, choice):
    types = next((types for operation, types in TYPES_OF.items() if operation in case.path), TYPES)
    known = {"institution": [INSTITUTION], "type": types, "id": ["known"], "vid": ["1", "2"], "member": ["*", *TYPES]}
    for name, values in known.items():
        if name in (case.path_parameters or {}) and choice.below(10) > 0:
            case.path_parameters[name] = choice.of(values)


def led(pairs, choice):
    """With up to two of FHIR's own parameters."""
    generated = [str(value) for value in (pairs or {}).values()]
    made = dict(pairs or {})
    for _ in range(choice.below(3)):
        made[choice.of(NAMES)] = choice.of(generated + VALUES)
    return made


def lead_body(case, choice):
    if choice.below(4) == 0:
        return
    if case.path in ("/{institution}/fhir",):
        case.body = bundle_of(case, choice)
    else:
        case.body = spoilt(choice.of(RESOURCES), case.body, choice)
        if "id" in (case.path_parameters or {}) and choice.below(4) > 0:
            case.body["id"] = case.path_parameters["id"]
    if "type" in (case.path_parameters or {}) and choice.below(5) > 0 and "$" not in case.path:
        told = case.body.get("resourceType")
        case.path_parameters["type"] = told if told in TYPES else "Patient"


def bundle_of(case, choice):
    requests = [
        {"method": "POST", "url": "Patient"},
        {"method": "PUT", "url": "Patient/known"},
        {"method": "GET", "url": "Observation?subject=Patient/known"},
        {"method": "DELETE", "url": "Observation/none"},
        {"method": "PATCH", "url": "Patient/known"},
    ]
    entry = [
        {"fullUrl": f"urn:uuid:{index}", "resource": spoilt(choice.of(RESOURCES), case.body, choice), "request": choice.of(requests)}
        for index in range(choice.below(4))
    ]
    bundle = {"resourceType": "Bundle", "type": choice.of(["transaction", "batch"]), "entry": entry}
    return spoilt(bundle, case.body, choice)


def patched(choice):
    path = choice.of(["/active", "/name/0/family", "/name/-", "/id", "/meta", "", "/name/9", "/~2", "/resourceType"])
    value = choice.of([True, "x", None, 1.0, {}, [], {"family": "Li"}])
    return {"op": choice.of(["add", "replace", "remove", "test", "move", "copy", "x"]), "path": path, "from": "/name", "value": value}


def spoilt(resource, generated, choice):
    """A copy with at most one element, at some depth, that has a generated value, or one of a wrong type."""
    made = copy.deepcopy(resource)
    if choice.below(3) == 0:
        return made
    place = made
    while True:
        key = choice.of(sorted(place)) if isinstance(place, dict) else choice.below(len(place))
        inner = place[key]
        if not (isinstance(inner, (dict, list)) and inner) or choice.below(3) == 0:
            break
        place = inner
    values = [*generated.values(), generated, None, [], {}, "", " ", 0, -1.5, 1e300, True, "\ud800", [[]], "x" * 5000]
    place[key] = choice.of(values)
    return made
