import { encodeModel, int, usedInputs } from '@attune/graph';
import type { ModelConfig } from '@attune/models';
import type { HostTensor, Runtime, Session, TensorMap } from '@attune/runtime';
import { tokenFeeds, weightedRowFeeds } from '../batches/feeds.js';
import { padSequences, type TokenBatch, type WeightedSequence } from '../batches/token-batch.js';
import { ModelGraph } from '../step/model-graph.js';
import type { ParameterSet } from '../step/parameters.js';

/**
 * Whether greedy decoding would say exactly what a sequence says: under teacher forcing every weighted token must be
 * the likeliest one. One forward pass in place of a generation; equal to it, because greedy decoding that has been
 * right so far sees the same context.
 */
export class GreedyMatch {
  private constructor(
    private readonly session: Session,
    private readonly weightFeeds: TensorMap,
  ) {}

  static async create(config: ModelConfig, parameters: ParameterSet, runtime: Runtime): Promise<GreedyMatch> {
    const model = new ModelGraph('greedy-match', config, parameters, 1);
    const scores = model.logits(model.countedRows(model.hidden()));
    const [best] = model.g.emit('ArgMax', [scores], {
      attrs: { axis: int(-1), keepdims: int(0) },
      outputs: [{ dtype: 'int64', shape: ['R'] }],
    });
    model.g.output('best', best!);
    const session = await runtime.createSession(encodeModel(model.g), { memPattern: false });
    const used = usedInputs(model.g).filter(({ name }) => parameters.has(name));
    return new GreedyMatch(session, Object.fromEntries(used.map(({ name }) => [name, parameters.get(name)!])));
  }

  /** One verdict a sequence, in order; `rows` are run at once. */
  async run(sequences: readonly WeightedSequence[], rows = 16): Promise<boolean[]> {
    const verdicts: boolean[] = [];
    for (let start = 0; start < sequences.length; start += rows)
      verdicts.push(...(await this.runBatch(padSequences(sequences.slice(start, start + rows)))));
    return verdicts;
  }

  release(): void {
    this.session.release();
  }

  private async runBatch(batch: TokenBatch): Promise<boolean[]> {
    const { rows, labels } = weightedRowFeeds(batch) as Record<'rows' | 'labels', HostTensor>;
    const best = new BigInt64Array(rows.data.length);
    await this.session.run(
      { ...this.weightFeeds, ...tokenFeeds(batch), rows },
      { best: { dtype: 'int64', shape: [best.length], data: best } },
    );
    const verdicts = Array<boolean>(batch.rows).fill(true);
    best.forEach((token, i) => {
      if (token !== labels.data[i]) verdicts[Math.floor(Number(rows.data[i]) / batch.length)] = false;
    });
    return verdicts;
  }
}
