import type { InstitutionDirectory } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { JournalEntry, RequestContext } from '../request-context.ts';
import type { AccessRow } from '../storage/trail/access.ts';
import type { AccessEvent, AccessTrail } from '../trail/access-trail.ts';

/** One leaf per request and institution whose records it concerned, durable before the answer leaves (DESIGN §8). */
export interface AccessRecorder {
  /** Unless the request's entries are stored already and tell this status. */
  record(context: RequestContext, status: number): Promise<void>;
  /** The entries of a request that will have shown and written this, to be stored in the transaction that writes it. */
  entries(context: RequestContext, status: number, journal: readonly JournalEntry[]): Promise<readonly AccessRow[]>;
}

export function createAccessRecorder(
  trail: AccessTrail,
  institutions: InstitutionDirectory,
  names: Names,
): AccessRecorder {
  /** Whose trail it belongs to: those whose records it showed, else the base's, else the client's own, else ours. */
  function concerned(
    { base, principal }: RequestContext,
    journal: readonly JournalEntry[],
  ): ReadonlyMap<number, readonly JournalEntry[]> {
    const groups = new Map<number, JournalEntry[]>();
    for (const entry of journal) {
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

  function eventsOf(context: RequestContext, status: number, journal: readonly JournalEntry[]): readonly AccessEvent[] {
    const { principal, instant, requestId, asked } = context;
    const { clientId, user, institution: from, purposes } = principal;
    const { interaction, target, query } = asked;
    const at = new Date(instant).toISOString();
    const events: AccessEvent[] = [];
    for (const [id, entries] of concerned(context, journal)) {
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
          ...(query === '' ? {} : { query }),
          ...(context.journal.remark === undefined ? {} : { remark: context.journal.remark }),
          status,
          requestId,
          versions: entries.map((entry) => [entry.name, entry.leafHash.toString('base64url')]),
          patients,
        },
      });
    }
    return events;
  }

  return {
    async record(context, status) {
      const { recordedAs, entries } = context.journal;
      if (recordedAs !== status) await trail.record(eventsOf(context, status, entries));
    },
    entries: (context, status, journal) => Promise.all(eventsOf(context, status, journal).map(trail.seal)),
  };
}
