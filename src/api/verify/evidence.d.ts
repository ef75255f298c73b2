import type { VerifiedEvidence } from '../../trail/evidence/verify.ts';

export function verifyEvidence(file: Uint8Array, rootsFile: string): Promise<VerifiedEvidence>;
