import { randomUUID } from 'node:crypto';
import { MedSealError } from '../errors.ts';
import { defaultScopes } from './administration.ts';
import type { Command } from './commands.ts';
import { administer, type Connection, connect, localTokenEndpoint, requestToken } from './connection.ts';
import { readClient, type StoredClient, storeClient } from './data-directory.ts';
import { generateClientKey } from './operator.ts';
import { needed, parseOptions } from './usage.ts';

/** Whose patients and practitioners `patient:ID` and `practitioner:ID` are. */
const PERSONS_INSTITUTION = 'hospital-a';

export const token: Command = {
  usage: 'medseal token CLIENT',
  summary: 'Print an access token of one of this node’s own clients',
  about: [
    'CLIENT is a client whose private key lies in the data directory, as those of the demonstration do: hospital-a,',
    'hospital-b, research-institute; patient:ID or practitioner:ID acts for that Patient or Practitioner of hospital-a.',
    'The token lasts five minutes.',
  ].join('\n'),
  async run(args) {
    const name = needed(parseOptions(args, {}, 1).positionals[0], 'CLIENT');
    process.stdout.write(`${await accessToken(connect(), name)}\n`);
    return 0;
  },
};

/** An access token of a client whose key is here, or of a person who is registered for it now. */
export async function accessToken(connection: Connection, name: string): Promise<string> {
  const client = readClient(connection.directory, name) ?? (await registerPerson(connection, name));
  return requestToken(localTokenEndpoint(connection.address), client);
}

/** The client's own id is random: a Patient's id is not stored in the clear. */
async function registerPerson(connection: Connection, name: string): Promise<StoredClient> {
  const found = /^(patient|practitioner):([A-Za-z0-9.-]{1,64})$/.exec(name);
  if (found === null)
    throw new MedSealError('not-found', `There is no key of a client ${name} in ${connection.directory}/clients`);
  const [, kind = '', id = ''] = found;
  const clientId = `${kind}-${randomUUID()}`;
  const person = kind === 'patient' ? { patient: id } : { practitioner: id };
  const scopes = kind === 'patient' ? defaultScopes(id, undefined) : defaultScopes(undefined, id);
  const { publicJwks, privateKey } = await generateClientKey();
  await administer(connection, 'POST', '/admin/clients', {
    id: clientId,
    institution: PERSONS_INSTITUTION,
    jwks: publicJwks,
    purposes: [kind === 'patient' ? 'PATRQT' : 'TREAT'],
    scopes,
    ...person,
  });
  const client = { clientId, privateKey, scope: scopes.join(' ') };
  storeClient(connection.directory, name, client);
  return client;
}
