import { encodeModel, gather, Graph, segmentMask } from '@attune/graph';
import { hiddenStates, logits, parseModelConfig } from '@attune/models';
import { createRuntime, type HostTensor } from '@attune/runtime';
import { type ParameterSet, sft, type TokenBatch, tokenFeeds, TrainStep } from '@attune/training';
import { describe, expect, it } from 'vitest';
import { fixtureBatch, openFixture, relativeError } from './fixtures.js';
import { GradientRecorder } from '../support/gradient-recorder.js';

interface Facts {
  readonly config: unknown;
  readonly loss: number;
  readonly lora_loss: number;
  readonly scale: number;
}

const VARIANTS = ['grouped-tied', 'untied-bias', 'rope-llama3', 'rope-linear'];
const TOLERANCE = 1e-5;
const runtime = createRuntime({ threads: 2 });

describe.each(VARIANTS)('a %s Llama agrees with transformers', (variant) => {
  const fixture = openFixture<Facts>(`llama-${variant}`);
  const config = parseModelConfig(fixture.facts.config);
  const batch = fixtureBatch(fixture);

  it('on its logits', async () => {
    const found = await logitsOf(config, fixture.parameters('weights.'), batch);
    expect(relativeError(found, fixture.floats('logits'))).toBeLessThan(TOLERANCE);
  });

  it('on its loss and the gradient of every weight', async () => {
    const trainable = fixture.parameters('weights.');
    const { loss, gradients } = await gradientsOf({ trainable, frozen: new Map(), adapterScale: 1 });
    expect(Math.abs(loss / fixture.facts.loss - 1)).toBeLessThan(TOLERANCE);
    expectAll(gradients, 'gradients.');
  });

  it('on its loss and the gradient of every adapter matrix', async () => {
    const trainable = fixture.parameters('lora.');
    const frozen = fixture.parameters('weights.');
    const { loss, gradients } = await gradientsOf({ trainable, frozen, adapterScale: fixture.facts.scale });
    expect(Math.abs(loss / fixture.facts.lora_loss - 1)).toBeLessThan(TOLERANCE);
    expectAll(gradients, 'lora_gradients.');
  });

  async function gradientsOf(sets: { trainable: ParameterSet; frozen: ParameterSet; adapterScale: number }) {
    const optimizer = new GradientRecorder();
    const step = await TrainStep.create({ config, objective: sft(), ...sets, optimizer, clipNorm: null, runtime });
    const { loss } = await step.run([batch], 0);
    step.release();
    return { loss, gradients: optimizer.gradients };
  }

  function expectAll(found: ReadonlyMap<string, Float32Array>, prefix: string): void {
    const expected = fixture.parameters(prefix);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, gradient] of found)
      expect(relativeError(gradient, expected.get(name)!.data), name).toBeLessThan(TOLERANCE);
  }
});

/** Logits [rows · length, vocabulary], zero on padding as the fixture has them. */
async function logitsOf(config: ReturnType<typeof parseModelConfig>, weights: ParameterSet, batch: TokenBatch) {
  const g = new Graph('logits');
  const [ids, positions, segments] = ['ids', 'positions', 'segments'].map((name) => g.input(name, 'int64', ['B', 'T']));
  const tensors = new Map([...weights].map(([name, { shape }]) => [name, g.input(name, 'float32', shape)]));
  const source = { parameter: (name: string) => tensors.get(name)! };
  const mask = segmentMask(g, segments!, positions!);
  const hidden = hiddenStates(g, config, source, { ids: ids!, positions: positions!, mask });
  g.output('logits', logits(g, config, source, gather(g, hidden, g.input('rows', 'int64', ['R']))));
  const session = await runtime.createSession(encodeModel(g), { graphOptimization: 'basic' });
  const kept = [...batch.segments.keys()].filter((i) => batch.segments[i] !== 0n);
  const rows: HostTensor = { dtype: 'int64', shape: [kept.length], data: BigInt64Array.from(kept, BigInt) };
  const shape = [kept.length, config.vocabSize];
  const result = new Float32Array(kept.length * config.vocabSize);
  const feeds = { ...Object.fromEntries(weights), ...tokenFeeds(batch), rows };
  await session.run(feeds, { logits: { dtype: 'float32', shape, data: result } });
  session.release();
  const all = new Float32Array(batch.rows * batch.length * config.vocabSize);
  kept.forEach((at, i) =>
    all.set(result.subarray(i * config.vocabSize, (i + 1) * config.vocabSize), at * config.vocabSize),
  );
  return all;
}
