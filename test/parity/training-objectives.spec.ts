import { gradient } from '@attune/autograd';
import { encodeModel, Graph, type Tensor } from '@attune/graph';
import { createRuntime, float32, type TensorMap } from '@attune/runtime';
import {
  AdamW,
  clippedPolicyTerms,
  clippedValueTerms,
  dpoTerms,
  generalisedAdvantages,
  preferenceTerms,
  whiten,
} from '@attune/training';
import { describe, expect, it } from 'vitest';
import { openFixture, relativeError } from './fixtures.js';

const TOLERANCE = 1e-5;
const fixture = openFixture<Record<string, number>>('objectives');
const runtime = createRuntime({ threads: 1 });

interface LossCase {
  readonly inputs: readonly string[];
  readonly wrt: readonly string[];
  readonly build: (g: Graph, inputs: Readonly<Record<string, Tensor>>, weights: Tensor) => Tensor;
}

const losses: Readonly<Record<string, LossCase>> = {
  reward: {
    inputs: ['chosen', 'rejected', 'margins'],
    wrt: ['chosen', 'rejected'],
    build: (g, { chosen, rejected, margins }, weights) =>
      preferenceTerms(g, { chosen: chosen!, rejected: rejected!, margins: margins!, weights }).lossSum,
  },
  policy: {
    inputs: ['log_probs', 'old_log_probs', 'advantages'],
    wrt: ['log_probs'],
    build: (g, { log_probs, old_log_probs, advantages }, weights) =>
      clippedPolicyTerms(g, {
        logProbs: log_probs!,
        oldLogProbs: old_log_probs!,
        advantages: advantages!,
        weights,
        clipRange: 0.2,
      }).lossSum,
  },
  value: {
    inputs: ['values', 'old_values', 'returns'],
    wrt: ['values'],
    build: (g, { values, old_values, returns }, weights) =>
      clippedValueTerms(g, { values: values!, oldValues: old_values!, returns: returns!, weights, clipRange: 0.2 })
        .lossSum,
  },
  dpo: {
    inputs: ['gaps', 'reference_gaps'],
    wrt: ['gaps'],
    build: (g, { gaps, reference_gaps }) => dpoTerms(g, gaps!, reference_gaps!, 0.1).lossSum,
  },
};

describe('objectives agree with PyTorch', () => {
  it.each(Object.keys(losses))('on the %s loss and its gradients', async (name) => {
    const { inputs, wrt, build } = losses[name]!;
    const g = new Graph(name);
    const handles = Object.fromEntries(inputs.map((key) => [key, g.input(key, 'float32', ['N'])]));
    const loss = build(g, handles, g.input('weights', 'float32', ['N']));
    g.output('loss', loss);
    gradient(
      g,
      loss,
      wrt.map((key) => handles[key]!),
    ).forEach((tensor, i) => g.output(`gradient.${wrt[i]}`, tensor));
    const session = await runtime.createSession(encodeModel(g));
    const feeds = Object.fromEntries(inputs.map((key) => [key, fixture.tensor(`${name}.${key}`)]));
    const weights: TensorMap = session.inputNames.includes('weights') ? { weights: fixture.tensor('weights') } : {};
    const found = float32([]);
    const gradients = Object.fromEntries(
      wrt.map((key) => [`gradient.${key}`, float32(fixture.tensor(`${name}.${key}`).shape)]),
    );
    await session.run({ ...feeds, ...weights }, { loss: found, ...gradients });
    expect(Math.abs(found.data[0]! / fixture.facts[name]! - 1)).toBeLessThan(TOLERANCE);
    for (const [key, { data }] of Object.entries(gradients))
      expect(relativeError(data, fixture.floats(`${name}.${key}`)), key).toBeLessThan(TOLERANCE);
  });

  it('on generalised advantages and whitening', () => {
    const found = generalisedAdvantages(fixture.floats('gae.rewards'), fixture.floats('gae.values'), {
      gamma: 0.97,
      lambda: 0.9,
    });
    expect(relativeError(found.advantages, fixture.floats('gae.advantages'))).toBeLessThan(TOLERANCE);
    expect(relativeError(found.returns, fixture.floats('gae.returns'))).toBeLessThan(TOLERANCE);
    const [whitened] = whiten([found.advantages]);
    expect(relativeError(whitened!, fixture.floats('gae.whitened'))).toBeLessThan(TOLERANCE);
  });
});

describe('AdamW agrees with PyTorch', () => {
  it('over five clipped steps, decaying matrices only', () => {
    const steps = openFixture<{ norms: number[]; clip: number; learningRate: number; weightDecay: number }>('adamw');
    const { norms, clip, learningRate, weightDecay } = steps.facts;
    const optimizer = new AdamW({ weightDecay });
    const values = { matrix: steps.floats('matrix.0'), vector: steps.floats('vector.0') };
    const shapes = { matrix: [4, 5], vector: [7] };
    for (const [i, norm] of norms.entries()) {
      const trainables = (['matrix', 'vector'] as const).map((name) => ({
        name,
        shape: shapes[name],
        value: values[name],
        gradient: steps.floats(`${name}.gradient.${i + 1}`),
      }));
      optimizer.update(trainables, Math.min(1, clip / (norm + 1e-6)), learningRate);
      for (const { name, value } of trainables)
        expect(relativeError(value, steps.floats(`${name}.${i + 1}`))).toBeLessThan(TOLERANCE);
    }
  });
});
