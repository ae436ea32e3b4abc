import { describe, expect, it } from 'vitest';
import { expectStrict, strictProblem } from './strict-schema.js';

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });

describe('a strict schema', () => {
  it.each([
    [{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }],
    [
      {
        $defs: { node: object({ next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }) },
        $ref: '#/$defs/node',
      },
    ],
    [{ type: 'array', items: { enum: [1, 'a', null] }, minItems: 1, maxItems: 3, description: 'few' }],
    [object({ value: { $ref: '#' } })],
    [{ type: 'string', enum: ['a', 'b'] }],
    [{}],
  ])('may be %j', (schema) => expect(strictProblem(schema)).toBeUndefined());

  it.each<[object, string]>([
    [{ not: {} }, '#/not'],
    [object({ a: { type: 'integer', multipleOf: 2 } }), '#/properties/a/multipleOf'],
    [{ anyOf: [{ oneOf: [] }] }, '#/anyOf/0/oneOf'],
    [{ anyOf: [{ type: 'string' }], minLength: 2 }, '#/minLength'],
    [{ anyOf: [{ type: 'string' }], type: 'string' }, '#/type'],
    [{ maximum: 3 }, '#/maximum'],
    [{ type: 'array', minLength: 3 }, '#/minLength'],
    [{ $ref: '#/$defs/nothing' }, '#/$ref'],
    [{ $ref: 'https://example.org/schema' }, '#/$ref'],
    [{ type: 'integer', enum: ['a'] }, '#/type'],
    [{ type: 'nonsense' }, '#/type'],
    [object({}, { required: ['a'] }), '#/required'],
    [object({ 'a/b': { uniqueItems: true } }), '#/properties/a~1b/uniqueItems'],
    [{ items: [{ type: 'string' }] }, '#/items'],
  ])('may not be %j', (schema, at) => expect(strictProblem(schema)).toMatchObject({ at }));

  it('is refused with the place, the reason and the way out', () => {
    expect(() => expectStrict({ not: {} }, 'response_format')).toThrow(
      /`response_format` is `strict`, but `#\/not`.*leave `strict` out/,
    );
  });
});
