import { expect, it } from 'vitest';
import { readBatchLines } from './batch-lines.js';

const line = (change: object = {}) =>
  JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/embeddings', body: {}, ...change });
const read = (...rows: string[]) => readBatchLines(rows.join('\n'), '/v1/embeddings');

it('reads one request a line', () => {
  const found = read(line(), '', line({ custom_id: 'b', body: { input: 'x' } }), '');
  expect(found).toMatchObject({ ok: true, lines: [{ custom_id: 'a' }, { custom_id: 'b', body: { input: 'x' } }] });
});

it.each([
  ['nothing', [''], 'empty_file', null],
  ['broken JSON', [line(), '{'], 'invalid_json_line', 2],
  ['another endpoint', [line({ url: '/v1/files' })], 'mismatched_url', 1],
  ['another verb', [line({ method: 'GET' })], 'invalid_request', 1],
  ['the same id twice', [line(), line()], 'duplicate_custom_id', 2],
  ['a stream', [line({ body: { stream: true } })], 'invalid_request', 1],
])('tells of %s and where', (_, rows, code, at) => {
  expect(read(...rows)).toMatchObject({ ok: false, errors: [{ code, line: at }] });
});
