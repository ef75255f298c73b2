"""By operationId: a request that is answered as asked, out of what the suite has put there before (records.json)."""

import copy
import json
import pathlib
from dataclasses import dataclass, field

INSTITUTION = "hospital-a"
KNOWN = json.loads((pathlib.Path(__file__).parent / "records.json").read_text(encoding="utf-8"))
TYPES = [resource["resourceType"] for resource in KNOWN]
GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
GENDERS = "http://hl7.org/fhir/administrative-gender"
CARDS = "http://example.org/cards"
CONDITIONS = ["If-Match", "If-None-Match", "If-Modified-Since", "If-None-Exist", "Prefer", "Idempotency-Key"]
RETURNS = [{}, {"Prefer": "return=minimal"}, {"Prefer": "return=representation"}, {"Prefer": "return=OperationOutcome"}]

CONSENT = {
    "resourceType": "Consent",
    "status": "active",
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "patient": {"reference": "Patient/known"},
    "dateTime": "2024-02-03",
    "provision": {
        "type": "permit",
        "period": {"start": "2024-01-01", "end": "2024-12-31"},
        "actor": [
            {
                "role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]},
                "reference": {"reference": "Organization/known"},
            }
        ],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}],
    },
}
KEY = {
    "kty": "EC",
    "crv": "P-384",
    "use": "sig",
    "alg": "ES384",
    "kid": "1",
    "x": "URrW3c_605E_Z_mO-M8uCm0mKRG5IpI3nLPtvUCfwX4TozggormEziPb5ideWsyl",
    "y": "36_eNskeviFHXERxf3ZtEUVpY4b_awgu9BHOwgeDHWf1RA7q3UG4YVECL9iWMQ5I",
}

OF_ANY_TYPE = {
    "_id": "known",
    "_lastUpdated": "ge2020-01-01",
    "_count": "2",
    "_summary": "count",
    "_total": "accurate",
    "_sort": "-_lastUpdated",
    "_elements": "id",
}
OF_TYPE = {
    "Patient": {
        "name": "wang",
        "birthdate": "ge1960",
        "gender": "female",
        "identifier": f"{CARDS}|known",
        "_has:Observation:subject:code": "718-7",
        "_revinclude": "Observation:subject",
    },
    "Practitioner": {"name:exact": "Zhao", "_revinclude": "Encounter:participant"},
    "Encounter": {"status": "finished,planned", "subject": "Patient/known", "date": "2024-02-03", "participant": "Practitioner/known"},
    "Observation": {
        "code": "http://loinc.org|718-7",
        "subject:Patient.name": "wang",
        "patient": "known",
        "date": "gt2024-01-01",
        "value-quantity": "gt5|http://unitsofmeasure.org|mg",
        "code-value-quantity": "718-7$5.4",
        "_include": "Observation:subject",
        "code:not": "x",
    },
    "Condition": {"subject:Patient": "known", "onset-date": "lt2024-06", "code:missing": "false", "_include": "*"},
    "ValueSet": {"url": "http://example.org/known", "status": "draft"},
    "Organization": {"name:contains": "now"},
}
HISTORY = {"_count": "3", "_since": "2020-01-01T00:00:00Z"}
EVERYTHING = {"_count": "2", "_since": "2020-01-01T00:00:00Z", "_type": "Observation,Condition"}

MADE = {"addClient": [], "listEmergencies": []}
"""Ids that the server gave to what only it can name, by the operation that told them."""


@dataclass
class Request:
    """What replaces the parts of a case."""

    path: dict = field(default_factory=dict)
    query: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    body: object = None
    role: str = ""

    @property
    def form(self):
        return isinstance(self.body, dict) and "resourceType" not in self.body


