import { InvalidRequestError } from '@attune/platform';
import type { PipeTransform } from '@nestjs/common';

/** What is used of a zod schema. */
export interface Schema<Output> {
  safeParse(value: unknown): { success: true; data: Output } | { success: false; error: { issues: Issue[] } };
}
interface Issue {
  path: PropertyKey[];
  message: string;
}

/** @throws InvalidRequestError naming the first field that does not fit and why. */
export function validate<Output>(schema: Schema<Output>, value: unknown): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue.path.map(String).join('.');
  const subject = param === '' ? 'The request body' : `\`${param}\``;
  throw new InvalidRequestError(`${subject} cannot be used: ${issue.message}.`, { param: param || undefined });
}

/** `@Body(new Validated(schema))`: the body as the schema reads it. */
export class Validated<Output> implements PipeTransform<unknown, Output> {
  constructor(private readonly schema: Schema<Output>) {}

  transform(value: unknown): Output {
    return validate(this.schema, value ?? {});
  }
}
