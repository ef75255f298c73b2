import type { InstitutionDirectory } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { JournalEntry, RequestContext } from '../request-context.ts';
import type { AccessEvent, AccessTrail } from '../trail/access-trail.ts';

/** What a request was, for the access log; what it showed is in its journal. */
export interface AccessSummary {
  /** FHIR's restful-interaction code, or an operation's name. */
  readonly interaction: string;
  /** `Type` or `Type/id` as asked for, '' for the base. */
  readonly target: string;
  readonly query: string | undefined;
  readonly status: number;
}

/** One leaf per request and institution whose records it concerned, durable before the answer leaves (DESIGN §8). */
export interface AccessRecorder {
  record(context: RequestContext, summary: AccessSummary): Promise<void>;
}

export function createAccessRecorder(
  trail: AccessTrail,
  institutions: InstitutionDirectory,
  names: Names,
): AccessRecorder {
  /** Whose trail it belongs to: those whose records it showed, else the base's, else the client's own, else ours. */
  function concerned({ journal, base, principal }: RequestContext): ReadonlyMap<number, readonly JournalEntry[]> {
    const groups = new Map<number, JournalEntry[]>();
    for (const entry of journal.entries) {
      const group = groups.get(entry.institution) ?? [];
      group.push(entry);
      groups.set(entry.institution, group);
    }
    const ofBase = base.kind === 'institution' ? institutions.find(base.institution) : undefined;
    const ofClient = institutions.find(principal.institution);
    const fallback = ofBase ?? (ofClient?.guest === true ? institutions.own()[0] : ofClient);
    if (groups.size === 0 && fallback !== undefined) groups.set(fallback.id, []);
    return groups;
  }

  return {
    async record(context, { interaction, target, query, status }) {
      const { principal, instant, requestId } = context;
      const { clientId, user, institution: from, purposes } = principal;
      const at = new Date(instant).toISOString();
      const events: AccessEvent[] = [];
      for (const [id, entries] of concerned(context)) {
        const institution = institutions.byId(id);
        if (institution === undefined) continue;
        const patients = [...new Set(entries.flatMap((entry) => entry.patients))];
        events.push({
          institution,
          at,
          patients: patients.map(names.idToken),
          details: {
            client: clientId,
            ...(user === undefined ? {} : { user: `${user.institution}/${user.type}/${user.id}` }),
            from,
            purposes,
            interaction,
            target,
            ...(query === undefined || query === '' ? {} : { query }),
            ...(context.journal.remark === undefined ? {} : { remark: context.journal.remark }),
            status,
            requestId,
            versions: entries.map((entry) => [entry.name, entry.leafHash.toString('base64url')]),
            patients,
          },
        });
      }
      await trail.record(events);
    },
  };
}