def parameters(**values):
    """Parameters by name and value: valueString for text unless the name says more, as in `count__valueInteger`."""
    named = [(*name.split("__"), "valueString")[:2] + (value,) for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": name, kind: value} for name, kind, value in named]}


def resource_of(type_, **changes):
    [known] = [resource for resource in KNOWN if resource["resourceType"] == type_]
    return {**copy.deepcopy(known), **changes}


def created(choice, type_=None):
    resource = resource_of(type_ or choice.of(TYPES), language=choice.of(["zh", "en"]))
    del resource["id"]
    if resource["resourceType"] == "Patient":
        resource["identifier"] = [{"system": CARDS, "value": f"card-{choice.case}"}]
    return resource


def spare(choice):
    """An id that cases write, delete and write again."""
    return f"spare-{choice.below(4)}"


def known(choice, **more):
    """A path to a record that is there, and stays."""
    return {"institution": INSTITUTION, "type": choice.of(TYPES), "id": "known", "vid": "1", **more}


def read(choice, **path):
    conditions = [{}, {}, {}, {"If-None-Match": 'W/"1"'}, {"If-Modified-Since": "Wed, 21 Oct 2099 07:28:00 GMT"}]
    path = known(choice, **path)
    # Patients read what they are subjects of.
    roles = ["institution", "practitioner", *(["patient"] if path["type"] in ("Patient", "Observation", "Condition") else [])]
    return Request(path, headers=choice.of(conditions), role=choice.of(roles))


def search(choice, **path):
    path = known(choice, **path)
    return Request(path, {**choice.some(OF_TYPE[path["type"]], 2), **choice.some(OF_ANY_TYPE, 2)})


def search_of_any_type(choice):
    types = sorted({choice.of(TYPES), choice.of(TYPES)})
    return Request({"institution": INSTITUTION}, {"_type": ",".join(types), **choice.some(OF_ANY_TYPE, 2)})


def search_of_compartment(choice):
    member = choice.of(["*", "Observation", "Encounter", "Condition"])
    more = OF_TYPE.get(member, {})
    more = {name: value for name, value in more.items() if "patient" not in name and "subject" not in name} or {"_count": "1"}
    return Request(known(choice, type="Patient", member=member), {**choice.some(more, 1), **choice.some(OF_ANY_TYPE, 2)})


def posted(request):
    """The same search by POST: at least one pair, for schemathesis sends no empty form."""
    request.query, request.body = {}, request.query or {"_count": "1"}
    return request


def history(choice):
    return Request(known(choice), choice.some(HISTORY, 2))


def writing(choice, path, resource=None, query=None, **headers):
    keys = [{}, {}, {"Idempotency-Key": f"key-{choice.case}"}]
    return Request(path, query or {}, {**choice.of(RETURNS), **choice.of(keys), **headers}, resource)


def create(choice):
    if choice.below(5) == 0:
        request = writing(choice, known(choice, type="Consent"), copy.deepcopy(CONSENT))
        request.role = "patient"
        return request
    resource = created(choice)
    request = writing(choice, known(choice, type=resource["resourceType"]), resource)
    if choice.below(4) == 0:
        request.headers["If-None-Exist"] = f"_id=spare-{choice.below(9)}"
    return request


def update(choice):
    type_, id_ = choice.of(TYPES), spare(choice)
    return writing(choice, known(choice, type=type_, id=id_), {**created(choice, type_), "id": id_})


def conditional_update(choice):
    card = f"{CARDS}|{choice.below(4)}"
    system, value = card.split("|")
    patient = {**created(choice, "Patient"), "identifier": [{"system": system, "value": value}]}
    return writing(choice, known(choice, type="Patient"), patient, {"identifier": card})


def delete(choice):
    return writing(choice, known(choice, id=spare(choice)))


def conditional_delete(choice):
    return writing(choice, known(choice, type="Patient"), query={"identifier": f"{CARDS}|{choice.below(4)}"})


NAMED = {"op": "add", "path": "/name", "value": [{"family": "Wang", "given": ["Li"]}]}
PATCHES = [
    [{"op": "add", "path": "/active", "value": True}],
    [NAMED, {"op": "replace", "path": "/name/0/family", "value": "Wang"}],
    [{"op": "test", "path": "/resourceType", "value": "Patient"}, {"op": "add", "path": "/language", "value": "zh"}],
    [NAMED, {"op": "copy", "from": "/name/0", "path": "/name/-"}, {"op": "remove", "path": "/name/1"}],
]


def patch(choice):
    return writing(choice, known(choice, type="Patient"), copy.deepcopy(choice.of(PATCHES)))


def conditional_patch(choice):
    request = patch(choice)
    request.query = {"identifier": f"{CARDS}|known"}
    return request


def bundle(choice):
    patient, observation, encounter = (created(choice, type_) for type_ in ("Patient", "Observation", "Encounter"))
    observation["subject"] = {"reference": "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"}
    entries = [
        [
            entry("POST", "Patient", patient, fullUrl="urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
            entry("POST", "Observation", observation),
        ],
        [entry("PUT", "Encounter/in-bundle", {**encounter, "id": "in-bundle"})],
        [entry("DELETE", "Observation/in-bundle")],
        [entry("GET", "Observation?subject=Patient/known"), entry("GET", "Patient/known/_history")],
        [{**entry("POST", "Practitioner", created(choice, "Practitioner")), "fullUrl": "urn:uuid:2b4e28ba-2fa1-11d2-883f-0016d3cca427"}],
    ]
    chosen = [entries[index] for index in sorted({choice.below(len(entries)) for _ in range(3)})]
    type_ = "transaction" if choice.below(3) else "batch"
    # Entries of a batch do not refer to each other.
    observation["subject"] = observation["subject"] if type_ == "transaction" else {"reference": "Patient/known"}
    return writing(choice, known(choice), {"resourceType": "Bundle", "type": type_, "entry": sum(chosen, [])})


def entry(method, url, resource=None, **more):
    return {**more, **({} if resource is None else {"resource": resource}), "request": {"method": method, "url": url}}


def validate(choice, id_):
    type_ = choice.of(TYPES)
    resource = {**created(choice, type_), **({"id": id_} if id_ else {})}
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": resource}]}
    query = choice.of([{}, {"mode": "create" if id_ is None else "update"}, {"profile": f"http://hl7.org/fhir/StructureDefinition/{type_}"}])
    return Request(known(choice, type=type_), query, body=choice.of([resource, wrapped]))


def change_of_meta(choice):
    body = parameters(meta__valueMeta={"tag": [{"system": "http://example.org/tags", "code": choice.of("abc")}]})
    return writing(choice, known(choice), body)


def everything(choice):
    return Request(known(choice, type="Patient"), choice.some(EVERYTHING, 2))


def everything_by_post(choice):
    return Request(known(choice, type="Patient"), body=parameters(_type="Observation", _count__valueInteger=2))


def last(choice):
    return Request(known(choice, type="Observation"), {"patient": "known", "code": "718-7", **choice.some({"max": "2", "date": "ge2020"}, 2)})


def expand(choice):
    paging = choice.some({"count": "2", "offset": "1", "filter": "male"}, 2)
    return Request(known(choice, type="ValueSet"), {"url": GENDER, **paging})


def expand_by_post(choice):
    sent = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": resource_of("ValueSet")}]}
    body = choice.of([parameters(url__valueUri=GENDER), parameters(url__valueUri=GENDER, count__valueInteger=1), sent])
    return Request(known(choice, type="ValueSet"), body=body)


def expand_instance(choice):
    return Request(known(choice, type="ValueSet"), choice.some({"count": "2", "offset": "1", "filter": "male"}, 2))


def validate_code(choice):
    type_, url = choice.of([("ValueSet", GENDER), ("CodeSystem", GENDERS)])
    more = choice.some({"system": GENDERS, "display": "Male"}, 2)
    return Request(known(choice, type=type_), {"url": url, "code": choice.of(["male", "x"]), **more})


def validate_code_by_post(choice):
    type_, url = choice.of([("ValueSet", GENDER), ("CodeSystem", GENDERS)])
    coding = {"system": GENDERS, "code": "male", "display": "Male"}
    asked = choice.of([{"coding__valueCoding": coding}, {"codeableConcept__valueCodeableConcept": {"coding": [coding]}}])
    return Request(known(choice, type=type_), body=parameters(url__valueUri=url, **asked))


def validate_code_of_instance(choice):
    return Request(known(choice, type="ValueSet"), {"code": "male", **choice.some({"system": GENDERS}, 1)})


def validate_code_of_instance_by_post(choice):
    coding = {"system": GENDERS, "code": "male"}
    return Request(known(choice, type="ValueSet"), body=parameters(coding__valueCoding=coding))


def explain(choice):
    query = choice.some({"actor": "Practitioner/known", "purpose": "TREAT", "at": "2024-06-01", "action": "read"}, 4)
    return Request(known(choice, type=choice.of(["Patient", "Observation", "Condition"])), query)


def break_glass(choice):
    body = parameters(reason="Unconscious after an accident", minutes__valueInteger=5)
    return Request(known(choice, type="Patient"), body=body, role="practitioner")


def client(choice):
    registration = {"institution": INSTITUTION, "jwks": {"keys": [KEY]}, "purposes": ["TREAT"], "scopes": ["system/*.rs"]}
    return Request(body={"id": f"client-{choice.case}", **registration})


def review(choice):
    if MADE["listEmergencies"]:
        return Request({"id": MADE["listEmergencies"].pop()}, body={"outcome": "justified", "note": "Seen"})
    return None


def fixed(**parts):
    return lambda choice: Request(known(choice), **copy.deepcopy(parts))


def by_post(body=None):
    """Of an operation that needs no parameters."""
    return lambda choice: Request(known(choice), body=body or {"resourceType": "Parameters"})


AIMS = {
    "docsAsset": lambda choice: Request({"asset": "openapi.json"}),
    "verificationAsset": lambda choice: Request({"asset": "page.js"}),
    "unionSearch": search,
    "unionSearchByPost": lambda choice: posted(search(choice)),
    "unionSystemSearch": search_of_any_type,
    "unionSystemSearchByPost": lambda choice: posted(search_of_any_type(choice)),
    "unionRead": read,
    "capabilities": fixed(),
    "smartConfiguration": fixed(),
    "search": search,
    "searchByPost": lambda choice: posted(search(choice)),
    "systemSearch": search_of_any_type,
    "systemSearchByPost": lambda choice: posted(search_of_any_type(choice)),
    "compartmentSearch": search_of_compartment,
    "compartmentSearchByPost": lambda choice: posted(search_of_compartment(choice)),
    "read": read,
    "vread": read,
    "evidence": lambda choice: Request(known(choice)),
    "certificate": lambda choice: Request(known(choice)),
    "systemHistory": history,
    "typeHistory": history,
    "instanceHistory": history,
    "create": create,
    "update": update,
    "conditionalUpdate": conditional_update,
    "patch": patch,
    "conditionalPatch": conditional_patch,
    "delete": delete,
    "conditionalDelete": conditional_delete,
    "bundle": bundle,
    "validateOfType": lambda choice: validate(choice, None),
    "validateOfInstance": lambda choice: validate(choice, "known"),
    "metaOfSystem": fixed(),
    "metaOfSystemByPost": by_post(),
    "metaOfType": fixed(),
    "metaOfTypeByPost": by_post(),
    "metaOfInstance": fixed(),
    "metaOfInstanceByPost": by_post(),
    "metaAddOfInstance": change_of_meta,
    "metaDeleteOfInstance": change_of_meta,
    "everythingOfInstance": everything,
    "everythingOfInstanceByPost": everything_by_post,
    "lastnOfType": last,
    "lastnOfTypeByPost": lambda choice: Request(known(choice, type="Observation"), body=parameters(patient="known", code="718-7")),
    "expandOfType": expand,
    "expandOfTypeByPost": expand_by_post,
    "expandOfInstance": expand_instance,
    "expandOfInstanceByPost": lambda choice: Request(known(choice, type="ValueSet"), body=parameters(count__valueInteger=1)),
    "validateCodeOfType": validate_code,
    "validateCodeOfTypeByPost": validate_code_by_post,
    "validateCodeOfInstance": validate_code_of_instance,
    "validateCodeOfInstanceByPost": validate_code_of_instance_by_post,
    "reindexOfSystem": by_post(),
    "reindexStatusOfSystem": fixed(),
    "reindexStatusOfSystemByPost": by_post(),
    "explainAccess": explain,
    "breakGlass": break_glass,
    "listInstitutions": fixed(),
    "addInstitution": lambda choice: Request(body={"id": f"institution-{choice.case}"}),
    "setInstitution": lambda choice: Request({"id": INSTITUTION}, body={"validation": "base"}),
    "listClients": fixed(),
    "addClient": client,
    "disableClient": lambda choice: Request({"client": MADE["addClient"].pop()}) if MADE["addClient"] else None,
    "listEmergencies": fixed(),
    "reviewEmergency": review,
    "dropAccess": fixed(body={"before": "2020-01-01", "reason": "Older than the law asks for"}),
    "anchors": fixed(),
}


def aim(operation, choice):
    """None where nothing is known that would be answered as asked."""
    made = AIMS.get(operation)
    return None if made is None else made(choice)
