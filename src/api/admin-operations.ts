import type { Client, ClientRegistry } from '../auth/clients.ts';
import type { Emergencies, EmergencyReview } from '../consent/emergencies.ts';
import { MedSealError } from '../errors.ts';
import { parseTemporal, utcText } from '../fhir/fhirpath/temporal.ts';
import { PARTS } from '../interactions/backup/archive.ts';
import type { Backup } from '../interactions/backup/backup.ts';
import type { Rebuild } from '../interactions/rebuild/rebuild.ts';
import type { InteractionResult } from '../interactions/result.ts';
import type { Scrubber } from '../interactions/scrub/scrub.ts';
import type { Institution, InstitutionDirectory, InstitutionModes } from '../repository/institutions.ts';
import type { AccessRetention } from '../trail/access-retention.ts';
import type { ProvenAnchor } from '../trail/anchors.ts';
import { registrationOf } from './registration-input.ts';

/** What the operator may do: institutions, clients, and seeing that all is intact. Never clinical content. */
export interface Administration {
  readonly clients: ClientRegistry;
  readonly institutions: InstitutionDirectory;
  /** Whether another organisation of the ledger keeps the records of an institution of this name. */
  readonly isGuest: (name: string) => Promise<boolean>;
  /** Registers a new institution wherever it must be known: ledger, trail. */
  readonly onInstitution: (name: string) => Promise<void>;
  readonly scrubber: Scrubber;
  readonly rebuild: Rebuild;
  readonly backup: Backup;
  readonly emergencies: Emergencies;
  /** The newest anchor of every log on the ledger, with its proof. */
  readonly anchors: () => AsyncIterable<ProvenAnchor>;
  readonly retention: AccessRetention;
  /** Days that entries of the access trail are kept; undefined: nobody has said. */
  readonly accessRetention: number | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface AdminInput {
  readonly body: unknown;
  readonly client: string;
  /** Client of the operator who asks. */
  readonly by: string;
  /** Of an emergency access, or an institution. */
  readonly id: string;
}

/** An answer that is written as it comes: JSON lines (application/x-ndjson). */
export interface StreamedResult {
  readonly lines: AsyncIterable<object>;
}

export type AdminOperation = (
  administration: Administration,
  input: AdminInput,
) => Promise<InteractionResult | StreamedResult>;

const JSON_HEADERS = { 'Content-Type': 'application/json; charset=utf-8' };

/** By operationId. */
export const ADMIN_OPERATIONS: Readonly<Record<string, AdminOperation>> = {
  async listInstitutions({ institutions }) {
    return json(200, { institutions: institutions.all().map(describedInstitution) });
  },
  async setInstitution({ institutions }, { body, id }) {
    const changed = await institutions.setModes(id, modesOf(body));
    const institution = changed ? institutions.find(id) : undefined;
    if (institution !== undefined) return json(200, describedInstitution(institution));
    throw new MedSealError('not-found', 'This node keeps the records of no institution of this name');
  },
  async addInstitution({ clients, institutions, isGuest, onInstitution }, { body }) {
    const id = textOf(body, 'id');
    const guest = await isGuest(id);
    await clients.addInstitution(id, guest);
    await institutions.refresh();
    if (!guest) await onInstitution(id);
    return json(201, { id, guest });
  },
  async listClients({ clients }) {
    return json(200, { clients: (await clients.list()).map(described) });
  },
  async addClient({ clients }, { body }) {
    return json(201, described(await clients.add(registrationOf(body))));
  },
  async disableClient({ clients }, { client }) {
    await clients.disable(client);
    return { status: 204 };
  },
  async scrub({ scrubber }, { body }) {
    const { sweep = false, mend = false } = (body ?? {}) as { sweep?: unknown; mend?: unknown };
    if (typeof sweep === 'boolean' && typeof mend === 'boolean') return { lines: scrubber.run({ sweep, mend }) };
    const expression = typeof sweep === 'boolean' ? 'mend' : 'sweep';
    throw new MedSealError('invalid-parameter', `${expression} is true or false`, { expression });
  },
  async dropAccess({ retention, accessRetention = 0, now }, { body, by }) {
    const before = parseTemporal(textOf(body, 'before'));
    if (before === undefined || before.low > now()) {
      throw new MedSealError('invalid-parameter', 'before is a date or an instant, and not to come', {
        expression: 'before',
      });
    }
    if (before.low > now() - accessRetention * 86_400_000) {
      throw new MedSealError('invalid-parameter', `This server keeps the access trail for ${accessRetention} days`, {
        expression: 'before',
      });
    }
    const why = textOf(body, 'reason').trim();
    if (why === '') throw new MedSealError('invalid-parameter', 'A reason is needed', { expression: 'reason' });
    return { lines: retention.drop({ before: utcText(before.low), by, why }) };
  },
  async backup({ backup }, { body }) {
    const part = PARTS.find((one) => one === textOf(body, 'part'));
    if (part !== undefined) return { lines: backup.run(part) };
    throw new MedSealError('invalid-parameter', `part is ${PARTS.join(' or ')}`, { expression: 'part' });
  },
  async listEmergencies({ emergencies }) {
    return json(200, { emergencies: await emergencies.list() });
  },
  async reviewEmergency({ emergencies }, { body, id }) {
    const outcome = textOf(body, 'outcome');
    if (outcome !== 'justified' && outcome !== 'unjustified') {
      throw new MedSealError('invalid-parameter', 'outcome is justified or unjustified', { expression: 'outcome' });
    }
    await emergencies.review(id, { outcome, note: textOf(body, 'note') } satisfies EmergencyReview);
    return { status: 204 };
  },
  async rebuild({ rebuild }) {
    return { lines: rebuild.run() };
  },
  async anchors({ anchors }) {
    return { lines: anchors() };
  },
};

function describedInstitution({ name, checkReferences, validation, guest }: Institution): object {
  return { id: name, checkReferences, validation, guest };
}

function modesOf(body: unknown): Partial<InstitutionModes> {
  const { checkReferences, validation, ...rest } = (body ?? {}) as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new MedSealError('invalid-parameter', 'checkReferences and validation can be set', { expression: unknown });
  }
  if (checkReferences !== undefined && typeof checkReferences !== 'boolean') {
    throw new MedSealError('invalid-parameter', 'checkReferences is true or false', { expression: 'checkReferences' });
  }
  if (validation !== undefined && validation !== 'base' && validation !== 'strict') {
    throw new MedSealError('invalid-parameter', 'validation is base or strict', { expression: 'validation' });
  }
  return {
    ...(checkReferences === undefined ? {} : { checkReferences }),
    ...(validation === undefined ? {} : { validation }),
  };
}

/** Without keys: whoever lists clients need not know them. */
function described({ jwks: _jwks, ...client }: Client & { jwks?: unknown }): object {
  return client;
}

function textOf(body: unknown, name: string): string {
  const value = (body as Readonly<Record<string, unknown>> | null)?.[name];
  if (typeof value === 'string') return value;
  throw new MedSealError('invalid-parameter', `${name} is needed, as text`, { expression: name });
}

function json(status: number, value: object): InteractionResult {
  return { status, body: JSON.stringify(value), headers: JSON_HEADERS };
}
