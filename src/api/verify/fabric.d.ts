import type { FabricRoots } from '../../trail/ledger/fabric/roots.ts';
import type { FabricAnchorFacts } from '../../trail/ledger/verify-fabric.ts';

export function fabricAnchor(proof: unknown, roots: FabricRoots): Promise<FabricAnchorFacts>;
