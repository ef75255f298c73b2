/** The black-box suite of FHIR's REST interface: of our own server, or of any base (see target.ts). */
import { after, before, suite } from 'node:test';
import { bundles } from './bundles.ts';
import { LISTING } from './case.ts';
import { conditions } from './conditions.ts';
import { deletions } from './deletions.ts';
import { wholeRecords } from './everything.ts';
import { histories } from './histories.ts';
import { http } from './http.ts';
import { idempotency } from './idempotency.ts';
import { negotiation } from './negotiation.ts';
import { operations } from './operations.ts';
import { patches } from './patches.ts';
import { readingAndWriting } from './reading-and-writing.ts';
import { searchChains } from './search-chains.ts';
import { searchByDate } from './search-dates.ts';
import { searchIncludes } from './search-includes.ts';
import { searchByModifier } from './search-modifiers.ts';
import { searchByQuantity } from './search-quantities.ts';
import { searchResults } from './search-results.ts';
import { searchContexts, searchShapes } from './search-shapes.ts';
import { searchByValue } from './search-values.ts';
import { restTarget } from './target.ts';
import { terminology } from './terminology.ts';
import { transactions } from './transactions.ts';
import { validation } from './validation.ts';

/** Whom nobody asks. */
const NOBODY = new Promise<never>(() => undefined);

suite('FHIR REST', () => {
  const target = LISTING ? NOBODY : restTarget({ after: (run) => after(run as () => Promise<void>) });
  // That a server takes long to start is nothing that a case should tell.
  if (!LISTING) before(() => target.then(() => undefined));
  for (const part of [
    readingAndWriting,
    conditions,
    patches,
    deletions,
    histories,
    bundles,
    transactions,
    operations,
    wholeRecords,
    validation,
    terminology,
    idempotency,
    searchByValue,
    searchByDate,
    searchByQuantity,
    searchByModifier,
    searchChains,
    searchResults,
    searchIncludes,
    searchShapes,
    searchContexts,
    negotiation,
    http,
  ]) {
    part(target);
  }
});
