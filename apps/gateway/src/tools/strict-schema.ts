import { InvalidRequestError } from '@attune/platform';

type Schema = Record<string, unknown>;

/** Keywords that say something about a schema and nothing about values. */
const NOTES = new Set(
  '$schema $comment title description default examples deprecated readOnly writeOnly $defs definitions'.split(' '),
);

/** Keywords the answers are held to. */
const KEPT = new Set(
  (
    '$ref type enum const properties required additionalProperties items prefixItems minItems maxItems anyOf ' +
    'minLength maxLength pattern minimum maximum exclusiveMinimum exclusiveMaximum'
  ).split(' '),
);

/** Keywords that stand alone: what is beside them would not be looked at. Only the type of a value may be named. */
const ALONE = ['$ref', 'anyOf', 'enum', 'const'];
const MAY_NAME_TYPE = ['enum', 'const'];

/** Bounds that hold only where the type they belong to is named. */
const BOUNDS: Readonly<Record<string, readonly string[]>> = {
  minimum: ['integer', 'number'],
  maximum: ['integer', 'number'],
  exclusiveMinimum: ['integer', 'number'],
  exclusiveMaximum: ['integer', 'number'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
};

/** A keyword whose value the answers would not be held to, and why. */
export interface SchemaProblem {
  /** JSON Pointer into the schema. */
  at: string;
  reason: string;
}

/**
 * What in a schema would not hold for every answer, the first of it; `strict` promises that all does. Keywords outside
 * this subset would be passed over without a word otherwise.
 */
export function strictProblem(schema: unknown, root: unknown = schema, at = '#'): SchemaProblem | undefined {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return schema === true ? undefined : { at, reason: 'it must be an object' };
  }
  const own = schema as Schema;
  return ownProblem(own, root, at) ?? innerProblem(own, root, at);
}

/** @throws InvalidRequestError naming the place in the schema */
export function expectStrict(schema: unknown, param: string): void {
  const problem = strictProblem(schema);
  if (!problem) return;
  throw new InvalidRequestError(
    `\`${param}\` is \`strict\`, but \`${problem.at}\` cannot be promised: ${problem.reason}; change it, or leave \`strict\` out.`,
    { param, code: 'unsupported_schema' },
  );
}

function ownProblem(schema: Schema, root: unknown, at: string): SchemaProblem | undefined {
  const keywords = Object.keys(schema).filter((keyword) => !NOTES.has(keyword) && !(keyword === '$id' && at === '#'));
  const unknown = keywords.find((keyword) => !KEPT.has(keyword));
  if (unknown !== undefined) return { at: join(at, unknown), reason: `\`${unknown}\` is not among the keywords kept` };
  const alone = ALONE.find((keyword) => keyword in schema);
  const beside =
    alone && keywords.find((keyword) => keyword !== alone && !(keyword === 'type' && MAY_NAME_TYPE.includes(alone)));
  if (beside) return { at: join(at, beside), reason: `nothing may stand beside \`${alone}\`` };
  return (
    typeProblem(schema, at) ?? boundProblem(schema, at) ?? refProblem(schema, root, at) ?? requiredProblem(schema, at)
  );
}

const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'object', 'array'];

function typeProblem(schema: Schema, at: string): SchemaProblem | undefined {
  const types = [schema.type ?? []].flat() as string[];
  const odd = types.find((type) => !TYPES.includes(type));
  if (odd !== undefined) return { at: join(at, 'type'), reason: `there is no type \`${odd}\`` };
  const values = 'const' in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : [];
  const stray = types.length > 0 && values.find((value) => !types.some((type) => isOf(value, type)));
  return stray === false || stray === undefined
    ? undefined
    : { at: join(at, 'type'), reason: `the value ${JSON.stringify(stray)} is not of this type` };
}

function boundProblem(schema: Schema, at: string): SchemaProblem | undefined {
  const types = [schema.type ?? []].flat() as string[];
  const bound = Object.keys(schema).find(
    (keyword) => BOUNDS[keyword] && !BOUNDS[keyword].some((type) => types.includes(type)),
  );
  if (bound === undefined) return undefined;
  return {
    at: join(at, bound),
    reason: `\`${bound}\` needs \`type\` ${BOUNDS[bound].map((type) => `\`${type}\``).join(' or ')} beside it`,
  };
}

function isOf(value: unknown, type: string): boolean {
  if (value === null) return type === 'null';
  if (Array.isArray(value)) return type === 'array';
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

/** References point into the same document. */
function refProblem(schema: Schema, root: unknown, at: string): SchemaProblem | undefined {
  if (schema.$ref === undefined) return undefined;
  if (typeof schema.$ref === 'string' && found(schema.$ref, root)) return undefined;
  return { at: join(at, '$ref'), reason: 'it names nothing below `#` of this schema' };
}

function found(pointer: string, root: unknown): boolean {
  if (pointer === '#') return true;
  if (!pointer.startsWith('#/')) return false;
  let place = root;
  for (const part of pointer.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return false;
    place = (place as Schema)[key];
  }
  return true;
}

function requiredProblem(schema: Schema, at: string): SchemaProblem | undefined {
  if (!Array.isArray(schema.required)) return undefined;
  const properties = Object.keys((schema.properties as object | undefined) ?? {});
  const missing = schema.required.find((name) => !properties.includes(name as string));
  if (missing === undefined) return undefined;
  return { at: join(at, 'required'), reason: `\`${String(missing)}\` is not among the \`properties\`` };
}

function innerProblem(schema: Schema, root: unknown, at: string): SchemaProblem | undefined {
  for (const keyword of ['additionalProperties', 'items']) {
    const inner = schema[keyword];
    if (inner === undefined || typeof inner === 'boolean') continue;
    const problem = strictProblem(inner, root, join(at, keyword));
    if (problem) return problem;
  }
  for (const keyword of ['properties', '$defs', 'definitions', 'anyOf', 'prefixItems']) {
    for (const [name, inner] of Object.entries((schema[keyword] as object | undefined) ?? {})) {
      const problem = strictProblem(inner, root, join(join(at, keyword), name));
      if (problem) return problem;
    }
  }
  return undefined;
}

const join = (at: string, key: string) => `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
