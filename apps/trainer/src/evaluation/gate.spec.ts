import { tuningJobConfig } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { decideGate, type GateMeasures } from './gate.js';

const config = tuningJobConfig.parse({});
const better: GateMeasures = {
  heldoutLoss: { candidate: 0.4, live: 2.1 },
  winRate: { value: 0.9, numPrompts: 10 },
  suite: { candidate: 0.71, live: 0.72 },
  suiteByFamily: [{ family: 'capitals', candidate: 1, live: 1 }],
  kl: 5,
  samples: [],
};
const failed = (measures: Partial<GateMeasures>) =>
  decideGate({ ...better, ...measures }, config)
    .checks.filter(({ passed }) => !passed)
    .map(({ name }) => name);

describe('the gate', () => {
  it('lets a better candidate through', () => {
    const report = decideGate(better, config);
    expect(report.passed).toBe(true);
    expect(report.checks.map(({ name }) => name)).toEqual(['evidence', 'heldout_loss', 'win_rate', 'task_suite', 'kl']);
  });
  it.each<[string, Partial<GateMeasures>]>([
    ['heldout_loss', { heldoutLoss: { candidate: 2.2, live: 2.1 } }],
    ['win_rate', { winRate: { value: 0.49, numPrompts: 100 } }],
    ['task_suite', { suite: { candidate: 0.69, live: 0.72 } }],
    ['kl', { kl: 151 }],
  ])('stops a candidate by %s alone', (name, measures) => {
    expect(failed(measures)).toEqual([name]);
    expect(decideGate({ ...better, ...measures }, config).passed).toBe(false);
  });
  it('lets a suite drop of exactly the bound through', () => {
    expect(failed({ suite: { candidate: 0.7, live: 0.72 } })).toEqual([]);
  });
  it('stops a candidate that nothing held out speaks for', () => {
    expect(failed({ heldoutLoss: null, winRate: null })).toEqual(['evidence']);
  });
  it('asks no evidence of a candidate that is never promoted by itself, but all the other checks', () => {
    const decide = (measures: Partial<GateMeasures>) =>
      decideGate({ ...better, heldoutLoss: null, winRate: null, ...measures }, { ...config, promotion: 'never' });
    expect(decide({})).toMatchObject({ passed: true, checks: [{ name: 'task_suite' }, { name: 'kl' }] });
    expect(decide({ suite: { candidate: 0.5, live: 0.72 } }).passed).toBe(false);
    expect(decide({ heldoutLoss: { candidate: 2.2, live: 2.1 } }).passed).toBe(false);
  });
  it('judges by the loss alone when no reward model may be trusted', () => {
    expect(failed({ winRate: null })).toEqual([]);
  });
  it.each<Partial<GateMeasures>>([
    { heldoutLoss: { candidate: NaN, live: 2.1 } },
    { winRate: { value: NaN, numPrompts: 3 } },
    { suite: { candidate: NaN, live: 0.7 } },
    { kl: Infinity },
    { kl: NaN },
  ])('stops a candidate whose measure is no number: %j', (measures) => {
    expect(failed(measures)).toHaveLength(1);
  });
});
