import type { Resource } from '@medplum/fhirtypes';
import { MedSealError } from '../errors.ts';
import type { CurrentState } from '../repository/own-partition.ts';
import type { RequestContext } from '../request-context.ts';
import type { Tokenizer } from '../sealing/blind-index/tokenizer.ts';
import { LABEL_STEWARD } from './acting-as.ts';
import { confidentialityRank } from './labels.ts';
import { facetToken } from './principal.ts';
import type { FactsReader } from './record-facts.ts';

/** An update of what is there, which is opened only when it bears a label. */
export interface Relabelling {
  readonly institution: string;
  readonly state: CurrentState;
  readonly after: Resource;
  before(): Promise<Resource>;
}

/** DESIGN §7: the custodian labels records; lowering a confidentiality label takes a staff role of its own. */
export interface LabelKeeper {
  /** @throws MedSealError `forbidden` */
  require(context: RequestContext, relabelling: Relabelling): Promise<void>;
}

export function createLabelKeeper(facts: FactsReader, tokenizer: Tokenizer): LabelKeeper {
  const unlabelled = BigInt(facetToken(tokenizer, 'open confidentiality'));
  return {
    async require({ actingAs = [] }, { institution, state, before, after }) {
      if (state.deleted || actingAs.includes(LABEL_STEWARD) || state.facets.includes(unlabelled)) return;
      const [was, is] = [await before(), after].map((one) =>
        confidentialityRank(facts.read(one, institution).confidentiality),
      );
      if (was === undefined || (is !== undefined && is >= was)) return;
      throw new MedSealError('forbidden', 'Lowering a confidentiality label takes the staff role of a label steward', {
        expression: `${after.resourceType}.meta.security`,
      });
    },
  };
}
