import { bytes32, readText } from '../rules/argument.ts';
import { type ConsentState, changeConsent, grantConsent, readConsentRequest } from '../rules/consent.ts';
import { MedSealContract } from './base.ts';
import type { Clock, ContractContext } from './context.ts';
import { announce, bindToOwner, getState, history, orNull, ownRegistration, page, putState } from './state.ts';

/** Consents under opaque keys: granted, changed, ended. */
export class ConsentContract extends MedSealContract {
  constructor(clock: Clock = Date.now) {
    super('consent', clock);
  }

  /** Records the next state of a consent. */
  async record(ctx: ContractContext, argument: string): Promise<string> {
    const request = readConsentRequest(argument);
    const caller = this._writer(ctx);
    const stored = await getState<ConsentState>(ctx, 'consent', request.consent);
    if (stored !== undefined) {
      const changed = changeConsent(stored, request, caller);
      await putState(ctx, changed, 'consent', request.consent);
      return announce(ctx, 'consent', changed);
    }
    const own = await ownRegistration(ctx, request.institution, caller);
    const granted = grantConsent(own, request, caller);
    await putState(ctx, granted, 'consent', request.consent);
    await bindToOwner(ctx, own, 'consent', request.consent);
    return announce(ctx, 'consent', granted);
  }

  /** The newest state of a consent, or null. */
  async read(ctx: ContractContext, consent: string): Promise<string> {
    return orNull(await getState<ConsentState>(ctx, 'consent', readText(consent, 'consent', bytes32)));
  }

  /** `{items}`: states of a consent, newest first, with a version below `before` ('' for the newest). */
  async history(ctx: ContractContext, consent: string, before: string, limit: string): Promise<string> {
    return history(ctx, 'version', before, limit, 'consent', readText(consent, 'consent', bytes32));
  }

  /** `{items, bookmark}`: the newest state of every consent. */
  async list(ctx: ContractContext, pageSize: string, bookmark: string): Promise<string> {
    return page(ctx, 'consent', [], pageSize, bookmark);
  }
}
