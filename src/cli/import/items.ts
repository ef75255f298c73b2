import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Source, STANDARD_INPUT } from './sources.ts';

/** One Bundle or resource as it stands in its source. */
export interface Item {
  readonly path: string;
  /** The line in a file of lines, else 1. */
  readonly position: number;
  /** Its bytes; or why there are none. */
  readonly content: Buffer | 'too-large' | 'unreadable';
}

/** More than a server takes in one request; what is larger is not held in memory. */
export const MAX_ITEM_BYTES = 64 * 1024 * 1024;

const NEWLINE = Buffer.from('\n');
const GZIP = Buffer.from([0x1f, 0x8b]);
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const LINES = /\.(ndjson|jsonl)(\.gz)?$/i;

/**
 * The items of a source, one at a time: of a file of lines (NDJSON) one a line, of any other file one. A file whose name
 * does not tell is one of lines when its first is complete JSON. Compressed sources are recognised by their first bytes.
 * No more than one item and one piece of the file are held in memory.
 *
 * @param onRead told of the bytes taken from the source, as they lie on disk
 */
export async function* readItems({ path }: Source, onRead: (bytes: number) => void): AsyncGenerator<Item> {
  const input = path === STANDARD_INPUT ? process.stdin : createReadStream(path);
  let position = 0;
  try {
    const lines = splitLines(decompress(input, onRead));
    const first = await nextLine(lines);
    if (first === undefined) return;
    if (!LINES.test(path) && !isComplete(first.content)) {
      yield { path, position: 1, content: await wholeDocument(first.content, lines) };
      return;
    }
    for (let line: Line | undefined = first; line !== undefined; line = await nextLine(lines)) {
      position = line.position;
      yield { path, ...line };
    }
  } catch (error) {
    // A damaged file, or one that went away; a defect of ours would have no such code.
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    yield { path, position: position + 1, content: 'unreadable' };
  } finally {
    input.destroy();
  }
}

interface Line {
  readonly content: Buffer | 'too-large';
  /** From 1 on. */
  readonly position: number;
}

/** The next one that is not blank. */
async function nextLine(lines: AsyncGenerator<Line>): Promise<Line | undefined> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return undefined;
    if (value.content === 'too-large' || !isBlank(value.content)) return value;
  }
}

/** A whole document, from its first line on. */
async function wholeDocument(first: Line['content'], lines: AsyncGenerator<Line>): Promise<Line['content']> {
  if (first === 'too-large') return first;
  const pieces = [first];
  let size = first.length;
  for await (const { content } of lines) {
    size += content.length + 1;
    if (content === 'too-large' || size > MAX_ITEM_BYTES) return 'too-large';
    pieces.push(NEWLINE, content);
  }
  return Buffer.concat(pieces);
}

/** Whether a line is by itself what each line of a file of lines is. */
function isComplete(line: Line['content']): boolean {
  if (line === 'too-large') return false;
  try {
    return typeof JSON.parse(line.toString('utf8')) === 'object';
  } catch {
    // The first line of a document that goes on, or no JSON at all.
    return false;
  }
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let size = 0;
  let position = 0;
  const add = (piece: Buffer): void => {
    size += piece.length;
    if (size > MAX_ITEM_BYTES) pieces = [];
    else pieces.push(piece);
  };
  const take = (): Line => {
    const content = size > MAX_ITEM_BYTES ? ('too-large' as const) : Buffer.concat(pieces);
    pieces = [];
    size = 0;
    position += 1;
    return { content, position };
  };
  for await (const chunk of withoutMark(chunks)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + NEWLINE.length;
    }
    add(chunk.subarray(start));
  }
  if (size > 0) yield take();
}

async function* withoutMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true;
  for await (const chunk of chunks) {
    const marked = first && chunk.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    yield marked ? chunk.subarray(BYTE_ORDER_MARK.length) : chunk;
    first = false;
  }
}

async function* decompress(input: Readable, onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  const chunks = counted(input, onRead);
  const { value: first, done } = await chunks.next();
  if (done) return;
  const all = startingWith(first, chunks);
  if (!first.subarray(0, GZIP.length).equals(GZIP)) yield* all;
  // What goes wrong reaches whoever iterates.
  else yield* pipeline(all, createGunzip(), () => undefined);
}

async function* startingWith(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

async function* counted(input: AsyncIterable<Buffer>, onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of input) {
    onRead(chunk.length);
    yield chunk;
  }
}
