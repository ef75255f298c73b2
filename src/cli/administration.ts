import { readFileSync } from 'node:fs';
import type { Command } from './commands.ts';
import { administer, connect } from './connection.ts';
import { needed, parseOptions, UsageError } from './usage.ts';

export const institution: Command = {
  usage: [
    'medseal institution add ID',
    'medseal institution list',
    'medseal institution set ID [--validation base|strict] [--references checked|unchecked]',
  ],
  summary: 'Add, list or set up institutions',
  about: [
    'ID becomes the first part of the institution’s base, /ID/fhir: a-z, 0-9 and inner hyphens.',
    'What is written is checked against R4’s structure; where validation is strict, against its invariants and the',
    'profiles that a resource claims too. Where references are checked, what they name must be there.',
  ].join('\n'),
  async run(args) {
    const { values, positionals } = parseOptions(args, MODES, 2);
    const [verb, id] = positionals;
    if (verb === 'list') return listInstitutions();
    if (verb === 'set') return setModes(needed(id, 'ID'), values);
    if (verb !== 'add') throw new UsageError('say add, list or set');
    const connection = connect();
    const added = await administer(connection, 'POST', '/admin/institutions', { id: needed(id, 'ID') });
    const { guest } = added as { guest: boolean };
    const base = `${connection.address.publicUrl}/${id}/fhir`;
    process.stdout.write(`institution ${id}: ${guest ? 'kept by another node, here it only has clients' : base}\n`);
    return 0;
  },
};

const MODES = { validation: { type: 'string' }, references: { type: 'string' } } as const;

interface DescribedInstitution {
  readonly id: string;
  readonly checkReferences: boolean;
  readonly validation: string;
  readonly guest: boolean;
}

async function listInstitutions(): Promise<number> {
  const { institutions } = (await administer(connect(), 'GET', '/admin/institutions')) as {
    institutions: DescribedInstitution[];
  };
  for (const one of institutions) process.stdout.write(`${one.id}\n`);
  return 0;
}

async function setModes(
  id: string,
  { validation, references }: { readonly validation?: string | undefined; readonly references?: string | undefined },
): Promise<number> {
  if (references !== undefined && references !== 'checked' && references !== 'unchecked') {
    throw new UsageError('--references is checked or unchecked');
  }
  const modes = {
    ...(validation === undefined ? {} : { validation }),
    ...(references === undefined ? {} : { checkReferences: references === 'checked' }),
  };
  const set = await administer(connect(), 'POST', `/admin/institutions/${encodeURIComponent(id)}`, modes);
  const now = set as DescribedInstitution;
  const told = now.checkReferences ? 'checked' : 'unchecked';
  process.stdout.write(`institution ${id}: validation ${now.validation}, references ${told}\n`);
  return 0;
}

const OPTIONS = {
  institution: { type: 'string' },
  jwks: { type: 'string' },
  'jwks-uri': { type: 'string' },
  purpose: { type: 'string', multiple: true },
  scope: { type: 'string', multiple: true },
  patient: { type: 'string' },
  practitioner: { type: 'string' },
  'related-person': { type: 'string' },
} as const;

export const client: Command = {
  usage: [
    'medseal client add ID --institution I (--jwks FILE | --jwks-uri URL)',
    '                          [--purpose P]... [--scope S]... [--patient ID [--related-person ID] | --practitioner ID]',
    'medseal client list',
    'medseal client disable ID',
  ],
  summary: 'Register, list or disable clients',
  about: [
    'FILE holds the client’s public keys (a JSON Web Key Set). P is a code of v3-PurposeOfUse, such as TREAT or HRESCH.',
    'Scopes are system/*.cruds unless said otherwise; patient/*.rs patient/Consent.cruds for a patient, user/*.cruds for',
    'a practitioner. A related person represents the patient, as far as a Consent lets them.',
  ].join('\n'),
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, 2);
    const [verb, id] = positionals;
    if (verb === 'list') return list();
    if (verb === 'disable') return disable(needed(id, 'ID'));
    if (verb !== 'add') throw new UsageError('say add, list or disable');
    const { patient, practitioner } = values;
    const registration = {
      id: needed(id, 'ID'),
      institution: needed(values.institution, '--institution'),
      ...keysOf(values),
      purposes: values.purpose ?? [],
      scopes: values.scope?.flatMap((scope) => scope.split(' ')) ?? defaultScopes(patient, practitioner),
      ...(patient === undefined ? {} : { patient }),
      ...(practitioner === undefined ? {} : { practitioner }),
      ...(values['related-person'] === undefined ? {} : { relatedPerson: values['related-person'] }),
    };
    await administer(connect(), 'POST', '/admin/clients', registration);
    const purposes = registration.purposes.join(' ') || 'none';
    process.stdout.write(
      `client ${id} of ${registration.institution}: ${registration.scopes.join(' ')}, purpose ${purposes}\n`,
    );
    return 0;
  },
};

function keysOf(values: { readonly jwks?: string; readonly 'jwks-uri'?: string }): object {
  const uri = values['jwks-uri'];
  if (uri !== undefined) return { jwksUri: uri };
  const file = needed(values.jwks, '--jwks or --jwks-uri');
  try {
    return { jwks: JSON.parse(readFileSync(file, 'utf8')) };
  } catch {
    throw new UsageError(`${file} is not a readable JSON file`);
  }
}

export function defaultScopes(patient: string | undefined, practitioner: string | undefined): readonly string[] {
  if (patient !== undefined) return ['patient/*.rs', 'patient/Consent.cruds'];
  return practitioner !== undefined ? ['user/*.cruds'] : ['system/*.cruds'];
}

async function list(): Promise<number> {
  interface Listed {
    id: string;
    institution: string;
    purposes: string[];
    scopes: string[];
    disabled: boolean;
  }
  const { clients } = (await administer(connect(), 'GET', '/admin/clients')) as { clients: Listed[] };
  for (const one of clients) {
    const state = one.disabled ? ' (disabled)' : '';
    const facts = [one.id + state, one.institution || '-', one.purposes.join(' ') || '-', one.scopes.join(' ')];
    process.stdout.write(`${facts.join('\t')}\n`);
  }
  return 0;
}

async function disable(id: string): Promise<number> {
  await administer(connect(), 'DELETE', `/admin/clients/${encodeURIComponent(id)}`);
  process.stdout.write(`client ${id} is disabled, its tokens are revoked\n`);
  return 0;
}
