import { common } from '@hyperledger/fabric-protos';
import { envelopesOf, metadataOf } from './block.ts';
import { present } from './protobuf.ts';
import type { Identity } from './transaction.ts';

/** Who signs blocks of a BFT ordering service, by the number by which signatures name them. */
export type Consenters = ReadonlyMap<number, Identity>;

/** The consenters that a configuration block sets; none under Raft. */
export function consentersOf(configuration: common.Block): Consenters {
  const [envelope] = envelopesOf(configuration);
  const payload = common.Payload.deserializeBinary(
    common.Envelope.deserializeBinary(present(envelope)).getPayload_asU8(),
  );
  const channel = common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig()?.getChannelGroup();
  const orderer: common.ConfigGroup | undefined = channel?.getGroupsMap().get('Orderer');
  const value: common.ConfigValue | undefined = orderer?.getValuesMap().get('Orderers');
  const consenters = common.Orderers.deserializeBinary(value?.getValue_asU8() ?? new Uint8Array());
  return new Map(
    consenters.getConsenterMappingList().map((consenter) => {
      const certificate = Buffer.from(consenter.getIdentity_asU8()).toString('latin1');
      return [consenter.getId(), { mspId: consenter.getMspId(), certificate }];
    }),
  );
}

/** The block that held the channel's configuration when this one was made. */
export function lastConfigOf(block: common.Block): bigint {
  const { value } = blockSignatures(block);
  return BigInt(common.OrdererBlockMetadata.deserializeBinary(value).getLastConfig()?.getIndex() ?? 0);
}

/** What the orderers signed beside the header, and their signatures. */
export function blockSignatures(block: common.Block) {
  const metadata = common.Metadata.deserializeBinary(metadataOf(block, common.BlockMetadataIndex.SIGNATURES));
  return { value: metadata.getValue_asU8(), signatures: metadata.getSignaturesList() };
}
