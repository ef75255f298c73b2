import type { Emergencies } from '../consent/emergencies.ts';
import type { Explainer } from '../consent/explain.ts';
import type { GuardedReader } from '../consent/guarded-reader.ts';
import type { GuardedTrail } from '../consent/guarded-trail.ts';
import type { GuardedWriter } from '../consent/guarded-writer.ts';
import type { SearchRegistry } from '../fhir/search/registry.ts';
import type { PackagedTerminology } from '../fhir/terminology/packaged.ts';
import type { StrictValidator } from '../fhir/validation/strict.ts';
import type { Validator } from '../fhir/validation/validate.ts';
import type { CustomParameters } from '../repository/custom-parameters.ts';
import type { InstitutionDirectory } from '../repository/institutions.ts';
import type { Names } from '../repository/names.ts';
import type { OwnPartition } from '../repository/own-partition.ts';
import type { ReindexRuns } from '../repository/reindex-runs.ts';
import type { SourcesOf } from '../sealing/blind-index/sources.ts';
import type { Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import type { CertificateRenderer } from '../trail/certificate/certificate.ts';
import type { EvidenceCollector } from '../trail/evidence/collect.ts';
import type { TrustRoots } from '../trail/evidence/roots.ts';
import type { ReceiptSigner } from '../trail/receipt.ts';
import type { Fence } from '../trail/reconcile.ts';
import type { Cursors } from './search/cursor.ts';
import type { Replays } from './write/replay.ts';

/** What interactions work with; made once, by compose.ts. */
export interface Services {
  readonly reader: GuardedReader;
  readonly writer: GuardedWriter;
  readonly trail: GuardedTrail;
  readonly explainer: Explainer;
  readonly emergencies: Emergencies;
  readonly own: OwnPartition;
  readonly institutions: InstitutionDirectory;
  readonly names: Names;
  /** R4's own search parameters. */
  readonly registry: SearchRegistry;
  /** Those of each base beside them. */
  readonly custom: CustomParameters;
  readonly reindexRuns: ReindexRuns;
  readonly validator: Validator;
  readonly strictValidator: StrictValidator;
  /** HL7's code systems and value sets and those of our guide; loaded when first asked for. */
  readonly terminology: () => Promise<PackagedTerminology>;
  readonly tokenizer: Tokenizer;
  readonly sourcesOf: SourcesOf;
  readonly receipts: ReceiptSigner;
  readonly evidence: EvidenceCollector;
  readonly certificates: CertificateRenderer;
  /** What this node's own evidence is verified with. */
  readonly roots: TrustRoots;
  readonly cursors: Cursors;
  readonly replays: Replays;
  readonly fence: Fence;
  /** Without a trailing slash. */
  readonly publicUrl: string;
}
