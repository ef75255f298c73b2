import type { ParametersParameter } from '@medplum/fhirtypes';
import type { DefinedParameter } from '../../repository/custom-parameters.ts';
import type { ReindexRun } from '../../repository/reindex-runs.ts';
import type { RequestContext } from '../../request-context.ts';
import type { InteractionResult } from '../result.ts';
import type { Services } from '../services.ts';
import { type OperationRequest, readParameters, requireKnown } from './parameters.ts';

const NOTHING: ReadonlySet<string> = new Set();
const TYPE = 'SearchParameter';

/**
 * Indexes again, in the background, all records of the types that this base's custom search parameters are of. For the
 * institution itself: how many records there are is nobody else's business.
 */
export async function reindex(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  requireKnown(readParameters(request), NOTHING);
  const institution = services.writer.authorise(context, TYPE, 'u');
  services.fence.check();
  const run = await services.reindexRuns.request(institution.id);
  return answer(run === undefined ? [] : [tellRun(run)]);
}

/** How far that is: the runs that are not finished and the newest one, and the parameters that there are. */
export async function reindexStatus(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  requireKnown(readParameters(request), NOTHING);
  const institution = services.writer.authorise(context, TYPE, 's');
  const runs = await services.reindexRuns.of(institution.id);
  const { parameters } = services.custom.of(institution.name);
  return answer([...runs.map(tellRun), ...parameters.map(tellParameter)]);
}

function tellRun(run: ReindexRun): ParametersParameter {
  const { startedAt, finishedAt } = run;
  const state = finishedAt !== null ? 'finished' : startedAt !== null ? 'running' : 'waiting';
  return {
    name: 'run',
    part: [
      { name: 'id', valueString: run.id.toString() },
      { name: 'state', valueCode: state },
      ...[...run.types].sort().map((type) => ({ name: 'type', valueCode: type })),
      { name: 'requested', valueInstant: run.requestedAt },
      ...(startedAt === null ? [] : [{ name: 'started', valueInstant: startedAt }]),
      ...(finishedAt === null ? [] : [{ name: 'finished', valueInstant: finishedAt }]),
      // Counted at the start; what is written meanwhile may be looked at too.
      { name: 'total', valueUnsignedInt: Number(run.total) },
      { name: 'done', valueUnsignedInt: Number(run.done) },
      { name: 'unopened', valueUnsignedInt: Number(run.unopened) },
    ],
  };
}

function tellParameter({ id, definition, searchable }: DefinedParameter): ParametersParameter {
  return {
    name: 'parameter',
    part: [
      { name: 'reference', valueReference: { reference: `${TYPE}/${id}` } },
      { name: 'url', valueUri: definition.url },
      { name: 'code', valueCode: definition.code },
      { name: 'state', valueCode: searchable ? 'active' : 'indexing' },
    ],
  };
}

function answer(parameter: ParametersParameter[]): InteractionResult {
  return {
    status: 200,
    body: JSON.stringify({ resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) }),
  };
}
