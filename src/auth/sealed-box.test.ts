import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { MedSealError } from '../errors.ts';
import { createSealedBox } from './sealed-box.ts';

const damaged = (error: unknown) => error instanceof MedSealError && error.code === 'sealed-content-damaged';
const key = () => randomBytes(32).toString('base64url');

describe('sealed box', () => {
  test('opens what it sealed, and shows nothing of it', async () => {
    const box = await createSealedBox(key());
    const sealed = await box.seal('here', { patient: 'canary-7f3a' });
    assert.deepEqual(await box.open('here', sealed), { patient: 'canary-7f3a' });
    const shown = sealed.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    assert.ok(!shown.join().includes('canary'));
  });

  test('does not open in another place, under another key, or altered anywhere', async () => {
    const box = await createSealedBox(key());
    const sealed = await box.seal('here', 'secret');
    await assert.rejects(box.open('there', sealed), damaged);
    await assert.rejects((await createSealedBox(key())).open('here', sealed), damaged);
    for (let at = 0; at < sealed.length; at += 1) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      const altered = sealed.slice(0, at) + other + sealed.slice(at + 1);
      // The last character of a part may carry unused bits, so compare what the altered text decodes to.
      if (same(altered, sealed)) continue;
      await assert.rejects(box.open('here', altered), damaged, `character ${at}`);
    }
    await assert.rejects(box.open('here', ''), damaged);
  });
});

function same(a: string, b: string): boolean {
  const parts = (text: string) => text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
  return parts(a).join() === parts(b).join();
}
