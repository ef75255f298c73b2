import { createAuthenticator } from '../auth/authenticate.ts';
import { createChangeFeed } from '../auth/changes.ts';
import { createClientRegistry } from '../auth/clients.ts';
import { createEgress } from '../auth/egress.ts';
import { createEmbeddedTokens } from '../auth/embedded-tokens.ts';
import { createEmergencyTokens } from '../auth/emergency-tokens.ts';
import { createExternalIssuer } from '../auth/external-issuer.ts';
import { createExternalTokens } from '../auth/external-tokens.ts';
import { createSealedBox } from '../auth/sealed-box.ts';
import { type AuthorizationServer, createAuthorizationServer } from '../auth/server.ts';
import { generateServerSecrets, type ServerSecrets } from '../auth/server-secrets.ts';
import { embeddedMetadata, smartConfiguration } from '../auth/smart-configuration.ts';
import type { Foundation } from './foundation.ts';

export type Auth = Awaited<ReturnType<typeof composeAuth>>;

/** Who may ask: clients and their tokens, of the embedded authorization server or of an issuer elsewhere. */
export async function composeAuth({ config, logger, database, publicUrl, keys }: Foundation) {
  const stored = await keys.secret('authorization server', async () =>
    Buffer.from(JSON.stringify(await generateServerSecrets())),
  );
  const secrets = JSON.parse(stored.toString('utf8')) as ServerSecrets;
  const box = await createSealedBox(secrets.sealingKey);
  const changes = await createChangeFeed(database);
  const egress = createEgress({ allow: config.egressAllow });
  const common = { database, changes, box, egress, clock: Date.now };
  const clients = createClientRegistry(common);
  if (config.issuer !== undefined) {
    const published = createExternalIssuer(config.issuer, egress, Date.now);
    const institutions = clients.institutions;
    const tokens = createExternalTokens({ issuer: config.issuer, published, publicUrl, institutions, clock: Date.now });
    return {
      clients,
      box,
      emergencyTokens: undefined,
      server: undefined as AuthorizationServer | undefined,
      authenticator: createAuthenticator({ tokens, changes, clock: Date.now }),
      smartConfiguration: async () => smartConfiguration(await published.metadata()),
    };
  }
  const issuer = `${publicUrl}/auth`;
  const metadata = smartConfiguration(embeddedMetadata(issuer));
  return {
    clients,
    box,
    emergencyTokens: createEmergencyTokens({ database, changes, box, publicUrl }),
    server: createAuthorizationServer({ ...common, issuer, publicUrl, clients, secrets, logger }) as
      | AuthorizationServer
      | undefined,
    authenticator: createAuthenticator({
      tokens: createEmbeddedTokens({ database, clients, box, publicUrl }),
      changes,
      clock: Date.now,
    }),
    smartConfiguration: () => Promise.resolve(metadata),
  };
}
