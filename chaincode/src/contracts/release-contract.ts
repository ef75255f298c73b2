import { bytes32, readNumber, readText } from '../rules/argument.ts';
import type { ConsentState } from '../rules/consent.ts';
import { type Release, readReleaseRequest, release } from '../rules/release.ts';
import { MedSealContract } from './base.ts';
import type { Clock, ContractContext } from './context.ts';
import { announce, bindToOwner, getState, orNull, ownRegistration, page, putState } from './state.ts';

/** What was released to whom under which consent, as one chain per consent and grantee. */
export class ReleaseContract extends MedSealContract {
  constructor(clock: Clock = Date.now) {
    super('release', clock);
  }

  /** Records the next release of a chain, if the consent permits it now. */
  async record(ctx: ContractContext, argument: string): Promise<string> {
    const request = readReleaseRequest(argument);
    const { grantee, sequence } = request;
    const caller = this._writer(ctx);
    const consent = await getState<ConsentState>(ctx, 'consent', request.consent);
    const same = await getState<Release>(ctx, 'release', ...chainKey(request.consent, grantee, sequence));
    const previous =
      sequence === 1
        ? undefined
        : await getState<Release>(ctx, 'release', ...chainKey(request.consent, grantee, sequence - 1));
    const state = release(consent, { same, previous }, request, caller);
    const key = chainKey(state.consent, state.grantee, state.sequence);
    await putState(ctx, state, 'release', ...key);
    await bindToOwner(ctx, await ownRegistration(ctx, state.institution, caller), 'release', ...key);
    return announce(ctx, 'release', state);
  }

  /** One release, or null. */
  async read(ctx: ContractContext, consent: string, grantee: string, sequence: string): Promise<string> {
    const key = chainKey(
      readText(consent, 'consent', bytes32),
      readText(grantee, 'grantee', bytes32),
      readNumber(sequence, 'sequence', 1),
    );
    return orNull(await getState<Release>(ctx, 'release', ...key));
  }

  /** `{items, bookmark}`: the releases of a consent to a grantee, in order. */
  async list(
    ctx: ContractContext,
    consent: string,
    grantee: string,
    pageSize: string,
    bookmark: string,
  ): Promise<string> {
    const chain = [readText(consent, 'consent', bytes32), readText(grantee, 'grantee', bytes32)];
    return page(ctx, 'release', chain, pageSize, bookmark);
  }
}

/** Padded, so that the order of the keys is the order of the chain. */
function chainKey(consent: string, grantee: string, sequence: number): [string, string, string] {
  return [consent, grantee, String(sequence).padStart(16, '0')];
}
