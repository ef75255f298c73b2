import type { InteractionResult } from '../interactions/result.ts';
import type { Services } from '../interactions/services.ts';
import type { RequestContext } from '../request-context.ts';
import type { FhirInput } from './fhir-input.ts';
import type { BodyKind } from './negotiation.ts';

/** One operation of openapi.json that needs a SMART token. */
export interface FhirOperation {
  /** http://hl7.org/fhir/R4/valueset-restful-interaction.html, or the operation's name; for the access log. */
  readonly interaction: string;
  readonly body?: BodyKind;
  run(services: Services, context: RequestContext, input: FhirInput): Promise<InteractionResult>;
}
