/** What templates may speak about: a row of the data, and what a model said to it. */
export interface GraderContext {
  readonly item: Readonly<Record<string, unknown>>;
  readonly sample: { readonly output_text: string; readonly output_json?: unknown };
}

/** Fills `{{item.a.b}}` and `{{sample.output_text}}`; what is not there is an empty text, what is no text is JSON. */
export function render(template: string, context: GraderContext): string {
  return template.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, path: string) => toText(valueAt(path, context)));
}

function valueAt(path: string, context: GraderContext): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      context,
    );
}

function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
