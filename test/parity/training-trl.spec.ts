import { gradient } from '@attune/autograd';
import { encodeModel, Graph, type Tensor } from '@attune/graph';
import { createRuntime, float32, type HostTensor } from '@attune/runtime';
import { dpoTerms, grpoTerms, ipoTerms, ktoReferencePoint, ktoTerms, preferenceTerms } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { openFixture, relativeError } from './fixtures.js';

const TOLERANCE = 1e-5;
const fixture = openFixture<Record<string, number>>('trl');
const runtime = createRuntime({ threads: 1 });

type Inputs = Readonly<Record<string, HostTensor>>;
interface LossCase {
  /** What is fed, by name; those in `wrt` are differentiated. */
  readonly inputs: Inputs;
  readonly wrt: readonly string[];
  readonly build: (g: Graph, inputs: Readonly<Record<string, Tensor>>) => Tensor;
}

const named = (loss: string, ...names: string[]): Record<string, HostTensor> =>
  Object.fromEntries(names.map((name) => [name, fixture.tensor(`${loss}.${name}`)]));
const gapCase = (name: string, build: (g: Graph, gaps: Tensor, reference: Tensor) => Tensor): LossCase => ({
  inputs: named(name, 'gaps', 'reference_gaps'),
  wrt: ['gaps'],
  build: (g, { gaps, reference_gaps }) => build(g, gaps!, reference_gaps!),
});

const losses: Readonly<Record<string, LossCase>> = {
  dpo: gapCase('dpo', (g, gaps, reference) => dpoTerms(g, gaps, reference, 0.1).lossSum),
  cdpo: gapCase('cdpo', (g, gaps, reference) => dpoTerms(g, gaps, reference, 0.1, 0.15).lossSum),
  ipo: gapCase('ipo', (g, gaps, reference) => ipoTerms(g, gaps, reference, 0.2).lossSum),
  kto: {
    inputs: named('kto', 'log_probs', 'reference_log_probs', 'desirable', 'reference_point'),
    wrt: ['log_probs'],
    build: (g, input) =>
      ktoTerms(g, {
        logProbs: input['log_probs']!,
        referenceLogProbs: input['reference_log_probs']!,
        desirable: input['desirable']!,
        referencePoint: input['reference_point']!,
        beta: 0.1,
        desirableWeight: 1,
        undesirableWeight: 1.5,
      }).lossSum,
  },
  reward: {
    inputs: { ...named('reward', 'chosen', 'rejected', 'margins'), weights: ones(12) },
    wrt: ['chosen', 'rejected'],
    build: (g, { chosen, rejected, margins, weights }) =>
      preferenceTerms(g, {
        chosen: chosen!,
        rejected: rejected!,
        margins: margins!,
        weights: weights!,
        centerCoef: 0.01,
      }).lossSum,
  },
  grpo: grpoCase(),
};

describe('objectives agree with TRL', () => {
  it.each(Object.keys(losses))('on the %s loss and its gradients', async (name) => {
    const { inputs, wrt, build } = losses[name]!;
    const g = new Graph(name);
    const handles = Object.fromEntries(
      Object.entries(inputs).map(([key, { shape }]) => [key, g.input(key, 'float32', shape)]),
    );
    const loss = build(g, handles);
    g.output('loss', loss);
    const slopes = gradient(
      g,
      loss,
      wrt.map((key) => handles[key]!),
    );
    slopes.forEach((tensor, i) => g.output(`gradient.${wrt[i]}`, tensor));
    const session = await runtime.createSession(encodeModel(g));
    const found = float32([]);
    const gradients = Object.fromEntries(wrt.map((key) => [`gradient.${key}`, float32(inputs[key]!.shape)]));
    await session.run(inputs, { loss: found, ...gradients });
    session.release();
    expect(Math.abs(found.data[0]! / fixture.facts[name]! - 1)).toBeLessThan(TOLERANCE);
    for (const [key, { data }] of Object.entries(gradients))
      expect(relativeError(data, fixture.floats(`${name}.${key}`)), key).toBeLessThan(TOLERANCE);
  });

  it('on the reference point of KTO', () => {
    const [policy, reference] = ['other', 'other_reference'].map((key) => [...fixture.floats(`kto.${key}`)]);
    const expected = fixture.floats('kto.reference_point')[0]!;
    expect(expected).toBeGreaterThan(0);
    expect(Math.abs(ktoReferencePoint(policy!, reference!) / expected - 1)).toBeLessThan(TOLERANCE);
    expect(ktoReferencePoint(reference!, policy!)).toBe(0);
  });
});

/** TRL's rollouts are its policy's own, so the ratio is 1 everywhere and its clip does nothing. */
function grpoCase(): LossCase {
  const mask = fixture.floats('grpo.mask');
  const advantages = fixture.floats('grpo.advantages');
  const [rows, length] = [advantages.length, mask.length / advantages.length];
  const lengths = Array.from({ length: rows }, (_, row) =>
    mask.slice(row * length, (row + 1) * length).reduce((sum, one) => sum + one, 0),
  );
  const perToken = (of: (row: number, i: number) => number) =>
    float32(
      [rows, length],
      Float32Array.from(mask, (_, i) => of(Math.floor(i / length), i)),
    );
  return {
    inputs: {
      ...named('grpo', 'log_probs', 'reference_log_probs'),
      old: fixture.tensor('grpo.log_probs'),
      advantages: perToken((row) => advantages[row]!),
      weights: perToken((row, i) => mask[i]! / lengths[row]!),
    },
    wrt: ['log_probs'],
    build: (g, input) =>
      grpoTerms(g, {
        logProbs: input['log_probs']!,
        oldLogProbs: input['old']!,
        referenceLogProbs: input['reference_log_probs']!,
        advantages: input['advantages']!,
        weights: input['weights']!,
        clipRange: 0.2,
        klCoef: 0.04,
      }).lossSum,
  };
}

function ones(count: number): HostTensor {
  return float32([count], new Float32Array(count).fill(1));
}
