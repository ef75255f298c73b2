import type { VerifiedEvidence } from '../evidence/verify.ts';

/** Below a server's public URL; needs no account. */
export const VERIFICATION_PAGE = '/verify';

/** What a certificate says, in Chinese and in English. */
export interface Contents {
  readonly title: Bilingual;
  readonly statement: Bilingual;
  readonly rows: readonly { readonly label: Bilingual; readonly value: string }[];
  readonly instructions: readonly Bilingual[];
}

export interface Bilingual {
  readonly zh: string;
  readonly en: string;
}

const INTERACTIONS: Readonly<Record<VerifiedEvidence['interaction'], string>> = {
  create: 'create 新建',
  update: 'update 更新',
  delete: 'delete 删除',
};

/** @param digest SHA-256 of the evidence file, hexadecimal */
export function contentsOf(verified: VerifiedEvidence, digest: string): Contents {
  const { record, version, interaction, time, author, anchor, before } = verified;
  const consortium =
    anchor.assurance === 'anchored'
      ? [
          row('区块签名机构', 'Block signed by', anchor.orderedBy.join(', ')),
          row('有效性确认机构', 'Found valid by', anchor.confirmedBy.join(', ')),
        ]
      : [];
  const carried =
    before === undefined
      ? []
      : [
          row(
            '此前存证（运营者自述）',
            'Before, by its operator’s word',
            `${before.blockTime}, ${before.transactionId}`,
          ),
        ];
  return {
    title: { zh: '病历存证证书', en: 'Certificate of medical evidence' },
    statement: STATEMENTS[anchor.assurance],
    rows: [
      row('记录', 'Record', record),
      row('版本', 'Version', `${version} (${INTERACTIONS[interaction]})`),
      row('受理时间', 'Accepted at', time),
      row('提交方', 'Author', author),
      row('日志规模', 'Size of the log', String(anchor.size)),
      row('日志树根', 'Root of the log', anchor.root),
      row('存证时间', 'Anchored at', anchor.blockTime),
      row('交易', 'Transaction', anchor.transactionId),
      row('区块', 'Block', String(anchor.block)),
      row('背书机构', 'Endorsed by', anchor.endorsedBy.join(', ')),
      ...consortium,
      ...carried,
      row('证据文件摘要', 'SHA-256 of the evidence file', digest),
    ],
    instructions: INSTRUCTIONS,
  };
}

function row(zh: string, en: string, value: string) {
  return { label: { zh, en }, value };
}

const STATEMENTS: Readonly<Record<VerifiedEvidence['anchor']['assurance'], Bilingual>> = {
  anchored: {
    zh: '下述记录在所示存证时间已经存在，此后未被更改。多家互不隶属的机构对此作了背书、排序和确认。',
    en: 'The record below existed when it was anchored, and has not been altered since. Several organisations that do not depend on one another endorsed, ordered and confirmed it.',
  },
  'self-attested': {
    zh: '下述记录自存证以来未被更改。账本由一家运营者持有，存证时间为其自行声明。',
    en: 'The record below has not been altered since it was anchored. One operator holds the ledger, so the time is that operator’s own word.',
  },
};

const INSTRUCTIONS: readonly Bilingual[] = [
  {
    zh: '本页仅供阅读，证明力在于本文件所附的 evidence.json。',
    en: 'This page is for reading. The proof is the file evidence.json that is attached to this document.',
  },
  {
    zh: '扫描二维码打开核验页面，选择该附件和您自行取得的信任根文件；核验在浏览器内进行，不发送任何内容。',
    en: 'The code leads to a page on which you choose that file and the trust roots that you were given; it is verified in your browser, and nothing is sent anywhere.',
  },
  {
    zh: '也可离线执行：medseal verify evidence.json --roots roots.json',
    en: 'Or offline: medseal verify evidence.json --roots roots.json',
  },
];
