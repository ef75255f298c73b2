import { randomBytes } from 'node:crypto';
import { ROLE_ATTRIBUTE, WRITER_ROLE } from 'medseal-chaincode/rules';
import { MedSealError } from '../../../errors.ts';
import { constant, type Guard, hexadecimal, listOf, mapOf, record, text } from './shape.ts';
import { generateKeyPair, type KeyPair, privateKey, signCanonical } from './signatures.ts';

/**
 * Who an embedded ledger consists of. Two organisations at least, as on a real network, although one operator holds
 * the keys of all of them: that is why its evidence is self-attested. Plain JSON; the caller keeps it sealed.
 */
export interface LedgerIdentities {
  /** Names this one ledger; random. */
  readonly channel: string;
  readonly blockSigner: KeyPair;
  readonly organisations: readonly Organisation[];
  /** What the node submits with, of the first organisation. */
  readonly client: LedgerClient;
}

export interface Organisation extends KeyPair {
  readonly mspId: string;
}

export interface LedgerClient extends KeyPair {
  readonly credential: Credential;
}

/**
 * Stands for the X.509 certificate of a Fabric client: an organisation vouches that this key acts for it, with these
 * attributes. There is no expiry or revocation: whoever could issue a new one holds all the keys anyway.
 */
export interface Credential {
  readonly format: typeof CREDENTIAL_FORMAT;
  readonly channel: string;
  readonly mspId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly publicKey: string;
  /** The organisation's, over the other fields. */
  readonly signature: string;
}

/** What an offline verifier pins: public keys only. It is also the content of block 0. */
export interface LedgerRoots {
  readonly ledger: 'embedded';
  readonly channel: string;
  readonly blockSigner: string;
  readonly organisations: readonly { readonly mspId: string; readonly publicKey: string }[];
}

export const embeddedRootsShape = record({
  ledger: constant('embedded'),
  channel: hexadecimal(),
  blockSigner: hexadecimal(32),
  organisations: listOf(record({ mspId: text, publicKey: hexadecimal(32) })),
});

export const CREDENTIAL_FORMAT = 'medseal-ledger-credential/1';

const DEFAULT_ORGANISATIONS = ['NodeMSP', 'WitnessMSP'];

const KEY_PAIR = { publicKey: hexadecimal(32), privateKey: hexadecimal(32) };

export const credentialShape = {
  format: text,
  channel: hexadecimal(16),
  mspId: text,
  attributes: mapOf(text),
  publicKey: hexadecimal(32),
  signature: hexadecimal(64),
} satisfies Record<string, Guard>;

const IDENTITIES = record({
  channel: hexadecimal(16),
  blockSigner: record(KEY_PAIR),
  organisations: listOf(record({ ...KEY_PAIR, mspId: text })),
  client: record({ ...KEY_PAIR, credential: record(credentialShape) }),
});

/** Fresh keys for a new embedded ledger of these organisations; the first is the node's own. */
export function generateLedgerIdentities(mspIds: readonly string[] = DEFAULT_ORGANISATIONS): LedgerIdentities {
  const channel = randomBytes(16).toString('hex');
  const organisations = mspIds.map((mspId) => ({ mspId, ...generateKeyPair() }));
  const [own] = organisations;
  if (own === undefined || organisations.length < 2) {
    throw new MedSealError('invalid-configuration', 'An embedded ledger needs two organisations at least');
  }
  const client = issueClient(channel, own, { [ROLE_ATTRIBUTE]: WRITER_ROLE });
  return { channel, blockSigner: generateKeyPair(), organisations, client };
}

/** A client of one of the organisations. */
export function issueClient(
  channel: string,
  organisation: Organisation,
  attributes: Readonly<Record<string, string>>,
): LedgerClient {
  const pair = generateKeyPair();
  const { mspId } = organisation;
  const claims = { format: CREDENTIAL_FORMAT, channel, mspId, attributes, publicKey: pair.publicKey } as const;
  return { ...pair, credential: { ...claims, signature: signCanonical(privateKey(organisation), claims) } };
}

/** Reads what `JSON.stringify` made of identities. @throws MedSealError `invalid-configuration` */
export function parseLedgerIdentities(json: string): LedgerIdentities {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    // The syntax error would quote from the text, which holds private keys.
    parsed = undefined;
  }
  if (!IDENTITIES(parsed)) throw new MedSealError('invalid-configuration', 'The ledger identities are damaged');
  return parsed as LedgerIdentities;
}

export function ledgerRoots({ channel, blockSigner, organisations }: LedgerIdentities): LedgerRoots {
  return {
    ledger: 'embedded',
    channel,
    blockSigner: blockSigner.publicKey,
    organisations: organisations.map(({ mspId, publicKey }) => ({ mspId, publicKey })),
  };
}
