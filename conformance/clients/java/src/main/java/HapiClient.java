import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.gclient.ICriterion;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Bundle.BundleType;
import org.hl7.fhir.r4.model.Bundle.HTTPVerb;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Reference;
import org.hl7.fhir.r4.model.StringType;

/** HAPI's generic client, as it is published. Tells the suite a line of JSON for each step, as soon as it is over. */
public final class HapiClient {
  private static final String BASE = System.getenv("MEDSEAL_BASE");
  private static final String SYSTEM = "urn:medseal:clients";

  private final FhirContext context = FhirContext.forR4();
  private final IGenericClient client = clientOf(System.getenv("MEDSEAL_TOKEN"));

  public static void main(String[] none) {
    HapiClient hapi = new HapiClient();
    step("capabilities", hapi::capabilities);
    step("create, read, vread", hapi::createReadVread);
    step("update with If-Match", hapi::updateWithIfMatch);
    step("conditional create", hapi::conditionalCreate);
    step("conditional update", hapi::conditionalUpdate);
    step("patch", hapi::patch);
    step("search, all pages", hapi::searchAllPages);
    step("search by POST, with _revinclude", hapi::searchByPostWithRevinclude);
    step("transaction", hapi::transaction);
    step("history", hapi::history);
    step("operations", hapi::operations);
    step("delete", hapi::delete);
    step("errors as its own exceptions", hapi::errors);
  }

  private interface Step {
    void run() throws Exception;
  }

  private static void step(String name, Step step) {
    String error = null;
    try {
      step.run();
    } catch (Exception | AssertionError thrown) {
      StringWriter text = new StringWriter();
      thrown.printStackTrace(new PrintWriter(text));
      error = text.toString();
    }
    String result = error == null ? "true" : "false, \"error\": " + quoted(error);
    System.out.println("{\"step\": " + quoted(name) + ", \"passed\": " + result + "}");
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      quoted.append(c == '"' || c == '\\' || c < ' ' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
    }
    return quoted.append('"').toString();
  }

  private static void check(boolean holds, Object seen) {
    if (!holds) throw new AssertionError("seen: " + seen);
  }

  private static <E extends Exception> E errorOf(Class<E> expected, Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (Exception thrown) {
      if (expected.isInstance(thrown)) return expected.cast(thrown);
      throw thrown;
    }
    throw new AssertionError(expected.getSimpleName() + " was not thrown");
  }

  /** With the client's own check of the server's capabilities before its first request. */
  private IGenericClient clientOf(String token) {
    context.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
    IGenericClient made = context.newRestfulGenericClient(BASE);
    made.registerInterceptor(new BearerTokenAuthInterceptor(token));
    return made;
  }

  private static Patient patientOf(String value) {
    Patient patient = new Patient();
    patient.addIdentifier().setSystem(SYSTEM).setValue(value);
    patient.addName().setFamily("Wang");
    return patient;
  }

  private static Observation observationOf(String patient) {
    Observation observation = new Observation();
    observation.setStatus(Observation.ObservationStatus.FINAL);
    observation.getCode().addCoding().setSystem("http://loinc.org").setCode("718-7");
    observation.setSubject(new Reference(patient));
    return observation;
  }

  private static ICriterion<?> identified(String value) {
    return Patient.IDENTIFIER.exactly().systemAndIdentifier(SYSTEM, value);
  }

  private Patient created(String value) {
    return (Patient) client.create().resource(patientOf(value)).execute().getResource();
  }

  private static String idOf(Patient patient) {
    return patient.getIdElement().getIdPart();
  }

  private void capabilities() {
    CapabilityStatement statement = client.capabilities().ofType(CapabilityStatement.class).execute();
    check("4.0.1".equals(statement.getFhirVersion().toCode()), statement.getFhirVersion());
  }

