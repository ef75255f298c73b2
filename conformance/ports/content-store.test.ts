import { temporaryDirectory } from '../support/temporary-directory.ts';
import { contentStoreContract } from './content-store-contract.ts';

contentStoreContract({
  name: 'car',
  makePlace: async () => ({ kind: 'car', directory: await temporaryDirectory() }),
});
