import type { ColumnOptions, ValueTransformer } from 'typeorm';

/** U+0000 and lone surrogates are the two things a JavaScript string may hold and PostgreSQL refuses. */
export function storable(value: string): string {
  return value.replaceAll('\u0000', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd');
}

const storableText: ValueTransformer = {
  to: (value: unknown) => (typeof value === 'string' ? storable(value) : value),
  from: (value: unknown) => value,
};

const storableJson: ValueTransformer = {
  to: (value: unknown) => (value === undefined ? undefined : JSON.parse(storableJsonText(value))),
  from: (value: unknown) => value,
};

/** JSON with every string made {@link storable}. */
export function storableJsonText(value: unknown): string {
  const text = JSON.stringify(value);
  // Both are spelled as escapes; a text without any is spared a look at each of its values.
  if (!/\\u(?:0000|d[89a-f])/.test(text)) return text;
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? storable(part) : part));
}

/** pg hands bigint out as text; every bigint of ours fits a JavaScript number. */
const asNumber: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: string | number | null) => (value === null || value === undefined ? null : Number(value)),
};

export const text = { type: 'text', transformer: storableText } as const satisfies ColumnOptions;
export const optionalText = { ...text, nullable: true } as const satisfies ColumnOptions;
export const integer = { type: 'integer' } as const satisfies ColumnOptions;
export const optionalBoolean = { type: 'boolean', nullable: true } as const satisfies ColumnOptions;
export const optionalReal = { type: 'real', nullable: true } as const satisfies ColumnOptions;
export const bigint = { type: 'bigint', transformer: asNumber } as const satisfies ColumnOptions;
export const json = { type: 'jsonb', transformer: storableJson } as const satisfies ColumnOptions;
export const optionalJson = { ...json, nullable: true } as const satisfies ColumnOptions;
export const optionalTime = { type: 'timestamptz', nullable: true } as const satisfies ColumnOptions;
/** Set by the database when the row is inserted. */
export const timeOfInsert: ColumnOptions = { type: 'timestamptz', default: () => 'clock_timestamp()', update: false };