  private void createReadVread() {
    MethodOutcome outcome = client.create().resource(patientOf("hapi")).execute();
    check(outcome.getCreated(), outcome.getCreated());
    IdType id = (IdType) outcome.getId();
    check("1".equals(id.getVersionIdPart()), id);
    Patient read = client.read().resource(Patient.class).withId(id.getIdPart()).execute();
    check("Wang".equals(read.getNameFirstRep().getFamily()), read.getName());
    Patient version = client.read().resource(Patient.class).withIdAndVersion(id.getIdPart(), "1").execute();
    check("1".equals(version.getMeta().getVersionId()), version.getMeta());
  }

  private void updateWithIfMatch() throws Exception {
    Patient patient = created("hapi-update");
    IdType first = new IdType("Patient", idOf(patient), "1");
    patient.getNameFirstRep().setFamily("Li");
    // HAPI sends If-Match when it is told the version in a header; its id's version alone makes none.
    MethodOutcome updated =
        client.update().resource(patient).withId(idOf(patient)).withAdditionalHeader("If-Match", "W/\"1\"").execute();
    check("2".equals(updated.getId().getVersionIdPart()), updated.getId());
    errorOf(
        PreconditionFailedException.class,
        () ->
            client.update().resource(patient).withId(first).withAdditionalHeader("If-Match", "W/\"1\"").execute());
  }

  private void conditionalCreate() {
    MethodOutcome[] outcomes = new MethodOutcome[2];
    for (int i = 0; i < 2; i++) {
      outcomes[i] = client.create().resource(patientOf("hapi-once")).conditional().where(identified("hapi-once")).execute();
    }
    check(outcomes[0].getId().getIdPart().equals(outcomes[1].getId().getIdPart()), outcomes[1].getId());
    check(!Boolean.TRUE.equals(outcomes[1].getCreated()), outcomes[1].getCreated());
  }

  private void conditionalUpdate() {
    Patient before = created("hapi-upsert");
    Patient changed = patientOf("hapi-upsert").setActive(true);
    MethodOutcome after =
        client.update().resource(changed).conditional().where(identified("hapi-upsert")).execute();
    check(after.getId().getIdPart().equals(idOf(before)), after.getId());
  }

  private void patch() {
    Patient patient = created("hapi-patch");
    String operations = "[{\"op\": \"add\", \"path\": \"/active\", \"value\": true}]";
    MethodOutcome patched = client.patch().withBody(operations).withId(new IdType("Patient", idOf(patient))).execute();
    check("2".equals(patched.getId().getVersionIdPart()), patched.getId());
  }

  private void searchAllPages() {
    Set<String> ids = new HashSet<>();
    for (int i = 0; i < 5; i++) ids.add(idOf(created("hapi-pages")));
    Bundle page =
        client.search().forResource(Patient.class).where(identified("hapi-pages")).count(2).returnBundle(Bundle.class).execute();
    List<Integer> sizes = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    while (true) {
      sizes.add(page.getEntry().size());
      page.getEntry().forEach(entry -> seen.add(entry.getResource().getIdElement().getIdPart()));
      if (page.getLink(Bundle.LINK_NEXT) == null) break;
      page = client.loadPage().next(page).execute();
    }
    check(sizes.equals(List.of(2, 2, 1)), sizes);
    check(seen.equals(ids), seen);
  }

  private void searchByPostWithRevinclude() {
    Patient patient = created("hapi-include");
    client.create().resource(observationOf("Patient/" + idOf(patient))).execute();
    Bundle bundle =
        client
            .search()
            .forResource(Patient.class)
            .where(identified("hapi-include"))
            .revInclude(Observation.INCLUDE_SUBJECT)
            .usingStyle(ca.uhn.fhir.rest.api.SearchStyleEnum.POST)
            .returnBundle(Bundle.class)
            .execute();
    check(bundle.getEntry().size() == 2, bundle.getEntry().size());
    check(bundle.getEntry().get(1).getSearch().getMode() == Bundle.SearchEntryMode.INCLUDE, bundle.getEntry().size());
  }

