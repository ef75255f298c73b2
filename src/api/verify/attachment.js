// The evidence that a certificate (PDF) of MedSeal has attached to it.
import { Refusal } from './bytes.js';

/** @param {Uint8Array} file a PDF, or the evidence itself @returns the evidence */
export async function evidenceIn(file) {
  if (latin1(file.subarray(0, 5)) !== '%PDF-') return file;
  const text = latin1(file);
  const object = text.indexOf('/Type /EmbeddedFile');
  const start = text.indexOf('stream\n', object) + 'stream\n'.length;
  const [, length] = /\/Length (\d+)/.exec(text.slice(object, start)) ?? [];
  if (object < 0 || length === undefined) throw new Refusal('this PDF has no evidence attached to it');
  const packed = file.subarray(start, start + Number(length));
  if (!text.slice(object, start).includes('/FlateDecode')) return packed;
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

function latin1(bytes) {
  return new TextDecoder('latin1').decode(bytes);
}
