import { type Adapter, collect, Engine, type GenerateRequest, type TokenLogProb } from '@attune/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFixture, relativeError } from './fixtures.js';

interface Facts {
  readonly config: { readonly vocab_size: number };
  readonly lora_loss: number;
  readonly scale: number;
  readonly rank: number;
}

const VARIANTS = ['grouped-tied', 'untied-bias', 'rope-llama3', 'rope-linear'];
const TOLERANCE = 1e-5;

describe.each(VARIANTS)('a served %s Llama agrees with transformers', (variant) => {
  const fixture = openFixture<Facts>(`llama-${variant}`);
  const vocabSize = fixture.facts.config.vocab_size;
  const lengths = fixture.integers('lengths');
  const ids = fixture.integers('ids');
  const width = ids.length / lengths.length;
  const rows = lengths.map((length, row) => ids.slice(row * width, row * width + length));
  const weights = fixture.parameters('weights.');
  const model = {
    config: fixture.facts.config,
    digest: variant,
    tensor: (name: string) => ({ data: weights.get(name)!.data as Float32Array }),
  };
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.load({ model, slots: 2, threads: 1, spinning: false });
  });
  afterAll(() => engine?.close());

  it('on the distribution after every token of every row', async () => {
    const logits = fixture.floats('logits');
    for (const [row, tokens] of rows.entries())
      for (let end = 1; end <= tokens.length; end++) {
        const at = (row * width + end - 1) * vocabSize;
        const want = logSoftmax(logits.subarray(at, at + vocabSize));
        const got = await distribution(tokens.slice(0, end), null);
        expect(relativeError(got, want), `row ${row}, ${end} tokens`).toBeLessThan(TOLERANCE);
      }
  });

  it('on the loss under an adapter', async () => {
    const adapter = adapterOf();
    await engine.loadAdapter(adapter);
    const [labels, share] = [fixture.integers('labels'), fixture.floats('weights_per_token')];
    let [loss, total] = [0, 0];
    for (const [row, tokens] of rows.entries())
      for (let end = 1; end <= tokens.length; end++) {
        const at = row * width + end - 1;
        const logProbs = await distribution(tokens.slice(0, end), adapter.digest);
        loss -= share[at]! * logProbs[labels[at]!]!;
        total += share[at]!;
      }
    expect(Math.abs(loss / total / fixture.facts.lora_loss - 1)).toBeLessThan(TOLERANCE);
  });

  async function distribution(promptIds: number[], adapter: string | null): Promise<Float64Array> {
    const request: GenerateRequest = { id: 'next', promptIds, maxTokens: 1, logProbs: true, adapter };
    let top: readonly TokenLogProb[] = [];
    for await (const event of engine.generate({ ...request, topLogProbs: vocabSize }))
      if (event.type === 'token') top = event.top!;
    const byToken = new Float64Array(vocabSize);
    for (const { token, logProb } of top) byToken[token] = logProb;
    return byToken;
  }

  function adapterOf(): Adapter {
    const { rank, scale } = fixture.facts;
    const matrices = fixture.parameters('lora.base_model.model.');
    const modules = new Set([...matrices.keys()].map((name) => name.replace(/\.lora_[AB]\.weight$/, '')));
    const factor = (module: string, letter: string) => matrices.get(`${module}.lora_${letter}.weight`)!.data;
    const tensors = new Map(
      [...modules].map((module) => [
        module,
        { a: factor(module, 'A') as Float32Array, b: factor(module, 'B') as Float32Array },
      ]),
    );
    return { digest: 'lora', rank, alpha: rank * scale, tensors };
  }
});

it('ends a request that the weights make impossible, with the reason', async () => {
  const fixture = openFixture<Facts>('llama-grouped-tied');
  const weights = fixture.parameters('weights.');
  const tensor = (name: string) => ({ data: (weights.get(name)!.data as Float32Array).map(() => NaN) });
  const engine = await Engine.load({
    model: { config: fixture.facts.config, digest: 'nan', tensor },
    slots: 1,
    threads: 1,
  });
  const { finished } = await collect(engine.generate({ id: 'a', promptIds: [1], maxTokens: 3 }));
  expect(finished).toMatchObject({ reason: 'failed', error: /NaN/ });
  await engine.close();
});

function logSoftmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
  return Float64Array.from(logits, (logit) => logit - total);
}
