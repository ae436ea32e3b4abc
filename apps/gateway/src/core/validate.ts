import { InvalidRequestError } from '@attune/platform';
import type { PipeTransform } from '@nestjs/common';

/** What is used of a zod schema. */
export interface Schema<Output> {
  safeParse(value: unknown): { success: true; data: Output } | { success: false; error: { issues: Issue[] } };
}
interface Issue {
  code?: string;
  path: PropertyKey[];
  message: string;
  /** Of `unrecognized_keys`: the fields the schema does not have. */
  keys?: string[];
  /** Of `invalid_union`: what is wrong with the value under each of the shapes it could have. */
  errors?: Issue[][];
}

/** @throws InvalidRequestError naming the first field that does not fit and why. */
export function validate<Output>(schema: Schema<Output>, value: unknown): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = named(result.error.issues[0]);
  const param = issue.path.map(String).join('.');
  const subject = param === '' ? 'The request body' : `\`${param}\``;
  throw new InvalidRequestError(`${subject} cannot be used: ${issue.message}.`, { param: param || undefined });
}

/** The issue where it is: at the unknown field itself, and inside the shape of a union that fits best. */
function named(issue: Issue): Issue {
  if (issue.keys?.length) {
    return { path: [...issue.path, issue.keys[0]], message: 'there is no such field; leave it out' };
  }
  const branches = (issue.errors ?? []).flatMap((branch) => branch.slice(0, 1)).map(named);
  if (branches.length === 0) return issue;
  const deepest = branches.reduce((best, one) => (one.path.length > best.path.length ? one : best));
  if (deepest.path.length > 0) return { ...deepest, path: [...issue.path, ...deepest.path] };
  return { ...issue, message: branches.map(({ message }) => message).join(' or ') };
}

/** `@Body(new Validated(schema))`: the body as the schema reads it. */
export class Validated<Output> implements PipeTransform<unknown, Output> {
  constructor(private readonly schema: Schema<Output>) {}

  transform(value: unknown): Output {
    return validate(this.schema, value ?? {});
  }
}
