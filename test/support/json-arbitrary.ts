import fc, { type Arbitrary } from 'fast-check';

/** A JSON schema as zod writes them. */
export interface JsonSchema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  propertyNames?: JsonSchema;
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  default?: unknown;
  format?: string;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
}

const DEEPEST = 6;
const MOST_OPTIONAL = 4;
/** Whole answers of thousands of tokens would tell no more than short ones, only later. */
const LARGEST_NUMBER = 40;

const anything = fc.jsonValue({ maxDepth: 2 });

/**
 * Values that mostly fit a schema, and now and then do not: a field of another type, one too many, one too few.
 * @param known values for fields of these names, so that requests get past looking things up
 */
export function fitting(schema: JsonSchema, known: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<unknown> {
  const root = schema;

  function valueOf(part: JsonSchema, depth: number): Arbitrary<unknown> {
    return fc.oneof({ weight: 30, arbitrary: goodValue(part, depth) }, { weight: 1, arbitrary: anything });
  }

  function goodValue(part: JsonSchema, depth: number): Arbitrary<unknown> {
    if (depth > DEEPEST) return fc.constant(null);
    if (part.$ref) return goodValue(resolve(root, part.$ref), depth + 1);
    if (part.const !== undefined) return fc.constant(part.const);
    if (part.enum) return fc.constantFrom(...part.enum);
    const choices = part.anyOf ?? part.oneOf;
    if (choices) return fc.oneof(...choices.map((choice) => goodValue(choice, depth + 1)));
    if (part.allOf) return goodValue(Object.assign({}, ...part.allOf) as JsonSchema, depth + 1);
    const types = [part.type ?? 'anything'].flat();
    return fc.oneof(...types.map((type) => ofType(type, part, depth)));
  }

  function ofType(type: string, part: JsonSchema, depth: number): Arbitrary<unknown> {
    switch (type) {
      case 'string':
        if (part.format === 'uri') return fc.webUrl();
        return fc.string({
          minLength: part.minLength ?? 0,
          maxLength: Math.min(part.maxLength ?? 20, 20),
          unit: 'grapheme',
        });
      case 'integer':
        return fc.integer({
          min: lowest(part),
          max: Math.max(lowest(part), Math.min(part.maximum ?? LARGEST_NUMBER, LARGEST_NUMBER)),
        });
      case 'number':
        return fc.double({
          min: part.minimum ?? part.exclusiveMinimum ?? 0,
          max: part.maximum ?? LARGEST_NUMBER,
          noNaN: true,
        });
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'array':
        return arrayOf(part, depth);
      case 'object':
        return objectOf(part, depth);
      default:
        return anything;
    }
  }

  function arrayOf(part: JsonSchema, depth: number): Arbitrary<unknown> {
    if (part.prefixItems) return fc.tuple(...part.prefixItems.map((item) => valueOf(item, depth + 1)));
    const item = typeof part.items === 'object' ? valueOf(part.items, depth + 1) : anything;
    const minLength = part.minItems ?? 0;
    return fc.array(item, { minLength, maxLength: Math.max(minLength, Math.min(part.maxItems ?? 3, 3)) });
  }

  function objectOf(part: JsonSchema, depth: number): Arbitrary<unknown> {
    const { properties = {}, required = [], additionalProperties: rest } = part;
    if (Object.keys(properties).length === 0) {
      const value = typeof rest === 'object' ? valueOf(rest, depth + 1) : anything;
      return fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), value, { maxKeys: 3 });
    }
    const fields = Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [
        name,
        depth === 0 && known[name]
          ? fc.oneof({ weight: 20, arbitrary: known[name] }, { weight: 1, arbitrary: valueOf(field, depth + 1) })
          : valueOf(field, depth + 1),
      ]),
    );
    const requiredKeys = Object.keys(fields).filter(
      (name) => required.includes(name) || (depth === 0 && name in known),
    );
    const optionalKeys = Object.keys(fields).filter((name) => !requiredKeys.includes(name));
    // Few at a time: what two fields may not say together would refuse nearly everything.
    const good = fc
      .subarray(optionalKeys, { maxLength: Math.min(MOST_OPTIONAL, optionalKeys.length) })
      .chain((chosen) =>
        fc.record(Object.fromEntries([...requiredKeys, ...chosen].map((name) => [name, fields[name]]))),
      );
    const odd = fc
      .tuple(good, fc.string({ minLength: 1, maxLength: 8 }), anything)
      .map(([value, name, extra]) => ({ ...value, [name]: extra }));
    const partial = fc.record(fields, { requiredKeys: [] });
    return fc.oneof({ weight: 30, arbitrary: good }, { weight: 1, arbitrary: odd }, { weight: 1, arbitrary: partial });
  }

  return valueOf(schema, 0);
}

const lowest = (part: JsonSchema) => Math.max(part.minimum ?? part.exclusiveMinimum ?? 0, -LARGEST_NUMBER);

function resolve(root: JsonSchema, reference: string): JsonSchema {
  if (reference === '#') return root;
  return root.$defs?.[reference.replace('#/$defs/', '')] ?? {};
}
