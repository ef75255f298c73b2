import type { Database } from '../database/port.ts';

/** A token, code, session or grant, by the digest of its value or id. */
export interface Artifact {
  /** oidc-provider's name of its kind, such as `ClientCredentials`. */
  readonly model: string;
  readonly digest: Uint8Array;
  readonly client: string | undefined;
  readonly grantDigest: Uint8Array | undefined;
  readonly uidDigest: Uint8Array | undefined;
  readonly sealed: string;
}

export interface StoredArtifact {
  readonly digest: Buffer;
  readonly sealed: string;
  /** Epoch seconds; null when it was not used up. */
  readonly consumed: number | null;
}

/** @param lifetime seconds */
export async function putArtifact(database: Database, artifact: Artifact, lifetime: number): Promise<void> {
  const { model, digest, client, grantDigest, uidDigest, sealed } = artifact;
  await database.query(
    'writer',
    `insert into auth_artifact (model, digest, client, grant_digest, uid_digest, sealed, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
     on conflict (model, digest) do update set client = excluded.client, grant_digest = excluded.grant_digest,
       uid_digest = excluded.uid_digest, sealed = excluded.sealed, expires_at = excluded.expires_at`,
    [model, digest, client, grantDigest, uidDigest, sealed, lifetime],
  );
}

export async function findArtifact(
  database: Database,
  model: string,
  digest: Uint8Array,
): Promise<StoredArtifact | undefined> {
  const rows = await database.query<StoredArtifact>(
    'writer',
    `select digest, sealed, extract(epoch from consumed_at)::float8 as consumed
     from auth_artifact where model = $1 and digest = $2 and expires_at > now()`,
    [model, digest],
  );
  return rows[0];
}

export async function findArtifactByUid(
  database: Database,
  model: string,
  uidDigest: Uint8Array,
): Promise<StoredArtifact | undefined> {
  const rows = await database.query<StoredArtifact>(
    'writer',
    `select digest, sealed, extract(epoch from consumed_at)::float8 as consumed
     from auth_artifact where model = $1 and uid_digest = $2 and expires_at > now()`,
    [model, uidDigest],
  );
  return rows[0];
}

export async function consumeArtifact(database: Database, model: string, digest: Uint8Array): Promise<void> {
  await database.query(
    'writer',
    'update auth_artifact set consumed_at = coalesce(consumed_at, now()) where model = $1 and digest = $2',
    [model, digest],
  );
}

export async function deleteArtifact(database: Database, model: string, digest: Uint8Array): Promise<void> {
  await database.query('writer', 'delete from auth_artifact where model = $1 and digest = $2', [model, digest]);
}

/** Deletes what of this kind was given out under a grant. */
export async function deleteArtifactsOfGrant(
  database: Database,
  model: string,
  grantDigest: Uint8Array,
): Promise<void> {
  await database.query('writer', 'delete from auth_artifact where grant_digest = $2 and model = $1', [
    model,
    grantDigest,
  ]);
}

/** The unexpired access token with this digest, of whichever grant. */
export async function findToken(
  database: Database,
  digest: Uint8Array,
): Promise<{ readonly model: string; readonly sealed: string } | undefined> {
  const rows = await database.query<{ model: string; sealed: string }>(
    'writer',
    `select model, sealed from auth_artifact
     where model in ('AccessToken', 'ClientCredentials') and digest = $1 and expires_at > now()`,
    [digest],
  );
  return rows[0];
}

/** Deletes some of what has expired, artifacts and assertions; short, so that it can run beside everything else. */
export async function sweepExpired(database: Database): Promise<void> {
  await database.query(
    'writer',
    `delete from auth_artifact where ctid = any (array(
       select ctid from auth_artifact where expires_at <= now() limit 10000 for update skip locked))`,
    [],
  );
  await database.query(
    'writer',
    `delete from auth_assertion where ctid = any (array(
       select ctid from auth_assertion where expires_at <= now() limit 10000 for update skip locked))`,
    [],
  );
}
