import type { Administration } from '../api/admin-operations.ts';
import type { ClientRegistry } from '../auth/clients.ts';
import type { Describer } from '../consent/describe.ts';
import { MedSealError } from '../errors.ts';
import { createBackup } from '../interactions/backup/backup.ts';
import { createEntryOpener } from '../interactions/rebuild/open-entry.ts';
import { createRebuild } from '../interactions/rebuild/rebuild.ts';
import { createScrubber } from '../interactions/scrub/scrub.ts';
import type { Services } from '../interactions/services.ts';
import { createRecordOpener } from '../repository/records.ts';
import { createAccessSegments } from '../trail/access-segments.ts';
import { createAccessTrail } from '../trail/access-trail.ts';
import { provenAnchors } from '../trail/anchors.ts';
import { isForeign, registerInstitution } from '../trail/registration.ts';

import type { Foundation } from './foundation.ts';
import type { Trail } from './trail.ts';
export interface AdministrationParts {
  readonly foundation: Foundation;
  readonly trail: Trail;
  readonly services: Services;
  readonly describer: Describer;
  readonly clients: ClientRegistry;
}

/** What an operator does with a node beside serving records. */
export function composeAdministration(parts: AdministrationParts): Administration {
  const { foundation, trail, services, describer, clients } = parts;
  const {
    master,
    migrations,
    database,
    content,
    keys,
    identities,
    institutions,
    names,
    loader,
    random,
    clock,
    logger,
  } = foundation;
  const { ledger, past, reconciler } = trail;
  const onInstitution = async (name: string): Promise<void> => {
    try {
      await registerInstitution(ledger, name);
    } catch (error) {
      if (!(error instanceof MedSealError) || error.code !== 'ledger-unavailable') throw error;
      // Its first anchor does it then.
      logger.warn({ err: error, institution: name }, 'the institution is not on the ledger yet');
    }
  };
  const scrubber = createScrubber({
    database,
    content,
    ledger,
    past,
    opener: createRecordOpener({ keys, identities, institutions, loader, content, cacheBytes: 0 }),
    openAccess: () => {
      const segments = createAccessSegments(database, keys, random);
      return createAccessTrail({ database, segments, identities, random }).open;
    },
    institutions,
    identities,
    now: clock.now,
    logger,
  });
  const rebuild = createRebuild({
    database,
    ledger,
    content,
    own: services.own,
    opener: createEntryOpener({ keys, content, identities, names, describer }),
    institutions,
    addInstitution: async (name) => {
      await clients.addInstitution(name);
      await institutions.refresh();
      await onInstitution(name);
    },
    reconciler,
    logger,
  });
  const backup = createBackup({ database, keys, master, migrations, now: clock.now, logger });
  return {
    clients,
    institutions,
    isGuest: (name) => isForeign(ledger, name),
    onInstitution,
    scrubber,
    rebuild,
    backup,
    emergencies: services.emergencies,
    anchors: () => provenAnchors(ledger),
    retention: trail.retention,
    accessRetention: foundation.config.accessRetention,
    now: clock.now,
  };
}
