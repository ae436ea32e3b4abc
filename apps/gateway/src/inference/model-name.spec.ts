import { describe, expect, it } from 'vitest';
import { checkpointModelName, parseModelName } from './model-name.js';

describe('the name of a model', () => {
  it.each([
    ['mini', { kind: 'live' }],
    ['default', { kind: 'live' }],
    ['mini:base', { kind: 'base' }],
    ['mini:ckpt_1', { kind: 'checkpoint', id: 'ckpt_1' }],
    ['ckpt_1', { kind: 'checkpoint', id: 'ckpt_1' }],
    ['base', { kind: 'unknown' }],
    ['mini:', { kind: 'unknown' }],
    ['mini:ckpt_../x', { kind: 'unknown' }],
    ['maxi:ckpt_1', { kind: 'unknown' }],
    ['gpt-4o', { kind: 'unknown' }],
  ])('%s', (name, meant) => {
    expect(parseModelName(name, 'mini')).toEqual(meant);
  });

  it('of a checkpoint is understood again', () => {
    expect(parseModelName(checkpointModelName('a:b', 'ckpt_1'), 'a:b')).toEqual({ kind: 'checkpoint', id: 'ckpt_1' });
  });
});
