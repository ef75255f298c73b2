import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { MedSealError } from '../errors.ts';
import { isPublicAddress } from './public-address.ts';

/** The one way in which this server fetches what a URL of someone else's names: the keys of a client or an issuer. */
export interface Egress {
  /**
   * Whether `url` may be asked at all, as far as its text tells.
   *
   * @throws MedSealError `egress-refused`
   */
  check(url: string): void;
  /**
   * The body of the 200 answer to a GET. Redirects are not followed.
   *
   * @throws MedSealError `egress-refused` when the address may not be asked, `egress-failed` when it gave no good answer
   */
  get(url: string): Promise<string>;
}

export interface EgressOptions {
  /** Exact `host:port` pairs that may be asked whatever their address, over http too. */
  readonly allow: readonly string[];
  /** As `dns.lookup` with `all`. */
  readonly lookup?: (
    host: string,
    options: { all: true },
    callback: (error: Error | null, addresses: LookupAddress[]) => void,
  ) => void;
  /** For the whole exchange, in milliseconds. */
  readonly timeout?: number;
  /** Bytes of an answer's body. */
  readonly limit?: number;
}

/**
 * Everything but `allow` must be https and resolve to public addresses only. The check is made on the addresses that
 * the socket then connects to, so that a name which changes its mind between two look-ups gains nothing.
 */
export function createEgress(options: EgressOptions): Egress {
  const allowed = new Set(options.allow.map((pair) => pair.toLowerCase()));
  const guarded = guardedLookup(options.lookup ?? systemLookup);

  function target(text: string): { url: URL; listed: boolean } {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const schemePort = url?.protocol === 'https:' ? '443' : '80';
    if (url === undefined || !['https:', 'http:'].includes(url.protocol)) throw refused('it is not an http(s) URL');
    if (url.username !== '' || url.password !== '' || url.hash !== '') {
      throw refused('it has credentials or a fragment');
    }
    const listed = allowed.has(`${url.hostname}:${url.port === '' ? schemePort : url.port}`);
    if (!listed && url.protocol !== 'https:') throw refused('it is not https, nor is its host:port allowed');
    // Node connects to a literal address without a look-up. The URL parser has made one form of all its spellings.
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (!listed && isIP(literal) !== 0 && !isPublicAddress(literal)) throw refused('its address is not public');
    return { url, listed };
  }

  return {
    check: (text) => void target(text),
    get: async (text) => {
      const { url, listed } = target(text);
      return exchange(url, listed ? undefined : guarded, options.timeout ?? 3000, options.limit ?? 64 * 1024);
    },
  };
}

function refused(why: string): MedSealError {
  return new MedSealError('egress-refused', `The server may not call this address: ${why}.`);
}

function guardedLookup(lookup: NonNullable<EgressOptions['lookup']>): LookupFunction {
  return (host, _options, callback) => {
    lookup(host, { all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
        return callback(refused('its name resolves to an address that is not public'), []);
      }
      return callback(null, addresses);
    });
  };
}

function connectionOptions(lookup: LookupFunction | undefined, timeout: number) {
  return {
    // No pool: every exchange opens, and so checks, a connection of its own.
    agent: false,
    // Passed on to the socket: makes it ask `lookup` for all addresses.
    autoSelectFamily: true,
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    signal: AbortSignal.timeout(timeout),
    lookup,
  };
}

async function exchange(url: URL, lookup: LookupFunction | undefined, timeout: number, limit: number): Promise<string> {
  try {
    return await new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(url, connectionOptions(lookup, timeout));
      const giveUp = (why: string) => {
        reject(new Error(why));
        request.destroy();
      };
      request.on('error', reject);
      request.on('response', (response) => {
        response.on('error', reject);
        if (response.statusCode !== 200) return giveUp(`it answered ${response.statusCode}`);
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          chunks.push(chunk);
          if (length > limit) giveUp(`it answered more than ${limit} bytes`);
        });
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      });
      request.end();
    });
  } catch (cause) {
    if (cause instanceof MedSealError) throw cause;
    throw new MedSealError('egress-failed', 'A called address gave no usable answer.', { cause });
  }
}
