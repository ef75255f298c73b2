import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../logger.ts';
import { openExternalDatabase } from './external.ts';

const open = (recordsUrl: string, keysUrl: string) =>
  openExternalDatabase({ recordsUrl, keysUrl, logger: silentLogger });

test('URLs that cannot work are refused before anything is connected', async () => {
  const refused = { code: 'invalid-configuration' } as const;
  await assert.rejects(open('postgres://u:p@host/one', 'postgres://u:p@host/one'), { ...refused, message: /same/ });
  await assert.rejects(open('postgres://u:secret@host:x/one', 'postgres://u@host/two'), (error: Error) => {
    assert.ok(!`${error.message} ${error.cause}`.includes('secret'));
    return (error as { code?: string }).code === refused.code;
  });
});

test('a server that is not there is storage-unavailable', async () => {
  const nowhere = (database: string) => `postgres://u:p@127.0.0.1:1/${database}`;
  await assert.rejects(open(nowhere('one'), nowhere('two')), { code: 'storage-unavailable' });
});
