// The page itself. It has no way to send anything: its policy (Content-Security-Policy) forbids every connection.
import { evidenceIn } from './attachment.js';
import { sha256, toHex } from './bytes.js';
import { verifyEvidence } from './evidence.js';

const [evidenceInput, rootsInput, result] = ['evidence', 'roots', 'result'].map((id) => document.getElementById(id));
/** Of the certificate whose code led here. */
const expected = /^#sha256=([0-9a-f]{64})$/.exec(location.hash)?.[1];

async function check() {
  const [file] = evidenceInput.files;
  const [roots] = rootsInput.files;
  if (file === undefined || roots === undefined) return;
  show('busy', ['核验中…', 'Verifying…']);
  try {
    const evidence = await evidenceIn(new Uint8Array(await file.arrayBuffer()));
    const digest = toHex(await sha256(evidence));
    if (expected !== undefined && digest !== expected) {
      throw new Error('it is not the file of the certificate whose code led here');
    }
    succeed(await verifyEvidence(evidence, await roots.text()), digest);
  } catch (error) {
    show('refused', ['核验未通过', 'It does not hold'], [['原因 Reason', error.message]]);
  }
}

function succeed({ record, version, interaction, time, author, resource, anchor, before }, digest) {
  const isSelfAttested = anchor.assurance === 'self-attested';
  const verdict = isSelfAttested
    ? ['核验通过（时间为运营者自行声明）', 'Verified (the time is the operator’s own word)']
    : ['核验通过', 'Verified'];
  show('verified', verdict, [
    ['记录 Record', record],
    ['版本 Version', `${version} (${interaction})`],
    ['受理时间 Accepted at', time],
    ['提交方 Author', author],
    ['存证时间 Anchored at', anchor.blockTime],
    ['日志 Log', `${anchor.institution}: ${anchor.size}, ${anchor.root}`],
    ['交易 Transaction', `${anchor.transactionId}, ${anchor.block}`],
    ['背书机构 Endorsed by', anchor.endorsedBy.join(', ')],
    ...(isSelfAttested ? [] : [['区块签名机构 Block signed by', anchor.orderedBy.join(', ')]]),
    ...(isSelfAttested ? [] : [['有效性确认机构 Found valid by', anchor.confirmedBy.join(', ')]]),
    ...(before === undefined
      ? []
      : [['此前存证（运营者自述） Before, by its operator’s word', `${before.blockTime}: ${before.transactionId}`]]),
    ['证据文件摘要 SHA-256 of the evidence', digest],
    ['内容 Content', resource ?? '(已删除 deleted)'],
  ]);
}

function show(state, [zh, en], rows = []) {
  result.className = state;
  const heading = document.createElement('h2');
  heading.textContent = `${zh} · ${en}`;
  const list = document.createElement('dl');
  for (const [label, value] of rows) {
    const [term, description] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = label;
    description.textContent = value;
    list.append(term, description);
  }
  result.replaceChildren(heading, list);
}

for (const input of [evidenceInput, rootsInput]) input.addEventListener('change', check);
