import type { InstitutionDirectory } from '../repository/institutions.ts';
import type { AccessQuery, PermittedAccessReader } from '../repository/permitted-access.ts';
import type { RequestContext, ScopeAction } from '../request-context.ts';
import type { AccessDetails, AccessTrail } from '../trail/access-trail.ts';
import type { AccessRequest } from './decide.ts';
import { requireScope } from './guarded-reader.ts';
import { afterOthers, patiently } from './patiently.ts';
import type { PrincipalResolver } from './principal.ts';

/** One entry of the access trail as its reader may see it. */
export interface TrailEntry {
  readonly row: bigint;
  readonly id: string;
  readonly at: string;
  readonly institution: string;
  readonly details: AccessDetails;
}

/**
 * The policy enforcement point for the access trail: a patient sees who touched their record, an institution's own
 * clients see its whole trail, nobody else sees any of it.
 */
export interface GuardedTrail {
  /** Newest first. @throws MedSealError `forbidden` */
  entries(context: RequestContext, action: ScopeAction, query: AccessQuery): Promise<readonly TrailEntry[]>;
}

export interface GuardedTrailOptions {
  readonly reader: PermittedAccessReader;
  readonly trail: AccessTrail;
  readonly principals: PrincipalResolver;
  readonly institutions: InstitutionDirectory;
}

export function createGuardedTrail(options: GuardedTrailOptions): GuardedTrail {
  const { reader, trail, principals, institutions } = options;
  return {
    async entries(context, action, query) {
      requireScope(context, 'AuditEvent', action);
      const request = principals.accessRequest(context, 'read', action);
      const settings = principals.settings(context, request);
      const asked = request.self.length > 0 ? aboutOneself(query, settings.self) : query;
      const rows = await patiently(context, settings, (within) => reader.entries(within, asked));
      const entries: TrailEntry[] = [];
      for (const row of rows) {
        const institution = institutions.byId(row.institution);
        if (institution === undefined) continue;
        const details = await afterOthers(context, () => trail.open({ ...row, institution }));
        if (!maySee(request, institution.name, details)) continue;
        const shown = request.self.length > 0 ? ofPatients(details, request.self) : details;
        entries.push({ row: row.id, id: row.idToken, at: row.at, institution: institution.name, details: shown });
      }
      return entries;
    },
  };
}

/** The second lock, from what the entry itself says. */
function maySee(request: AccessRequest, institution: string, details: AccessDetails): boolean {
  if (request.custodianAccess && request.institution === institution) return true;
  return details.patients.some((patient) => request.self.includes(patient));
}

/** That a request concerned somebody else too is not to be found out by asking for them. */
function aboutOneself(query: AccessQuery, self: readonly string[]): AccessQuery {
  return { ...query, patients: query.patients.map((asked) => asked.filter((one) => self.includes(one))) };
}

/** A request may have shown several patients' records: each patient sees themselves only. */
function ofPatients(details: AccessDetails, self: readonly string[]): AccessDetails {
  if (details.patients.every((patient) => self.includes(patient))) return details;
  const { query: _query, ...rest } = details;
  return { ...rest, versions: [], patients: details.patients.filter((patient) => self.includes(patient)) };
}
