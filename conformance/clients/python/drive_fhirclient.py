"""`fhirclient` of smart-on-fhir, as it is published."""

import os
from urllib.parse import urlsplit

from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRUnauthorizedException
from requests import HTTPError
from steps import error_of, step

BASE = os.environ["MEDSEAL_BASE"]
SYSTEM = "urn:medseal:clients"


def client_of(token):
    """With a token that was got elsewhere: the client itself has no backend services."""
    server = {"base_uri": f"{BASE}/", "auth_type": "oauth2", "auth": {"access_token": token}}
    return FHIRClient(state={"app_id": "conformance", "server": server})


smart = client_of(os.environ["MEDSEAL_TOKEN"])
server = smart.server


def patient_of(value, family="Wang"):
    return Patient({"identifier": [{"system": SYSTEM, "value": value}], "name": [{"family": family}]})


def created(resource):
    return type(resource)(resource.create(server))


def with_headers(headers, function):
    """For headers that the client has no argument for, its session does."""
    server.session.headers.update(headers)
    try:
        return function()
    finally:
        for name in headers:
            del server.session.headers[name]


def post(url):
    return {"method": "POST", "url": url}


@step("capabilities")
def _():
    discovering = FHIRClient({"app_id": "conformance", "api_base": BASE})
    statement = discovering.server.capabilityStatement
    assert statement.fhirVersion == "4.0.1"
    assert discovering.server.auth.auth_type == "oauth2"
    token_uri = urlsplit(discovering.server.auth._token_uri)
    assert (token_uri.netloc, token_uri.path) == (urlsplit(BASE).netloc, "/auth/token")


@step("create, read, vread")
def _():
    patient = created(patient_of("fhirclient"))
    assert Patient.read(patient.id, server).name[0].family == "Wang"
    assert Patient.read_from(f"Patient/{patient.id}/_history/1", server).meta.versionId == "1"


@step("update with If-Match")
def _():
    patient = created(patient_of("fhirclient-update"))
    patient.name[0].family = "Li"
    updated = Patient(with_headers({"If-Match": 'W/"1"'}, lambda: patient.update(server)))
    assert (updated.meta.versionId, updated.name[0].family) == ("2", "Li")
    stale = error_of(HTTPError, lambda: with_headers({"If-Match": 'W/"1"'}, lambda: patient.update(server)))
    assert stale.response.status_code == 412


@step("conditional create")
def _():
    only_once = {"If-None-Exist": f"identifier={SYSTEM}|fhirclient-once"}
    first, second = [with_headers(only_once, lambda: created(patient_of("fhirclient-once"))) for _ in range(2)]
    assert first.id == second.id


@step("search, all pages")
def _():
    ids = {created(patient_of("fhirclient-pages")).id for _ in range(5)}
    search = Patient.where({"identifier": f"{SYSTEM}|fhirclient-pages", "_count": "2"})
    assert [len(page.entry) for page in search.perform_iter(server)] == [2, 2, 1]
    assert {patient.id for patient in search.perform_resources_iter(server)} == ids


@step("search with _revinclude")
def _():
    patient = created(patient_of("fhirclient-include"))
    created(Observation({"status": "final", "code": {"text": "x"}, "subject": {"reference": f"Patient/{patient.id}"}}))
    search = Patient.where({"_id": patient.id}).include("subject", Observation, reverse=True)
    assert {resource.resource_type for resource in search.perform_resources(server)} == {"Patient", "Observation"}


@step("transaction")
def _():
    full_url = "urn:uuid:0b6d6e1c-3c7b-4a7e-9a35-1a7a3b1c7f01"
    observation = {"status": "final", "code": {"text": "x"}, "subject": {"reference": full_url}}
    entry = [
        {"fullUrl": full_url, "resource": patient_of("fhirclient-bundle").as_json(), "request": post("Patient")},
        {"resource": Observation(observation).as_json(), "request": post("Observation")},
    ]
    answer = Bundle(Bundle({"type": "transaction", "entry": entry}).create(server))
    assert [one.response.status for one in answer.entry] == ["201", "201"]
    location = answer.entry[1].response.location.split("/_history/")[0]
    assert Observation.read_from(location, server).subject.reference.startswith("Patient/")


@step("history")
def _():
    patient = created(patient_of("fhirclient-history"))
    patient.active = True
    patient.update(server)
    history = Bundle.read_from(f"Patient/{patient.id}/_history", server)
    assert [entry.resource.meta.versionId for entry in history.entry] == ["2", "1"]


@step("delete")
def _():
    patient = created(patient_of("fhirclient-delete"))
    patient.delete(server)
    gone = error_of(HTTPError, lambda: Patient.read(patient.id, server))
    assert gone.response.status_code == 410


@step("errors as its own exceptions")
def _():
    error_of(FHIRNotFoundException, lambda: Patient.read("there-is-none", server))
    error_of(FHIRUnauthorizedException, lambda: Patient.read("x", client_of("no-token").server))
    wrong = {"resourceType": "Patient", "gender": "x"}
    refused = error_of(HTTPError, lambda: server.post_json("Patient", wrong)).response
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["Patient.gender"]
