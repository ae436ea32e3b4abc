import { parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime, type Runtime } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { initialParameters, initialValueHead, padSequences, Scorer } from '../index.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
  tie_word_embeddings: true,
});

describe('a scorer', () => {
  it('frees every session it has, also when another could not be made', async () => {
    const inner = createRuntime({ threads: 1 });
    let attempts = 0;
    let open = 0;
    const createSession: Runtime['createSession'] = async (graph, options) => {
      if (++attempts === 1) throw new Error('no memory is left');
      const session = await inner.createSession(graph, options);
      open++;
      const release = session.release.bind(session);
      session.release = () => {
        open--;
        release();
      };
      return session;
    };
    const runtime = Object.assign(Object.create(inner) as Runtime, { createSession });
    const parameters = new Map([...initialParameters(config, createRandom(1), 0.3), ...initialValueHead(config)]);
    const scorer = new Scorer({ config, parameters, runtime });
    const batch = padSequences([{ ids: [1, 2, 3], weights: [0, 1, 1] }]);
    await expect(scorer.tokenLogProbs(batch)).rejects.toThrow('no memory is left');
    await scorer.values(batch);
    expect(open).toBe(1);
    await scorer.release();
    expect(open).toBe(0);
  });
});
