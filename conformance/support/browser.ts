import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name)))
  .find(isExecutable);

/** For `test(name, { skip })`: why no page can be opened, or false. */
export const browserAbsent: string | false = EXECUTABLE === undefined ? 'no chromium on PATH' : false;

/** Debian's chromium, without a window; it ends with the test. */
export async function openBrowser(test: { after(hook: () => Promise<void>): void }): Promise<Browser> {
  if (EXECUTABLE === undefined) throw new Error('There is no chromium on PATH');
  // Its sandbox does not run as root, as tests in a container do; what is opened is our own page.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const args = [...sandbox, '--disable-dev-shm-usage', '--disable-gpu'];
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args });
  test.after(() => browser.close());
  return browser;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not in this directory.
    return false;
  }
}
