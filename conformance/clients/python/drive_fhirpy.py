"""`fhirpy`, as it is published: its synchronous client, and its asynchronous one for the same search."""

import asyncio
import os

from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, MultipleResourcesFound, OperationOutcome, ResourceNotFound
from steps import error_of, step

BASE = os.environ["MEDSEAL_BASE"]
AUTHORIZATION = f"Bearer {os.environ['MEDSEAL_TOKEN']}"
SYSTEM = "urn:medseal:clients"

client = SyncFHIRClient(BASE, authorization=AUTHORIZATION)


def with_headers(headers):
    return SyncFHIRClient(BASE, authorization=AUTHORIZATION, extra_headers=headers)


def patient_of(value, family="Wang", by=client):
    identifier = [{"system": SYSTEM, "value": value}]
    return by.resource("Patient", identifier=identifier, name=[{"family": family}])


def observation_of(patient):
    return client.resource("Observation", status="final", code={"text": "x"}, subject={"reference": patient})


def post(url):
    return {"method": "POST", "url": url}


@step("capabilities")
def _():
    statement = client.execute("metadata", method="get")
    assert (statement.resourceType, statement.fhirVersion) == ("CapabilityStatement", "4.0.1")


@step("create, read, vread")
def _():
    patient = patient_of("fhirpy").create()
    read = client.reference("Patient", patient.id).to_resource()
    assert read.get_by_path(["name", 0, "family"]) == "Wang"
    version = client.execute(f"Patient/{patient.id}/_history/1", method="get")
    assert version.meta.versionId == "1"


@step("read again, not modified")
def _():
    patient = patient_of("fhirpy-refresh").create()
    assert patient.refresh()["meta"]["versionId"] == "1"


@step("update with If-Match")
def _():
    patient = patient_of("fhirpy-update").create()
    matching = with_headers({"If-Match": 'W/"1"'})
    changed = {**patient.serialize(), "name": [{"family": "Li"}]}
    assert matching.resource(**{"resource_type": "Patient", **changed}).update()["meta"]["versionId"] == "2"
    # The client takes every 412 for this one.
    error_of(MultipleResourcesFound, lambda: matching.resource(**{"resource_type": "Patient", **changed}).update())


@step("conditional create")
def _():
    once = with_headers({"If-None-Exist": f"identifier={SYSTEM}|fhirpy-once"})
    assert patient_of("fhirpy-once", by=once).create().id == patient_of("fhirpy-once", by=once).create().id


@step("conditional update")
def _():
    search = client.resources("Patient").search(identifier=f"{SYSTEM}|fhirpy-upsert")
    first, created = search.update(patient_of("fhirpy-upsert"))
    second, again = search.update(patient_of("fhirpy-upsert", "Li"))
    assert (created, again, first.id) == (True, False, second.id)


@step("search, all pages")
def _():
    ids = {patient_of("fhirpy-pages").create().id for _ in range(5)}
    search = client.resources("Patient").search(identifier=f"{SYSTEM}|fhirpy-pages").limit(2)
    assert len(search.fetch()) == 2
    assert {patient.id for patient in search.fetch_all()} == ids


@step("count")
def _():
    # It asks for another server's `_totalMethod` too, which a request has to allow to be left out.
    lenient = with_headers({"Prefer": "handling=lenient"})
    assert lenient.resources("Patient").search(identifier=f"{SYSTEM}|fhirpy-pages").count() == 5


@step("search, all pages, asynchronously")
def _():
    async def all_pages():
        asynchronous = AsyncFHIRClient(BASE, authorization=AUTHORIZATION)
        search = asynchronous.resources("Patient").search(identifier=f"{SYSTEM}|fhirpy-pages").limit(2)
        return [patient.id async for patient in search]

    assert len(asyncio.run(all_pages())) == 5


@step("search with _revinclude and _has")
def _():
    patient = patient_of("fhirpy-include").create()
    observation_of(f"Patient/{patient.id}").create()
    including = client.resources("Patient").search(_id=patient.id).revinclude("Observation", "subject").fetch_raw()
    assert [entry.resource.resourceType for entry in including.entry] == ["Patient", "Observation"]
    found = client.resources("Patient").has("Observation", "subject", status="final").search(_id=patient.id).fetch()
    assert [one.id for one in found] == [patient.id]


@step("transaction")
def _():
    full_url = "urn:uuid:0b6d6e1c-3c7b-4a7e-9a35-1a7a3b1c7f02"
    entry = [
        {"fullUrl": full_url, "resource": patient_of("fhirpy-bundle").serialize(), "request": post("Patient")},
        {"resource": observation_of(full_url).serialize(), "request": post("Observation")},
    ]
    answer = client.resource("Bundle", type="transaction", entry=entry).save()
    assert [one["response"]["status"] for one in answer["entry"]] == ["201", "201"]


@step("history")
def _():
    patient = patient_of("fhirpy-history").create()
    patient["active"] = True
    patient.update()
    history = client.execute(f"Patient/{patient.id}/_history", method="get")
    assert [entry.resource.meta.versionId for entry in history.entry] == ["2", "1"]


@step("validation")
def _():
    assert patient_of("fhirpy-valid").is_valid()
    assert not client.resource("Patient", gender="x").is_valid()


@step("delete")
def _():
    patient = patient_of("fhirpy-delete").create()
    patient.delete()
    error_of(ResourceNotFound, lambda: client.get("Patient", patient.id))


@step("errors as its own exceptions")
def _():
    error_of(ResourceNotFound, lambda: client.get("Patient", "there-is-none"))
    error_of(AuthorizationError, lambda: SyncFHIRClient(BASE, authorization="Bearer none").get("Patient", "x"))
    refused = error_of(OperationOutcome, client.resource("Patient", gender="x").create)
    assert refused.resource["issue"][0]["expression"] == ["Patient.gender"]
