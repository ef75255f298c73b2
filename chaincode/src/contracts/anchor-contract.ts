import {
  type Anchor,
  append,
  carry,
  type GenesisRequest,
  genesis,
  logName,
  readAppendRequest,
  readCarryRequest,
  readGenesisRequest,
} from '../rules/anchor.ts';
import { bytes32, institutionName, readText } from '../rules/argument.ts';
import type { Caller } from '../rules/caller.ts';
import { type Erasure, erase, readErasureRequest } from '../rules/erasure.ts';
import { type Institution, readInstitutionRequest, register } from '../rules/institution.ts';
import { refuseUnless } from '../rules/refusal.ts';
import { MedSealContract } from './base.ts';
import type { Clock, ContractContext } from './context.ts';
import {
  announce,
  bindToOwner,
  canonical,
  getState,
  history,
  orNull,
  ownRegistration,
  page,
  putState,
} from './state.ts';

/**
 * Institutions, the anchored tree heads of their logs, and erasure notices. Arguments of writing transactions are one
 * canonical JSON object each (see the rules); every answer is canonical JSON.
 */
export class AnchorContract extends MedSealContract {
  constructor(clock: Clock = Date.now) {
    super('anchor', clock);
  }

  /** Binds an institution to the caller's organisation, or changes which others may endorse for it. */
  async register(ctx: ContractContext, argument: string): Promise<string> {
    const request = readInstitutionRequest(argument);
    const caller = this._writer(ctx);
    const stored = await getState<Institution>(ctx, 'institution', request.institution);
    const state = register(stored, request, caller);
    await putState(ctx, state, 'institution', state.institution);
    await bindToOwner(ctx, state, 'institution', state.institution);
    return announce(ctx, 'institution', state);
  }

  /** The first anchor of a log; from then on its owner must endorse. */
  async genesis(ctx: ContractContext, argument: string): Promise<string> {
    return this._begin(ctx, readGenesisRequest(argument), genesis);
  }

  /** The same of a log that another ledger anchored before, over all that it had there. */
  async carry(ctx: ContractContext, argument: string): Promise<string> {
    return this._begin(ctx, readCarryRequest(argument), carry);
  }

  /** Fabric takes what begins so for no transaction. */
  async _begin<Request extends GenesisRequest>(
    ctx: ContractContext,
    request: Request,
    rule: (stored: Anchor | undefined, own: Institution, request: Request, caller: Caller) => Anchor,
  ): Promise<string> {
    const caller = this._writer(ctx);
    const own = await ownRegistration(ctx, request.institution, caller);
    const stored = await getState<Anchor>(ctx, 'anchor', request.institution, request.log);
    const state = rule(stored, own, request, caller);
    await putState(ctx, state, 'anchor', state.institution, state.log);
    await bindToOwner(ctx, own, 'anchor', state.institution, state.log);
    return announce(ctx, 'anchor', state);
  }

  /** A further anchor: one read and one write, however many leaves it adds. */
  async append(ctx: ContractContext, argument: string): Promise<string> {
    const request = readAppendRequest(argument);
    const caller = this._writer(ctx);
    const stored = await getState<Anchor>(ctx, 'anchor', request.institution, request.log);
    const state = append(stored, request, caller);
    await putState(ctx, state, 'anchor', state.institution, state.log);
    return announce(ctx, 'anchor', state);
  }

  /** Lets the endorsers that are registered by now endorse a log that is older than their registration. */
  async renewEndorsers(ctx: ContractContext, institution: string, log: string): Promise<string> {
    const key = [readText(institution, 'institution', institutionName), readText(log, 'log', logName)];
    const own = await ownRegistration(ctx, institution, this._writer(ctx));
    const stored = await getState<Anchor>(ctx, 'anchor', ...key);
    refuseUnless(stored !== undefined, 'anchor-missing', 'this log has no genesis yet');
    await bindToOwner(ctx, own, 'anchor', ...key);
    return canonical(own);
  }

  /** Records that something was erased. */
  async recordErasure(ctx: ContractContext, argument: string): Promise<string> {
    const request = readErasureRequest(argument);
    const caller = this._writer(ctx);
    const own = await ownRegistration(ctx, request.institution, caller);
    const stored = await getState<Erasure>(ctx, 'erasure', request.institution, request.notice);
    const state = erase(stored, own, request, caller);
    await putState(ctx, state, 'erasure', state.institution, state.notice);
    await bindToOwner(ctx, own, 'erasure', state.institution, state.notice);
    return announce(ctx, 'erasure', state);
  }

  /** The newest anchor of a log, or null. */
  async read(ctx: ContractContext, institution: string, log: string): Promise<string> {
    const key = [readText(institution, 'institution', institutionName), readText(log, 'log', logName)];
    return orNull(await getState<Anchor>(ctx, 'anchor', ...key));
  }

  /** `{items}`: anchors of a log, newest first, with a sequence below `before` ('' for the newest). */
  async history(
    ctx: ContractContext,
    institution: string,
    log: string,
    before: string,
    limit: string,
  ): Promise<string> {
    const key = [readText(institution, 'institution', institutionName), readText(log, 'log', logName)];
    return history(ctx, 'sequence', before, limit, 'anchor', ...key);
  }

  /** `{items, bookmark}`: the newest anchor of every log. */
  async list(ctx: ContractContext, pageSize: string, bookmark: string): Promise<string> {
    return page(ctx, 'anchor', [], pageSize, bookmark);
  }

  /** An institution's registration, or null. */
  async readInstitution(ctx: ContractContext, institution: string): Promise<string> {
    return orNull(
      await getState<Institution>(ctx, 'institution', readText(institution, 'institution', institutionName)),
    );
  }

  /** An erasure notice, or null. */
  async readErasure(ctx: ContractContext, institution: string, notice: string): Promise<string> {
    const key = [readText(institution, 'institution', institutionName), readText(notice, 'notice', bytes32)];
    return orNull(await getState<Erasure>(ctx, 'erasure', ...key));
  }

  /** `{items, bookmark}`: the erasure notices of an institution. */
  async listErasures(ctx: ContractContext, institution: string, pageSize: string, bookmark: string): Promise<string> {
    return page(ctx, 'erasure', [readText(institution, 'institution', institutionName)], pageSize, bookmark);
  }
}
