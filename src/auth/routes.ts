/** Paths below the issuer at which the embedded authorization server answers. */
export const ROUTES = {
  token: '/token',
  introspection: '/introspect',
  revocation: '/revoke',
  jwks: '/jwks',
} as const;
