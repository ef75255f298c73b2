import { hkdfSync } from 'node:crypto';
import { Client } from 'pg';
import { MedSealError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { DatabaseError } from './database-error.ts';
import { type Migration, migrate } from './migrate.ts';
import type { Role } from './port.ts';
import { clientConfig, type Login } from './postgres.ts';
import { scramVerifier } from './scram-verifier.ts';

/** Names of the three logins. Migrations grant to them by name, so one PostgreSQL cluster serves one owner of MedSeal. */
const LOGIN_NAMES: Readonly<Record<Role, string>> = {
  writer: 'medseal_writer',
  reader: 'medseal_reader',
  keys: 'medseal_keys',
};

/** Any constant: the lock is per database, and only this module takes it. */
const PROVISION_LOCK = 0x6d656473;

/**
 * Makes a database ready, connected to it as its owner: creates the logins that are missing, lets nobody else connect,
 * applies migrations. Safe to run from several servers at once, and again at every start.
 *
 * The logins' passwords are derived from the owner's own, so that replicas, which share nothing but the owner's URL,
 * agree on them and none is stored. When the URL has no password (a peer or trusted socket), the logins have none
 * either. For an owner who may not create roles the database's administrator creates them beforehand.
 *
 * @throws MedSealError as `migrate`, and `invalid-configuration` when the owner lacks a right
 */
export async function provision(
  owner: Login,
  roles: readonly Role[],
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  const logins = roles.map((role) => loginOf(owner, role));
  const client = new Client(clientConfig(owner, 'owner', {}));
  // A connection that is lost also fails the statement that is under way, and that is what gets reported.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [PROVISION_LOCK]);
    for (const login of logins) await client.query(createRole(login.user));
    await client.query(onlyLoginsConnect(client.escapeIdentifier(owner.database), logins));
    for (const login of logins) await agreeOnPassword(client, login);
    await migrate(client, migrations, logger);
  } catch (cause) {
    throw explain(cause, owner);
  } finally {
    await client.end();
  }
}

/** The login of `role` on the database that belongs to `owner`. */
export function loginOf(owner: Login, role: Role): Login {
  const user = LOGIN_NAMES[role];
  if (owner.password === undefined) return { ...owner, user };
  const derived = hkdfSync('sha256', owner.password, '', `medseal database login ${user}`, 32);
  return { ...owner, user, password: Buffer.from(derived).toString('base64url') };
}

/** Roles belong to the cluster, not to the database that the lock guards, so another server may be first. */
function createRole(name: string): string {
  return `do $$ begin
    if not exists (select from pg_roles where rolname = '${name}') then
      create role ${name} login;
    end if;
  exception when duplicate_object or unique_violation then null;
  end $$`;
}

function onlyLoginsConnect(database: string, logins: readonly Login[]): string {
  const names = logins.map(({ user }) => user).join(', ');
  return `revoke all on database ${database} from public;
    grant connect on database ${database} to ${names};
    revoke create on schema public from public;
    grant usage on schema public to ${names}`;
}

/** Sets the password when the login does not get in with it: a new login, or the owner's password was changed. */
async function agreeOnPassword(owner: Client, login: Login): Promise<void> {
  if (login.password === undefined) return;
  const probe = new Client(clientConfig(login, 'owner', {}));
  probe.on('error', () => undefined);
  try {
    await probe.connect();
  } catch (cause) {
    const { sqlState } = new DatabaseError(cause, false);
    if (sqlState !== WRONG_PASSWORD) throw cause;
    await owner.query(`alter role ${login.user} password ${owner.escapeLiteral(scramVerifier(login.password))}`);
  } finally {
    await probe.end();
  }
}

function explain(cause: unknown, owner: Login): MedSealError {
  if (cause instanceof MedSealError) return cause;
  const error = new DatabaseError(cause, false);
  if (error.sqlState !== INSUFFICIENT_PRIVILEGE) return error;
  return new MedSealError(
    'invalid-configuration',
    `The owner of the database ${owner.database} needs CREATEROLE, or must be given the roles ` +
      `${Object.values(LOGIN_NAMES).join(', ')} by the database's administrator.`,
    { cause: error },
  );
}

const WRONG_PASSWORD = '28P01';
const INSUFFICIENT_PRIVILEGE = '42501';
