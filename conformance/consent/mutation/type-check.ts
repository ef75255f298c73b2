import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../architecture/sources.ts';
import type { Mutant } from './source-mutants.ts';

/** An answer of the compiler, or something that it tells or asks by itself. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: { readonly items?: readonly { readonly severity: number }[] };
}

/**
 * The mutants in whose file `npm run check` finds an error, because they are no valid TypeScript. They could not come to
 * be unnoticed, and so are left out of the ratio rather than counted as killed. The compiler is asked as editors do,
 * over the language server protocol: it then looks at what changed alone.
 */
export async function refusedByCompiler(mutants: readonly Mutant[]): Promise<ReadonlySet<Mutant>> {
  const compiler = spawn(join(ROOT, 'node_modules/.bin/tsc'), ['--lsp', '--stdio'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const answers = messages(compiler.stdout);
  let last = 0;
  const send = (message: object) => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    compiler.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  const ask = async (method: string, params: object): Promise<Message> => {
    const id = ++last;
    send({ id, method, params });
    for (let next = await answers.next(); next.done !== true; next = await answers.next()) {
      const { value: message } = next;
      if (message.method === undefined && message.id === id) return message;
      // It asks for settings, of which there are none.
      if (message.method !== undefined && message.id !== undefined) send({ id: message.id, result: null });
    }
    throw new Error('the compiler ended');
  };
  const hasErrors = async (uri: string): Promise<boolean> => {
    const { result } = await ask('textDocument/diagnostic', { textDocument: { uri } });
    if (result?.items === undefined) throw new Error('the compiler gave no answer');
    return result.items.some(({ severity }) => severity === 1);
  };

  const refused = new Set<Mutant>();
  await ask('initialize', { processId: process.pid, rootUri: pathToFileURL(ROOT).href, capabilities: {} });
  send({ method: 'initialized', params: {} });
  for (const [file, all = []] of Object.entries(Object.groupBy(mutants, (mutant) => mutant.file))) {
    const uri = pathToFileURL(join(ROOT, file)).href;
    const text = readFileSync(join(ROOT, file), 'utf8');
    send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'typescript', version: 0, text } },
    });
    if (await hasErrors(uri)) throw new Error(`${file} has type errors without any mutant`);
    for (const [index, mutant] of all.entries()) {
      // Of type never, it fits anywhere.
      if (mutant.becomes.includes('return undefined as never;')) continue;
      const change = { textDocument: { uri, version: index + 1 }, contentChanges: [{ text: mutant.source }] };
      send({ method: 'textDocument/didChange', params: change });
      if (await hasErrors(uri)) refused.add(mutant);
    }
    send({ method: 'textDocument/didClose', params: { textDocument: { uri } } });
  }
  compiler.kill();
  return refused;
}

/** Messages as the language server protocol frames them. */
async function* messages(stream: Readable): AsyncGenerator<Message, void> {
  let read = Buffer.alloc(0);
  for await (const chunk of stream) {
    read = Buffer.concat([read, chunk as Buffer]);
    for (let end = read.indexOf('\r\n\r\n'); end >= 0; end = read.indexOf('\r\n\r\n')) {
      const length = Number(/Content-Length: (\d+)/i.exec(read.toString('latin1', 0, end))?.[1]);
      if (read.length < end + 4 + length) break;
      yield JSON.parse(read.toString('utf8', end + 4, end + 4 + length)) as Message;
      read = read.subarray(end + 4 + length);
    }
  }
}
