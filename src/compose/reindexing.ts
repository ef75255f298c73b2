import type { Metrics } from '../api/metrics.ts';
import type { Describer } from '../consent/describe.ts';
import { createReindexer } from '../interactions/reindex/reindexer.ts';
import { type ReindexWorker, startReindexWorker } from '../interactions/reindex/worker.ts';
import type { CustomParameters } from '../repository/custom-parameters.ts';
import { createRecordOpener } from '../repository/records.ts';
import { selectRemaining } from '../repository/reindex-runs.ts';
import type { Foundation } from './foundation.ts';

/** What indexes records by custom search parameters, in the background. */
export function startReindexing(
  foundation: Foundation,
  custom: CustomParameters,
  describer: Describer,
  metrics: Metrics,
): ReindexWorker {
  const { database, institutions, logger } = foundation;
  const opener = createRecordOpener({ ...foundation, cacheBytes: 0 });
  const onIndexed = metrics.countReindexed;
  const reindexer = createReindexer({ database, custom, institutions, opener, describer, logger, onIndexed });
  const worker = startReindexWorker(reindexer, logger);
  custom.onChange(worker.wake);
  metrics.beforeScrape(async () => metrics.setReindexRemaining(await selectRemaining(database)));
  return worker;
}
