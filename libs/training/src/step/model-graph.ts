import {
  gather,
  gatherDistinct,
  Graph,
  lookup,
  type RoundedColumns,
  type RoundedMatrix,
  segmentMask,
  type Shape,
  type Tensor,
} from '@attune/graph';
import {
  architectures,
  type Bottleneck,
  embed,
  headName,
  labelLogProbs,
  logits,
  type LowRank,
  type ModelConfig,
  type ModelInputs,
  ROUNDED_EMBEDDING,
  roundedNames,
  type RoundedTable,
  scalarHead,
  type Weights,
} from '@attune/models';
import { bottleneckName } from '../forms/bottleneck.js';
import { SOFT_PROMPT } from '../forms/soft-prompt.js';
import { behindPrompt } from './behind-prompt.js';
import { inputOf, type Lookup } from './lookups.js';
import { type FrozenSet, loraName } from './parameters.js';
import type { TrainingSwitches } from './switches.js';

/** Measured from 1 to 8: 4 is fastest from 64 tokens a row to 1,024, and never slower than 1. */
export const ATTENTION_PARTS = 4;

/**
 * A model in a graph under construction, as objectives see it: token rows in, hidden states, log-probs and scalar
 * scores out. Every parameter is a graph input, declared when first used, so that one copy of the weights in memory
 * serves training, scoring and sampling alike.
 */
export class ModelGraph {
  readonly g: Graph;
  /** What was taken out of matrices that are trained, whose gradients the graph leaves as rows. */
  readonly lookups: Lookup[] = [];
  private readonly declared = new Map<string, Tensor>();

  constructor(
    name: string,
    readonly config: ModelConfig,
    private readonly parameters: FrozenSet,
    private readonly adapterScale: number,
    private readonly switches: TrainingSwitches = {},
    /** Whether the graph runs on a device, where all gradients are added up in the graph. */
    private readonly onDevice = false,
  ) {
    this.g = new Graph(name);
  }

  /** A batch tensor by name, declared when first used. */
  batch(name: string, dtype: 'float32' | 'int64', shape: Shape): Tensor {
    return this.declare(name, () => this.g.input(name, dtype, shape));
  }

  /** A parameter by name; it must be in the sets the step was built with. */
  parameter(name: string): Tensor {
    const known = this.parameters.get(name);
    if (!known) throw new RangeError(`the training graph needs the parameter "${name}", which was not given`);
    return this.declare(name, () => this.g.input(name, known.dtype, known.shape));
  }

  /** Hidden states [B·T, hidden] of the batch's ids, positions and segments. */
  hidden(): Tensor {
    const ids = this.batch('ids', 'int64', ['B', 'T']);
    const positions = this.batch('positions', 'int64', ['B', 'T']);
    const segments = this.batch('segments', 'int64', ['B', 'T']);
    const { hiddenStates } = architectures[this.config.architecture]!;
    const recomputeLayers = this.switches.activationCheckpointing ?? false;
    // Where parts begin is whole-number arithmetic, which a device would leave to the CPU.
    const how = { recomputeLayers, attentionParts: this.onDevice ? 1 : ATTENTION_PARTS };
    const run = (inputs: ModelInputs) => hiddenStates(this.g, this.config, this.weights, { ...inputs, ...how });
    if (!this.parameters.has(SOFT_PROMPT))
      return run({ ids, positions, mask: segmentMask(this.g, segments, positions) });
    const prompt = this.parameter(SOFT_PROMPT);
    return behindPrompt(this.g, prompt, { embeds: embed(this.g, this.weights, ids), positions, segments }, run);
  }

  /** Log-probs [rows] of labels [rows] given the hidden states of the same rows. */
  labelLogProbs(hidden: Tensor, labels: Tensor): Tensor {
    return labelLogProbs(this.g, this.config, this.weights, hidden, labels, this.switches.headChunks ?? 1);
  }

  /** Logits [rows, vocabulary] of hidden states [rows, hidden]. */
  logits(hidden: Tensor): Tensor {
    return logits(this.g, this.config, this.weights, hidden);
  }

  /** One score per row from the head `<name>.weight` [1, hidden] and, where given, `<name>.bias` [1]. */
  scalar(name: string, hidden: Tensor): Tensor {
    const bias = this.parameters.has(`${name}.bias`) ? this.parameter(`${name}.bias`) : null;
    return scalarHead(this.g, hidden, this.parameter(`${name}.weight`), bias);
  }

  /** The rows of hidden states that the batch names in an int64 tensor [count]; a row may be named twice. */
  rows(hidden: Tensor, name: string, count: string): Tensor {
    return gather(this.g, hidden, this.batch(name, 'int64', [count]));
  }

  /** The rows of hidden states whose next token counts, [R], as weightedRowFeeds gives them. */
  countedRows(hidden: Tensor): Tensor {
    return gatherDistinct(this.g, hidden, this.batch('rows', 'int64', ['R']));
  }

  private get weights(): Weights {
    return {
      parameter: (name) => this.parameter(name),
      rows: (name, index) => this.parameterRows(name, index),
      rounded: (name) => this.rounded(name),
      roundedHead: () => this.roundedColumns(headName(this.config)),
      roundedEmbedding: () => this.roundedEmbedding(),
      adapter: (module) => this.adapter(module),
      bottleneck: (block) => this.bottleneck(block),
    };
  }

  private parameterRows(name: string, index: Tensor): Tensor {
    if (this.onDevice) return gather(this.g, this.parameter(name), index);
    const rows = lookup(this.g, this.parameter(name), index);
    this.lookups.push({ parameter: name, rows, input: inputOf(this.g, index) });
    return rows;
  }

  private rounded(name: string): RoundedMatrix | null {
    const columns = this.roundedColumns(name);
    return columns && { ...columns, rows: this.parameter(roundedNames(name).rows) };
  }

  private roundedColumns(name: string): RoundedColumns | null {
    const { scales, columns } = roundedNames(name);
    if (!this.parameters.has(columns)) return null;
    return { scales: this.parameter(scales), columns: this.parameter(columns) };
  }

  private roundedEmbedding(): RoundedTable | null {
    const { values, scales } = ROUNDED_EMBEDDING;
    return this.parameters.has(values) ? { values: this.parameter(values), scales: this.parameter(scales) } : null;
  }

  private adapter(module: string): LowRank | null {
    const [a, b] = [loraName(module, 'A'), loraName(module, 'B')];
    if (!this.parameters.has(a)) return null;
    return { a: this.parameter(a), b: this.parameter(b), scale: this.adapterScale };
  }

  private bottleneck(block: string): Bottleneck | null {
    const [down, up] = [bottleneckName(block, 'down'), bottleneckName(block, 'up')];
    return this.parameters.has(down) ? { down: this.parameter(down), up: this.parameter(up) } : null;
  }

  private declare(name: string, make: () => Tensor): Tensor {
    const known = this.declared.get(name);
    if (known) return known;
    const made = make();
    this.declared.set(name, made);
    return made;
  }
}
