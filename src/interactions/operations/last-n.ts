import type { Observation } from '@medplum/fhirtypes';
import type { PermittedRecord } from '../../consent/guarded-reader.ts';
import { MedSealError } from '../../errors.ts';
import { parseTemporal } from '../../fhir/fhirpath/temporal.ts';
import { matchesResource } from '../../fhir/search/match.ts';
import { parseSearch } from '../../fhir/search/query.ts';
import { translate } from '../../repository/search-criteria.ts';
import type { RequestContext } from '../../request-context.ts';
import { bundleText } from '../bundle-text.ts';
import { queryText } from '../query-text.ts';
import { parseVersion } from '../read.ts';
import type { InteractionResult } from '../result.ts';
import { institutionOf } from '../search/base.ts';
import { entriesOf, WHOLE } from '../search/entries.ts';
import { MAX_OPENED } from '../search/prepared.ts';
import { everyRow } from '../search/walk.ts';
import type { Services } from '../services.ts';
import { invalid, type OperationRequest, parameterOf, readParameters } from './parameters.ts';

/**
 * http://hl7.org/fhir/R4/observation-operation-lastn.html: of each code the `max` Observations that took effect last,
 * one unless asked otherwise. Observations are of one code when they share a coding, or, without codings, the text.
 */
export async function lastN(
  services: Services,
  context: RequestContext,
  request: OperationRequest,
): Promise<InteractionResult> {
  const institution = institutionOf(services, context);
  const parameters = readParameters(request);
  const max = maxOf(parameterOf(parameters, 'max'));
  const pairs = parameters.pairs.filter(([name]) => name !== 'max');
  requireSelection(pairs.map(([name]) => name.replace(/[:.].*$/s, '')));
  const registry = services.custom.searched(institution.name);
  const { branches, control } = parseSearch('Observation', pairs, registry, {
    handling: request.handling,
    now: context.instant,
  });
  if (control.sort.length > 0 || control.include.length > 0 || control.revinclude.length > 0) {
    throw new MedSealError('search-not-supported', '$lastn has an order of its own, and includes nothing');
  }
  const criteria = branches[0]?.criteria ?? [];
  const questions = criteria.map((asked) => ({
    asked,
    ...translate(asked, { ...services, registry, institutions: [institution.name], type: 'Observation' }),
  }));
  const undecided = questions.filter(({ exact }) => !exact).map(({ asked }) => asked);
  const search = services.reader.search(context, 'Observation');
  const plan = {
    type: 'Observation',
    institution: institution.id,
    criterion: { kind: 'all', of: questions.map(({ criterion }) => criterion) },
  } as const;
  const groups = new CodeGroups(max);
  for await (const row of everyRow(search, plan, { left: MAX_OPENED })) {
    const record = await search.open(row);
    const resource = record?.resource;
    if (record === undefined || resource === undefined) continue;
    if (undecided.every((one) => matchesResource(one, resource))) groups.add(record, resource as Observation);
  }
  const url = `${services.publicUrl}/${institution.name}/fhir/Observation/$lastn`;
  const last = groups.last();
  for (const record of last) search.shown(record);
  const entry = await entriesOf(services, WHOLE, last, []);
  const link = [{ relation: 'self', url: `${url}?${queryText(parameters.pairs)}` }];
  return { status: 200, body: bundleText({ type: 'searchset', total: entry.length, link, entry }) };
}

function maxOf(text: string | undefined): number {
  const max = text === undefined ? 1 : parseVersion(text);
  if (max === undefined) throw invalid('max must be a positive whole number', 'max');
  return max;
}

/** What the operation's definition asks for at least. */
function requireSelection(names: readonly string[]): void {
  if (!names.some((name) => name === 'patient' || name === 'subject'))
    throw invalid('A patient or subject is needed', 'patient');
  if (!names.some((name) => name === 'code' || name === 'category'))
    throw invalid('A code or category is needed', 'code');
}

interface Candidate {
  readonly record: PermittedRecord;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Keeps of each code the latest, and no more of them in memory than may be shown. */
class CodeGroups {
  readonly #max: number;
  readonly #groups: Candidate[][] = [];
  readonly #byCode = new Map<string, Candidate[]>();

  constructor(max: number) {
    this.#max = max;
  }

  add(record: PermittedRecord, observation: Observation): void {
    const codes = codesOf(observation);
    const group = codes.map((code) => this.#byCode.get(code)).find((one) => one !== undefined) ?? this.#newGroup();
    for (const code of codes) if (!this.#byCode.has(code)) this.#byCode.set(code, group);
    group.push({ record, at: effectiveTime(observation, record.row.at) });
    group.sort((a, b) => b.at - a.at);
    group.splice(this.#max);
  }

  last(): readonly PermittedRecord[] {
    return this.#groups.flat().map(({ record }) => record);
  }

  #newGroup(): Candidate[] {
    const group: Candidate[] = [];
    this.#groups.push(group);
    return group;
  }
}

function codesOf({ code }: Observation): readonly string[] {
  const codings = (code?.coding ?? []).map((coding) => JSON.stringify([coding.system ?? '', coding.code ?? '']));
  return codings.length > 0 ? codings : [JSON.stringify(['text', code?.text ?? ''])];
}

function effectiveTime(observation: Observation, changed: string): number {
  const { effectiveDateTime, effectiveInstant, effectivePeriod, effectiveTiming, issued } = observation;
  const told =
    effectiveDateTime ??
    effectiveInstant ??
    effectivePeriod?.end ??
    effectivePeriod?.start ??
    effectiveTiming?.event?.at(-1);
  return parseTemporal(told ?? issued ?? changed)?.low ?? Date.parse(changed);
}