  private void transaction() {
    String fullUrl = "urn:uuid:0b6d6e1c-3c7b-4a7e-9a35-1a7a3b1c7f03";
    Bundle bundle = new Bundle().setType(BundleType.TRANSACTION);
    bundle.addEntry().setFullUrl(fullUrl).setResource(patientOf("hapi-bundle")).getRequest().setMethod(HTTPVerb.POST).setUrl("Patient");
    bundle.addEntry().setResource(observationOf(fullUrl)).getRequest().setMethod(HTTPVerb.POST).setUrl("Observation");
    Bundle answer = client.transaction().withBundle(bundle).execute();
    for (Bundle.BundleEntryComponent entry : answer.getEntry()) {
      check(entry.getResponse().getStatus().startsWith("201"), entry.getResponse().getStatus());
    }
    IdType observation = new IdType(answer.getEntry().get(1).getResponse().getLocation());
    Observation read = client.read().resource(Observation.class).withId(observation.getIdPart()).execute();
    check(read.getSubject().getReference().startsWith("Patient/"), read.getSubject().getReference());
  }

  private void history() {
    Patient patient = created("hapi-history");
    client.update().resource(patient.setActive(true)).execute();
    Bundle history =
        client.history().onInstance(new IdType("Patient", idOf(patient))).returnBundle(Bundle.class).execute();
    List<String> versions = new ArrayList<>();
    history.getEntry().forEach(entry -> versions.add(entry.getResource().getMeta().getVersionId()));
    check(versions.equals(List.of("2", "1")), versions);
  }

  private void operations() {
    Patient patient = created("hapi-operations");
    client.create().resource(observationOf("Patient/" + idOf(patient))).execute();
    Bundle everything =
        client
            .operation()
            .onInstance(new IdType("Patient", idOf(patient)))
            .named("$everything")
            .withNoParameters(Parameters.class)
            .useHttpGet()
            .returnResourceType(Bundle.class)
            .execute();
    check(everything.getEntry().size() >= 2, everything.getEntry().size());
    OperationOutcome valid = (OperationOutcome) client.validate().resource(patientOf("x")).execute().getOperationOutcome();
    check(valid.getIssue().stream().noneMatch(issue -> issue.getSeverity().toCode().equals("error")), valid);
    Parameters code =
        client
            .operation()
            .onType("ValueSet")
            .named("$validate-code")
            .withParameter(Parameters.class, "url", new org.hl7.fhir.r4.model.UriType("http://hl7.org/fhir/ValueSet/administrative-gender"))
            .andParameter("code", new org.hl7.fhir.r4.model.CodeType("female"))
            .andParameter("system", new org.hl7.fhir.r4.model.UriType("http://hl7.org/fhir/administrative-gender"))
            .execute();
    check(code.getParameterBool("result"), code.getParameter());
  }

  private void delete() throws Exception {
    IdType id = new IdType("Patient", idOf(created("hapi-delete")));
    client.delete().resourceById(id).execute();
    errorOf(ResourceGoneException.class, () -> client.read().resource(Patient.class).withId(id).execute());
  }

  private void errors() throws Exception {
    errorOf(
        ResourceNotFoundException.class, () -> client.read().resource(Patient.class).withId("there-is-none").execute());
    errorOf(
        AuthenticationException.class,
        () -> clientOf("no-token").read().resource(Patient.class).withId("x").execute());
    Patient wrong = patientOf("hapi-wrong");
    wrong.addContact().setGenderElement(null);
    wrong.addCommunication().setPreferred(true);
    UnprocessableEntityException refused =
        errorOf(UnprocessableEntityException.class, () -> client.create().resource(wrong).execute());
    OperationOutcome outcome = (OperationOutcome) refused.getOperationOutcome();
    List<StringType> expression = outcome.getIssueFirstRep().getExpression();
    check(expression.get(0).getValue().startsWith("Patient.communication"), expression);
  }
}
