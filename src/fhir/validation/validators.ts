import { Ajv, type ValidateFunction } from 'ajv';
import { invariant } from '../../errors.ts';
import { typeDefinition } from '../definitions/definitions.ts';
import { addKeywords, type TypeValidators } from './keywords.ts';
import { typeSchema } from './schema.ts';

/** Validators by type name, each compiled on first use; with `allErrors` they go on after the first error. */
export function typeValidators(options: { allErrors: boolean }): TypeValidators {
  const ajv = new Ajv({
    allErrors: options.allErrors,
    // The schemas are our own: nothing to be checked, looked up or logged.
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
    strict: false,
    logger: false,
    messages: false,
    validateFormats: false,
    // ajv's optimizer triples the time to compile and makes these validators no faster.
    code: { optimize: false },
  });
  const compiled = new Map<string, ValidateFunction>();
  const validators: TypeValidators = (type) => {
    const known = compiled.get(type);
    if (known !== undefined) return known;
    const definition = typeDefinition(type);
    invariant(definition, `There is no type ${type}`);
    const validator = ajv.compile(typeSchema(definition));
    compiled.set(type, validator);
    return validator;
  };
  addKeywords(ajv, validators);
  return validators;
}
