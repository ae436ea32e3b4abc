import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openApiDocument } from './document.js';

it('is the committed openapi.json (write it anew with `npm run openapi`)', () => {
  const committed: unknown = JSON.parse(readFileSync(new URL('../../../../openapi.json', import.meta.url), 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
});

it('names every operation once', () => {
  const { paths } = openApiDocument() as { paths: Record<string, Record<string, { operationId: string }>> };
  const ids = Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
  expect(new Set(ids).size).toBe(ids.length);
});
