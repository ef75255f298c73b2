export function evidenceIn(file: Uint8Array): Promise<Uint8Array>;
