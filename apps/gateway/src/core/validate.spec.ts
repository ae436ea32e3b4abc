import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { validate } from './validate.js';

const part = z.discriminatedUnion('type', [z.strictObject({ type: z.literal('text'), text: z.string() })]);
const schema = z.strictObject({ input: z.union([z.string(), z.array(z.strictObject({ content: z.array(part) }))]) });

const errorOf = (value: unknown) => {
  try {
    return validate(schema, value);
  } catch (error) {
    return error;
  }
};

describe('validate', () => {
  it('names a field there is none of', () => {
    expect(errorOf({ input: 'a', colour: 1 })).toMatchObject({ param: 'colour' });
    const deep = { input: [{ content: [{ type: 'text', text: 'a', colour: 1 }] }] };
    expect(errorOf(deep)).toMatchObject({ param: 'input.0.content.0.colour' });
  });

  it('names the place inside the shape that fits best', () => {
    expect(errorOf({ input: [{ content: [{ type: 'sound' }] }] })).toMatchObject({ param: 'input.0.content.0.type' });
  });

  it('names every shape when none fits', () => {
    const error = errorOf({ input: 3 });
    expect(error).toMatchObject({ param: 'input', message: expect.stringMatching(/string.* or .*array/) });
  });
});
